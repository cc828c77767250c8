"""PURE: the noxfile.py that registers tasklib's sessions, or the project's own with them in it."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from tasklib.adopt.evidence import Place
from tasklib.adopt.proposal import Reason

__all__ = ["with_sessions"]

_IMPORT = "from tasklib.sessions import register"


def with_sessions(
    text: str | None, own: Iterable[str], offered: Iterable[str], file: str = "noxfile.py"
) -> tuple[str, tuple[Reason, ...]]:
    """The noxfile with the sessions in it; ``own`` are the names it has, ``offered`` those of tasklib.

    Of the same name the project's own session stays.
    """
    if text is None:
        why = "`nox -s unit service integration` runs the stages; the command `tasklib` needs no file"
        return f"{_IMPORT}\n\nregister()\n", (Reason("register()", why),)
    if "tasklib" in text:
        return text, ()
    taken = set(own) & set(offered)
    names = [name for name in offered if name not in taken]
    call = f"register({', '.join(f'{chr(34)}{name}{chr(34)}' for name in names)})" if taken else "register()"
    lines = text.splitlines()
    at = _after_imports(text)
    why = "tasklib's sessions beside the project's own"
    if taken:
        why += f", which keep the names {', '.join(sorted(taken))}"
    new = [*lines[:at], _IMPORT, *lines[at:], "", call]
    return "\n".join(new) + "\n", (Reason(call, why, (Place(file, 1),)),)


def _after_imports(text: str) -> int:
    """The line after the last import at the top."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return 0
    ends = [node.end_lineno or 0 for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    return max(ends, default=0)
