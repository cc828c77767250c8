"""PURE: files of variables that a run of tests needs, and that a fresh checkout has as an example alone."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from msgspec.structs import replace

from tasklib.adopt.actions import Copy
from tasklib.adopt.copies import copied
from tasklib.adopt.evidence import Evidence, Kind, Place
from tasklib.adopt.readers.stacks import interpolated
from tasklib.adopt.shell import joined
from tasklib.adopt.stack import Stack
from tasklib.adopt.usages import Usage

__all__ = ["with_copies"]

_ENDS = (".example", ".sample", ".template", ".dist", ".defaults")


def with_copies(usage: Usage, evidence: Evidence) -> Usage:
    """``usage`` with the files that somebody has to copy first, though its own recipe does not.

    Its stack asks for them, or, where it is not CI's, that people are told to copy them.
    """
    known = {copy.target for copy in usage.copies}
    own = [
        copy for copy in (*_asked(usage, evidence), *_told(usage, evidence)) if copy.source in evidence.files
    ]
    new = {copy.target: copy for copy in reversed(own) if copy.target not in evidence.files | known}
    return replace(usage, copies=(*usage.copies, *new.values())) if new else usage


def _asked(usage: Usage, evidence: Evidence) -> Iterator[Copy]:
    if usage.stack is None or not usage.stack.files:
        return
    stack = Stack(usage.stack, evidence)
    base = stack.use.directory or posixpath.dirname(stack.use.files[0])
    for name in sorted(stack.up):
        service = stack.services[name]
        texts = [service.image, *service.env.values(), *(host for host, _ in service.ports)]
        filled = any("$" in interpolated(text, {}) for text in texts)
        for file in (*service.env_files, *((".env",) if filled else ())):
            target = joined(base, file)
            for source in (f"{target}{end}" for end in _ENDS):
                yield Copy(service.place, source, target)


def _told(usage: Usage, evidence: Evidence) -> Iterator[Copy]:
    if usage.recipe.kind is Kind.JOB:
        return
    places = {usage.folder, ""}
    for recipe in evidence.recipes:
        for command in recipe.commands:
            copy = copied(command)
            if (
                copy
                and posixpath.dirname(copy.target) in places
                and posixpath.basename(copy.target) == ".env"
            ):
                yield replace(copy, place=Place(recipe.file, command.place.line))
