"""Removes what a dead run left on the engine, while its locks keep everyone else away from it."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from tasklib.errors import EngineError, TasklibError
from tasklib.files.lock import User, sign
from tasklib.flock import unlock
from tasklib.instance.claims import Claims
from tasklib.stacks.arbiter import EngineArbiter
from tasklib.stacks.engine.docker.engine import DockerEngine
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import Resource
from tasklib.stacks.labels import CHECKOUT
from tasklib.stacks.leases import end_leases
from tasklib.stacks.neighbours import left_by_tests
from tasklib.stacks.reaper.protocol import Left, LeftStack
from tasklib.state.records import Kept, Run, Runs
from tasklib.state.store import State

__all__ = ["remove_left", "remove_until_quiet"]

_PATIENCE = 120.0
"""Seconds for which an engine that does not answer is asked again."""

_STUCK = 30.0
"""Seconds for which what cannot be removed is tried again."""

_IN_FLIGHT = 3.0
"""Seconds for which the engine may still carry out what a start that was cut off had asked of it."""

_SLOWER = 40
"""How many times as long as a look at what is there it may take the engine to create something.

An engine that is busy answers late, and creates late: seconds that suffice on an idle machine do not there.
"""

_LONGEST = 10.0
"""Seconds for which the slowest engine is looked at; one that hung and goes on answers late, too."""

_PAUSE = 0.3
"""Seconds between two looks."""


def remove_left(left: Left) -> None:
    """Remove the stacks of ``left``, their record and the run's hold on its id; what happens is printed.

    What cannot be removed, or may still be created, stays on the record for the next run to look at.
    """
    what = f"without removing {', '.join(sorted(left.stacks))}" if left.stacks else "with nothing up"
    _log(f"`{left.command}` (pid {left.pid}) ended {what}")
    for stack in left.stacks.values():
        if stack.lock is not None:
            sign(stack.lock, User(left.run, f"clean-up after {left.command}", os.getpid()))
    began = time.monotonic()
    while True:
        try:
            stuck = _remove(left)
        except TasklibError as error:
            if time.monotonic() - began > _PATIENCE:
                _log(f"gave up, the next run tries again: {error}")
                return
            time.sleep(_PAUSE)
        else:
            what = f"could not remove {', '.join(r.name for r in stuck)}" if stuck else "removed"
            _log(f"{what} ({time.monotonic() - began:.1f} s)")
            return


def _remove(left: Left) -> tuple[Resource, ...]:
    engine = DockerEngine.connect(strict=False)
    try:
        if engine.facts.id != left.engine:
            raise EngineError("a different engine answers at this address; nothing was removed")
        state = State(Path(left.state))
        runs = Runs(state, left.engine)
        for project, stack in list(left.stacks.items()):
            if _is_kept(state, left.engine, project, stack):
                runs.discard(left.run, project)
                _release(left.stacks.pop(project))
        cut_off = any(not stack.ready for stack in left.stacks.values())
        quiet, slower = (_IN_FLIGHT, _SLOWER) if cut_off else (2 * _PAUSE, 0)
        beside = _made_by_tests(engine, runs.get(left.run), left)
        stuck = remove_until_quiet(engine, left.stacks.values(), quiet, slower, beside) if left.stacks else ()
        Claims(state, left.engine).release_run(left.run, EngineArbiter(engine))
        for stack in left.stacks.values():
            _release(stack)
        if not stuck:
            end_leases(engine, left.run)
        if not stuck and not cut_off:
            runs.finish(left.run)
        return stuck
    finally:
        engine.close()


def _made_by_tests(engine: Engine, run: Run | None, left: Left) -> Callable[[], Iterable[Resource]]:
    """What finds the things that tests of ``run`` made in the projects of its stacks."""
    if run is None:
        return tuple

    def find() -> Iterator[Resource]:
        for project in left.stacks:
            yield from left_by_tests(engine, project, run.around.get(project), run.root)

    return find


def remove_until_quiet(
    engine: Engine,
    stacks: Collection[LeftStack],
    quiet: float,
    slower: int = 0,
    beside: Callable[[], Iterable[Resource]] = tuple,
) -> tuple[Resource, ...]:
    """Remove all of ``stacks``, and what is ``beside``, until nothing new has appeared for ``quiet`` seconds.

    It takes ``slower`` times the engine's longest answer, if that is more, up to a limit. Returns what was
    still there after half a minute. Raises :class:`~tasklib.errors.EngineError`.
    """
    seen: set[str] = set()
    found: list[Resource] = []
    changed = time.monotonic()
    while time.monotonic() - changed < (_STUCK if found else quiet):
        asked = time.monotonic()
        found = [resource for stack in stacks for resource in engine.owned(stack.labels)]
        found += beside()
        quiet = max(quiet, min(_LONGEST, slower * (time.monotonic() - asked)))
        if not seen.issuperset(resource.id for resource in found):
            changed = time.monotonic()
        seen.update(resource.id for resource in found)
        engine.remove(found)
        time.sleep(_PAUSE)
    return tuple(found)


def _is_kept(state: State, engine: str, project: str, stack: LeftStack) -> bool:
    return Kept(state, engine).keeps(project, stack.labels[CHECKOUT])


def _release(stack: LeftStack) -> None:
    if stack.lock is not None:
        unlock(stack.lock, Path(stack.path))
        stack.lock = None


def _log(text: str) -> None:
    line = f"{time.strftime('%F %T')} {text}\n"
    with contextlib.suppress(OSError):  # a full disk keeps no log and is no reason to leave a stack
        sys.stdout.write(line.encode("ascii", "backslashreplace").decode())
        sys.stdout.flush()
