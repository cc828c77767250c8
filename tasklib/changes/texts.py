"""PURE: the paths that texts of any language name outside of their folder, as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["above_file", "below", "outward", "says"]

_PART = r"""["'][\w.@/-]{1,255}["']"""
_OUTWARD = re.compile(r"(?<![\w.])(?:\.\.[/\\]+)+[\w.@-][\w./\\@-]*")
_OF_FILE = re.compile(
    r"""__file__\s*\)(?:\.\w+\(\))*(?:\.parents\[(\d{1,3})\]|((?:\.parent\b)+))\)?((?:\s*/\s*["'][^"'\n]+["'])+)"""
)
# Ten parts: a longer one is a list of words.
_JOINED = re.compile(rf"[/,(]\s*{_PART}(?:\s*[/,]\s*{_PART}){{1,9}}")
_OF_CONSTANT = re.compile(r"""\b[A-Z][A-Z0-9_]*\s*/\s*["']([\w.@-]+)["'](?!\s*/\s*["'])""")
_WHOLE = re.compile(r"""["']([\w.@-]+(?:/[\w.@-]+)+)(?:/\*{0,2})?["']""")
_BELOW_VARIABLE = re.compile(r"(?:[)}]/((?:[\w.@-]+/)+[\w.@-]+)|\$[A-Za-z_]\w*/([\w.@-]+(?:/[\w.@-]+)*))")
_GRADLE = re.compile(r"""\bproject\(\s*(?:path\s*[:=]\s*)?["']:([\w.-]+(?::[\w.-]+)*)["']""")
_QUOTED = re.compile(r"""["']([^"']+)["']""")


def outward(text: str) -> Iterator[str]:
    """Paths that begin with ``..``, also in parts: ``../../libs``, ``join(here, "..", "libs")``."""
    if ".." in text:
        yield from (name.replace("\\", "/") for name in _OUTWARD.findall(text))
    if '.."' in text or "..'" in text:
        yield from (name for name in _joined(text) if name.startswith("../"))


def above_file(text: str) -> Iterator[tuple[int, str]]:
    """How many folders above its own a file reaches, and for what: ``Path(__file__).parents[2] / "libs"``."""
    for number, steps, tail in _OF_FILE.findall(text) if "__file__" in text else ():
        yield int(number) if number else steps.count(".parent") - 1, "/".join(_QUOTED.findall(tail))


def below(text: str) -> Iterator[str]:
    """Paths below a folder that only whoever runs the text knows: ``ROOT / "libs" / "common"``,
    ``$(TOP)/libs/common``, ``"libs/common"``."""
    yield from (name for name in _joined(text) if not name.startswith("../"))
    yield from _OF_CONSTANT.findall(text)
    yield from _WHOLE.findall(text)
    yield from (long or short for long, short in _BELOW_VARIABLE.findall(text))
    yield from (name.replace(":", "/") for name in (_GRADLE.findall(text) if "project(" in text else ()))


def _joined(text: str) -> Iterator[str]:
    return ("/".join(_QUOTED.findall(parts)) for parts in _JOINED.findall(text))


def says(text: str, name: str, *, settings: bool) -> bool:
    """Whether a text may mean the file or folder ``name``, wherever that is and however it is told.

    In ``settings`` and scripts any word may be a name; in sources one in quotes, in a path, or imported.
    """
    if name not in text and name.replace("-", "_") not in text:
        return False
    word = rf"{re.escape(name)}(?![\w-])"
    if settings:
        return re.search(rf"(?<![\w-]){word}", text) is not None
    module = rf"{re.escape(name.replace('-', '_'))}\b"
    imported = rf"\b(?:from|import|mod|require|use)\b[ (\"']*(?:\w+[.:/]+)*{module}"
    return re.search(rf"[\"'`/\\]{word}|(?<![\w-]){re.escape(name)}[/\\]|{imported}", text) is not None
