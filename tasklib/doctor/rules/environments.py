"""Rules of what dev, test and prod differ in: storage, ports, restart, limits, logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import yaml

from tasklib.doctor.document import Entry, entries, items, text_of
from tasklib.doctor.findings import Edit, Finding, Severity
from tasklib.doctor.rules._rule import Rule, rule
from tasklib.doctor.rules.values import (
    dependencies,
    each_service,
    health,
    is_data,
    mounts,
    of_environment,
    ports,
    server_of,
    started_anywhere,
)
from tasklib.doctor.survey import Survey
from tasklib.stacks.rewrite.durations import seconds

__all__: list[str] = []


@rule(
    "TL301",
    Severity.ERROR,
    "a restart policy in a test or dev stack",
    why="A crash is hidden behind the next start, and containers come back after a reboot.",
    fix="Leave `restart` out.",
    fixable=True,
)
def restarts(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file, name, service in each_service(survey, "test", "dev"):
        entry = entries(service.value).get("restart")
        if entry and text_of(entry.value) not in ("no", "false", ""):
            what = f"{name} restarts: {text_of(entry.value)}"
            yield rule.finding(file.document, entry.key, what, file.document.removed(entry))


@rule(
    "TL302",
    Severity.ERROR,
    "no restart policy in production",
    why="What crashes, or the machine's reboot, ends the service until somebody notices.",
    fix="Add `restart: unless-stopped`.",
    fixable=True,
)
def no_restart(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file, name, service in each_service(survey, "prod"):
        found = entries(service.value)
        entry = found.get("restart")
        if (
            "extends" in found
            or (entry and text_of(entry.value) == "unless-stopped")
            or _is_job(file.services, name)
        ):
            continue
        first = next(iter(found.values()), None)
        edit: Edit | None = None
        if entry:
            edit = file.document.replaced(entry.value, "unless-stopped")
        else:
            edit = file.document.inserted(first, "restart: unless-stopped") if first else None
        told = f"restarts: {text_of(entry.value)}" if entry else "is not restarted"
        yield rule.finding(file.document, service.key, f"{name} {told}", edit)


@rule(
    "TL303",
    Severity.WARNING,
    "no limits in production",
    why="One service that leaks takes the memory and the processors of all.",
    fix="Set `deploy.resources.limits` with memory and cpus.",
)
def no_limits(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file, name, service in each_service(survey, "prod"):
        found = entries(service.value)
        limits = file.document.at("deploy", "resources", "limits", below=service.value)
        inner = entries(limits.value) if limits else {}
        missing = [
            what
            for what, keys in (("memory", ("memory",)), ("cpus", ("cpus",)))
            if not any(key in inner for key in keys)
            and {"memory": "mem_limit", "cpus": "cpus"}[what] not in found
        ]
        if missing and "extends" not in found:
            what = f"{name} has no limit of {' and '.join(missing)}"
            yield rule.finding(file.document, service.key, what)


@rule(
    "TL304",
    Severity.WARNING,
    "limits in a dev or test stack",
    why="Tests fail for want of memory on one machine and not on another.",
    fix="Leave limits to production.",
    fixable=True,
)
def limits_in_tests(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file, name, service in each_service(survey, "test", "dev"):
        limits = file.document.at("deploy", "resources", "limits", below=service.value)
        if limits:
            resources = file.document.at("deploy", "resources", below=service.value)
            alone = resources is not None and len(entries(resources.value)) > 1
            edit = file.document.removed(limits) if alone else None
            yield rule.finding(file.document, limits.key, f"{name} has limits", edit)


@rule(
    "TL305",
    Severity.WARNING,
    "logs that are never rotated in production",
    why="They grow until the disk is full.",
    fix="Use the json-file driver with max-size and max-file.",
    fixable=True,
)
def no_rotation(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file, name, service in each_service(survey, "prod"):
        found = entries(service.value)
        logging = found.get("logging")
        driver = file.document.at("driver", below=logging.value) if logging else None
        options = file.document.at("options", below=logging.value) if logging else None
        inner = entries(options.value) if options else {}
        elsewhere = driver is not None and text_of(driver.value) not in ("json-file", "local")
        if elsewhere or {"max-size", "max-file"} <= set(inner) or "extends" in found:
            continue
        first = next(iter(found.values()), None)
        lines = 'logging:\n  driver: json-file\n  options:\n    max-size: "100m"\n    max-file: "10"'
        edit = file.document.inserted(first, lines) if first and not logging else None
        yield rule.finding(file.document, service.key, f"the logs of {name} are not rotated", edit)


@rule(
    "TL306",
    Severity.WARNING,
    "production data in a volume that Compose owns",
    why="`docker compose down -v` removes it.",
    fix="Declare the volume `external: true`, or mount a folder of the host.",
)
def owned_data(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file in of_environment(survey, "prod"):
        declared = file.document.at("volumes")
        known = entries(declared.value) if declared else {}
        for name, service in file.services.items():
            server = server_of(service)
            for mount in mounts(service):
                outside = known.get(mount.source)
                external = outside and entries(outside.value).get("external")
                if mount.kind == "volume" and server and not (external and text_of(external.value) == "true"):
                    kept = mount.source or "an anonymous volume"
                    what = f"{name} keeps its data in {kept}, which is Compose's own"
                    yield rule.finding(file.document, mount.node, what)


@rule(
    "TL307",
    Severity.WARNING,
    "a dev port that no variable can change",
    why="Whoever has something else on that port cannot start the stack without editing the file.",
    fix='Write it as a variable with a default: "${API_PORT:-8000}:8000".',
    fixable=True,
)
def unchangeable_port(rule: Rule, survey: Survey) -> Iterator[Finding]:
    found = ((f, *pair) for f in started_anywhere(survey, "dev") for pair in f.services.items())
    for file, name, service in found:
        for port in ports(service):
            if not port.fixed or "-" in port.published:
                continue
            variable = f"${{{name.upper().replace('-', '_').replace('.', '_')}_PORT:-{port.published}}}"
            short = isinstance(port.node, yaml.ScalarNode) and ":" in text_of(port.node)
            text = text_of(port.node).replace(
                f"{port.published}:{port.target}", f"{variable}:{port.target}", 1
            )
            many = sum(other.fixed for other in ports(service)) > 1
            edit = (
                None if many else file.document.replaced(port.node, f'"{text}"' if short else f'"{variable}"')
            )
            yield rule.finding(file.document, port.node, f"{name} is always at port {port.published}", edit)


@rule(
    "TL308",
    Severity.WARNING,
    "a dev database in memory",
    why="Data that somebody worked with is gone at the next start.",
    fix="Keep it in a named volume.",
)
def dev_in_memory(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file, name, service in each_service(survey, "dev"):
        server = server_of(service)
        found = entries(service.value).get("tmpfs")
        nodes = [*items(found.value), found.value] if found else []
        for node in nodes:
            if server and is_data(server, text_of(node).partition(":")[0]):
                yield rule.finding(file.document, node, f"{name} keeps its data in memory")


@rule(
    "TL309",
    Severity.WARNING,
    "a health check that costs too much",
    why="A check that starts a program every few seconds keeps a core busy for as long as the stack is up.",
    fix="Outside of tests check every 30 seconds.",
    fixable=True,
)
def busy_check(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file, name, service in each_service(survey, "dev", "prod"):
        check = health(service)
        interval = entries(check.value).get("interval") if check else None
        every = seconds(text_of(interval.value)) if interval else None
        if interval and every is not None and every < 10:
            edit = file.document.replaced(interval.value, "30s")
            yield rule.finding(file.document, interval.value, f"{name} is checked every {every:g} s", edit)


def _is_job(services: Mapping[str, Entry], name: str) -> bool:
    """Whether others wait for this one to have completed: it is not meant to go on."""
    return any(
        condition == "service_completed_successfully"
        for service in services.values()
        for other, (_, condition) in dependencies(service).items()
        if other == name
    )
