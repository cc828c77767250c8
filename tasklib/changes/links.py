"""Where the symbolic links in a folder lead: a change there is a change of the folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tasklib.changes.disk import sees

__all__ = ["files_in", "linked"]

_PASSED_OVER = re.compile(r"\.git|\.venv|venv|node_modules|\.nox|\.tox|__pycache__|\.\w+_cache")
"""Folders of tools, where links lead to what they installed."""

_HOPS = 40
"""Links that one link may lead through, as for the kernel."""


def linked(folder: Path) -> Iterator[Path]:
    """The files and folders that links in ``folder``, or ``folder`` itself, lead to outside of it.

    Of a link that leads to another one both are told: git knows either as a file.
    """
    top = Path(os.path.realpath(folder))
    for link in [folder, *_links(folder)]:
        for place in _hops(link):
            if not place.is_relative_to(top) and not place.is_relative_to(folder):
                yield place


def _links(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        yield from (path for name in (*folders, *names) if sees((path := Path(parent, name)).is_symlink))
        folders[:] = [name for name in folders if not _PASSED_OVER.fullmatch(name)]


def files_in(folder: Path) -> Iterator[Path]:
    """The files in ``folder``, without those that tools installed."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not _PASSED_OVER.fullmatch(name))
        yield from (Path(parent, name) for name in sorted(names))


def _hops(link: Path) -> Iterator[Path]:
    for _ in range(_HOPS):
        if not sees(link.is_symlink):
            return
        link = Path(os.path.normpath(os.path.realpath(link.parent) / link.readlink()))
        yield link
        if (whole := Path(os.path.realpath(link))) != link:
            yield whole
