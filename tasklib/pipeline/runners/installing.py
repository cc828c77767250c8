"""Installs what a suite needs once, however many suites of however many runs need it."""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tasklib import process
from tasklib.errors import Interrupted
from tasklib.events import Event, Output, Progress
from tasklib.flock import try_lock
from tasklib.pipeline.runners import texts
from tasklib.pipeline.suites.suite import Preparation, Suite
from tasklib.results import Outcome, Target, TargetResult
from tasklib.shown.masking import mask

__all__ = ["prepare"]

_REMEMBERED = 300
"""Lines kept of what a failed installation says."""

_TICK = 0.1
"""Seconds between two looks at a lock that another run holds."""


def prepare(
    suite: Suite, env: Mapping[str, str], emit: Callable[[Event], None], cancel: process.Cancel
) -> TargetResult | None:
    """Run the preparations that are needed; ``None`` if all went well, else what the target came to."""
    merged = {name: value for name, value in {**env, **suite.env}.items() if name not in suite.unset}
    try:
        for preparation in suite.prepare:
            failed = _once(preparation, suite.target, merged, emit, cancel)
            if failed:
                return TargetResult(suite.target, Outcome.ERROR, reason=failed, exit_code=2)
    except Interrupted as error:
        return TargetResult(suite.target, Outcome.INTERRUPTED, reason=str(error), exit_code=error.exit_code)
    return None


def _once(
    preparation: Preparation,
    target: Target,
    env: Mapping[str, str],
    emit: Callable[[Event], None],
    cancel: process.Cancel,
) -> str:
    """Run one preparation unless someone else just did; why it failed, or nothing."""
    last: deque[str] = deque(maxlen=_REMEMBERED)

    def line(_: str, text: str) -> None:
        last.append(mask(text))  # before it is cut
        emit(Output(target, text))

    name = f"{Path(preparation.argv[0]).name} {preparation.argv[1]}"
    emit(Progress(target, name))
    try:
        with _locked(preparation.source, cancel):
            if not preparation.needed():
                return ""
            stamp, code = preparation.stamp, None
            try:
                code = process.stream(
                    preparation.argv, on_line=line, cwd=preparation.folder, env=env, cancel=cancel
                )
            finally:
                if code != 0:
                    _age(stamp)
            if code == 0 and (stamp.exists() or (preparation.marks and stamp.parent.is_dir())):
                stamp.touch()
    except process.CommandError as error:
        return error.what
    finally:
        emit(Progress(target, ""))
    if code == 0:
        return ""
    return f"`{name}` in {preparation.folder} failed: {texts.complaint(last)}"


def _age(stamp: Path) -> None:
    """Make it older than anything: npm writes its own before the scripts that may fail."""
    with contextlib.suppress(OSError):
        os.utime(stamp, (0, 0))


@contextlib.contextmanager
def _locked(path: Path, cancel: process.Cancel) -> Iterator[None]:
    """Hold a lock on the file ``path`` itself, so that none has to be left anywhere."""
    with path.open("rb") as file:
        while not try_lock(file.fileno()):
            cancel.check()
            time.sleep(_TICK)
        yield
