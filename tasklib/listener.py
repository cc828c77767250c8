"""Who is told what happens while a stack is worked on."""

from __future__ import annotations

__all__ = ["Listener"]


class Listener:
    """Hears nothing by itself; who wants to hear something overrides that. Called from any thread."""

    def waits(self, text: str) -> None:
        """What is waited for now, for people; empty: nothing."""

    def line(self, line: str) -> None:
        """A line that Compose wrote."""

    def notice(self, text: str) -> None:
        """Something that the user should know although it stops nothing."""
