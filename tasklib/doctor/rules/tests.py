"""Rules of tests: what makes them wait, or reach the wrong stack, and tests that nobody runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tasklib.doctor.document import entries, items, text_of
from tasklib.doctor.findings import Finding, Severity
from tasklib.doctor.rules._rule import Rule, rule
from tasklib.doctor.survey import ComposeFile, Survey
from tasklib.pipeline.suites.addresses import fixed_addresses
from tasklib.pipeline.suites.untaken import untaken
from tasklib.stacks.servers import known_server

__all__: list[str] = []

_SLEEPS = {("time", "sleep"), ("asyncio", "sleep"), ("", "sleep")}
_LONGEST = 0.1
"""Seconds below which a pause is a part of polling."""
_TESTS = re.compile(r"(.*[-_])?(tests?|specs?|__tests__)")
_NEVER = 60
"""Seconds from which on nobody waits: it stands for work that hangs, and is cut off."""


@rule(
    "TL501",
    Severity.WARNING,
    "a test that sleeps",
    why="It waits the whole time although what it waits for is there, and fails where that comes late.",
    fix="Wait for the condition: `wait_for(lambda: …, timeout=5)` of tasklib.waiting.",
)
def sleeps(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for path in survey.tests:
        if path.suffix != ".py" or "sleep" not in (survey.text(path) or ""):
            continue
        try:
            tree = ast.parse(survey.text(path) or "")
        except (SyntaxError, ValueError, RecursionError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _called(node) in _SLEEPS and node.args:
                amount = node.args[0]
                value = amount.value if isinstance(amount, ast.Constant) else None
                if isinstance(value, int | float) and _LONGEST < value < _NEVER:
                    what = f"sleeps for {value:g} s"
                    yield rule.at(path, node.lineno, node.col_offset + 1, what)


@rule(
    "TL502",
    Severity.ERROR,
    "a test that names a fixed address",
    why="The port differs from checkout to checkout: the test reaches another stack, or none.",
    fix="Read it from the environment: TEST_<SERVICE>_URL, _HOST and _PORT.",
)
def fixed_address(rule: Rule, survey: Survey) -> Iterator[Finding]:
    ports = {port for file in survey.compose for port in _ports(file)}
    for path in survey.tests:
        if not _against_a_stack(survey, path):
            continue
        for found in fixed_addresses(survey.text(path) or ""):
            if ports and found.port not in ports:
                continue  # Nothing of any stack is there: the test has it from elsewhere, or it is text.
            what = f"names {found.text}"
            yield rule.at(path, found.line, found.column, what)


@rule(
    "TL503",
    Severity.ERROR,
    "a service that no stage tests",
    why="Its tests are never run, and every run passes.",
    fix="Put them into tests/unit and tests/integration, or set services.<name>.unit and .service.",
)
def untested(rule: Rule, survey: Survey) -> Iterator[Finding]:
    project = survey.project
    for found in untaken(project) if project else ():
        files = f"{found.number} test file{'s' if found.number > 1 else ''}"
        what = f"no stage runs the {files} in {found.folder} of {found.service}"
        place = project.root / found.folder if project else survey.root
        yield rule.at(place, 1, 1, what, fix=_keys(found.keys))


@rule(
    "TL504",
    Severity.WARNING,
    "one stage for all tests",
    why="A typing error is found after the stack came up, and a failure may be anybody's.",
    fix="Separate tests/unit, which need nothing, from tests/integration, which need a stack.",
)
def one_stage(rule: Rule, survey: Survey) -> Iterator[Finding]:
    project = survey.project
    for service in project.services if project else ():
        unit, tests = (suite.paths if suite else () for suite in (service.unit, service.tests))
        for path in unit:
            if path in tests:
                what = f"the unit tests and service tests of {service.name} are one folder"
                yield rule.at(path, 1, 1, what)


def _keys(keys: tuple[str, ...]) -> str:
    return f"Name their folder: {' or '.join(keys)} in [tool.tasklib]." if keys else ""


def _called(node: ast.Call) -> tuple[str, str]:
    match node.func:
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            return module, name
        case ast.Name(id=name):
            return "", name
        case _:
            return "", ""


def _ports(file: ComposeFile) -> Iterator[int]:
    """The ports that a Compose file names, inside and outside of its containers, and of known servers."""
    for entry in file.services.values():
        own = entries(entry.value)
        for key in ("ports", "expose"):
            for item in items(own[key].value) if key in own else ():
                texts = [text_of(item), *(text_of(one.value) for one in entries(item).values())]
                yield from (int(number) for text in texts for number in re.findall(r"\d{2,5}", text))
        server = known_server(text_of(own["image"].value)) if "image" in own else None
        if server:
            yield server.port


def _against_a_stack(survey: Survey, path: Path) -> bool:
    """Whether a test file is meant for a stack: it lies in a folder of such tests.

    What is called a service, or an integration, is otherwise a part of the program.
    """
    parts = path.relative_to(survey.root).parts if path != survey.root else path.parts
    for at, part in enumerate(parts[:-1]):
        if part in ("e2e", "functional"):
            return True
        if part in ("integration", "service"):
            return at == 0 or any(_TESTS.fullmatch(other) for other in parts[:at])
    return False
