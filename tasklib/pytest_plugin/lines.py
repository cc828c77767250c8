"""What a session's stack is at, on pytest's own terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from _pytest.config import create_terminal_writer

from tasklib.listener import Listener

if TYPE_CHECKING:
    from tasklib.lending.client import Lent

__all__ = ["Lines"]


class Lines(Listener):
    """Lines of the terminal writer; where there is no terminal, what is begun has a line of its own."""

    def __init__(self, config: pytest.Config) -> None:
        self._writer = create_terminal_writer(config, sys.stdout)
        self._changes = sys.stdout.isatty()
        self._title = ""
        self._wide = 0

    def line(self, line: str) -> None:
        """The stack of this title is brought up now."""
        self._title = line
        if self._changes:
            self._show(f"tasklib: bringing up {line}")
        else:
            self._writer.line(f"tasklib: bringing up {line}")
            self._writer.flush()

    def waits(self, text: str) -> None:
        if self._changes and text:
            self._show(f"tasklib: bringing up {self._title}, waiting for {text}")

    def notice(self, text: str) -> None:
        self.clear()
        self._writer.line(f"tasklib: {text}")
        self._writer.flush()

    def ready(self, lent: Lent) -> None:
        """The stack is up."""
        kept = "was up and stays" if lent.kept else "is up"
        data = f", with data from {lent.data} (--stack-fresh renews it)" if lent.data else ""
        self.notice(f"{lent.title} {kept} ({lent.seconds:.1f} s){data}")

    def clear(self) -> None:
        """Leave the line that changes empty."""
        if self._wide:
            self._show("")
            self._writer.write("\r", flush=True)

    def _show(self, text: str) -> None:
        cut = text[: self._writer.fullwidth - 1]
        self._writer.write(f"\r{cut:<{self._wide}}", flush=True)
        self._wide = len(cut)
