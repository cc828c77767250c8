"""YAML files read with the place of everything in them. Nothing is ever dumped: that loses comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import yaml
from msgspec import Struct

from tasklib.doctor.findings import Edit

__all__ = ["Document", "Entry", "entries", "items", "last", "read_document", "text_of"]

# libyaml, where PyYAML was built with it, is ten times as fast; what kind a scalar is, nobody here asks.
_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class Entry(Struct, frozen=True):
    """A key of a mapping and its value."""

    key: yaml.ScalarNode
    value: yaml.Node


@dataclass(frozen=True)
class Document:
    """A YAML file: its text as it stands, line ends included, and the node at its root."""

    path: Path
    text: str
    root: yaml.Node | None

    def place(self, node: yaml.Node) -> tuple[int, int]:
        """The line and column (from 1) where ``node`` begins."""
        return node.start_mark.line + 1, node.start_mark.column + 1

    def at(self, *keys: str, below: yaml.Node | None = None) -> Entry | None:
        """The entry that ``keys`` lead to, from the root or from ``below``."""
        node: yaml.Node | None = self.root if below is None else below
        found: Entry | None = None
        for key in keys:
            found = entries(node).get(key)
            if found is None:
                return None
            node = found.value
        return found

    def replaced(self, node: yaml.Node, text: str) -> Edit:
        """The edit that puts ``text`` in the place of a scalar or a flow collection."""
        return Edit(node.start_mark.index, node.end_mark.index, text)

    def removed(self, entry: Entry) -> Edit | None:
        """The edit that takes out a key with its value, whole lines; ``None`` where it shares a line."""
        start = self._lines[entry.key.start_mark.line]
        if self.text[start : entry.key.start_mark.index].strip():
            return None
        end = self._after(last(entry.value).end_mark.line)
        rest = self.text[last(entry.value).end_mark.index : end].strip()
        return None if rest and not rest.startswith("#") else Edit(start, end, "")

    def inserted(self, before: Entry, lines: str) -> Edit | None:
        """The edit that puts whole ``lines`` above a key, at its indentation; ``None`` in a flow mapping."""
        start = self._lines[before.key.start_mark.line]
        indent = self.text[start : before.key.start_mark.index]
        if indent.strip():
            return None
        shifted = "".join(f"{indent}{line}{self.line_end}" for line in lines.splitlines())
        return Edit(start, start, shifted)

    @cached_property
    def line_end(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    @cached_property
    def _lines(self) -> list[int]:
        """Where each line begins, as YAML counts lines."""
        starts = [0]
        for number, character in enumerate(self.text):
            if character == "\n":
                starts.append(number + 1)
        return starts

    def _after(self, line: int) -> int:
        return self._lines[line + 1] if line + 1 < len(self._lines) else len(self.text)


def read_document(path: Path, text: str | None = None) -> Document | None:
    """The YAML file at ``path``, or ``text`` in its place; ``None`` for what cannot be read or is no YAML."""
    try:
        text = path.read_bytes().decode("utf-8") if text is None else text
        if (
            text.startswith("\ufeff")
            or "\u2028" in text
            or "\u0085" in text
            or "\r" in text.replace("\r\n", "")
        ):
            return None  # places in it could not be told exactly
        return Document(path, text, yaml.compose(text, Loader=_LOADER))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        return None


@lru_cache(maxsize=20_000)  # every rule asks the same nodes
def entries(node: yaml.Node | None) -> Mapping[str, Entry]:
    """A mapping's entries by their keys, with those that ``<<`` merges in where it has none of its own."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    found: dict[str, Entry] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        if key.value == "<<" and not key.style:
            merged = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for part in merged:
                found = {**entries(part), **found} if part is not node else found
        else:
            found[str(key.value)] = Entry(key, value)
    return found


def items(node: yaml.Node | None) -> Iterator[yaml.Node]:
    """The items of a sequence; none where it is none."""
    if isinstance(node, yaml.SequenceNode):
        yield from node.value


def text_of(node: yaml.Node | None) -> str:
    """What a scalar says; empty where it is none."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def last(node: yaml.Node) -> yaml.Node:
    """The innermost last node: a block collection itself ends only where the next thing begins."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        inner = node.value[-1]
        return last(inner[1] if isinstance(inner, tuple) else inner)
    return node
