"""The three stages."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tasklib.commands.console import complain, say
from tasklib.errors import ConfigError, NothingRan, UsageError
from tasklib.options.caller import TASKLIB, Caller

if TYPE_CHECKING:
    from tasklib.project import Project

__all__ = ["run_stages"]

_LOGS_KEPT = 20


def run_stages(
    stages: Sequence[str],
    *,
    names: Sequence[str] = (),
    changed: bool = False,
    base: str | None = None,
    explain: bool = False,
    cached: bool = False,
    keep: bool = False,
    keep_failed: bool = False,
    fresh: bool = False,
    jobs: int | None = None,
    keyword: str = "",
    verbose: bool = False,
    format: str = "auto",
    reports: Sequence[str] = (),
    durations: int | None = None,
    fail_slow: bool = False,
    extra: Sequence[str] = (),
    dry: bool = False,
    caller: Caller = TASKLIB,
    python: str = "",
) -> int:
    """Run ``stages`` (by name) of the project around the current folder; returns the contract's exit code.

    ``changed`` keeps what differs from ``base`` (by default the base branch), ``cached`` skips what is known
    to pass, ``explain`` says why on standard error; ``caller`` spells the commands that repeat a failure;
    ``python`` is a version for Python's tests instead of the project's own.
    Raises a :class:`~tasklib.errors.TasklibError` when nothing could be run,
    :class:`~tasklib.errors.NothingRan` when all was skipped.
    """
    from concurrent.futures import ThreadPoolExecutor

    from tasklib import process
    from tasklib.changes.evidence import Evidence
    from tasklib.changes.known import ago
    from tasklib.events import RunFinished, RunStarted
    from tasklib.pipeline.options import Options
    from tasklib.pipeline.stages import matching, plan, planned_steps, run
    from tasklib.pipeline.steps import told
    from tasklib.pipeline.suites.by_hand import asks, refuse_talking, show, shows
    from tasklib.pipeline.suites.planning import plan_suite
    from tasklib.pipeline.suites.suite import OtherPython
    from tasklib.process.interrupts import interruptible
    from tasklib.project import find_project
    from tasklib.reporting.sinks import open_sinks
    from tasklib.results import Outcome, RunResult, Stage
    from tasklib.siblings.include import bring_included
    from tasklib.state.environments import environments_of
    from tasklib.state.store import default_state

    if explain and not (changed or cached) and base is None:
        raise UsageError("--explain tells what --changed or --cached selects", remedy="Add one of them.")
    tell = complain if format == "json" else say
    if brought := bring_included(Path.cwd(), dry=dry):
        tell(brought)
    project = find_project(Path.cwd())
    wanted = [Stage(stage) for stage in stages]
    options = Options(
        names=_touched(project, names, base, explain) if changed or base is not None else tuple(names),
        keep=keep,
        keep_failed=keep_failed,
        fresh=fresh,
        jobs=jobs,
        keyword=keyword,
        extra=tuple(extra),
        verbose=verbose,
        fail_slow=fail_slow,
        caller=caller,
        python=OtherPython(python, environments_of(project.root, default_state())) if python else None,
    )
    narrowed = bool(keyword or extra or python)  # A pass of it is none of the whole target.
    nothing = ""
    if project.single and wanted == [Stage.SERVICE] and not matching(project, wanted, options):
        nothing = f"service: nothing to do, {project.name} is a single service: integration covers it"
    elif (changed or base is not None) and not (options.names and matching(project, wanted, options)):
        nothing = f"nothing to test: the change touches no {' or '.join(stages)} tests"
    if nothing:
        tell(nothing)
        if dry or not (reports or format == "json"):
            return 0
    elif dry:
        targets = plan(project, wanted, options)
        if verbose:
            for line in told(planned_steps(project, targets, options)):
                say(f"would {line}" if line.startswith("run ") else line)
        else:
            for target in targets:
                say(f"would run {target}")
        return 0
    elif asks(extra):
        suites = [
            plan_suite(project, target, replace(options.of_suites, verbose=False))
            for target in plan(project, wanted, options)
        ]
        refuse_talking(suites, extra, caller)
        if shows(suites, extra):
            cancel = process.Cancel()
            with interruptible(cancel, complain):
                return show(suites, os.environ, say, cancel)
    evidence = Evidence.of(project)
    if cached:
        targets = plan(project, wanted, options)
        passed = evidence.known(targets, evidence.content(os.environ)) if not narrowed else {}
        options = replace(options, passed={target: known.at for target, known in passed.items()})
        for target in targets if explain else ():
            at = options.passed.get(target)
            why = (
                f"passed {ago(time.time() - at)} on all that it depends on"
                if at
                else "no pass on this content"
            )
            complain(f"{target}: {'out' if at else 'in'}: {why}")
    with open_sinks(
        format,
        verbose=verbose,
        reports=[Path(report) for report in reports],
        stream=io.StringIO() if nothing and format != "json" else sys.stdout,
        env=os.environ,
        log_file=_log_file(project.name),
        last_run=None if nothing else evidence.last_run,
        base=str(Path.cwd()),
        durations=durations,
        limits=project.slow,
    ) as sink:
        if nothing:
            # Whoever reads reports finds an empty one, not the one of the run before.
            sink.emit(RunStarted(project.name, "", ()))
            sink.emit(RunFinished(RunResult(())))
            return 0
        with ThreadPoolExecutor(1) as aside:
            before = aside.submit(evidence.content, os.environ)
            result = run(project, wanted, sink, options=options)
        if not narrowed:
            evidence.remember(before.result(), evidence.content(os.environ), result)
    if result.outcome is Outcome.SKIPPED:
        raise NothingRan("no test ran")
    return result.exit_code


def _touched(project: Project, names: Sequence[str], base: str | None, explain: bool) -> tuple[str, ...]:
    """The names (of ``names``, if there are any) whose tests the change touches."""
    from tasklib.commands.ci import choose
    from tasklib.project import targets

    targets(project, (), names)  # refuses a name that nothing has
    found = choose(project, changed=True, base=base, explain=explain).tests
    return tuple(name for name in found if not names or name in names)


def _log_file(project: str) -> Path | None:
    """A new file for everything in full, ``None`` on a full disk; the oldest beyond twenty are removed."""
    from tasklib.files.full import is_full
    from tasklib.state.store import default_state

    try:
        folder = default_state().made("logs")
    except ConfigError as error:
        if not is_full(error.__cause__):
            raise
        complain(f"warning: no full log: {error.what}")
        return None
    for old in sorted(folder.glob("*.log"))[: 1 - _LOGS_KEPT or None]:
        old.unlink(missing_ok=True)
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in project)[:40]
    return folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{name}.log"
