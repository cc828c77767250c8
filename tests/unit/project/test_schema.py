"""The JSON schema of ``[tool.tasklib]``, for editors and for validate-pyproject."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tasklib.project.schema import FILE, as_text, pyproject_schema, tool_schema

from .test_configuration import EVERYTHING

PAGES = Path(__file__).parents[3] / "docs"


def valid(document: dict[str, Any]) -> bool:
    """Whether an editor would underline nothing, and validate-pyproject would pass it."""
    whole: bool = jsonschema.Draft7Validator(pyproject_schema()).is_valid(document)
    table = jsonschema.Draft7Validator(tool_schema()).is_valid(document["tool"]["tasklib"])
    assert whole == table
    return whole


def test_the_schema_in_the_package_is_the_settings() -> None:
    """What is shipped is what the types say today."""
    assert FILE.read_text(encoding="utf-8") == as_text(pyproject_schema()), (
        "a setting has changed: run `python -m tasklib.project.schema`"
    )


@pytest.mark.parametrize("schema", [pyproject_schema(), tool_schema()], ids=["file", "table"])
def test_both_are_schemas(schema: dict[str, Any]) -> None:
    """Of the draft that they name."""
    jsonschema.Draft7Validator.check_schema(schema)


def test_every_setting_is_in_it() -> None:
    """A table that sets everything is valid."""
    assert valid(tomllib.loads(EVERYTHING))


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.name)
def test_the_examples_of_the_pages_are_valid(page: Path) -> None:
    """What a reader copies is not underlined."""
    examples = [
        tomllib.loads(text) for text in re.findall(r"(?ms)^```toml\n(.*?)^```", page.read_text("utf-8"))
    ]
    assert all(valid(example) for example in examples if "tasklib" in example.get("tool", {}))


@pytest.mark.parametrize(
    "table",
    [
        {"prefixes": "ci"},
        {"jobs": 0},
        {"jobs": "3"},
        {"slow": {"unit": 0}},
        {"services": {"api": {"command": "pytest"}}},
        {"services": {"api": {"pathh": "api"}}},
        {"shared": {"host_network": True}},
    ],
)
def test_what_a_run_refuses_is_underlined(table: dict[str, Any]) -> None:
    """Unknown keys at any depth, wrong types, values out of bounds."""
    assert not valid({"tool": {"tasklib": table}})


def test_other_tables_are_none_of_its_business() -> None:
    """The file may stand for a whole pyproject.toml: it says nothing of what is not tasklib's."""
    other = {"project": {"name": "shop"}, "tool": {"ruff": {"line-length": 100}}}
    assert jsonschema.Draft7Validator(pyproject_schema()).is_valid(other)


def test_validate_pyproject_finds_it() -> None:
    """By the entry point that it looks for, called with the tool's name, and with the `$id` it asks for."""
    project = tomllib.loads((PAGES.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    group = "validate_pyproject.tool_schema"
    found = EntryPoint("tasklib", project["entry-points"][group]["tasklib"], group)
    assert found.load()("tasklib")["$id"].startswith("https://")
