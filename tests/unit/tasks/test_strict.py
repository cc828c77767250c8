"""Words that stand by themselves after a command's name, as Invoke reads them."""

from __future__ import annotations

from typing import Any

import pytest
from invoke.exceptions import ParseError
from invoke.parser import Parser

from tasklib.tasks import namespace


def read(*words: str) -> dict[str, Any]:
    """What the last command of the line gets."""
    result = Parser(contexts=namespace.to_contexts()).parse_argv(list(words))
    return dict(result[-1].as_kwargs)


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (("doctor",), "."),
        (("doctor", "services"), "services"),
        (("doctor", "--fix", "services", "--format", "json"), "services"),
        (("doctor", "--select", "TL1"), "."),
        (("doctor", "clean"), "clean"),
        (("clean", "doctor"), "."),
    ],
)
def test_a_word_that_may_be_left_out(words: tuple[str, ...], path: str) -> None:
    """It is read where it stands, whatever it is called, and is the default where none does."""
    assert read(*words)["path"] == path


def test_a_word_that_has_to_stand_there() -> None:
    """Without it there is an error."""
    assert read("new.project", "shop", "--single")["name"] == "shop"
    with pytest.raises(ParseError, match="required positional"):
        read("new.project", "--single")
