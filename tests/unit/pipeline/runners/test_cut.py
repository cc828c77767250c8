"""Texts of tests that are too long to be told whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from tasklib.pipeline.inject.tasklib_in_pytest.events import LIMIT, WORD
from tasklib.pipeline.inject.tasklib_in_pytest.events import cut as untyped

cut = cast("Callable[[str], str]", untyped)

SECRET = "s3cr3t-" * 20


@given(before=st.integers(LIMIT // 2 - len(SECRET) - 2, LIMIT // 2 + 2))
def test_no_word_is_cut_where_the_middle_goes(before: int) -> None:
    """Half a secret would not be known as one: it is whole, or gone, at both edges."""
    for text in (
        "a" * 9 + " " * (before - 9) + SECRET + " b" * LIMIT,
        "b " * LIMIT + SECRET + " " * (before - 9) + "a" * 9,
    ):
        found = cut(text)
        assert found.replace(SECRET, "").count("s3cr3t") == 0
        assert "characters left out" in found
        assert LIMIT - WORD < len(found) < LIMIT + 50


def test_a_text_of_one_endless_word_is_cut_all_the_same() -> None:
    """What has no end is no word."""
    assert len(cut("x" * (3 * LIMIT))) > LIMIT
