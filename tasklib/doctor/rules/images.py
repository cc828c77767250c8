"""Rules of images: what makes a build slow, or another one tomorrow."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasklib.doctor.document import entries, text_of
from tasklib.doctor.findings import Finding, Severity
from tasklib.doctor.rules._rule import Rule, rule
from tasklib.doctor.survey import Survey
from tasklib.shown.cutting import flat
from tasklib.stacks.dockerfile import Instruction, image_names, instructions, local_sources
from tasklib.stacks.references import parse_reference

__all__: list[str] = []

_INSTALL = re.compile(
    r"(?i)\b(?P<program>pip3?|uv|poetry|pdm|npm|pnpm|yarn|bun|bundle|composer|cargo|go)\s+"
    r"(?:install|ci|sync|pip|add|fetch|mod\s+download|(?<=go )build|(?<=cargo )build)\b"
)


@rule(
    "TL401",
    Severity.WARNING,
    "an image without a version",
    why="What ran today is another image tomorrow, and nobody sees what changed.",
    fix="Name a version, as in `postgres:16`.",
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
                yield rule.finding(
                    file.document, image.value, f"{name} runs {text}, whichever version that is today"
                )
    for path in survey.dockerfiles:
        text = survey.text(path) or ""
        first = {base.image: base.start for base in reversed(image_names(text)) if base.image}
        for name, start in reversed(first.items()):
            if _is_latest(name) and name.lower() != "scratch":
                line, column = _place(text, start)
                takes = "the image starts" if _begins(text, start, "FROM") else "files are taken"
                what = f"{takes} from {name}, whichever version that is today"
                yield rule.at(path, line, column, what)


@rule(
    "TL402",
    Severity.WARNING,
    "everything is copied before dependencies are installed",
    why="Every change of a source file installs all of them again.",
    fix="Copy the lock file alone, install, then copy the rest.",
)
def copied_too_early(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for path in survey.dockerfiles:
        text = survey.text(path) or ""
        copied: Instruction | None = None
        before: set[str] = set()
        for found in instructions(text):
            if found.name == "FROM":
                copied, before = None, set()
            elif _copies_all(found):
                copied = copied or found
            elif found.name == "RUN" and copied is None:
                before |= _installers(found)
            elif copied and found.name == "RUN" and _installers(found) - before:
                line, column = _place(text, copied.start)
                what = f"`{flat(f'{copied.name} {copied.rest}', 80)}` stands before what line "
                what += f"{_place(text, found.start)[0]} installs"
                yield rule.at(path, line, column, what)
                copied = None


def _installers(run: Instruction) -> set[str]:
    """What installs dependencies anew in this step: what keeps them in a cache of the builder's does not."""
    if "type=cache" in run.rest:
        return set()
    return {found["program"].lower() for found in _INSTALL.finditer(run.text)}


def _copies_all(found: Instruction) -> bool:
    sources = local_sources(found) if found.name in ("COPY", "ADD") else ()
    return not {".", "./"}.isdisjoint(sources or ())


def _is_latest(image: str) -> bool:
    if "$" in image:
        return False
    reference = parse_reference(image)
    return reference is not None and reference.tag in ("", "latest") and not reference.digest


def _begins(text: str, at: int, instruction: str) -> bool:
    """Whether the line of a place begins an instruction."""
    return text[text.rfind("\n", 0, at) + 1 :].lstrip().upper().startswith(instruction)


def _place(text: str, at: int) -> tuple[int, int]:
    """Line and column, both from 1, of a place in the text."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
