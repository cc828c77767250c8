"""What decides what a data store initialises; whatever is not understood is not baked.

A key of the service that is not named here may decide it in a way that nobody thought of.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from tasklib.stacks.baking.files import digest_of, refuse_texts
from tasklib.stacks.baking.health import moved_test
from tasklib.stacks.baking.unfit import Unfit
from tasklib.stacks.dollars import plain
from tasklib.stacks.engine.values import Errand, ImageConfig
from tasklib.stacks.references import parse_reference
from tasklib.stacks.rewrite import Bake
from tasklib.stacks.servers import Baking, known_server

__all__ = ["REPOSITORY", "Recipe", "can_be_baked", "recipe_of", "refuse_copies"]

_VERSION = "2"
"""Raised when what we do to make a bake changes."""

REPOSITORY = "tasklib-bake"
_HOME = "/var/lib/tasklib/data"
"""Where the data is in a bake: below no folder that an image declares as VOLUME."""

_OUTSIDE = frozenset(
    (
        "annotations",
        "attach",
        "container_name",
        "depends_on",
        "deploy",
        "expose",
        "healthcheck",
        "init",
        "labels",
        "logging",
        "networks",
        "ports",
        "profiles",
        "pull_policy",
        "restart",
        "stop_grace_period",
        "stop_signal",
    )
)
"""Keys of a service that nothing inside can see before others are there."""

_SEEN = frozenset(
    (
        "command",
        "configs",
        "entrypoint",
        "environment",
        "hostname",
        "image",
        "secrets",
        "shm_size",
        "tmpfs",
        "volumes",
    )
)
_ROOTS = {"secrets": "/run/secrets", "configs": ""}


class Recipe(Struct, frozen=True):
    """How to bake the store of a service.

    ``key`` is a digest of all that decides what it initialises. ``hidden`` are the folders inside whose
    content an image cannot hold.
    """

    service: str
    name: str
    key: str
    errand: Errand
    image: ImageConfig
    baking: Baking
    command: tuple[str, ...]
    hidden: tuple[str, ...]
    health_test: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The beginning of the tags of all that were made of this."""
        return f"{REPOSITORY}/{self.name}:{self.key}-"

    def tag(self, number: int) -> str:
        """The tag of one making; each has its own, since a container that is kept goes by its image's."""
        return f"{self.family}{number:x}"

    def bake(self, tag: str) -> Bake:
        """What the service's definition becomes that starts from ``tag``."""
        return Bake(tag, _moved(self.baking), self.command, self.health_test)

    @property
    def check_file(self) -> str:
        """What the image's own health check reads inside; "" where it reads nothing."""
        return f"{_HOME}/{self.baking.check_file}" if self.baking.check_file else ""


def can_be_baked(image: str) -> bool:
    """Whether an image is that of a store of which it is known how."""
    server = known_server(image)
    return bool(server and server.baking and server.baking.ready)


def recipe_of(name: str, config: Mapping[str, Any], image: ImageConfig | None) -> Recipe:
    """How to bake a service of a rendered config whose image :func:`can_be_baked`.

    ``image`` is that as far as it is here. Raises :class:`Unfit` for a store that may do more than is known.
    """
    service = config["services"][name]
    reference = parse_reference(str(service["image"]))
    server = known_server(str(service["image"]))
    assert reference
    assert server
    assert server.baking
    baking = server.baking
    _refuse_keys(service)
    if image is None:
        raise Unfit("its image is not here yet")
    environment = {k: plain(v) for k, v in (service.get("environment") or {}).items() if v is not None}
    words = tuple(plain(word) for word in service.get("command") or image.command)
    _refuse_command(service, image, baking, words)
    _refuse_variables(environment, baking)
    moved = (variables.get(baking.data_variable) for variables in (image.environment, environment))
    folders = (*server.data, *filter(None, moved))
    files = tuple(_files(config, name, folders, (*baking.scripts, *baking.configuration)))
    for text in (*words, *(v for k, v in environment.items() if k != baking.data_variable)):
        if any(folder in text for folder in folders):
            raise Unfit("a value names the folder of the data")
    health_test = moved_test(service, baking, folders, files, _HOME)
    others = [other for other in config["services"] if other != name]
    refuse_texts(files, baking.scripts, folders, others)
    program, options = (
        (words[0], words[1:]) if words[0] in baking.programs else (_program(image, baking), words)
    )
    place = (f"{baking.data_option}={_HOME}",) if baking.data_option else ()
    command = (program, *place, *baking.options, *options)
    seen = {key: service[key] for key in sorted(_SEEN & service.keys()) if key != "volumes"}
    return Recipe(
        service=name,
        name=reference.repository.rpartition("/")[2],
        key=_digest([_VERSION, image.id, command, environment, seen, digest_of(files)]),
        errand=Errand(
            image.id,
            command,
            {**environment, **_moved(baking)},
            files,
            plain(service.get("hostname") or ""),
            int(service["shm_size"]) if service.get("shm_size") else None,
        ),
        image=image,
        baking=baking,
        command=tuple(word.replace("$", "$$") for word in command),
        hidden=image.volumes,
        health_test=health_test,
    )


