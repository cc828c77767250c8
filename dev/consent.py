"""Permission to change the machine: given by the option, or on a terminal by an answer, and never assumed."""

from __future__ import annotations

import sys

from dev.errors import NoEngine

__all__ = ["Consent", "on_terminal"]


def on_terminal() -> bool:
    """Whether someone can be asked: standard input and output are a terminal."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


class Consent:
    """Whether this run may install and start things; one answer counts for the whole run."""

    def __init__(self, *, given: bool) -> None:
        self.given = given

    def ask(self, need: str, action: str) -> None:
        """Return when `action` is permitted; raises NoEngine with what to do when it is not."""
        if self.given:
            return
        if on_terminal():
            try:
                answer = input(f"dev: {need} Shall I {action}? [y/N] ")
            except EOFError:
                answer = ""
            self.given = answer.strip().lower() in {"y", "yes"}
            if self.given:
                return
        raise NoEngine(f"{need}\nTo let this tool {action}, add --provide-engine.")
