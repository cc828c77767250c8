"""docs/configuration.md names every key there is."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from tasklib.project.settings import ServiceSection, Settings

DOCUMENT = Path(__file__).parents[3] / "docs" / "configuration.md"


def _keys(kind: type[msgspec.Struct], before: str = "") -> list[str]:
    found = []
    for field in msgspec.structs.fields(kind):
        name = f"{before}{field.encode_name}"
        held = get_args(field.type)[0]
        if isinstance(held, type) and issubclass(held, msgspec.Struct):
            found += _keys(held, f"{name}.")
        elif name == "services":
            found += _keys(ServiceSection, "services.<name>.")
        else:
            found.append("endpoints.<VARIABLE>" if name == "endpoints" else name)
    return found


@pytest.mark.parametrize("key", _keys(Settings))
def test_every_key_is_documented(key: str) -> None:
    """A key that nobody can read about is a key that nobody has."""
    assert f"`{key}`" in DOCUMENT.read_text()


def test_every_key_says_what_it_is_for() -> None:
    """Whatever shows the keys elsewhere, an editor for one, has a line for each of them."""
    schema = msgspec.json.schema(Settings)
    fields = {
        f"{table}.{key}": value
        for table, definition in schema["$defs"].items()
        for key, value in definition["properties"].items()
    }
    assert [name for name, value in fields.items() if "description" not in value] == []
