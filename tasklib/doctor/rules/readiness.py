"""Rules of health: what makes a stack's start a race, or slow to be noticed."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from tasklib.doctor.document import entries, text_of
from tasklib.doctor.findings import Edit, Finding, Severity
from tasklib.doctor.rules._rule import Rule, rule
from tasklib.doctor.rules.values import dependencies, each_service, health, server_of
from tasklib.doctor.survey import ComposeFile, Survey
from tasklib.stacks.rewrite.durations import seconds

__all__: list[str] = []

_CHECKS = {
    "postgres": '["CMD-SHELL", "pg_isready -h 127.0.0.1 -U $${POSTGRES_USER:-postgres}"]',
    "mysql": '["CMD-SHELL", "mysqladmin ping -h 127.0.0.1 --silent"]',
    "redis": '["CMD", "redis-cli", "ping"]',
    "rabbitmq": '["CMD", "rabbitmq-diagnostics", "-q", "check_port_connectivity"]',
    "mongodb": '["CMD", "mongosh", "--quiet", "--eval", "db.adminCommand(\'ping\')"]',
}
"""How the images of known servers are asked, over TCP where they have a socket of their own before."""


@rule(
    "TL201",
    Severity.ERROR,
    "no health check",
    why="Whoever depends on it starts as soon as its container runs, which is before it answers.",
    fix="Add a `healthcheck`.",
    fixable=True,
)
def no_health_check(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file in survey.compose:
        needed = {name for service in file.services.values() for name in dependencies(service)}
        jobs = {
            name
            for service in file.services.values()
            for name, (_, condition) in dependencies(service).items()
            if condition == "service_completed_successfully"
        }
        for name, service in file.services.items():
            server = server_of(service)
            if "healthcheck" in entries(service.value) or "extends" in entries(service.value):
                continue
            if name in jobs or not (server or (name in needed and "build" in entries(service.value))):
                continue
            check = _CHECKS.get(server.kind) if server else None
            first = next(iter(entries(service.value).values()), None)
            edit = None
            if check and first and file.environment:
                every = "5s" if file.environment.value == "test" else "30s"
                lines = f"healthcheck:\n  test: {check}\n  interval: {every}\n  timeout: 5s\n  retries: 10"
                edit = file.document.inserted(first, lines)
            yield rule.finding(file.document, service.key, f"{name} has no health check", edit)


@rule(
    "TL202",
    Severity.ERROR,
    "depends_on without a condition",
    why="It waits for the container's start alone, although the other one says when it is ready.",
    fix="Depend on it with `condition: service_healthy`.",
    fixable=True,
)
def no_condition(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file, name, service in each_service(survey):
        found = dependencies(service)
        for other, (node, condition) in found.items():
            healthy = other in file.services and health(file.services[other])
            if healthy and condition in ("", "service_started"):
                edits = _with_conditions(file, name)
                what = f"{name} does not wait until {other} is healthy"
                yield rule.finding(file.document, node, what, *(edits or (None,)))


@rule(
    "TL203",
    Severity.WARNING,
    "a health check that notices late",
    why="Tests wait for the next check although the service has been ready for long.",
    fix="In test stacks check every 5 seconds or more often.",
    fixable=True,
)
def slow_check(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file, name, service in each_service(survey, "test"):
        check = health(service)
        inner = entries(check.value) if check else {}
        interval = inner.get("interval")
        every = seconds(text_of(interval.value)) if interval else 30.0
        if check is None or every is None or every <= 5 or "start_interval" in inner:
            continue
        edit: Edit | None
        if interval:
            edit = file.document.replaced(interval.value, "5s")
        else:
            first = next(iter(inner.values()), None)
            edit = file.document.inserted(first, "interval: 5s") if first else None
        where = interval.value if interval else check.key
        yield rule.finding(file.document, where, f"{name} is checked every {every:g} s", edit)


def _with_conditions(file: ComposeFile, name: str) -> tuple[Edit, ...]:
    """The edits that give everything that a service depends on its condition; none where edits cannot."""
    entry = entries(file.services[name].value)["depends_on"]
    document = file.document

    def condition(other: str) -> str:
        healthy = other in file.services and health(file.services[other])
        return "service_healthy" if healthy else "service_started"

    if isinstance(entry.value, yaml.SequenceNode):
        names = [text_of(node) for node in entry.value.value]
        if entry.value.flow_style:
            inner = ", ".join(f"{other}: {{condition: {condition(other)}}}" for other in names)
            return (document.replaced(entry.value, f"{{{inner}}}"),)
        edits = []
        for node in entry.value.value:
            dash = document.text.rindex("-", 0, node.start_mark.index)
            column = dash - document.text.rfind("\n", 0, dash) - 1
            # The items of a list may stand as far left as its key, those of a mapping may not.
            deeper = "  " if column == entry.key.start_mark.column else ""
            inner = " " * column + deeper
            text = (
                f"{deeper}{text_of(node)}:{document.line_end}{inner}  condition: {condition(text_of(node))}"
            )
            edits.append(Edit(dash, node.end_mark.index, text))
        return tuple(edits)
    given = [entries(other.value) for other in entries(entry.value).values()]
    started = [inner["condition"].value for inner in given if "condition" in inner]
    return tuple(
        document.replaced(value, "service_healthy")
        for value in started
        if text_of(value) == "service_started"
    )