def refuse_copies(service: Mapping[str, Any], files: Iterable[tuple[str, str]]) -> None:
    """Raise :class:`Unfit` where copies of ``files`` in the container would not do what mounts of them do."""
    if given := next((section for section in _ROOTS if service.get(section)), ""):
        raise Unfit(f"it has {given}, and the engine shares no disk")
    # A folder that is mounted hides what the image has there, scripts to be run for instance.
    if folder := next((path for path, _ in files if not Path(path).is_file()), ""):
        raise Unfit(f"{folder} is no file, and the engine shares no disk")


def _refuse_keys(service: Mapping[str, Any]) -> None:
    given = {key for key, value in service.items() if value not in (None, {}, [], "", False)}
    if "build" in given:
        raise Unfit("its image is built here")
    if unknown := sorted(given - _SEEN - _OUTSIDE):
        raise Unfit(f"`{unknown[0]}` may decide what it initialises")
    if "depends_on" in given:
        raise Unfit("it waits for other services")
    if int((service.get("deploy") or {}).get("replicas", 1)) != 1:
        raise Unfit("it has replicas")


def _refuse_command(
    service: Mapping[str, Any], image: ImageConfig, baking: Baking, words: tuple[str, ...]
) -> None:
    entrypoint = tuple(plain(word) for word in service.get("entrypoint") or image.entrypoint)
    if len(entrypoint) != 1 or posixpath.basename(entrypoint[0]) != baking.entrypoint:
        raise Unfit("its entry point is not the image's own")
    if not words or not (words[0] in baking.programs or words[0].startswith("-")):
        raise Unfit(f"its command is not {' or '.join(baking.programs)}")
    if moving := next((word for word in words if re.fullmatch(baking.moving, word)), ""):
        raise Unfit(f"`{moving}` of its command is for one server alone")


def _refuse_variables(environment: Mapping[str, str], baking: Baking) -> None:
    if given := next((name for name in baking.unlike if environment.get(name)), ""):
        raise Unfit(f"{given} is for one server alone")


def _program(image: ImageConfig, baking: Baking) -> str:
    """What the image's start script puts before options that stand alone."""
    return next((word for word in image.command[:1] if word in baking.programs), baking.programs[0])


def _moved(baking: Baking) -> dict[str, str]:
    return {baking.data_variable: _HOME} if baking.data_variable else {}


def _files(
    config: Mapping[str, Any], name: str, data: tuple[str, ...], readable: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """(path on this machine, path inside) of what is mounted; the data's own folder may be anything."""
    service = config["services"][name]
    for mount in service.get("volumes") or ():
        target = posixpath.normpath(str(mount.get("target")))
        if _is_in(target, data) and mount["type"] in ("volume", "tmpfs"):
            if mount["type"] == "volume":
                _refuse_shared(config, name, str(mount.get("source") or ""))
        elif mount["type"] == "bind" and (mount.get("read_only") or _is_in(target, readable)):
            yield plain(mount.get("source")), target
        else:
            raise Unfit(f"{target} is mounted and can be written")
    for entry in service.get("tmpfs") or ():
        if not _is_in(str(entry).partition(":")[0], data):
            raise Unfit(f"{entry} is in memory")
    for section, root in _ROOTS.items():
        for entry in service.get(section) or ():
            part = (config.get(section) or {}).get(entry.get("source")) or {}
            if "file" not in part:
                raise Unfit(f"{entry.get('source')} of `{section}` is no file")
            target = str(entry.get("target") or entry.get("source"))
            yield plain(part["file"]), posixpath.normpath(posixpath.join(root or "/", target))


def _refuse_shared(config: Mapping[str, Any], name: str, key: str) -> None:
    volume = (config.get("volumes") or {}).get(key) or {}
    if volume.get("external") or volume.get("driver_opts") or volume.get("driver") not in (None, "local"):
        raise Unfit(f"its volume {key} is kept elsewhere")
    for other, service in config["services"].items():
        mounts = service.get("volumes") or ()
        if other != name and key and any(mount.get("source") == key for mount in mounts):
            raise Unfit(f"{other} uses its volume {key} too")
        borrowed = {str(entry).partition(":")[0] for entry in service.get("volumes_from") or ()}
        if name in borrowed:
            raise Unfit(f"{other} uses its volumes too")


def _is_in(path: str, folders: tuple[str, ...]) -> bool:
    normal = posixpath.normpath(path)
    return any(normal == folder or normal.startswith(f"{folder}/") for folder in folders)


def _digest(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
