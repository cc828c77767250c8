"""Values as they were typed, checked once for every front end."""

from __future__ import annotations

import pytest

from tasklib.errors import UsageError
from tasklib.options import catalog as o
from tasklib.options.catalog import COMMANDS, command
from tasklib.options.command import Command
from tasklib.options.values import Values
from tasklib.project import Environment
from tasklib.release.tag.versions import Bump
from tasklib.release.workflows.files import Forge


def test_what_is_not_typed_has_its_default() -> None:
    """A command that nothing follows is complete."""
    values = Values.read(command("test.unit"), {})
    assert (values[o.NAME], values[o.JOBS], values[o.KEYWORD], values[o.FORMAT]) == ((), None, "", "auto")
    assert values[o.KEEP] is False
    assert Values.read(command("release.images"), {})[o.PUSH] is True
    assert Values.read(command("infra.logs"), {"tail": None})[o.TAIL] == 100


def test_what_is_typed_is_read_as_what_it_is() -> None:
    """Texts become numbers, lists tuples."""
    typed = {"name": ["api", "web"], "jobs": "3", "keep": True, "format": "json"}
    values = Values.read(command("test.unit"), typed)
    assert (values[o.NAME], values[o.JOBS], values[o.KEEP]) == (("api", "web"), 3, True)
    assert Values.read(command("test.unit"), {"name": "api"})[o.NAME] == ("api",)


@pytest.mark.parametrize(
    ("name", "option", "typed", "said"),
    [
        ("test.unit", "jobs", "0", "--jobs takes a number of at least 1, not '0'"),
        ("test.unit", "jobs", "²", "--jobs takes a number of at least 1, not '²'"),
        ("test.unit", "format", "jsn", "--format takes auto, live, plain or json, not 'jsn'"),
        ("infra.up", "env", "tset", "--env takes test, dev or prod, not 'tset'"),
        ("infra.logs", "tail", "", "--tail takes a number of at least 1, not ''"),
        ("release.tag", "bump", "huge", "--bump takes major, minor, patch or pre, not 'huge'"),
        ("test.unit", "nmae", "x", "test.unit has no option 'nmae'"),
    ],
)
def test_what_an_option_does_not_take_is_refused(name: str, option: str, typed: str, said: str) -> None:
    """With the option's name, what it takes, and what was typed."""
    with pytest.raises(UsageError) as caught:
        Values.read(command(name), {option: typed})
    assert str(caught.value) == said


def test_choices_are_those_that_the_parts_below_know() -> None:
    """They are declared above the parts that mean something by them."""
    assert set(o.ENVIRONMENT.choices) == set(Environment)
    assert set(o.BUMP.choices) == set(Bump)
    assert set(o.FORGE.choices) == set(Forge)


@pytest.mark.parametrize("found", COMMANDS, ids=lambda found: found.name)
def test_every_example_is_one(found: Command) -> None:
    """Each word of a command's example that looks like an option is one of the command's."""
    flags = {flag for option in found.options for flag in (option.flag, option.inverse)}
    assert {word for word in found.example.split() if word.startswith("-")} <= flags


@pytest.mark.parametrize(
    "text", ["", "2", "0/4", "5/4", "1/0", "a/b", "1/2/3", "²/4", "1/99999", "-1/4", " 1/4"]
)
def test_what_is_no_share(text: str) -> None:
    """The I-th of N, from 1."""
    with pytest.raises(UsageError, match="--shard takes I/N"):
        o.SHARD.read(text)


def test_a_share_is_two_numbers() -> None:
    """And nothing where none is typed."""
    assert (o.SHARD.read("2/4"), o.SHARD.read(None)) == ((2, 4), None)
