"""Words that stand by themselves after a command's name, as Invoke reads them."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from invoke.exceptions import ParseError
from invoke.parser import Parser
from invoke.parser.parser import ParseMachine

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


def test_invoke_still_holds_the_word_where_it_is_looked_for() -> None:
    """Fails where a new Invoke calls the parser's method or its word otherwise: `tasks/strict` reads both."""
    assert [*inspect.signature(ParseMachine.handle).parameters] == ["self", "token"], (
        "Invoke's parser has changed: see _word_in_hand in tasklib/tasks/strict.py"
    )
    assert read("doctor", "services")["path"] == "services", "a word that may be left out finds no place"


def test_words_are_refused_where_invoke_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its parser renamed or compiled: what has to be there is still read, and defaults are what they are."""

    def handle(machine: ParseMachine, word: str) -> None:
        original(machine, word)

    original = ParseMachine.handle
    monkeypatch.setattr(ParseMachine, "handle", handle)
    assert read("doctor", "--fix")["path"] == "."
    assert read("new.project", "shop", "--single")["name"] == "shop"
    with pytest.raises(ParseError, match="No idea what 'services' is"):
        read("doctor", "services")
