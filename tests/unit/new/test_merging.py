"""What becomes of files whose templates change: the user's edits win, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.new.merging import Outcome, merged, outcomes

A, B, C = "a\n", "b\n", "c\n"


def decided(base: str | None, theirs: str | None, ours: str | None) -> list[Outcome]:
    def texts(text: str | None) -> dict[str, str]:
        return {} if text is None else {"f": text}

    return list(outcomes(texts(base), texts(theirs), {**texts(ours)}, lambda *sides: ("".join(sides), 1)))


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "after"),
    [
        (A, B, A, B),
        (None, B, None, B),
        (A, None, A, None),
    ],
)
def test_what_the_user_did_not_touch_follows_its_template(
    base: str | None, theirs: str | None, ours: str | None, after: str | None
) -> None:
    """Changed, new, and gone."""
    assert decided(base, theirs, ours) == [Outcome("f", ours, after)]


@pytest.mark.parametrize(
    ("base", "theirs", "ours"),
    [(A, A, B), (A, A, None), (A, B, B), (None, B, B), (A, None, None)],
)
def test_nothing_is_to_be_done(base: str | None, theirs: str | None, ours: str | None) -> None:
    """Its template is as it was, or the file is already as it would be."""
    assert decided(base, theirs, ours) == []


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "said"),
    [(A, B, None, "removed"), (A, None, B, "no template"), (None, B, A, "the file that is there stays")],
)
def test_what_stays_is_said(base: str | None, theirs: str | None, ours: str | None, said: str) -> None:
    """It is as the user left it, and a line says why its template does not matter."""
    (outcome,) = decided(base, theirs, ours)
    assert outcome.before == outcome.after == ours
    assert said in outcome.note


def test_both_changed_it() -> None:
    """What merges them is given ours, base and theirs."""
    assert decided(A, B, C) == [Outcome("f", C, C + A + B, conflicts=1)]


def test_what_is_no_text_stays() -> None:
    """A link or a folder in the place of a file, say."""
    (outcome,) = outcomes({"f": A}, {"f": B}, {"f": None}, lambda *sides: ("", 0))
    assert outcome.before is outcome.after is None
    assert outcome.note


@given(*[st.sampled_from([None, A, B, C])] * 3)
def test_what_the_user_changed_is_never_taken_away(
    base: str | None, theirs: str | None, ours: str | None
) -> None:
    """Only what is as a template made it is replaced as a whole, or goes."""
    for outcome in decided(base, theirs, ours):
        assert outcome.before == ours
        assert ours is None or ours == base or (outcome.after or "").startswith(ours)


WORDS = ("yours", "tasklib 1", "tasklib 2")


def test_changes_in_different_places_are_merged() -> None:
    """Both are there, also where a line ends as Windows has it, or is no UTF-8."""
    base = "one\n\n\n\ntwo\r\n\n\n\nthree \udcff\n"
    ours, theirs = base.replace("one", "ONE"), base.replace("three", "THREE")
    assert merged(ours, base, theirs, WORDS) == (ours.replace("three", "THREE"), 0)


def test_changes_in_one_place_stand_there_marked() -> None:
    """All three sides, each with its name, and how many such places there are."""
    text, conflicts = merged("ours\n", "base\n", "theirs\n", WORDS)
    assert conflicts == 1
    assert text.splitlines() == [
        *("<<<<<<< yours", "ours", "||||||| tasklib 1", "base"),
        *("=======", "theirs", ">>>>>>> tasklib 2"),
    ]
