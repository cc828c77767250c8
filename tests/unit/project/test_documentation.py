"""docs/configuration.md names every key there is."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tasklib.project.configuration import ServiceSection, Settings

DOCUMENT = Path(__file__).parents[3] / "docs" / "configuration.md"


def _keys(kind: type[msgspec.Struct], before: str = "") -> list[str]:
    found = []
    for field in msgspec.structs.fields(kind):
        name = f"{before}{field.encode_name}"
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            found += _keys(field.type, f"{name}.")
        elif name == "services":
            found += _keys(ServiceSection, "services.<name>.")
        else:
            found.append("endpoints.<VARIABLE>" if name == "endpoints" else name)
    return found


@pytest.mark.parametrize("key", _keys(Settings))
def test_every_key_is_documented(key: str) -> None:
    """A key that nobody can read about is a key that nobody has."""
    assert f"`{key}`" in DOCUMENT.read_text()
