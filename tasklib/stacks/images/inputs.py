"""What an image is built from, as one digest: where that is the same, so is the image.

Building what has not changed takes the engine a third of a second and a question to the registry of each base
image that it does not have. A file counts as the same while nothing touched it; what it holds is not read.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from tasklib.stacks.dockerfile import REMOTE, image_names, instructions
from tasklib.stacks.engine.values import BaseImage
from tasklib.stacks.images.context import BuildContext, build_context, read_text
from tasklib.stacks.references import of_repository

__all__ = ["base_images", "contents_digest", "inputs_digest"]

_KNOWN = frozenset({"context", "dockerfile", "dockerfile_inline", "args", "target", "tags", "labels"})
"""Keys of a ``build`` that say all they mean; what others name is looked at by the engine alone."""

_WORDS = frozenset(
    {"CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "SHELL", "STOPSIGNAL"}
    | {"ADD", "ARG", "COPY", "FROM", "RUN", "USER", "VOLUME", "WORKDIR"}
)
"""Instructions of which is known what they take from anywhere."""

_MOST = 2000
"""Files above which comparing them takes as long as having the engine do it."""

_TICK = 0.1
"""Seconds within which two changes of a file may have one time stamp."""


def base_images(service: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the images that a rendered service with a ``build`` stands on, where they can be told."""
    try:
        return tuple(_read(service).bases)
    except (OSError, ValueError, _Unsure):
        return ()


def inputs_digest(service: Mapping[str, Any], image: Callable[[str], BaseImage | None]) -> str | None:
    """A digest of all that the image of a rendered service with a ``build`` is made from.

    ``image(name)`` is an image on the engine, ``None`` where there is none. ``None`` comes back for what
    cannot be told with certainty: contexts elsewhere, downloads, secrets, unreadable files, files that change
    right now, and whatever of a Dockerfile is not understood.
    """
    try:
        made = _made_from(service, image)
        files = sorted(_files(made.folder, made.paths))
    except (OSError, ValueError, _Unsure):
        return None
    if any(changed > time.time() - _TICK for *_, changed in files):
        return None
    definition = {key: value for key, value in service["build"].items() if key != "tags"}
    ids = {name: found.id if found else None for name, found in made.images.items()}
    return _hashed(definition, _platform(service), made.text, made.ignored, ids, files)


def contents_digest(
    service: Mapping[str, Any], image: Callable[[str], BaseImage | None], platform: str, day: int
) -> str | None:
    """The same for all machines: by what files hold, and by what registries call the base images.

    ``platform`` is what the engine builds for by itself. ``day`` makes it another one each day, since what a
    build downloads changes, too. ``None`` comes back for what has no :func:`inputs_digest`, and where a base
    image is not there.
    """
    try:
        made = _made_from(service, image)
        files = sorted(_contents(made.folder, made.paths))
    except (OSError, ValueError, _Unsure):
        return None
    wanted = _platform(service) or platform
    if not wanted or None in made.images.values():
        return None
    build = service["build"]
    definition = {key: build.get(key) for key in ("args", "target", "labels")}
    names = {name: found and _portable(name, found) for name, found in made.images.items()}
    return _hashed(definition, wanted, made.text, made.ignored, names, files, day)


class _Read(Struct, frozen=True):
    """What a service says of its build, as it is written."""

    context: BuildContext
    text: str
    bases: Sequence[str]


class _Made(Struct, frozen=True):
    """What an image is made from: a Dockerfile's text, base images by name, files of a folder."""

    folder: Path
    text: str
    ignored: tuple[str, ...]
    images: Mapping[str, BaseImage | None]
    paths: Sequence[Path]


def _read(service: Mapping[str, Any]) -> _Read:
    build = service["build"]
    context = build_context(build)
    text = str(build.get("dockerfile_inline") or (read_text(context.dockerfile) if context else None) or "")
    if context is None or not text or set(build) - _KNOWN:
        raise _Unsure
    return _Read(context, text, _bases(text, build.get("args") or {}))


def _made_from(service: Mapping[str, Any], image: Callable[[str], BaseImage | None]) -> _Made:
    read = _read(service)
    images = {name: image(name) for name in read.bases}
    _judge(read.context, images.values())
    return _Made(read.context.folder, read.text, read.context.ignored, images, list(_taken(read.context)))


