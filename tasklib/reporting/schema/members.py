"""What a type says of itself: the strings that follow its members in its source."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from itertools import pairwise
from typing import Any, get_args, get_type_hints

from msgspec import Struct

from tasklib.reporting.values import derived_names

__all__ = ["Member", "members", "reachable", "said", "title"]


class Member(Struct, frozen=True):
    """A field of an object, as it is written."""

    name: str
    type: Any
    meaning: str = ""


@cache
def said(kind: type) -> Mapping[str, str]:
    """Each member of a class, an enumeration's by their values, with the string that follows it."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("tasklib."):
            found.update(_said_in(base))
    return {kind[name].value: text for name, text in found.items()} if issubclass(kind, Enum) else found


def _said_in(kind: type) -> Iterator[tuple[str, str]]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(definition, ast.ClassDef)
    for member, text in pairwise(definition.body):
        match member, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(meaning))),
            ):
                yield name, meaning


def members(kind: type[Struct]) -> tuple[Member, ...]:
    """The fields of a Struct, and the properties that are written beside them."""
    hints = get_type_hints(kind)
    own = tuple(Member(name, hints[name], said(kind).get(name, "")) for name in kind.__struct_fields__)
    derived = ((name, getattr(kind, name)) for name in derived_names(kind))
    return own + tuple(
        Member(name, get_type_hints(found.fget)["return"], inspect.getdoc(found) or "")
        for name, found in derived
    )


def reachable(kinds: tuple[type, ...]) -> tuple[type, ...]:
    """The Structs and enumerations that values of these types hold, each once, in order of mention."""
    found: dict[type, None] = {}

    def look(held: Any) -> None:
        documented = isinstance(held, type) and issubclass(held, (Struct, Enum))
        if documented and held not in found:
            found[held] = None
            inside(held)
        for part in get_args(held):
            look(part)

    def inside(kind: type) -> None:
        if issubclass(kind, Struct):
            for member in members(kind):
                look(member.type)

    for kind in kinds:
        inside(kind)
    return tuple(found)


def title(kind: type) -> str:
    """The type's name in words: ``Test result``."""
    name = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind.__name__)
    return name.strip().capitalize()
