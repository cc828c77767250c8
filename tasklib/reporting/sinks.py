"""Which sinks a run gets: by the format asked for, the terminal, the CI system and the report files."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO, cast

from msgspec import Struct
from msgspec.structs import replace

from tasklib.errors import UsageError
from tasklib.events import Bus, Event, RunFinished, Sink
from tasklib.options.catalog import FORMAT
from tasklib.reporting.agents import under_agent
from tasklib.reporting.files.last import LastSink
from tasklib.reporting.files.reports import ReportSink, check_reports
from tasklib.reporting.folds.folding import EventsAlone, Folding, Reporter
from tasklib.reporting.folds.slowest import Slowest
from tasklib.reporting.guard import Guarded
from tasklib.reporting.lines.actions import ActionsSink
from tasklib.reporting.lines.heartbeat import Heartbeat
from tasklib.reporting.lines.jsonlines import JsonSink
from tasklib.reporting.lines.log import LogSink
from tasklib.reporting.lines.plain import PlainSink
from tasklib.reporting.masking import MaskedSink
from tasklib.reporting.words.text import write
from tasklib.results import Stage
from tasklib.shown.cleaning import clean_line, in_actions, in_ci, neutral, obeys
from tasklib.slow_tests import DEFAULT_LIMITS

__all__ = ["FORMATS", "capable", "open_sinks"]

FORMATS = FORMAT.choices


def capable(stream: TextIO, env: Mapping[str, str]) -> bool:
    """Whether the stream is a terminal that can draw a board over itself, with a person before it."""
    if env.get("TERM", "") in ("", "dumb", "unknown") or in_ci(env):
        return False
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


@contextmanager
def open_sinks(
    format: str,
    *,
    verbose: bool = False,
    reports: Sequence[Path] = (),
    stream: TextIO,
    env: Mapping[str, str],
    log_file: Path | None = None,
    last_run: Path | None = None,
    base: str = "",
    durations: int | None = None,
    limits: Mapping[Stage, float] = DEFAULT_LIMITS,
) -> Iterator[Sink]:
    """One sink for a whole run that feeds all of them and never raises; closed when the context ends.

    ``stream`` takes the lines, the board or the JSON; ``log_file`` everything in full, ``last_run`` what
    can be shown again; ``reports`` are
    written when the run has ended; ``base`` is the folder that paths are shown relative to; ``durations``
    is how many of the slowest tests are told (``None``: none), those above their stage's ``limits`` (seconds)
    always among them. Secrets are hidden, also those that become known while the run goes on.
    Raises :class:`UsageError` for an unknown format or a report that nobody can write.
    """
    if format not in FORMATS:
        raise UsageError(f"--format takes {', '.join(FORMATS)}, not {format!r}")
    check_reports(reports)

    def complain(text: str) -> None:
        with suppress(OSError, ValueError):
            sys.stderr.write(f"warning: {clean_line(text)}\n")

    with ExitStack() as stack:
        reporters: list[Reporter] = []
        kept: Guarded | None = None
        if log_file is not None:
            try:
                log = stack.enter_context(LogSink(log_file))
                kept = Guarded(EventsAlone(log), f"writing {log_file}", complain)
                reporters.append(kept)
            except OSError as error:
                complain(f"no full log: {error}")
        if last_run is not None:
            try:
                last = stack.enter_context(LastSink(last_run))
                reporters.append(Guarded(EventsAlone(last), f"writing {last_run}", complain))
            except OSError as error:
                complain(f"this run cannot be shown again: {error}")
        if reports:
            report = ReportSink(
                reports, limits=limits, base=base, home=env.get("HOME", ""), complain=complain
            )
            reporters.append(Guarded(stack.enter_context(report), "reports", complain))
        slowest = Slowest(durations, limits, base=base) if durations is not None else None
        shown = _shown(format, stack, stream, env, _Options(verbose, base, slowest))
        reporters.append(Guarded(shown, "printing results", complain))
        yield MaskedSink(_LogNamed(Bus([Folding(*reporters)]), (str(log_file), kept) if kept else None))


class _LogNamed(Struct, frozen=True):
    """Tells the other sinks where the log is: who runs the targets does not know."""

    sink: Sink
    log: tuple[str, Guarded] | None
    """Its file, and who writes it."""

    def emit(self, event: Event) -> None:
        if isinstance(event, RunFinished) and self.log and not event.result.log_file:
            file, writer = self.log
            if not writer.stopped:
                event = replace(event, result=replace(event.result, log_file=file))
        self.sink.emit(event)


class _Options(Struct, frozen=True):
    verbose: bool
    base: str
    slowest: Slowest | None


def _shown(
    format: str, stack: ExitStack, stream: TextIO, env: Mapping[str, str], options: _Options
) -> Reporter:
    """The sink for the stream itself. Off a terminal a board cannot be drawn, whoever asks for it."""
    if format == "json":
        return EventsAlone(JsonSink(stream))
    terminal = capable(stream, {**env, "CI": ""} if format == "live" else env)
    if terminal and (format == "live" or (format == "auto" and not under_agent())):
        # Rich takes a while to import: only a board needs it.
        from tasklib.reporting.terminal.live import LiveSink, make_console, reflows

        live = LiveSink(
            make_console(stream, env),
            verbose=options.verbose,
            base=options.base,
            home=env.get("HOME", ""),
            reflow=reflows(env),
            slowest=options.slowest,
        )
        return stack.enter_context(live)
    watched = _Watched(stream)
    escape = neutral if obeys(env) else str
    lines = _lines(watched, env, options, escape)
    return stack.enter_context(Heartbeat(lines, lambda text: watched.line(escape(text)), lambda: watched.at))


class _Watched:
    """A stream that remembers when something was last written to it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.at = time.monotonic()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        self.at = time.monotonic()
        return self._stream.write(text)

    def line(self, text: str) -> None:
        write(cast("TextIO", self), f"{text}\n")


def _lines(
    watched: _Watched, env: Mapping[str, str], options: _Options, escape: Callable[[str], str]
) -> Reporter:
    """The sink that prints lines: with annotations in CI systems that take them."""
    stream = cast("TextIO", watched)
    if in_actions(env):
        summary = env.get("GITHUB_STEP_SUMMARY")
        return ActionsSink(
            stream,
            verbose=options.verbose,
            base=options.base,
            slowest=options.slowest,
            summary=Path(summary) if summary else None,
            workspace=env.get("GITHUB_WORKSPACE", ""),
        )
    return PlainSink(
        stream,
        verbose=options.verbose,
        base=options.base,
        slowest=options.slowest,
        escape=escape,
    )
