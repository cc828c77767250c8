"""Sequences that are added to without being changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.reporting.folds.growing import Growing


@given(st.lists(st.tuples(st.integers(0, 30), st.integers())))
def test_what_grew_from_others_is_a_list_and_changes_none_of_them(steps: list[tuple[int, int]]) -> None:
    """Whatever each one is grown from, also twice from the same, every one holds just what it was given."""
    grown: list[tuple[Growing[int], list[int]]] = [(Growing(), [])]
    for base, item in steps:
        growing, items = grown[base % len(grown)]
        grown.append((growing.plus(item), [*items, item]))
    for growing, items in grown:
        assert list(growing) == items
        assert len(growing) == len(items)
        assert growing[1:] == items[1:]
        assert growing[-1:] == items[-1:]
        assert growing == Growing(items)


def test_it_ends_where_it_was_given_its_last_item() -> None:
    """What a later one holds cannot be reached from the one before."""
    short = Growing([1])
    long = short.plus(2)
    assert (short[-1], long[-1]) == (1, 2)
    with pytest.raises(IndexError):
        short[1]
