"""How each service's image is built, as the project's own Compose files say it, or its Dockerfile alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tasklib import process
from tasklib.changes.inputs import built_from, read_config
from tasklib.errors import ConfigError
from tasklib.project import Environment, Project, Service
from tasklib.stacks.compose.compose import render
from tasklib.stacks.compose.source import Source
from tasklib.stacks.images.context import build_context
from tasklib.stacks.plan import full_stack_plan, service_stack_plan

__all__ = ["Definitions", "find_definitions"]

Build = Mapping[str, Any]

_VERSION = "VERSION"


class Definitions:
    """The ``build`` sections of ``services``, rendered, and the secrets that they may name."""

    def __init__(self, builds: Mapping[str, Build], secrets: Mapping[str, Any]) -> None:
        self.builds = builds
        self.secrets = secrets


def find_definitions(
    project: Project, services: Iterable[Service], cancel: process.Cancel | None = None, *, version: str
) -> Definitions:
    """How to build each of ``services``: as the prod Compose file builds it, else as its own stack does
    (then to the Dockerfile's last stage: a stack for tests may stop earlier), else by its Dockerfile.

    Compose files see ``version`` as the variable VERSION; a build without a Compose file gets it as the
    argument of that name. Services without any of them are left out. Raises
    :class:`~tasklib.errors.ConfigError` for a Compose file that cannot be read.
    """
    services, env = tuple(services), {_VERSION: version}
    builds: dict[str, Build] = {}
    secrets: dict[str, Any] = {}
    if project.compose.get(Environment.PROD):
        prod = _prod(full_stack_plan(project, Environment.PROD).source, env, cancel)
        builds.update(_builds(project, prod))
        secrets.update(prod.get("secrets") or {})
    sources = {service.name: source for service in services if (source := _own_source(project, service))}
    missing = [name for name in sources if name not in builds]
    with ThreadPoolExecutor(4) as pool:
        for name, config in zip(
            missing, pool.map(lambda n: read_config(sources[n], cancel, env), missing), strict=True
        ):
            build = _builds(project, config).get(name)
            if build is not None:
                builds[name] = {key: value for key, value in build.items() if key != "target"}
                secrets.update(config.get("secrets") or {})
    for service in services:
        dockerfile = service.path / "Dockerfile"
        if service.name not in builds and dockerfile.is_file():
            root, path = (str(p).replace("$", "$$") for p in (project.root, dockerfile))
            builds[service.name] = {"context": root, "dockerfile": path, "args": dict(env)}
    wanted = {service.name for service in services}
    return Definitions({name: build for name, build in builds.items() if name in wanted}, secrets)


def _own_source(project: Project, service: Service) -> Source | None:
    """The stack that a service is tested in: its own, in a single-service project the full one."""
    if project.single:
        return full_stack_plan(project).source if project.compose.get(Environment.TEST) else None
    return service_stack_plan(project, service).source if service.compose else None


def _builds(project: Project, config: Mapping[str, Any]) -> dict[str, Build]:
    """The builds of a rendered config, by the project's service that each is of."""
    found: dict[str, Build] = {}
    folders = {service.name: service.path for service in project.services}
    for name, row in (config.get("services") or {}).items():
        build = row.get("build")
        context = build_context(build) if build else None
        service = built_from(project, name, context) if build else None
        if service:
            # What the file tags the image with is not ours.
            plain = {key: value for key, value in build.items() if key != "tags"}
            own = context is not None and context.dockerfile == folders[service] / "Dockerfile"
            # A folder may hold helpers' Dockerfiles too, deeper in.
            found = {**found, service: plain} if own or service not in found else found
    return found


def _prod(source: Source, env: Mapping[str, str], cancel: process.Cancel | None) -> Mapping[str, Any]:
    """The prod config. Where variables are missing that only the server has, its builds if they need none."""
    try:
        return render(source, "any", env, cancel)
    except ConfigError:
        raw = render(source, "any", env, cancel, interpolate=False)
        builds = {name: row["build"] for name, row in raw["services"].items() if "build" in row}
        if "$" in str(builds):
            raise
        return {"services": {name: {"build": build} for name, build in builds.items()}}
