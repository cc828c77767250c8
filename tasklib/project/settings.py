"""The types of ``[tool.tasklib]``: every key, what it holds, its default and what it is for.

Each struct is one table. Its fields are strict and described, so that whatever shows or checks the keys (an
editor's schema, a page, a message) can be made from here.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta, field

__all__ = [
    "ComposeSection",
    "DoctorSection",
    "ImagesSection",
    "ServiceSection",
    "Settings",
    "SetupStep",
    "SharedSection",
    "StageSeconds",
    "StageSection",
    "SuiteKeys",
    "Table",
    "TimeoutSection",
]

Name: TypeAlias = Annotated[str, Meta(min_length=1)]
Positive: TypeAlias = Annotated[int, Meta(ge=1)]
Files: TypeAlias = str | list[str] | None
Command: TypeAlias = Annotated[list[str], Meta(min_length=1)]
Seconds: TypeAlias = Annotated[float, Meta(gt=0)] | None
Strings: TypeAlias = dict[str, str]
Attestation: TypeAlias = Annotated[str, Meta(pattern=r"^(provenance|sbom)(,[a-z-]+=[^,]+)*$")]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of settings."""


class SetupStep(Table, frozen=True):
    """One command of ``setup`` that runs in a container."""

    run: Annotated[Command, Meta(description="the command", examples=[["python", "manage.py", "migrate"]])]
    in_: Annotated[Name, Meta(description="the Compose service in whose image it runs")] = field(name="in")


_MIGRATE = Meta(
    description="commands that run once the stack is ready and before the tests",
    examples=[[["alembic", "upgrade", "head"]]],
)
_INSIDE = Meta(description="the Compose service in which the tests run", examples=["api"])


class StageSection(Table, frozen=True):
    """One stage of a service, or of the project's own suites, where it differs."""

    paths: Annotated[
        str | list[str] | None, Meta(description="its tests: a folder, or a list; [] where there are none")
    ] = None
    command: Annotated[Command | None, Meta(description="its test command", examples=[["make", "test"]])] = (
        None
    )
    in_: Annotated[Name | None, _INSIDE] = field(default=None, name="in")
    env: Annotated[Strings, Meta(description="extra environment, added to that of all stages")] = {}
    setup: Annotated[list[Command | SetupStep] | None, _MIGRATE] = None
    timeout: Annotated[Seconds, Meta(description="seconds after which its tests are ended")] = None


Stage: TypeAlias = str | list[str] | StageSection | None


class SuiteKeys(Table, frozen=True):
    """What can be said of any suite, a service's or the project's own."""

    unit: Annotated[Stage, Meta(description="the unit tests: a folder, a list of them, or a table")] = None
    command: Annotated[Command | None, Meta(description="the test command", examples=[["make", "test"]])] = (
        None
    )
    in_: Annotated[Name | None, _INSIDE] = field(default=None, name="in")
    env: Annotated[Strings, Meta(description="extra environment of the tests and of the Compose files")] = {}
    setup: Annotated[list[Command | SetupStep] | None, _MIGRATE] = None
    needs: Annotated[
        list[str],
        Meta(description="the Compose services to bring up, with what they depend on", examples=[["db"]]),
    ] = []


class ServiceSection(SuiteKeys, frozen=True):
    """``services.<name>``. ``path`` is relative to the project, everything else to the service's folder."""

    path: Annotated[str | None, Meta(description="the service's folder")] = None
    compose: Annotated[
        Files, Meta(description="the Compose file of its own stack; a list where it has override files")
    ] = None
    project_directory: Annotated[
        str | None, Meta(description="the folder that paths in its own stack's files start from")
    ] = field(default=None, name="project-directory")
    service: Annotated[
        Stage, Meta(description="the tests against its own stack: a folder, a list of them, or a table")
    ] = None
    depends: Annotated[list[str], Meta(description="folders that it shares with other services")] = []


class ComposeSection(Table, frozen=True):
    """``compose``: the full stack's files per environment, relative to the project."""

    test: Annotated[Files, Meta(description="of the test stack")] = None
    dev: Annotated[Files, Meta(description="of the dev stack")] = None
    prod: Annotated[Files, Meta(description="of the prod stack")] = None


class SharedSection(Table, frozen=True):
    """``shared``: what tests may touch although it is not theirs alone."""

    volumes: Annotated[list[str], Meta(description="external volumes")] = []
    networks: Annotated[list[str], Meta(description="external networks")] = []
    mounts: Annotated[
        list[str], Meta(description="host paths outside the checkout, the engine's socket")
    ] = []
    host_network: Annotated[bool, Meta(description="whether services may use the host's network")] = field(
        default=False, name="host-network"
    )


