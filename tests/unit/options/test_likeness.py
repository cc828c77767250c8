"""What is offered to someone who mistyped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.options.catalog import COMMANDS, command
from tasklib.options.likeness import alike, nearest


@pytest.mark.parametrize(
    ("word", "known", "near"),
    [
        ("--nmae", ["--name", "--keep"], "--name"),
        ("--dry", ["--yes", "--env", "--name"], None),
        ("nope", ["api", "web", "notes-and-more"], None),
        ("API", ["api", "web"], "api"),
        ("--all", ["api"], None),
        ("", ["api"], None),
        ("price_db", ["price-db", "price"], "price-db"),
    ],
)
def test_only_what_looks_like_the_word_is_offered(word: str, known: list[str], near: str | None) -> None:
    """Dashes make nothing look alike, capitals nothing differ."""
    assert alike(word, known) == near


def test_the_nearest_of_what_there_is_can_be_far() -> None:
    """Where one of few has to be meant, the one that is least unlike is."""
    assert nearest("servcies", ["name", "services", "compose"]) == "services"
    assert nearest("zzz", ["name"]) == "name"


SLIPS = st.text("adehlnorsuy-", max_size=8) | st.sampled_from(["--yse", "--yes", "--forc", "--al", "--psh"])


@given(SLIPS)
def test_an_option_that_consents_is_never_offered(word: str) -> None:
    """By no command: nobody agrees to a removal because of a slip."""
    for found in COMMANDS:
        if consenting := [option for option in found.options if option.consents]:
            offered = found.suggestion(word, ("--dry",))
            assert not any(f"mean {option.flag}?" in offered for option in consenting)


def test_what_cannot_be_taken_back_is_declared_so() -> None:
    """--yes, --force, --push and --all wherever they are."""
    dangerous = {"yes", "force", "push", "all"}
    for found in COMMANDS:
        assert all(option.consents for option in found.options if option.name in dangerous), found.name
    assert command("infra-down") is command("infra.down")
