"""docs/json-events.md: every event, run.json and their values, from the types."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from msgspec import Struct

from tasklib.events import TestFinished
from tasklib.reporting.files.runjson import RunDocument
from tasklib.reporting.lines.jsonlines import KINDS, VERSION, to_object
from tasklib.reporting.schema.members import members, reachable, said, title
from tasklib.results import Stage, Target, TestOutcome, TestResult

__all__ = ["page"]

_HEAD = Path(__file__).with_name("page.md")

_WORDS: Mapping[Any, str] = {
    str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null",
}  # fmt: skip

_EXAMPLE = TestFinished(
    Target(Stage.UNIT, "api"),
    TestResult(
        "tests/unit/test_orders.py::test_total",
        TestOutcome.PASSED,
        setup=0.25,
        call=0.5,
        file="tests/unit/test_orders.py",
        line=12,
    ),
    at=1790000000.2,
)


def page() -> str:
    """The whole page."""
    head = _HEAD.read_text(encoding="utf-8").replace('"v": VERSION', f'"v": {VERSION}')
    found = [head.replace("EXAMPLE", json.dumps(to_object(_EXAMPLE), indent=2)), "## Events", ""]
    found += ["Beside its own fields each has `v`, `event` and `at`.", ""]
    for name, kind in KINDS.items():
        found += [f"### `{name}`", "", *_described(kind)]
    found += ["## run.json", "", *_described(RunDocument)]
    found += ["## Values", ""]
    for kind in reachable((*KINDS.values(), RunDocument)):
        if kind not in KINDS.values():
            found += [f"### {title(kind)}", "", *_described(kind)]
    return "\n".join(found).rstrip("\n") + "\n"


def _described(kind: type) -> Iterator[str]:
    yield inspect.getdoc(kind) or ""
    yield ""
    if issubclass(kind, Enum):
        yield from ("| value | meaning |", "| --- | --- |")
        yield from (f"| `{member.value}` | {said(kind).get(member.value, '')} |" for member in kind)
    elif issubclass(kind, Struct):
        base = kind.__base__
        if base and base is not Struct and issubclass(base, Struct):
            inherited = {member.name for member in members(base)}
            yield from (f"It has the fields of a {_type(base)} and, beside them:", "")
        else:
            inherited = {"at"} if kind in KINDS.values() else set()
        yield from ("| field | type | meaning |", "| --- | --- | --- |")
        for member in members(kind):
            if member.name not in inherited:
                meaning = member.meaning or _own_words(member.type)
                yield f"| `{member.name}` | {_type(member.type)} | {meaning} |"
    yield ""


def _own_words(held: Any) -> str:
    """What a field's type says, where the field itself says nothing."""
    documented = isinstance(held, type) and held not in _WORDS
    return (inspect.getdoc(held) or "").partition("\n")[0] if documented else ""


def _type(held: Any) -> str:
    """A type as readers of JSON call it, with a link to what this page says of it."""
    parts = get_args(held)
    origin = get_origin(held)
    if origin in (Union, UnionType):
        return " or ".join(_type(part) for part in parts)
    if origin is Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if origin is tuple:
        return f"list of {_type(parts[0])}"
    if origin is not None:
        return f"object: {_type(parts[1])} for each {_type(parts[0])}"
    if held in _WORDS:
        return _WORDS[held]
    assert issubclass(held, (Struct, Enum)), held
    for name, kind in KINDS.items():
        if held is kind:
            return f"[{name}](#{name})"
    return f"[{title(held).lower()}](#{title(held).lower().replace(' ', '-')})"
