"""Tests that run in a container, collected there without a stack: in its image, without any network."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from msgspec import Struct

from tasklib import process
from tasklib.adopt.evidence import Command, Place
from tasklib.adopt.testing import test_run
from tasklib.errors import Interrupted, TasklibError
from tasklib.isolation import Instance, resource_name
from tasklib.stacks.compose import compose
from tasklib.stacks.engine.docker.engine import DockerEngine
from tasklib.stacks.images.ownership import tags_of
from tasklib.stacks.inside import definition_of
from tasklib.stacks.labels import labels
from tasklib.stacks.plan import StackPlan
from tasklib.stacks.preparation import Prepared, prepare

__all__ = ["collected_inside", "collector", "listing"]

_BUILD, _COLLECT = 600.0, 120.0
_LISTS = {"pytest": ("--collect-only", "-q", "-p", "no:cacheprovider"), "jest": ("--listTests",)}
"""What has a runner say which tests there are, and run none."""


class _Image(Struct, frozen=True):
    """What a container is made from, and the service that builds it, if one does."""

    name: str
    builder: str | None


def listing(words: Sequence[str]) -> tuple[str, ...]:
    """PURE: ``words`` as they list their tests; empty where their runner cannot, or nobody knows it."""
    run = test_run(Command(Place("", 1), tuple(words))) if words else None
    return (*words, *_LISTS[run.runner]) if run and run.runner in _LISTS else ()


def collected_inside(
    plan: StackPlan, service: str, argv: Sequence[str], env: Mapping[str, str], cancel: process.Cancel
) -> process.Completed | str:
    """What ``argv`` said in a container of ``service``, or why there was none.

    Its image is built for that, if it is one that is built, and removed again: what the engine keeps of it
    has the first run find it built. No image is pulled. What belongs to the stack does not come up.
    """
    instance = Instance(f"adopt-{secrets.token_hex(3)}")
    try:
        prepared = prepare(plan, instance, None, cancel)
        with closing(DockerEngine.connect(strict=False)) as engine, _removed(prepared, engine):
            image = _image(prepared.config["services"], service)
            if image.builder:
                _built(prepared, image.builder, cancel)
            elif engine.image_id(image.name) is None:
                return f"its image {image.name} is not here yet"
            return _ran(prepared, service, argv, env, cancel)
    except process.TimedOut:
        return "it takes too long"
    except Interrupted:
        cancel.check()
        return f"its image is not built within {_BUILD / 60:.0f} minutes"
    except TasklibError as error:
        return error.line


def _image(services: Mapping[str, Any], service: str) -> _Image:
    name = str(services[service].get("image", ""))
    builders = [key for key in (service, *services) if "build" in services[key]]
    return _Image(name, next((key for key in builders if services[key].get("image") == name), None))


def _built(prepared: Prepared, service: str, cancel: process.Cancel) -> None:
    own = process.Cancel(cancel)
    late = threading.Timer(_BUILD, own.set)
    late.start()
    try:
        compose.build(prepared.plan.source, prepared.config, [service], prepared.env, lambda line: None, own)
    finally:
        late.cancel()


def collector(service: Mapping[str, Any], argv: Sequence[str], env: Mapping[str, str]) -> Mapping[str, Any]:
    """PURE: ``service`` as it runs ``argv`` alone: without networks, and without writing to this machine.

    What root writes into the copy there, such as compiled modules, only root could remove again.
    """
    made = definition_of(service, argv, {**env, "PYTHONDONTWRITEBYTECODE": "1"}, {})
    made.pop("networks", None)
    binds = [{**volume, "read_only": True} for volume in made["volumes"] if volume.get("type") == "bind"]
    return {**made, "network_mode": "none", "volumes": binds, "pull_policy": "never"}


def _ran(
    prepared: Prepared, service: str, argv: Sequence[str], env: Mapping[str, str], cancel: process.Cancel
) -> process.Completed:
    made = collector(prepared.config["services"][service], argv, env)
    config = {key: value for key, value in prepared.config.items() if key not in ("networks", "volumes")}
    name = resource_name(prepared.project, "tests")
    call = compose.one_off(
        prepared.plan.source, {**config, "services": {"tests": made}}, "tests", name, prepared.env
    )
    lines: dict[str, list[str]] = {}
    code = call.stream(
        lambda stream, line: lines.setdefault(stream, []).append(line), cancel, timeout=_COLLECT
    )
    out, err = ("\n".join(lines.get(stream, [])) for stream in ("stdout", "stderr"))
    return process.Completed(tuple(argv), code, out, err)


@contextlib.contextmanager
def _removed(prepared: Prepared, engine: DockerEngine) -> Iterator[None]:
    """Whatever was made for it goes, however it ends."""
    try:
        yield
    finally:
        tags = [tag for service in prepared.config["services"].values() for tag in tags_of(service)]
        with contextlib.suppress(TasklibError):
            engine.remove(engine.owned(labels(prepared.instance, prepared.plan.name), kinds=("container",)))
            engine.remove(engine.images(tags))
