"""The three stages."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from msgspec import Struct
from msgspec.structs import replace

from tasklib.commands.console import complain, say
from tasklib.commands.logs import new_log
from tasklib.errors import NothingRan, UsageError
from tasklib.options.caller import TASKLIB, Caller

if TYPE_CHECKING:
    from tasklib.changes.evidence import Evidence
    from tasklib.events import Sink
    from tasklib.pipeline.options import Options
    from tasklib.pipeline.session import Session
    from tasklib.process import Cancel
    from tasklib.project import Project
    from tasklib.results import RunResult, Stage

__all__ = ["run_stages"]

_NARROWED = (
    "only whole targets are known to pass, and this run is narrowed (`-k`, `--shard`, another Python, `--`)"
)


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
    shard: tuple[int, int] | None = None,
    extra: Sequence[str] = (),
    dry: bool = False,
    caller: Caller = TASKLIB,
    python: str = "",
    watch: bool = False,
) -> int:
    """Run ``stages`` (by name) of the project around the current folder; returns the contract's exit code.

    ``changed`` keeps what differs from ``base`` (by default the base branch), ``cached`` skips what is known
    to pass, ``explain`` says why on standard error; ``shard`` is this machine's share (which, of how many);
    ``caller`` spells the commands that repeat a failure; ``python`` is a version for Python's tests instead
    of the project's own; ``watch`` goes on with what a saved file touches until it is interrupted.
    Raises a :class:`~tasklib.errors.TasklibError` when nothing could be run,
    :class:`~tasklib.errors.NothingRan` when all was skipped.
    """
    from tasklib.pipeline.options import Options
    from tasklib.pipeline.shards import Shard
    from tasklib.pipeline.shares import with_share
    from tasklib.pipeline.suites.by_hand import asks
    from tasklib.pipeline.suites.suite import OtherPython
    from tasklib.project import find_project
    from tasklib.results import Stage
    from tasklib.siblings.include import bring_included
    from tasklib.state.environments import environments_of
    from tasklib.state.store import default_state

    if explain and not (changed or cached) and base is None:
        raise UsageError("--explain tells what --changed or --cached selects", remedy="Add one of them.")
    if watch and (other := "--shard" if shard else "--changed" if changed else "--base" if base else ""):
        raise UsageError(
            f"--watch tests what is saved from now on, {other} chooses once, before anything is tested",
            remedy="Leave one of them out; `--name` narrows what --watch tests.",
        )
    tell = complain if format == "json" else say
    if brought := bring_included(Path.cwd(), dry=dry):
        tell(brought)
    project = find_project(Path.cwd())
    wanted = [Stage(stage) for stage in stages]
    selects = changed or base is not None
    options = Options(
        names=_touched(project, names, base, explain) if selects else tuple(names),
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
    shown = _Shown(format, verbose, tuple(map(Path, reports)), durations)
    nothing = _nothing(project, wanted, options, selects=selects)
    if shard:
        options = with_share(project, wanted, options, Shard(*shard), os.environ)
        nothing = nothing or ("" if options.parts else f"nothing to test: shard {options.shard} has no tests")
    if nothing:
        tell(nothing)
        return 0 if dry else _report_nothing(project, options, shown)
    if dry:
        return _tell_plan(project, wanted, options)
    if asks(extra) and (code := _by_hand(project, wanted, options)) is not None:
        return code
    return _run(project, wanted, options, shown, cached=cached, explain=explain, goes_on=watch)


class _Shown(Struct, frozen=True):
    """How what happens is shown."""

    format: str
    verbose: bool
    reports: tuple[Path, ...]
    durations: int | None

    def sinks(
        self, project: Project, *, stream: TextIO, last_run: Path | None = None
    ) -> AbstractContextManager[Sink]:
        from tasklib.reporting.sinks import open_sinks

        return open_sinks(
            self.format,
            verbose=self.verbose,
            reports=self.reports,
            stream=stream,
            env=os.environ,
            log_file=new_log(project.name),
            last_run=last_run,
            base=str(Path.cwd()),
            durations=self.durations,
            limits=project.slow,
        )


def _nothing(project: Project, wanted: Sequence[Stage], options: Options, *, selects: bool) -> str:
    """Why there is nothing to do, where that is no mistake; ``selects``: the change decides what there is."""
    from tasklib.pipeline.plan import matching
    from tasklib.results import Stage

    if project.single and list(wanted) == [Stage.SERVICE] and not matching(project, wanted, options):
        return f"service: nothing to do, {project.name} is a single service: integration covers it"
    if selects and not (options.names and matching(project, wanted, options)):
        return f"nothing to test: the change touches no {' or '.join(wanted)} tests"
    return ""


def _report_nothing(project: Project, options: Options, shown: _Shown) -> int:
    """Whoever reads reports finds an empty one, not the one of the run before."""
    from tasklib.events import RunFinished, RunStarted
    from tasklib.results import RunResult

    if shown.reports or shown.format == "json":
        with shown.sinks(project, stream=sys.stdout if shown.format == "json" else io.StringIO()) as sink:
            shard = str(options.shard or "")
            sink.emit(RunStarted(project.name, "", (), shard=shard, split=options.split))
            sink.emit(RunFinished(RunResult(())))
    return 0


def _tell_plan(project: Project, wanted: Sequence[Stage], options: Options) -> int:
    """What a run would do: its targets, or each step."""
    from tasklib.pipeline.plan import plan, planned_steps
    from tasklib.pipeline.steps import told

    targets = plan(project, wanted, options)
    if not options.verbose:
        for target in targets:
            share = options.parts.get(target)
            say(f"would run {target}{f', {share.part}' if share and share.part.of > 1 else ''}")
        return 0
    for line in told(planned_steps(project, targets, options)):
        say(f"would {line}" if line.startswith("run ") else line)
    return 0


def _by_hand(project: Project, wanted: Sequence[Stage], options: Options) -> int | None:
    """What the runner itself shows where it is asked for that; ``None`` where it is asked to run tests.

    Raises :class:`~tasklib.errors.UsageError` where it wants to talk to somebody.
    """
    from tasklib import process
    from tasklib.pipeline.plan import plan
    from tasklib.pipeline.suites.by_hand import refuse_talking, show, shows
    from tasklib.pipeline.suites.planning import plan_suite
    from tasklib.process.interrupts import interruptible

    suites = [
        plan_suite(project, target, replace(options.of_suites, verbose=False))
        for target in plan(project, wanted, options)
    ]
    refuse_talking(suites, options.extra, options.caller)
    if not shows(suites, options.extra):
        return None
    cancel = process.Cancel()
    with interruptible(cancel, complain):
        return show(suites, os.environ, say, cancel)


def _run(
    project: Project,
    wanted: Sequence[Stage],
    options: Options,
    shown: _Shown,
    *,
    cached: bool,
    explain: bool,
    goes_on: bool,
) -> int:
    """Run the tests, and remember what passed; where it ``goes_on``, again with what is saved."""
    from tasklib.changes.evidence import Evidence
    from tasklib.commands.watching import watch
    from tasklib.results import Outcome

    evidence = Evidence.of(project)
    # A pass of a part is none of the whole target.
    narrowed = bool(options.keyword or options.extra or options.python or options.shard)
    if cached:
        options = _without_passed(project, wanted, options, evidence, narrowed=narrowed, explain=explain)

    def once(
        project: Project, options: Options, session: Session | None = None, cancel: Cancel | None = None
    ) -> RunResult:
        from concurrent.futures import ThreadPoolExecutor

        from tasklib.pipeline.stages import run

        with shown.sinks(project, stream=sys.stdout, last_run=evidence.last_run) as sink:
            with ThreadPoolExecutor(1) as aside:
                of_now = evidence if project == evidence.project else Evidence.of(project)
                before = aside.submit(of_now.content, os.environ)
                result = run(project, wanted, sink, options=options, cancel=cancel, session=session)
            if not narrowed:
                of_now.remember(before.result(), of_now.content(os.environ), result)
        if result.outcome is Outcome.SKIPPED and options.shard is None:
            raise NothingRan("no test ran")
        return result

    if goes_on:
        return watch(project, wanted, options, once, complain if shown.format == "json" else say)
    result = once(project, options)
    # Other machines have the tests that this one has not.
    return 0 if result.outcome is Outcome.SKIPPED else result.exit_code


def _without_passed(
    project: Project,
    wanted: Sequence[Stage],
    options: Options,
    evidence: Evidence,
    *,
    narrowed: bool,
    explain: bool,
) -> Options:
    """The same with what is known to pass on this content."""
    from tasklib.pipeline.plan import plan
    from tasklib.shown.ages import ago

    targets = plan(project, wanted, options)
    now = None if narrowed else evidence.content(os.environ)
    passed = evidence.known(targets, now)
    if explain:
        others = [target for target in targets if target not in passed]
        why = dict.fromkeys(others, _NARROWED) if narrowed else evidence.unlike(others, now)
        for target in targets:
            if target in passed:
                age = ago(time.time() - passed[target].at)
                complain(f"{target}: out: passed {age}, and nothing that it depends on has changed")
            else:
                complain(f"{target}: in: {why[target]}")
    return replace(options, passed={target: known.at for target, known in passed.items()})


def _touched(project: Project, names: Sequence[str], base: str | None, explain: bool) -> tuple[str, ...]:
    """The names (of ``names``, if there are any) whose tests the change touches."""
    from tasklib.commands.ci import choose
    from tasklib.project import targets

    targets(project, (), names)  # refuses a name that nothing has
    found = choose(project, changed=True, base=base, explain=explain).tests
    return tuple(name for name in found if not names or name in names)
