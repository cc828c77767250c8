"""PURE: where tests that are run without a stack, or the code that they are about, name one's ports."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from tasklib.adopt.evidence import Evidence, Kind, Place
from tasklib.adopt.names import PORT
from tasklib.adopt.stack import Stack
from tasklib.adopt.usages import Usage

__all__ = ["is_for_tests", "reaching"]

_FOR_TESTS = re.compile(r"\.env\.(test|testing|ci)(\.\w+)?")


def reaching(usage: Usage, folder: str, stack: Stack, evidence: Evidence) -> Iterator[Place]:
    """The places, of what CI does not run also those in code, and in files of variables that it reads."""
    for address in evidence.addresses:
        if stack.behind(str(address.port)) and address.place.file.startswith(folder):
            yield address.place
    if usage.recipe.kind is Kind.JOB:
        return
    asked = [variable for variable in evidence.variables if variable.place.file.startswith(folder)]
    for variable in asked:
        if _names_a_port(variable.name, variable.default, stack):
            yield variable.place
    names = {variable.name for variable in asked}
    for value in evidence.values:
        known = value.name in names or is_for_tests(posixpath.basename(value.place.file))
        if known and _names_a_port(value.name, value.value, stack):
            yield value.place


def is_for_tests(name: str) -> bool:
    """Whether a file of variables of this name is for tests."""
    return bool(_FOR_TESTS.fullmatch(name))


def _names_a_port(name: str, value: str, stack: Stack) -> bool:
    found = re.search(r"(?:localhost|127\.0\.0\.1):(\d+)", value)
    port = found[1] if found else value if PORT.fullmatch(name) and value.isdigit() else ""
    # The program's own port is named like that, too: only a server is surely somebody else's.
    behind = stack.behind(port) if port else None
    return behind is not None and (found is not None or stack.server(behind[0]) is not None)
