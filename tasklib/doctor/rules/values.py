"""What several rules read of a service in a Compose file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

import yaml
from msgspec import Struct

from tasklib.doctor.document import Entry, entries, items, text_of
from tasklib.doctor.survey import ComposeFile, Survey
from tasklib.stacks.servers import Server, known_server

__all__ = [
    "Mount",
    "Port",
    "dependencies",
    "each_service",
    "environment_of",
    "health",
    "is_data",
    "mounts",
    "ports",
    "server_of",
    "started_anywhere",
]

_PUBLISHED = re.compile(
    r"(?:(?P<host>\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:]+\]|\$\{[^}]*\}):)?"
    r"(?P<published>[\d-]+|\$\w+|\$\{[^}]*\}):(?P<target>[\d-]+|\$\w+|\$\{[^}]*\})(?P<rest>/\w+)?"
)


class Port(Struct, frozen=True):
    """A port that a service publishes, and the node that says so.

    ``published`` is its host side as written ("" : the engine chooses), ``target`` the container's, with the
    protocol.
    """

    node: yaml.Node
    published: str
    target: str

    @property
    def fixed(self) -> bool:
        """Whether a number stands there, and no variable can change it."""
        return bool(re.fullmatch(r"[\d-]+", self.published)) and self.published != "0"


def ports(service: Entry) -> Iterator[Port]:
    found = entries(service.value).get("ports")
    for node in items(found.value if found else None):
        if isinstance(node, yaml.ScalarNode):
            match = _PUBLISHED.fullmatch(text_of(node))
            if match:
                yield Port(node, match["published"], f"{match['target']}{match['rest'] or ''}")
            else:
                yield Port(node, "", text_of(node))
        else:
            long = entries(node)
            published = long.get("published")
            target = text_of(long["target"].value) if "target" in long else ""
            yield Port(
                published.value if published else node, text_of(published.value) if published else "", target
            )


class Mount(Struct, frozen=True):
    """A volume of a service: the node that says so, its source ("" : anonymous) and target as written."""

    node: yaml.Node
    source: str
    target: str
    kind: str


def mounts(service: Entry) -> Iterator[Mount]:
    found = entries(service.value).get("volumes")
    for node in items(found.value if found else None):
        if isinstance(node, yaml.ScalarNode):
            # A variable's own colon (`${DATA:-./data}`) separates nothing.
            parts = re.split(r":(?![^{]*\})", text_of(node))
            source, target = (parts[0], parts[1]) if len(parts) > 1 else ("", parts[0])
            yield Mount(node, source, target, "bind" if source.startswith((".", "/", "~", "$")) else "volume")
        else:
            long = {key: text_of(entry.value) for key, entry in entries(node).items()}
            yield Mount(node, long.get("source", ""), long.get("target", ""), long.get("type", "volume"))


def environment_of(service: Entry) -> Iterator[tuple[str, yaml.Node, str]]:
    """Each variable: its name, the node that holds its value, and the value."""
    found = entries(service.value).get("environment")
    if found is None:
        return
    for name, entry in entries(found.value).items():
        yield name, entry.value, text_of(entry.value)
    for node in items(found.value):
        name, equals, value = text_of(node).partition("=")
        if equals:
            yield name, node, value


def server_of(service: Entry) -> Server | None:
    """The database, cache or broker that a service is, by its image."""
    image = entries(service.value).get("image")
    return known_server(text_of(image.value)) if image else None


def is_data(server: Server, path: str) -> bool:
    """Whether a server's data lies at ``path`` of its container, below it or around it."""
    place = PurePosixPath(path)
    return any(
        place == data or data in place.parents or place in data.parents
        for data in map(PurePosixPath, server.data)
    )


def health(service: Entry) -> Entry | None:
    """The service's health check, if it has one that is not turned off."""
    found = entries(service.value).get("healthcheck")
    if found is None:
        return None
    inner = entries(found.value)
    off = "disable" in inner and text_of(inner["disable"].value).lower() == "true"
    test = inner.get("test")
    none = test is not None and [text_of(node) for node in items(test.value)] == ["NONE"]
    return None if off or none else found


def dependencies(service: Entry) -> Mapping[str, tuple[yaml.Node, str]]:
    """What a service depends on: the node that names it, and the condition ("" : none is given)."""
    found = entries(service.value).get("depends_on")
    if found is None:
        return {}
    short = {text_of(node): (node, "") for node in items(found.value)}
    long: dict[str, tuple[yaml.Node, str]] = {}
    for name, entry in entries(found.value).items():
        condition = entries(entry.value).get("condition")
        long[name] = (entry.key, text_of(condition.value) if condition else "")
    return {**short, **long}


def of_environment(survey: Survey, *environments: str) -> Iterator[ComposeFile]:
    """The Compose files of these environments, as far as it can be told whose they are."""
    for file in survey.compose:
        if file.environment is not None and file.environment.value in environments:
            yield file


def started_anywhere(survey: Survey, environment: str) -> Iterator[ComposeFile]:
    """The Compose files of an environment, and one at the top that is for none: people start it, too."""
    yield from of_environment(survey, environment)
    yield from (f for f in survey.compose if f.environment is None and f.path.parent == survey.root)


def each_service(survey: Survey, *environments: str) -> Iterator[tuple[ComposeFile, str, Entry]]:
    """Every service of the Compose files of these environments (none given: of all files)."""
    for file in of_environment(survey, *environments) if environments else survey.compose:
        for name, service in file.services.items():
            yield file, name, service