class ImagesSection(Table, frozen=True):
    """``images``: what is released."""

    name: Annotated[
        str | None, Meta(description="of released images: registry.example.com/myproject-{service}")
    ] = None
    reuse: Annotated[
        Literal["pull", "ci", "push"] | None,
        Meta(
            description="take images of tests that are there already from the registry (pull), and give it "
            "those that were built in CI (ci) or anywhere (push)"
        ),
    ] = None
    attestations: Annotated[
        list[Attestation],
        Meta(
            description="what is attested of released images, where the builder can, with buildx's options",
            examples=[["provenance,mode=max", "sbom"]],
        ),
    ] = field(default_factory=lambda: ["provenance", "sbom"])


class DoctorSection(Table, frozen=True):
    """``doctor``: which rules it follows."""

    select: Annotated[
        list[str], Meta(description="only rules whose code begins like one of these", examples=[["TL1"]])
    ] = []
    ignore: Annotated[
        list[str], Meta(description="no rules whose code begins like one of these", examples=[["TL401"]])
    ] = []


class StageSeconds(Table, frozen=True):
    """Seconds per stage: ``slow`` and ``timeout``."""

    unit: Annotated[Seconds, Meta(description="of the unit stage")] = None
    service: Annotated[Seconds, Meta(description="of the service stage")] = None
    integration: Annotated[Seconds, Meta(description="of the integration stage")] = None


class TimeoutSection(StageSeconds, frozen=True):
    """``timeout``: of a stage's test process, and of a stack until it is ready."""

    ready: Annotated[Seconds, Meta(description="seconds a stack may take to become ready")] = None


class Settings(SuiteKeys, frozen=True):
    """``[tool.tasklib]``. The keys of suites are those of the project's own, and of its only service."""

    prefix: Annotated[str, Meta(description="of the Compose projects of test stacks")] = "test"
    name: Annotated[Name | None, Meta(description="the project's name")] = None
    services: Annotated[dict[str, ServiceSection], Meta(description="the services, by name")] = {}
    compose: Annotated[ComposeSection, Meta(description="the full stack, per environment")] = ComposeSection()
    integration: Annotated[
        Stage, Meta(description="the tests against the full stack: a folder, a list of them, or a table")
    ] = None
    profiles: Annotated[list[str] | None, Meta(description="Compose profiles to use")] = None
    env_files: Annotated[
        Files,
        Meta(description="what Compose reads variables from, instead of .env", examples=[[".env.test"]]),
    ] = field(default=None, name="env-files")
    project_directory: Annotated[
        str | None, Meta(description="the folder that paths in the full stack's files start from")
    ] = field(default=None, name="project-directory")
    publish: Annotated[
        list[str],
        Meta(description="ports that tests need and the file does not publish", examples=[["db:5432"]]),
    ] = []
    endpoints: Annotated[
        Strings, Meta(description='variables of the tests: TEST_API_URL = "http://{api:8000}/v1"')
    ] = {}
    mask: Annotated[
        list[str], Meta(description="variables whose values are hidden besides the known ones")
    ] = []
    doctor: Annotated[DoctorSection, Meta(description="which rules `doctor` follows")] = DoctorSection()
    shared: Annotated[SharedSection, Meta(description="what tests may touch beyond their stack")] = (
        SharedSection()
    )
    persistent: Annotated[
        list[str], Meta(description="volumes or databases whose data stays on disk; `all`")
    ] = []
    bake: Annotated[
        bool, Meta(description="whether known data stores start from what they initialised before")
    ] = True
    engines: Annotated[
        list[str],
        Meta(
            description="engines that stacks are placed on by free capacity, instead of the current context",
            examples=[["default", "ssh://build-1", "context:big"]],
        ),
    ] = []
    reach: Annotated[
        Literal["loopback", "joined", "forwarded", "published"] | None,
        Meta(description="how tests get to containers, instead of what is seen of the engine"),
    ] = None
    copy_in: Annotated[
        list[str],
        Meta(
            description="folders whose copies may be written to, where the engine has no files of ours",
            examples=[["deploy/test/uploads"]],
        ),
    ] = field(default_factory=list, name="copy-in")
    images: Annotated[ImagesSection, Meta(description="released images")] = ImagesSection()
    slow: Annotated[StageSeconds, Meta(description="seconds above which a test is marked")] = StageSeconds()
    timeout: Annotated[TimeoutSection, Meta(description="seconds after which a target's tests are ended")] = (
        TimeoutSection()
    )
    jobs: Annotated[Positive | None, Meta(description="targets at once")] = None
    base_branch: Annotated[Name, Meta(description="what `--changed` compares with")] = field(
        default="main", name="base-branch"
    )
