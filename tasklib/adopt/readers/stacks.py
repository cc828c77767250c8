"""PURE: a Compose file → its services, as they are written, before anything is interpolated."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator

import yaml

from tasklib.adopt.evidence import ComposeService, Place, StackFile
from tasklib.adopt.shell import joined
from tasklib.doctor.document import Document, Entry, entries, items, text_of

__all__ = ["interpolated", "read_stack"]

_DEFAULT = re.compile(
    r"\$\{(?P<name>\w+)(?::?[-=](?P<default>[^{}]*))?(?::?[?+][^{}]*)?\}|\$(?P<plain>[A-Za-z_]\w*)"
)


def read_stack(file: str, document: Document) -> StackFile | None:
    """The services of a Compose file; ``None`` where it has none."""
    services = document.at("services")
    found = entries(services.value) if services else {}
    if not found:
        return None
    return StackFile(file, {name: _service(file, document, name, entry) for name, entry in found.items()})


def interpolated(text: str, variables: dict[str, str]) -> str:
    """``text`` with ``${NAME:-default}`` filled in; what nothing sets stays as it is written."""
    for _ in range(3):
        text, before = _DEFAULT.sub(lambda found: _value(found, variables), text), text
        if text == before:
            break
    return text


def _value(found: re.Match[str], variables: dict[str, str]) -> str:
    name = found["name"] or found["plain"]
    return variables.get(name) or found["default"] or found[0]


def _service(file: str, document: Document, name: str, entry: Entry) -> ComposeService:
    def at(*keys: str) -> yaml.Node | None:
        found = document.at(*keys, below=entry.value)
        return found.value if found else None

    build = at("build")
    context = text_of(build) or text_of(at("build", "context")) or "."

    return ComposeService(
        Place(file, document.place(entry.key)[0]),
        name,
        text_of(at("image")),
        build is not None,
        tuple(_ports(at("ports"))),
        dict(_environment(at("environment"))),
        tuple(_names(at("depends_on"))),
        tuple(_names(at("profiles"))),
        tuple(_env_files(at("env_file"))),
        tuple(_sources(at("volumes"))),
        text_of(at("command")) or shlex.join(text_of(word) for word in items(at("command"))),
        at("entrypoint") is not None,
        joined(posixpath.dirname(file), context) if build is not None and "$" not in context else "",
        interpolated(text_of(at("container_name")), {}),
    )


def _ports(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    for item in items(node):
        table = entries(item)
        if table:
            target = text_of(table["target"].value) if "target" in table else ""
            published = text_of(table["published"].value) if "published" in table else ""
        else:
            text = interpolated(text_of(item), {}).split("/")[0]
            *host, target = text.rsplit(":", 1)
            published = host[0].rpartition(":")[2] if host else ""
        if target.isdigit():
            yield published, int(target)


def _environment(node: yaml.Node | None) -> Iterator[tuple[str, str]]:
    for name, entry in entries(node).items():
        yield name, text_of(entry.value)
    for item in items(node):
        name, _, value = text_of(item).partition("=")
        yield name, value


def _names(node: yaml.Node | None) -> Iterator[str]:
    yield from entries(node)
    yield from (text_of(item) for item in items(node))


def _env_files(node: yaml.Node | None) -> Iterator[str]:
    if text := text_of(node):
        yield text
    for item in items(node):
        table = entries(item)
        yield text_of(table["path"].value) if "path" in table else text_of(item)


def _sources(node: yaml.Node | None) -> Iterator[str]:
    for item in items(node):
        table = entries(item)
        yield text_of(table["source"].value) if "source" in table else text_of(item).split(":")[0]
