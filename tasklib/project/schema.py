"""The JSON schema of ``[tool.tasklib]``, made from the settings' types.

``python -m tasklib.project.schema`` writes ``pyproject.schema.json`` beside this module, for editors.
validate-pyproject finds :func:`tool_schema` by its entry point.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from tasklib.project.settings import Settings

__all__ = ["FILE", "as_text", "pyproject_schema", "tool_schema"]

FILE = Path(__file__).with_name("pyproject.schema.json")

_ADDRESS = "https://github.com/tasklib/tasklib/blob/main/tasklib/project/pyproject.schema.json"
"""Whose schema it is; nobody has to reach it."""

_DRAFT = "http://json-schema.org/draft-07/schema#"
"""The newest that all of validate-pyproject, Taplo and VS Code read."""


def tool_schema(tool_name: str = "tasklib") -> dict[str, Any]:
    """The schema of what stands below ``[tool.<tool_name>]``."""
    definitions = _definitions()
    settings = definitions.pop(Settings.__name__)
    return {"$schema": _DRAFT, "$id": _ADDRESS, **settings, "definitions": definitions}


def pyproject_schema() -> dict[str, Any]:
    """The schema of a whole pyproject.toml, which says nothing of what is not tasklib's."""
    tool = {"type": "object", "properties": {"tasklib": {"$ref": f"#/definitions/{Settings.__name__}"}}}
    return {
        "$schema": _DRAFT,
        "$id": _ADDRESS,
        "title": "pyproject.toml with [tool.tasklib]",
        "type": "object",
        "properties": {"tool": tool},
        "definitions": _definitions(),
    }


def as_text(schema: dict[str, Any]) -> str:
    """A schema as it is written to a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _definitions() -> dict[str, Any]:
    components = msgspec.json.schema_components((Settings,), ref_template="#/definitions/{name}")[1]
    return {name: _for_toml(schema) for name, schema in components.items()}


def _for_toml(node: Any) -> Any:
    """The same without what TOML cannot say: null, and with it the defaults that are none."""
    if isinstance(node, list):
        return [_for_toml(each) for each in node]
    if not isinstance(node, dict):
        return node
    found = {key: _for_toml(value) for key, value in node.items() if key not in ("anyOf", "default", "$ref")}
    if "properties" in node:
        found["properties"] = {name: _for_toml(value) for name, value in node["properties"].items()}
    if (default := node.get("default")) and not isinstance(default, dict):
        found["default"] = default
    if "$ref" in node:
        # A neighbour of $ref is ignored by readers of this draft.
        found |= {"allOf": [{"$ref": node["$ref"]}]} if found else {"$ref": node["$ref"]}
    choices = [_for_toml(each) for each in node.get("anyOf", []) if each != {"type": "null"}]
    return found | (choices[0] if len(choices) == 1 else {"anyOf": choices} if choices else {})


if __name__ == "__main__":
    FILE.write_text(as_text(pyproject_schema()), encoding="utf-8")
