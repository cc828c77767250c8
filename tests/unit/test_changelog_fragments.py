"""The files of changelog.d, from which a release makes its part of the changelog."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFIGURED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["towncrier"]
KINDS = [kind["directory"] for kind in CONFIGURED["type"]]
NAME = re.compile(rf"(\+[a-z0-9]+(-[a-z0-9]+)*|\d+)\.({'|'.join(KINDS)})\.md")


def problem(name: str, text: str) -> str:
    """What is wrong with one fragment; empty where nothing is."""
    if not NAME.fullmatch(name):
        return f"call it +<slug>.<{'|'.join(KINDS)}>.md, the slug of a-z, 0-9 and single dashes"
    if not text.strip():
        return "it is empty"
    if re.match(r"\s*([-*+#]|\d+\.)\s", text):
        return "begin with the sentence: the list mark and the heading are put before it"
    if "\n\n" in text.strip():
        return "keep it to one paragraph"
    if not text.rstrip().endswith((".", "!", "`", ")")):
        return "end it with a full stop"
    return ""


def test_every_fragment_is_well_formed() -> None:
    """What lies in changelog.d is named so that towncrier finds it, and is one plain paragraph."""
    files = [path for path in (ROOT / CONFIGURED["directory"]).iterdir() if path.name != "README.md"]
    wrong = {path.name: problem(path.name, path.read_text(encoding="utf-8")) for path in files}
    assert {name: why for name, why in wrong.items() if why} == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("slug.added.md", "Without the plus, towncrier takes the slug for an issue's number."),
        ("+slug.add.md", "Of a kind that there is not."),
        ("+slug.added.rst", "In another markup."),
        ("+a slug.added.md", "With a space."),
        ("+slug.added.md", " \n"),
        ("+slug.added.md", "- A list."),
        ("+slug.added.md", "## A heading"),
        ("+slug.added.md", "One paragraph.\n\nAnd another."),
        ("+slug.added.md", "Cut off in the"),
    ],
)
def test_what_is_not_a_fragment(name: str, text: str) -> None:
    """A wrong name, and a text that would break the changelog's list, are pointed out."""
    assert problem(name, text)


def test_the_changelog_has_the_place_where_releases_are_put() -> None:
    """Without its mark, towncrier would write the new part above the page's title."""
    lines = (ROOT / CONFIGURED["filename"]).read_text(encoding="utf-8").splitlines(keepends=True)
    assert lines.count(CONFIGURED["start_string"]) == 1
