"""PURE: stacks that tests bring up by themselves, whoever starts them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasklib.adopt.evidence import Evidence, Place
from tasklib.adopt.proposal import Note

__all__ = ["own_stacks"]

_BRINGS_UP = re.compile(
    r"\b(?:docker|v2)?[cC]ompose\.up(?:All|One|Many)?\("
    r"|\bdocker(?:-|[\"'], *[\"'])compose[\"'], *(?:[\"']-f[\"'],[^,]+, *)?[\"']up\b"
    r"|\b(?:exec\w*|run|check_call|check_output|system|Popen)\(\s*f?[\"'`]docker[- ]compose\b[^\"'`]* up\b"
    r"|\bdef docker_compose_file\b|\bDockerComposeEnvironment\(|\bDockerCompose\("
)
_TESTS = re.compile(r"(^|/)(tests?|e2e|spec|__tests__)/|conftest\.py$|setup|jest")
_CODE = re.compile(r".*\.(py|[cm]?[jt]sx?|java|kt)")


def own_stacks(evidence: Evidence) -> Iterator[Note]:
    """What tests bring up of Compose files: nobody keeps that apart from other checkouts."""
    places = [
        Place(file, text.count("\n", 0, found.start()) + 1)
        for file, text in sorted(evidence.texts.items())
        if _CODE.fullmatch(file) and _TESTS.search(file) and (found := _BRINGS_UP.search(text))
    ]
    if places:
        told = "tests bring up a stack by themselves, the same for all checkouts"
        yield Note(f"{told}: take that out, and `compose.test` and `integration` bring it up", tuple(places))
