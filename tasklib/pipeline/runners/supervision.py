"""Watches one test process: what it reports, how long it takes, whether it is silent or does not exit."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from tasklib import process
from tasklib.errors import Interrupted
from tasklib.pipeline.runners import tracebacks, wire
from tasklib.pipeline.runners.gate import Gate
from tasklib.pipeline.runners.launching import Here, Launcher
from tasklib.pipeline.runners.patience import Patience
from tasklib.pipeline.runners.session import Session
from tasklib.results import RAN, Outcome, TargetResult

__all__ = ["supervise"]

SOON = 5.0
LINGER = 60.0
"""Seconds after its tests in which a process should exit: before it is told of, and before it is ended."""


def supervise(
    session: Session,
    argv: tuple[str, ...],
    env: Mapping[str, str],
    cancel: process.Cancel,
    then: Callable[[], None] = lambda: None,
    gate: Gate | None = None,
    launch: Launcher | None = None,
) -> TargetResult:
    """Run ``argv``, fold what it reports into ``session``, call ``then`` once it ended, return the result.

    ``env`` is the whole environment but for TASKLIB_EVENTS, which is set here; ``launch`` starts it in
    another place than this machine. The time limit counts from the
    opening of ``gate``, if there is one to wait at. A process that says nothing for long is ended too, and
    one that does not exit when its tests are done: what they came to stands.
    """
    suite = session.suite
    now = time.monotonic()
    patience = Patience(suite, now, None if gate else now)
    start = launch or Here(suite.cwd)
    with start.shared() as shared:
        path = shared / "events"
        with wire.EventFile(path) as events:
            told: list[float] = []

            def read() -> None:
                for message in events.messages():
                    patience.heard = time.monotonic()
                    session.take(message)

            def line(name: str, text: str) -> None:
                patience.heard = time.monotonic()
                session.line(name, text)

            def tick() -> None:
                read()
                now = time.monotonic()
                if gate:
                    patience.began = gate.opened
                if session.announced is not None and patience.ended is None:
                    patience.ended = now
                if not told and patience.left_over(now) > SOON:
                    told.append(SOON)
                    session.lingers(SOON)
                if patience.too_long(now) or patience.too_silent(now) or patience.left_over(now) > LINGER:
                    # What the numbers of another place's processes mean here is somebody else's.
                    session.stacks = {} if launch else tracebacks.dump(path, session.pids)
                    raise process.TimedOut(argv, suite.timeout or math.inf)

            code: int | None = None
            try:
                call = start.call(argv, {**env, "TASKLIB_EVENTS": str(path)}, shared)
                code = call.stream(line, cancel, on_tick=tick)
            except process.TimedOut:
                pass
            except Interrupted as error:
                read()
                return session.result(Outcome.INTERRUPTED, _stopped(session, error), error.exit_code)
            except process.CommandError as error:
                return session.result(Outcome.ERROR, error.what, error.exit_code)
            read()
            then()
    if code is None and session.announced is not None:
        session.left_behind(patience.left_over(time.monotonic()))
        return session.finish(session.announced)
    silent = suite.silence if code is None and suite.timeout is None else 0.0
    return session.finish(code, silent)


def _stopped(session: Session, error: Interrupted) -> str:
    running = session.running[:3]
    return f"{error}: {' and '.join(running)} {RAN}" if running else str(error)