def _platform(service: Mapping[str, Any]) -> str | None:
    return service.get("platform") or os.environ.get("DOCKER_DEFAULT_PLATFORM")


def _portable(name: str, image: BaseImage) -> str:
    """What the registry that ``name`` names calls the image; its id where none does."""
    return next(iter(of_repository(name, image.digests)), image.id)


def _hashed(*whole: Any) -> str:
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def _bases(text: str, arguments: Mapping[str, Any]) -> list[str]:
    """The images that a Dockerfile stands on, copies from and mounts, with variables filled in."""
    for found in instructions(text):
        if not found.complete or found.name not in _WORDS:
            raise _Unsure
        words = found.arguments
        if found.name == "FROM" and not (
            len(words) == 1 or (len(words) == 3 and words[1].text.upper() == "AS")
        ):
            raise _Unsure
        if found.name in ("COPY", "ADD") and any(REMOTE.match(word.text.strip("[\"',")) for word in words):
            raise _Unsure
    given = {name: str(value) for name, value in arguments.items() if value is not None}
    names = [found.image for found in image_names(text, given)]
    if not all(names):
        raise _Unsure
    return [name for name in names if name]


def _judge(context: BuildContext, images: Collection[BaseImage | None]) -> None:
    """Raise where a base image decides what is copied, or .dockerignore needs more than we know of it."""
    if context.sources is None or any(image and image.triggers for image in images):
        raise _Unsure
    if not context.sources and None in images:
        raise _Unsure  # Who copies nothing himself may stand on an image whose triggers do.
    for line in context.ignored:
        name = line.strip().removeprefix("!").strip()
        if not line.startswith("#") and (name == "." or set(name) & set("[\\")):
            raise _Unsure


class _Unsure(Exception):
    """What an image is made from cannot be told with certainty."""


def _taken(context: BuildContext) -> Iterator[Path]:
    """All files that the image takes from its context, and all folders that may hold some."""
    looked_at = 0
    for start in (start for source in context.sources or () for start in _starts(context.folder, source)):
        if not start.is_dir():
            yield start
        for folder, folders, files in os.walk(start):
            looked_at += len(files) + len(folders)
            if looked_at > _MOST:
                raise _Unsure
            here = Path(folder)
            if here == start or context.holds(here):
                yield here
            folders[:] = [name for name in folders if not context.leaves_out(here / name)]
            links = [name for name in folders if (here / name).is_symlink()]
            yield from (path for name in (*files, *links) if context.holds(path := here / name))


def _starts(folder: Path, source: str) -> list[Path]:
    """What a source of a COPY names: one file or folder, or all that match a pattern."""
    name = source.strip("/")
    if "**" in name or ".." in name.split("/") or set(name) & set("[\\"):
        raise _Unsure
    found = sorted(folder.glob(name)) if set(name) & set("*?") else [folder / name]
    if any(start.is_symlink() or not start.exists() for start in found):
        raise _Unsure  # A link that is named itself is followed.
    return found


def _files(top: Path, paths: Iterable[Path]) -> Iterator[tuple[Any, ...]]:
    """Name, what tells a change, and the time of the last change (seconds since the epoch)."""
    for path in paths:
        facts = path.lstat()
        known = (str(path.relative_to(top)), facts.st_mode, facts.st_uid, facts.st_gid)
        if stat.S_ISDIR(facts.st_mode):
            # A folder's times tell which files it has; those that count are here themselves.
            yield (*known, 0, 0, 0, 0, 0.0)
        else:
            yield (*known, facts.st_size, facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ctime)


def _contents(top: Path, paths: Iterable[Path]) -> Iterator[tuple[Any, ...]]:
    """Name, mode, and what is there; whose it is does not count in an image."""
    for path in paths:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            held = str(path.readlink())
        elif stat.S_ISREG(mode):
            with path.open("rb") as file:
                held = hashlib.file_digest(file, "sha256").hexdigest()
        elif stat.S_ISDIR(mode):
            held = ""
        else:
            raise _Unsure
        yield str(path.relative_to(top)), mode, held
