"""The changelog, read and moved on by one release."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.release.tag.changelog import newest, released, section, sections
from tasklib.release.tag.versions import parse

TEXT = """\
# Changelog

Some words, [linked](https://example.com).

## [Unreleased]

### Added

- A thing.

```
## [9.9.9] - in a code block
```

## [1.1.0] - 2024-02-02

- Better.

## 1.0.0 (2024-01-01)

- First.

[Unreleased]: https://example.com/shop/compare/v1.1.0...HEAD
[1.1.0]: https://example.com/shop/compare/v1.0.0...v1.1.0
"""
DAY = date(2024, 3, 3)


def test_sections() -> None:
    """The parts of a changelog, code blocks and the links at its end left out."""
    assert [found.name for found in sections(TEXT)] == ["Unreleased", "1.1.0", "1.0.0"]
    assert [found.body for found in sections(TEXT)][1:] == ["- Better.", "- First."]
    assert newest(TEXT) == parse("1.1.0")


def test_section() -> None:
    """A part is found by version in either form of heading; the unreleased one by none."""
    found = [section(TEXT, parse("1.0.0")), section(TEXT, None), section(TEXT, parse("2.0.0"))]
    assert found[0] is not None
    assert found[0].body == "- First."
    assert found[1] is not None
    assert found[1].body.startswith("### Added")
    assert found[2] is None


def test_released() -> None:
    """The unreleased lines become the version's, with the day and a link; the rest stays as it is."""
    new = released(TEXT, parse("1.2.0"), DAY)
    assert "## [Unreleased]\n\n## [1.2.0] - 2024-03-03\n\n### Added\n" in new
    assert "[Unreleased]: https://example.com/shop/compare/v1.2.0...HEAD\n" in new
    assert "[1.2.0]: https://example.com/shop/compare/v1.1.0...v1.2.0\n" in new
    found = section(new, parse("1.2.0"))
    assert found is not None
    assert found.body == getattr(section(TEXT, None), "body", None)
    assert getattr(section(new, None), "body", None) == ""
    gone = [line for line in TEXT.splitlines() if line not in new.splitlines()]
    assert gone == ["[Unreleased]: https://example.com/shop/compare/v1.1.0...HEAD"]


def test_released_is_last() -> None:
    """A changelog with nothing but the unreleased part works, with Windows' line ends too."""
    new = released("## Unreleased\r\n- A\r\n", parse("1.0.0"), DAY)
    assert new == "## Unreleased\r\n\r\n## 1.0.0 - 2024-03-03\r\n\r\n- A\r\n"


def test_nothing_unreleased() -> None:
    """Without an unreleased part nothing is changed."""
    text = "## [1.0.0]\n- A\n"
    assert released(text, parse("2.0.0"), DAY) == text


LINES = st.lists(
    st.sampled_from(
        ["- a", "", "### Added", "```", "~~~", "## [1.0.0]", "## Unreleased", "# Log", "[x]: y", "  "]
    )
)


@given(LINES)
def test_nothing_gets_lost(lines: list[str]) -> None:
    """Whatever the changelog looks like, a release only adds a heading, blank lines apart."""
    text = "\n".join(lines) + "\n"
    before = [line for line in text.splitlines() if line.strip()]
    after = [line for line in released(text, parse("2.0.0"), DAY).splitlines() if line.strip()]
    added = "## 2.0.0 - 2024-03-03"
    assert [line for line in after if line != added] == before
    assert after.count(added) == (1 if section(text, None) else 0)


@pytest.mark.parametrize(
    "comment",
    [
        "<!-- ## [Unreleased] -->",
        "<!--\n## [Unreleased]\n\n- What comes.\n-->",
        "<!-- a --> <!--\n## [9]\n-->",
    ],
)
def test_a_heading_in_a_comment_is_none(comment: str) -> None:
    """Templates stand in comments; the part below them is the one that is meant."""
    text = f"# Changelog\n\n{comment}\n\n## [Unreleased]\n\n- New.\n"
    assert [(found.name, found.body) for found in sections(text)] == [("Unreleased", "- New.")]
    moved = released(text, parse("1.0.0"), date(2026, 1, 2))
    assert comment in moved
    assert "## [Unreleased]\n\n## [1.0.0] - 2026-01-02\n\n- New.\n" in moved


@pytest.mark.parametrize(("line", "is_empty"), [("#123 is fixed", False), ("### Fixed", True), ("#", True)])
def test_a_line_that_begins_with_an_issue_is_an_entry(line: str, is_empty: bool) -> None:
    """A heading has a space after its number signs, or nothing."""
    found = section(f"## [Unreleased]\n\n{line}\n", None)
    assert found
    assert found.is_empty is is_empty
