"""What follows ``--`` in a Nox command line."""

from __future__ import annotations

import pytest

from tasklib.errors import UsageError
from tasklib.options import catalog
from tasklib.options.caller import Caller
from tasklib.options.catalog import command
from tasklib.sessions.parser import read

NOX = Caller(("nox",), {"test.service": "service", "infra.up": "infra-up"}, sessions=True)


def test_options_are_ours_and_what_follows_a_second_dash_is_pytests() -> None:
    """Repeated ones add up, and what is not typed has its default."""
    values = read(command("service"), ["--name", "api", "--name", "web", "--dry", "--", "-x", "--", "y"], NOX)
    assert values is not None
    assert (values[catalog.NAME], values[catalog.JOBS], values.dry) == (("api", "web"), None, True)
    assert values.extra == ("-x", "--", "y")


@pytest.mark.parametrize(("session", "words"), [("clean", ["--all"]), ("clean", ["--force", "--dry"])])
def test_what_removes_is_asked_for_after_the_dashes(session: str, words: list[str]) -> None:
    """Under the names that `tasklib` recommends."""
    values = read(command(session), words, NOX)
    assert values is not None
    assert values[catalog.ALL] is ("--all" in words)
    assert values.dry is ("--dry" in words)


def test_help_is_no_run() -> None:
    """Whatever else is typed."""
    assert read(command("service"), ["--name", "api", "-h"], NOX) is None


@pytest.mark.parametrize(
    ("session", "words", "said"),
    [
        ("service", ["--name"], "--name needs a value"),
        ("service", ["--jobs", "many"], "--jobs takes .*, not 'many'"),
        ("service", ["--nmae", "api"], "Did you mean --name"),
        ("service", ["-xq"], "Options of pytest follow a second `--`: nox -s service -- -- -xq"),
        ("infra-up", ["api"], "unknown argument api of infra-up.*nox -s infra-up -- --help"),
        ("infra-up", ["--", "-x"], "infra-up takes nothing after a second `--`"),
    ],
)
def test_what_is_not_taken_is_said_with_what_is(session: str, words: list[str], said: str) -> None:
    """One message for each, spelled for Nox."""
    with pytest.raises(UsageError, match=f"(?s){said}"):
        read(command(session), words, NOX)
