"""What an image is built from, as one digest: where that is the same, so is the image.

Building what has not changed takes the engine a third of a second and a question to the registry of each base
image that it does not have. A file counts as the same while nothing touched it; what it holds is not read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tasklib.stacks.buildcontext import BuildContext, build_context, read_text
from tasklib.stacks.rewrite import bases

__all__ = ["inputs_digest"]

_KNOWN = frozenset({"context", "dockerfile", "dockerfile_inline", "args", "target", "tags", "labels"})
"""Keys of a ``build`` that say all they mean; what others name is looked at by the engine alone."""

_REMOTE = re.compile(r"(?im)^\s*ADD\s.*(?:[a-z][a-z0-9+.-]*://|git@)")
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)\}|(?P<plain>\w+))")

_MOST = 2000
"""Files above which comparing them takes as long as having the engine do it."""

_TICK = 0.1
"""Seconds within which two changes of a file may have one time stamp."""


def inputs_digest(service: Mapping[str, Any], image_id: Callable[[str], str | None]) -> str | None:
    """A digest of all that the image of a rendered service with a ``build`` is made from.

    ``image_id(name)`` is the id of an image on the engine, ``None`` where there is none. ``None`` comes back
    for what cannot be told with certainty: contexts elsewhere, downloads, secrets, unreadable files, files
    that change right now.
    """
    build = service["build"]
    context = build_context(build)
    if context is None or context.sources is None or set(build) - _KNOWN:
        return None
    text = str(build.get("dockerfile_inline") or read_text(context.dockerfile) or "")
    names = _bases(text, build.get("args") or {})
    if not text or _REMOTE.search(text) or names is None:
        return None
    try:
        files = sorted(_files(context.folder, _taken(context)))
    except (OSError, _Unsure):
        return None
    if any(changed > time.time() - _TICK for *_, changed in files):
        return None
    definition = {key: value for key, value in build.items() if key != "tags"}
    platform = service.get("platform") or os.environ.get("DOCKER_DEFAULT_PLATFORM")
    images = {name: image_id(name) for name in names}
    whole = json.dumps([definition, platform, text, context.ignored, images, files], sort_keys=True)
    return hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def _bases(text: str, arguments: Mapping[str, Any]) -> list[str] | None:
    """The images that a Dockerfile stands on or copies from; ``None`` where a name is put together."""
    names = []
    for name in bases(text):
        variable = _VARIABLE.fullmatch(name)
        if variable:
            # Its default is among the names, too.
            given = arguments.get(variable["braced"] or variable["plain"])
            names += [str(given)] if given else []
        elif "$" in name:
            return None
        else:
            names.append(name)
    return names


class _Unsure(Exception):
    """What an image is made from cannot be told with certainty."""


def _taken(context: BuildContext) -> Iterator[Path]:
    """All files that the image takes from its context, and all folders that may hold some."""
    looked_at = 0
    for start in (start for source in context.sources or () for start in _starts(context.folder, source)):
        if not start.is_dir():
            yield start
        for folder, folders, files in os.walk(start):
            looked_at += len(files)
            if looked_at > _MOST:
                raise _Unsure
            here = Path(folder)
            yield here
            folders[:] = [name for name in folders if not context.leaves_out(here / name)]
            links = [name for name in folders if (here / name).is_symlink()]
            yield from (path for name in (*files, *links) if context.holds(path := here / name))


def _starts(folder: Path, source: str) -> list[Path]:
    """What a source of a COPY names: one file or folder, or all that match a pattern."""
    name = source.strip("/")
    if "**" in name or set(name) & set("[\\"):
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
