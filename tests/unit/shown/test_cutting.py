"""What is too long, in as much as fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.shown.cutting import CUT, flat, several, shorten, without_middle


@given(st.text(), st.integers(0, 60))
def test_it_fits_and_what_fits_is_left_alone(text: str, limit: int) -> None:
    """A cut is marked, whatever there is room for."""
    cut = shorten(text, limit)
    assert len(cut) <= limit or cut == text
    assert cut == text or cut.endswith(CUT[:limit])
    assert "\n" not in flat(text, limit)


@given(st.text(), st.integers(2, 60))
def test_both_ends_stay(text: str, limit: int) -> None:
    """What is left out is counted, so that nothing is lost without a word."""
    cut = without_middle(text, limit, mark="[{left}]")
    if len(text) <= limit:
        assert cut == text
    else:
        half = limit // 2
        assert cut == f"{text[:half]}[{len(text) - 2 * half}]{text[-half:]}"


@pytest.mark.parametrize(
    ("names", "join", "told"),
    [
        ([], ", ", ""),
        (["a", "b"], ", ", "a, b"),
        (["a", "b", "c", "d"], ", ", "a, b, c and 1 more"),
        (["a", "b", "c", "d", "e"], "; ", "a; b; c; and 2 more"),
        (["a", "b"], " and ", "a and b"),
    ],
)
def test_the_first_ones_and_how_many_more(names: list[str], join: str, told: str) -> None:
    """Nobody reads a list of hundreds."""
    assert several(names, join=join) == told
