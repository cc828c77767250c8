"""Rules of scripts, Makefiles and CI: what disturbs other checkouts, and what prints or builds too much."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tasklib.doctor.document import Entry, entries, items, read_document, text_of
from tasklib.doctor.findings import Finding, Severity
from tasklib.doctor.rules._rule import Rule, rule
from tasklib.doctor.survey import Survey
from tasklib.shown.cutting import flat

__all__: list[str] = []

_GLOBAL = re.compile(
    r"docker\s+(?:system|container|volume|network|image|builder)\s+prune"
    r"|docker\s+ps\b.*--filter\s+[\"']?name=(?!.*\$).*\|\s*xargs\b.*\bdocker\s+(?:rm|stop|kill)"
    r"|docker\s+(?:rm|stop|kill)\s+(?:-\w+\s+)*\$+\(?\s*\(?docker\s+ps\s+-\w*q\w*\s*\)"
)
_COMPOSE = re.compile(r"docker[- ]compose\s+(?!version|-v\b|--version)(?P<rest>.*)")
_VERBOSE = re.compile(r"\b(?:pytest|py\.test)\b(?=.*\s(?:-vv?v?|-s|--verbose|--capture=no)\b)")


@rule(
    "TL601",
    Severity.ERROR,
    "a cleanup that takes everybody's containers",
    why="It ends the tests of every other checkout on the machine.",
    fix="Remove by this checkout's labels alone, as the command `clean` does.",
)
def global_cleanup(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for path in (*survey.scripts, *survey.workflows):
        for number, line in _lines(survey, path):
            found = _GLOBAL.search(line)
            if found and not (path in survey.workflows and "prune" in found[0]):
                what = f"`{flat(found[0], 80)}` is not limited to this checkout"
                yield rule.at(path, number, found.start() + 1, what)


@rule(
    "TL602",
    Severity.ERROR,
    "Compose without a project name of the checkout's own",
    why="Compose names it after the folder: worktrees share images and replace each other's containers.",
    fix='Use tasklib\'s commands, or set COMPOSE_PROJECT_NAME="test-${TEST_INSTANCE_ID}" before.',
)
def no_project_name(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for path in survey.scripts:
        text = survey.text(path) or ""
        if "COMPOSE_PROJECT_NAME" in text or "infra.env" in text:
            continue
        for number, line in _lines(survey, path):
            found = _COMPOSE.search(line)
            if not found or re.search(r"(?:^|\s)(?:-p|--project-name)[\s=]", found["rest"]):
                continue
            if (
                re.search(r"\b(?:up|run|build|down)\b", found["rest"])
                and "test" in f"{path.name} {line}".lower()
            ):
                what = "Compose is called without a project name of this checkout's own"
                yield rule.at(path, number, found.start() + 1, what)
                break


@rule(
    "TL603",
    Severity.WARNING,
    "tests that print everything",
    why="Thousands of lines hide the one that matters, from people and from agents.",
    fix="Print details for failures alone: leave -v and -s out, or use tasklib's stages.",
)
def verbose(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for path in (*survey.scripts, *survey.workflows):
        for number, line in _lines(survey, path):
            if found := _VERBOSE.search(line):
                what = "pytest is told to print every test"
                yield rule.at(path, number, found.start() + 1, what)


@rule(
    "TL604",
    Severity.WARNING,
    "CI that builds every service on every change",
    why="A change of one service waits for the images of all.",
    fix="Build what changed: the command `ci.matrix --changed` makes the matrix.",
)
def builds_all(rule: Rule, survey: Survey) -> Iterator[Finding]:
    services = {service.name for service in survey.project.services} if survey.project else set()
    for path in survey.workflows:
        document = read_document(path)
        on = document.at("on") or document.at("true") if document else None
        if document is None or len(services) < 2 or on is None or _only_tags(on.value):
            continue
        jobs = document.at("jobs")
        for job in entries(jobs.value).values() if jobs else ():
            if _runs_what_changed(document.at("steps", below=job.value)):
                continue
            matrix = document.at("strategy", "matrix", below=job.value)
            for entry in entries(matrix.value).values() if matrix else ():
                named = {text_of(node) for node in items(entry.value)}
                if services <= named:
                    what = "the matrix names every service"
                    line, column = document.place(entry.value)
                    yield rule.at(path, line, column, what)


def _runs_what_changed(steps: Entry | None) -> bool:
    """Whether a row that the change does not touch passes at once: the steps are told what changed."""
    runs = [entries(step).get("run") for step in items(steps.value)] if steps else []
    return any(run is not None and "--changed" in text_of(run.value) for run in runs)


def _only_tags(on: object) -> bool:
    """Whether a workflow runs for tags alone: a release builds everything."""
    push = entries(on).get("push")
    inner = entries(push.value) if push else {}
    return "tags" in inner and "branches" not in inner and "pull_request" not in entries(on)


def _lines(survey: Survey, path: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate((survey.text(path) or "").splitlines(), 1):
        if not line.lstrip().startswith("#"):
            yield number, line
