"""The live board on a terminal: a thin layer over Rich's Live, drawn from pure lines."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, Group
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType
from rich.text import Text

from tasklib.events import Event, Notice, Output, RunFinished, RunStarted, TargetFinished, TestFinished
from tasklib.reporting.folds.run import RunState
from tasklib.reporting.folds.slowest import Slowest
from tasklib.reporting.terminal.draw import render
from tasklib.reporting.terminal.summary import failure_list, result_table, verdict
from tasklib.reporting.words.failures import describe, failed, log_lines, name, place
from tasklib.reporting.words.glyphs import glyphs
from tasklib.reporting.words.text import can_encode, lines, one_line
from tasklib.results import Outcome

__all__ = ["LiveSink", "make_console", "reflows"]

REFRESH = 1 / 8
"""Seconds between two drawings: often enough for a spinner to turn."""

_LEVELS = {"info": "dim", "warning": "yellow", "error": "bold red"}


def make_console(stream: TextIO, env: Mapping[str, str]) -> Console:
    """A console on this stream, with colors unless NO_COLOR is set to anything."""
    return Console(
        file=stream,
        no_color=True if env.get("NO_COLOR") else None,
        highlight=False,
        markup=False,
        emoji=False,
    )


def reflows(env: Mapping[str, str]) -> bool:
    """Whether this terminal wraps lines anew when it gets narrower, as all but a few old ones do."""
    term = env.get("TERM", "")
    old_screen = term.startswith("screen") and "TMUX" not in env
    return not (term.startswith(("linux", "vt")) or old_screen or "XTERM_VERSION" in env)


class LiveSink:
    """Draws the board, prints failures and notices above it as they happen, and ends with a summary.

    A context manager: the board is drawn in between. ``clock`` gives seconds since the epoch.
    """

    def __init__(
        self,
        console: Console,
        *,
        verbose: bool = False,
        base: str = "",
        home: str = "",
        reflow: bool = True,
        slowest: Slowest | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._console = console
        self._verbose = verbose
        self._base = base
        self._home = home
        self._reflow = reflow
        self._slowest = slowest
        self._clock = clock
        self._ascii = not can_encode(console.file, "✓●━░→…")  # type: ignore[arg-type]
        self._marks = glyphs(ascii=self._ascii)
        self._run = RunState()
        self._live: Live | None = None
        self._drawing = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._drawn: list[int] = []
        self._drawn_width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def tell(self, event: Event, run: RunState) -> None:
        self._run = run
        match event:
            case RunStarted():
                self._begin()
            case Notice():
                target = f"{event.target}: " if event.target else ""
                self._above([Text(f"{target}{one_line(event.text, 1000)}", style=_LEVELS[event.level])])
            case Output() if self._verbose:
                prefix = (f"{event.target} | ", "dim cyan")
                self._above([Text.assemble(prefix, line) for line in lines(event.line)])
            case TestFinished() if failed(event.result):
                self._above(self._failure(event))
            case TargetFinished():
                self._above(self._trouble(event))
            case RunFinished():
                self._end()
                self._summary()

    def _failure(self, event: TestFinished) -> Iterable[Text]:
        test = event.result
        folder = self._run.folder(event.target)
        head = (f"{self._marks.failed} {event.target}  ", "bold red")
        yield Text.assemble(head, (name(test) if test.file else place(test), "bold"))
        if test.file:
            yield Text(f"    {place(test, folder, self._base)}", style="cyan")
        for line in describe(test, folder=folder, base=self._base)[1:]:
            style = "red" if line.startswith("  E") else "dim" if line.startswith("  |") else ""
            yield Text(f"  {line}", style=style)

    def _trouble(self, event: TargetFinished) -> Iterable[Text]:
        """What is known only when the target ended: why it could not run, what its containers wrote."""
        result = event.result
        if result.outcome not in (Outcome.FAILED, Outcome.ERROR):
            return
        if result.outcome is Outcome.ERROR:
            head = (f"{self._marks.error} {result.target}  ", "bold red")
            yield Text.assemble(head, " ".join(lines(result.reason)) or "error")
        if logs := log_lines(result.logs, self._run.moments(result.target)):
            yield Text(f"    {result.target}: container logs", style="dim")
            for line in logs:
                yield Text(f"    {line}", style="dim")

    def _summary(self) -> None:
        run = self._run
        width = self._console.width
        found = list(failure_list(run, self._base, self._marks))
        self._console.print()
        self._console.print(result_table(run, width, self._marks), crop=False)
        for line in [Text(), *found, Text()] if found else [Text()]:
            self._console.print(line, soft_wrap=True)
        for text in self._slowest.lines(run) if self._slowest else ():
            self._console.print(Text(text, style="yellow" if text.startswith("SLOW") else ""), soft_wrap=True)
        self._console.print(verdict(run, self._marks, home=self._home), soft_wrap=True)

    # Drawing: everything below holds the lock that orders the thread's drawing and the events' printing.

    def _begin(self) -> None:
        with self._drawing:
            if self._live:
                return
            self._stop.clear()
            self._open()
            self._thread = threading.Thread(target=self._refresh, name="board", daemon=True)
            self._thread.start()

    def _end(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(1)
            self._thread = None
        with self._drawing:
            if self._live:
                self._live.stop()
                self._live = None

    def _open(self) -> None:
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()
        self._draw()

    def _refresh(self) -> None:
        while not self._stop.wait(REFRESH):
            try:
                self._draw()
            except OSError:  # the terminal is gone: the run goes on without a board
                return

    def _draw(self) -> None:
        with self._drawing:
            if not self._live:
                return
            width, height = self._console.size
            if self._drawn and width < self._drawn_width:
                self._after_shrinking(width)
            board = render(self._run, self._clock(), width - 1, height - 1, ascii=self._ascii)
            self._drawn = [line.cell_len for line in board]
            self._drawn_width = width
            self._live.update(Group(*board), refresh=True)

    def _after_shrinking(self, width: int) -> None:
        """Erase the lines that the terminal wrapped: Rich counts them as it drew them."""
        extra = sum(max(0, math.ceil(cells / width) - 1) for cells in self._drawn) if self._reflow else 0
        self._drawn = []
        assert self._live is not None
        self._live.stop()
        up_and_erase = [(ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2)] * extra
        self._console.control(Control(*up_and_erase))
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._live.start()

    def _above(self, found: Iterable[Text]) -> None:
        told = list(found)
        if not told:
            return
        with self._drawing:
            self._console.print(Text("\n").join(told), soft_wrap=True)
