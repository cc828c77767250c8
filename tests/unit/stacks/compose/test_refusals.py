"""What Compose said when it refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklib.errors import ConfigError
from tasklib.stacks.compose.refusals import failure
from tasklib.stacks.compose.source import Source

SOURCE = Source((Path("/shop/compose.yml"),), Path("/shop"))


@pytest.mark.parametrize(
    "value",
    ["echo ${A B}\nls -al", "echo ${A B}\n\n  level=warning\n", "echo ${A B}"],
    ids=["lines", "empty", "one"],
)
def test_a_dollar_that_is_no_variables_is_told_by_its_place(value: str) -> None:
    """Compose writes out the whole value after what is wrong: its last line says nothing."""
    what = (
        "invalid interpolation format for services.a.command.\nYou may need to escape any $ with another $."
    )
    error = failure(f"{what}\n{value}\n", ConfigError, SOURCE)
    assert str(error) == (
        "/shop/compose.yml: services.a.command: no variable can be read in `echo ${A B}`\n"
        "Write `${NAME}` for a variable, and `$$` for a dollar that is to stay one."
    )


def test_files_that_include_each_other_are_told() -> None:
    """By their names, not by the last line alone."""
    said = "include cycle detected:\n/shop/compose.yml\n include /shop/b.yml\n include /shop/compose.yml\n"
    error = failure(said, ConfigError, SOURCE)
    assert "its `include` comes back to itself: /shop/compose.yml → /shop/b.yml" in str(error)
