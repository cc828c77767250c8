"""The characters, colors and headings that the board and its summary share."""

from __future__ import annotations

from msgspec import Struct

from tasklib.results import Outcome, Stage

__all__ = ["STYLES", "TITLES", "Glyphs", "glyphs"]


class Glyphs(Struct, frozen=True):
    """The characters of the board."""

    pending: str
    waiting: str
    running: str
    passed: str
    failed: str
    error: str
    skipped: str
    interrupted: str
    full: str
    empty: str
    arrow: str
    dot: str
    ellipsis: str
    spinner: str

    def outcome(self, outcome: Outcome) -> str:
        return {
            Outcome.PASSED: self.passed,
            Outcome.FAILED: self.failed,
            Outcome.ERROR: self.error,
            Outcome.SKIPPED: self.skipped,
            Outcome.INTERRUPTED: self.interrupted,
        }[outcome]


_UNICODE = Glyphs("○", "◌", "●", "✓", "✗", "✗", "–", "■", "━", "░", "→", "·", "…", "dots")  # noqa: RUF001
_ASCII = Glyphs(".", "o", "*", "+", "x", "x", "-", "!", "#", ".", ">", "-", "~", "line")

STYLES = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "bold red",
    Outcome.ERROR: "bold red",
    Outcome.SKIPPED: "yellow",
    Outcome.INTERRUPTED: "yellow",
}

TITLES = {Stage.UNIT: "Unit tests", Stage.SERVICE: "Service tests", Stage.INTEGRATION: "Integration tests"}


def glyphs(*, ascii: bool) -> Glyphs:
    """The characters for a terminal that has only ASCII, or for one that has all."""
    return _ASCII if ascii else _UNICODE
