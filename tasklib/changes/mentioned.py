"""What the texts in a folder name outside of it: manifests, settings and sources alike.

Paths with ``..`` are read as they stand; others (``ROOT / "libs" / "common"``, ``$(TOP)/libs/common``) are
looked for in the folders above. What does not exist is no path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tasklib.changes.links import files_in

__all__ = ["mentioned"]

_OTHERWISE_READ = re.compile(
    r".*\.(md|rst|adoc|lock|svg|map|csv|sql|html?|css|dockerfile)|Dockerfile.*|(docker-)?compose.*\.ya?ml"
    r"|.*-lock\.(json|ya?ml)",
    re.IGNORECASE,
)
"""Prose, data and what tools write; images and stacks are read by readers of their own."""

_LARGE = 300_000
"""Bytes from which a file is not written by hand."""

_OUTWARD = re.compile(r"(?<![\w.])(?:\.\.[/\\]+)+[\w.@-][\w./\\@-]*")
_OF_FILE = re.compile(
    r"""__file__\s*\)(?:\.\w+\(\))*(?:\.parents\[(\d+)\]|((?:\.parent\b)+))\)?((?:\s*/\s*["'][^"'\n]+["'])+)"""
)
_JOINED = re.compile(r"""[/,]\s*["'][\w.@/-]+["'](?:\s*[/,]\s*["'][\w.@/-]+["'])+""")
_BELOW_TOP = re.compile(r"[)}]/((?:[\w.@-]+/)+[\w.@-]+)")
_GRADLE = re.compile(r"""\bproject\(\s*(?:path\s*[:=]\s*)?["']:([\w.-]+(?::[\w.-]+)*)["']""")
_PROJECT = re.compile(r".+\.(cs|fs|vb)proj|tsconfig.*\.json|package\.json|pyproject\.toml|Cargo\.toml")
"""A file that stands for its whole folder."""

_QUOTED = re.compile(r"""["']([^"']+)["']""")


def mentioned(folder: Path, top: Path) -> Iterator[Path]:
    """The files and folders outside of ``folder`` and below ``top`` that its texts name."""
    for path in files_in(folder):
        text = "" if _OTHERWISE_READ.fullmatch(path.name) else _text(path)
        for name in dict.fromkeys(_named(path, text, folder, top)):
            for found in _there(name):
                if (
                    found.is_relative_to(top)
                    and not found.is_relative_to(folder)
                    and ".git" not in found.parts
                ):
                    yield found


def _there(name: Path) -> Iterator[Path]:
    """What is there under ``name``: also without the ending that an import leaves out."""
    if name.exists():
        yield name
        if _PROJECT.fullmatch(name.name):
            yield name.parent
    elif name.name:
        yield from (path for path in name.parent.glob(f"{name.name}.*") if path.is_file())


def _named(path: Path, text: str, folder: Path, top: Path) -> Iterator[Path]:
    for name in dict.fromkeys(_OUTWARD.findall(text) if "../" in text or "..\\" in text else ()):
        # From where the file lies, or from where its tests are started.
        for base in dict.fromkeys((path.parent, folder)):
            yield _normal(base, name.replace("\\", "/"))
    for number, steps, tail in _OF_FILE.findall(text) if "__file__" in text else ():
        above = int(number) if number else steps.count(".parent") - 1
        if above < len(path.parents):
            yield _normal(path.parents[above], "/".join(_QUOTED.findall(tail)))
    gradle = _GRADLE.findall(text) if "gradle" in path.name else ()
    tails = ["/".join(_QUOTED.findall(tail)) for tail in _JOINED.findall(text)]
    tails += [*_BELOW_TOP.findall(text), *(name.replace(":", "/") for name in gradle)]
    for tail in dict.fromkeys(tails):
        above = (place for place in (folder, *folder.parents) if place.is_relative_to(top))
        yield from [found for place in above if (found := _normal(place, tail)).exists()][:1]


def _normal(base: Path, name: str) -> Path:
    # Not resolved: git tells the path of a link, not where it points.
    return Path(os.path.normpath(base / name.lstrip("/")))


def _text(path: Path) -> str:
    try:
        data = path.read_bytes() if path.is_file() and path.stat().st_size < _LARGE else b""
    except OSError:
        return ""
    return "" if b"\0" in data else data.decode(errors="replace")
