"""Rules of images: what makes a build slow, or another one tomorrow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tasklib.doctor.document import entries, text_of
from tasklib.doctor.findings import Finding, Severity
from tasklib.doctor.rules._rule import Rule, rule
from tasklib.doctor.survey import Survey
from tasklib.stacks.dockerfile import bases
from tasklib.stacks.references import parse_reference

__all__: list[str] = []

_INSTALL = re.compile(
    r"(?i)\b(pip3?|uv|poetry|pdm|npm|pnpm|yarn|bun|bundle|cargo|go|composer)\s+"
    r"(install|ci|sync|pip|add|build|fetch|mod\s+download)\b"
)
_COPY_ALL = re.compile(r"(?i)^[ \t]*(?:COPY|ADD)[ \t]+(?:--\S+[ \t]+)*\.[/]?[ \t]+\S+[ \t]*$")


@rule(
    "TL401",
    Severity.WARNING,
    "an image without a version",
    why="What ran today is another image tomorrow, and nobody sees what changed.",
    fix="Name a version: `postgres:16`.",
)
def latest(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file in survey.compose:
        built = {
            text_of(found["image"].value)
            for service in file.services.values()
            if {"image", "build"} <= set(found := entries(service.value))
        }
        for name, service in file.services.items():
            image = entries(service.value).get("image")
            text = text_of(image.value) if image else ""
            if image and text not in built and _is_latest(text):
                yield rule.finding(file.document, image.value, f"{name} runs {text}, whatever that is today")
    for path in survey.dockerfiles:
        text = survey.text(path) or ""
        for base in bases(text):
            if _is_latest(base) and base.lower() != "scratch":
                line, column = _place(text, base)
                what = f"the image starts from {base}, whatever that is today"
                yield Finding(rule.code, rule.severity, path, line, column, what, rule.fix)


@rule(
    "TL402",
    Severity.WARNING,
    "everything is copied before dependencies are installed",
    why="Every change of a source file installs all of them again.",
    fix="Copy the lock file alone, install, then copy the rest.",
)
def copied_too_early(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for path in survey.dockerfiles:
        copied: tuple[int, str] | None = None
        for number, line in enumerate((survey.text(path) or "").splitlines(), 1):
            if re.match(r"(?i)[ \t]*FROM\b", line):
                copied = None
            elif _COPY_ALL.match(line):
                copied = copied or (number, line)
            elif copied and re.match(r"(?i)[ \t]*RUN\b", line) and _INSTALL.search(line):
                column = len(copied[1]) - len(copied[1].lstrip()) + 1
                what = f"`{copied[1].strip()}` stands before what line {number} installs"
                yield Finding(rule.code, rule.severity, path, copied[0], column, what, rule.fix)
                copied = None


def _is_latest(image: str) -> bool:
    if "$" in image:
        return False
    reference = parse_reference(image)
    return reference is not None and reference.tag in ("", "latest") and not reference.digest


def _place(text: str, word: str) -> tuple[int, int]:
    at = max(0, text.find(word))
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def lines_of(survey: Survey, path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file with their numbers."""
    yield from enumerate((survey.text(path) or "").splitlines(), 1)
