"""Asking before what cannot be taken back."""

from __future__ import annotations

import sys

from tasklib.errors import Interrupted, UsageError

__all__ = ["confirm"]


def confirm(question: str, *, yes: bool) -> None:
    """Return when the user agrees, or did beforehand with ``--yes``.

    Raises :class:`~tasklib.errors.UsageError` where there is nobody to ask,
    :class:`~tasklib.errors.Interrupted` when the answer is no.
    """
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            f'cannot ask "{question}": there is no terminal',
            remedy="--yes answers yes without asking.",
        )
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise Interrupted("nothing was done")
