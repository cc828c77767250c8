"""PURE: files of variables that are made from an example first, since git knows that alone."""

from __future__ import annotations

import posixpath

from tasklib.adopt.actions import Copy
from tasklib.adopt.evidence import Command
from tasklib.adopt.shell import joined

__all__ = ["copied"]


def copied(command: Command) -> Copy | None:
    """The file that ``command`` makes from an example, if it does."""
    plain = [word for word in command.words[1:] if not word.startswith("-")]
    if command.words[:1] != ("cp",) or len(plain) != 2 or "env" not in plain[0]:
        return None
    source, target = (joined(command.folder, word) for word in plain)
    if plain[1].endswith("/") or target == "":
        target = joined(target, posixpath.basename(source))
    return Copy(command.place, source, target)
