"""Text from programs becomes text that is safe to show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.reporting.words.text import both_ends, bounded, lines, one_line, plural, seconds, tilde


@given(st.text(), st.integers(0, 50))
def test_one_line_is_one_line(text: str, limit: int) -> None:
    """The result holds no newline and respects the limit."""
    assert "\n" not in one_line(text, limit)
    assert len(one_line(text, limit)) <= limit


def test_what_to_do_stays_where_a_reason_is_too_long() -> None:
    """It stands at the end: a long list of what is wrong is cut before it."""
    reason = f"no image is here: {', '.join(['registry.example.com/api'] * 40)}.\nRun `docker login` first."
    told = both_ends(reason, 400)
    assert told.startswith("no image is here: registry")
    assert told.endswith("Run `docker login` first.")
    assert len(told) < 420
    assert "\n" not in told
    assert both_ends("a\n b", 400) == "a b"


@given(st.lists(st.text(max_size=5)), st.integers(2, 20))
def test_bounded_keeps_both_ends(found: list[str], limit: int) -> None:
    """At most the limit comes back, the last line always, and all of it where it fits."""
    kept = bounded(found, limit)
    assert len(kept) <= limit
    assert kept == found or (kept[-1] == found[-1] and " more lines " in " ".join(kept))


def test_lines_have_no_blanks_around() -> None:
    """Empty lines at both ends and trailing blanks are gone, inner ones stay."""
    assert lines("\n\na  \n\nb\n\n") == ["a", "", "b"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0.0s"), (-1, "0.0s"), (12.34, "12.3s"), (59.96, "1m 00s"), (125, "2m 05s"), (3720, "1h 02m")],
)
def test_seconds_for_people(value: float, expected: str) -> None:
    """Durations are short at every size."""
    assert seconds(value) == expected


def test_plurals() -> None:
    """One is singular, thousands have a comma."""
    assert [plural(number, "test") for number in (0, 1, 1240)] == ["0 tests", "1 test", "1,240 tests"]


@pytest.mark.parametrize(
    ("path", "home", "expected"),
    [
        ("/home/ana/x/y", "/home/ana", "~/x/y"),
        ("/home/anabel/x", "/home/ana", "/home/anabel/x"),
        ("/x", "/", "/x"),
        ("/x", "", "/x"),
        ("/home/ana/x", "/home/ana/", "~/x"),
    ],
)
def test_what_is_at_home_begins_with_a_tilde(path: str, home: str, expected: str) -> None:
    """Only paths inside the home folder are shortened."""
    assert tilde(path, home) == expected
