"""The JSON schemas of the JSON lines and of run.json."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import msgspec

from tasklib.reporting.files.runjson import RunDocument
from tasklib.reporting.lines.jsonlines import KINDS, VERSION
from tasklib.reporting.schema.members import Member, members, reachable

__all__ = ["as_text", "event_schema", "files", "run_schema"]

_FOLDER = Path(__file__).parent

_ADDRESS = "https://github.com/tasklib/tasklib/blob/main/tasklib/reporting/schema/"
"""Whose schemas they are; nobody has to reach it."""

_DRAFT = "http://json-schema.org/draft-07/schema#"


def event_schema() -> dict[str, Any]:
    """The schema of one line: one of the kinds of events, told apart by ``event``."""
    return {
        "$schema": _DRAFT,
        "$id": f"{_ADDRESS}events.schema.json",
        "title": "An event of a run of tasklib, as `--format json` writes it in one line",
        "oneOf": [{"$ref": f"#/definitions/{kind.__name__}"} for kind in KINDS.values()],
        "definitions": {kind.__name__: _event(name, kind) for name, kind in KINDS.items()}
        | _definitions(tuple(KINDS.values())),
    }


def run_schema() -> dict[str, Any]:
    """The schema of the document that ``--report run.json`` writes."""
    return {
        "$schema": _DRAFT,
        "$id": f"{_ADDRESS}run.schema.json",
        "title": "A run of tasklib, as `--report run.json` writes it",
        **_object(RunDocument),
        "definitions": _definitions((RunDocument,)),
    }


def files() -> dict[Path, dict[str, Any]]:
    """Each schema with the file in the package that holds it."""
    return {_FOLDER / "events.schema.json": event_schema(), _FOLDER / "run.schema.json": run_schema()}


def as_text(schema: dict[str, Any]) -> str:
    """A schema as it is written to a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _event(name: str, kind: type) -> dict[str, Any]:
    found = _object(kind)
    found["properties"] = {"v": {"const": VERSION}, "event": {"const": name}, **found["properties"]}
    found["required"] = list(found["properties"])
    return found


def _definitions(kinds: tuple[type, ...]) -> dict[str, Any]:
    return {kind.__name__: _definition(kind) for kind in reachable(kinds)}


def _definition(kind: type) -> dict[str, Any]:
    if issubclass(kind, msgspec.Struct):
        return _object(kind)
    return {"description": inspect.getdoc(kind), "enum": [member.value for member in kind]}  # type: ignore[attr-defined]


def _object(kind: type) -> dict[str, Any]:
    """Every field is written always; those of later versions are allowed."""
    properties = {member.name: _property(member) for member in members(kind)}
    return {
        "description": inspect.getdoc(kind),
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def _property(member: Member) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components((member.type,), ref_template="#/definitions/{name}")
    if not member.meaning:
        return schema
    # A neighbour of $ref is ignored by readers of this draft.
    return {"description": member.meaning, **({"allOf": [schema]} if "$ref" in schema else schema)}
