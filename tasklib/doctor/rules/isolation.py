"""Rules of test stacks: what keeps two checkouts from running side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from tasklib.doctor.document import entries, text_of
from tasklib.doctor.findings import Finding, Severity
from tasklib.doctor.rules._rule import Rule, rule
from tasklib.doctor.rules.values import (
    each_service,
    environment_of,
    is_data,
    mounts,
    of_environment,
    ports,
    server_of,
    started_anywhere,
)
from tasklib.doctor.survey import ComposeFile, Survey

__all__: list[str] = []

_ID = "TEST_INSTANCE_ID"


@rule(
    "TL101",
    Severity.ERROR,
    "a fixed host port in a test stack",
    why="Two checkouts cannot run side by side: the second one finds the port taken.",
    fix="Publish the container port alone; the engine chooses a free host port.",
    fixable=True,
)
def fixed_port(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file, name, service in each_service(survey, "test"):
        for port in ports(service):
            if port.published in ("", "0") or not port.target:
                continue
            if not port.fixed and "TASKLIB_PORT_" in port.published:
                continue
            short = isinstance(port.node, yaml.ScalarNode) and ":" in text_of(port.node)
            edit = file.document.replaced(port.node, f'"{port.target}"' if short else '"0"')
            what = f"{name} publishes {port.target} at the fixed host port {port.published}"
            yield rule.finding(file.document, port.node, what, edit)


@rule(
    "TL102",
    Severity.ERROR,
    "a test database that keeps its data",
    why="Tests begin with what earlier ones left, and disks are slower than memory.",
    fix="Keep the data in memory: a tmpfs at the same path.",
    fixable=True,
)
def persistent_data(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file, name, service in each_service(survey, "test"):
        server = server_of(service)
        for mount in mounts(service):
            holds = server is not None and is_data(server, mount.target)
            if not holds or mount.kind not in ("volume", "bind"):
                continue
            text = f"{{type: tmpfs, target: {mount.target}}}"
            flow = isinstance(mount.node, yaml.ScalarNode) or bool(getattr(mount.node, "flow_style", False))
            edit = file.document.replaced(mount.node, text) if flow else None
            yield rule.finding(
                file.document, mount.node, f"{name} keeps its data in {mount.source or 'a volume'}", edit
            )


@rule(
    "TL103",
    Severity.ERROR,
    "a fixed name",
    why="A name can be used once on an engine: two checkouts take it from each other, or share it.",
    fix="Put ${TEST_INSTANCE_ID} into the name, or leave it out: Compose makes one of the project's.",
    fixable=True,
)
def fixed_name(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file in started_anywhere(survey, "test"):
        for name, service in file.services.items():
            entry = entries(service.value).get("container_name")
            if entry and _fixed(text_of(entry.value)):
                what = f"{name}'s container is always called {text_of(entry.value)}"
                edit = file.document.removed(entry) if _is_free(file, name, text_of(entry.value)) else None
                yield rule.finding(file.document, entry.key, what, edit)
        for section in ("networks", "volumes"):
            found = file.document.at(section)
            for key, part in entries(found.value if found else None).items():
                entry = entries(part.value).get("name")
                outside = entries(part.value).get("external")
                if (
                    entry
                    and _fixed(text_of(entry.value))
                    and not (outside and text_of(outside.value) == "true")
                ):
                    scoped = f'"{text_of(entry.value)}-${{{_ID}}}"'
                    # Elsewhere nobody sets the variable, and data stays behind under the name before.
                    ours = file.environment is not None and "\n" not in scoped
                    edit = file.document.replaced(entry.value, scoped) if ours else None
                    what = f"the {section[:-1]} {key} is always called {text_of(entry.value)}"
                    yield rule.finding(file.document, entry.value, what, edit)


def _is_free(file: ComposeFile, service: str, name: str) -> bool:
    """Whether nothing is known to use a container's name: people's scripts do, and it is a host name, too."""
    return file.environment is not None and (name == service or file.document.text.count(name) == 1)


@rule(
    "TL104",
    Severity.ERROR,
    "one project name for every checkout",
    why="Compose takes two checkouts for one project: images, containers and networks replace each other.",
    fix="Leave `name` out; Compose takes the folder's, and tasklib gives each checkout its own.",
    fixable=True,
)
def fixed_project(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file in started_anywhere(survey, "test"):
        entry = file.document.at("name")
        if entry and _fixed(text_of(entry.value)):
            what = f"the project is always called {text_of(entry.value)}"
            # What people have up under this name, they would no longer find.
            edit = file.document.removed(entry) if file.environment is not None else None
            yield rule.finding(file.document, entry.key, what, edit)


@rule(
    "TL105",
    Severity.ERROR,
    "two services that build one image name",
    why="Whichever is built last is what both run.",
    fix="Give each its own name, or leave `image` out: Compose names what it builds after the service.",
)
def one_tag_twice(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file in survey.compose:
        built: dict[str, str] = {}
        for name, service in file.services.items():
            found = entries(service.value)
            if "build" not in found or "image" not in found:
                continue
            image = text_of(found["image"].value)
            other = built.setdefault(image, name)
            if other != name and not _same_build(file, other, name):
                what = f"{name} and {other} both build {image}"
                yield rule.finding(file.document, found["image"].value, what)


@rule(
    "TL106",
    Severity.WARNING,
    "localhost with another service's port in a container",
    why="Inside a container localhost is the container itself, and host ports differ between checkouts.",
    fix="Use the service's name and its container port.",
)
def localhost_inside(rule: Rule, survey: Survey) -> Iterator[Finding]:
    for file in of_environment(survey, "test"):
        owners = {
            port.published: (name, port.target)
            for name, service in file.services.items()
            for port in ports(service)
            if port.fixed
        }
        for name, service in file.services.items():
            for variable, node, value in environment_of(service):
                for found in re.finditer(r"(?:localhost|127\.0\.0\.1):(\d+)", value):
                    owner = owners.get(found[1])
                    if owner and owner[0] != name:
                        what = f"{variable} of {name} names {found[0]}, which is {owner[0]}'s"
                        yield rule.finding(
                            file.document, node, what, fix=f"Use {owner[0]}:{owner[1].partition('/')[0]}."
                        )


def _fixed(name: str) -> bool:
    return bool(name) and _ID not in name and "COMPOSE_PROJECT_NAME" not in name


def _same_build(file: ComposeFile, one: str, other: str) -> bool:
    """Whether two services are built from the same words: then one image is right for both."""
    both = [entries(file.services[name].value)["build"].value for name in (one, other)]
    texts = [file.document.text[node.start_mark.index : node.end_mark.index].split() for node in both]
    return texts[0] == texts[1]
