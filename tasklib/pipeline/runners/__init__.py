"""Running one suite: its preparations, its command, and its results as events."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from tasklib.events import Event
from tasklib.pipeline.runners.gate import Gate
from tasklib.pipeline.runners.launching import Launcher
from tasklib.pipeline.suites.node import where_installed
from tasklib.pipeline.suites.suite import Suite, SuiteKind
from tasklib.process import Cancel
from tasklib.results import Outcome, TargetResult

__all__ = ["prepare_suite", "run_suite"]


def run_suite(
    suite: Suite,
    env: Mapping[str, str],
    emit: Callable[[Event], None],
    cancel: Cancel,
    gate: Gate | None = None,
    launch: Launcher | None = None,
) -> TargetResult:
    """Run ``suite`` and tell ``emit`` each test as it starts and ends, and each line that is written.

    ``env`` is the whole environment (the suite adds its own to it). Nothing that tests or their process do
    raises: the outcome is PASSED or FAILED; ERROR with a reason and an exit code (a crash, no tests, the
    time limit); SKIPPED where ``-k`` leaves nothing; INTERRUPTED when ``cancel`` is set. ``phases``,
    ``logs`` and ``rerun`` are the caller's to fill. A suite that ``waits`` begins its tests once ``gate`` is
    open, if there is one; others know of none. ``launch`` starts those that run ``inside`` a container.
    """
    if suite.skip:
        return TargetResult(suite.target, Outcome.SKIPPED, reason=suite.skip)
    failed = prepare_suite(suite, env, emit, cancel)
    if failed is not None:
        return failed
    if suite.prepare:
        suite = replace(suite, argv=where_installed(suite.argv))
    match suite.kind:
        case SuiteKind.PYTEST:
            from tasklib.pipeline.runners.pytest import run_pytest

            return run_pytest(suite, env, emit, cancel, gate, launch)
        case SuiteKind.VITEST:
            from tasklib.pipeline.runners.vitest import run_vitest

            return run_vitest(suite, env, emit, cancel)
        case SuiteKind.COMMAND:
            from tasklib.pipeline.runners.command import run_command

            return run_command(suite, env, emit, cancel, launch)


def prepare_suite(
    suite: Suite, env: Mapping[str, str], emit: Callable[[Event], None], cancel: Cancel
) -> TargetResult | None:
    """Do what the suite needs once (install its dependencies); ``None`` if all is there, else the result.

    Cheap when nothing is to be done, and safe to call early, while a stack comes up, and from several runs.
    """
    if not any(preparation.needed() for preparation in suite.prepare):
        return None
    from tasklib.pipeline.runners.installing import prepare

    return prepare(suite, env, emit, cancel)
