"""What both front ends call: one function a command, from options to an exit code.

Nothing here knows of Nox or Invoke. What is said goes to standard output, problems are raised.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tasklib.errors import TasklibError, UsageError
from tasklib.events import Stage

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tasklib.isolation import Instance
    from tasklib.project import Project
    from tasklib.stacks.context import RunContext

__all__ = [
    "clean",
    "clean_stale",
    "infra_config",
    "infra_down",
    "infra_env",
    "infra_id",
    "infra_logs",
    "infra_status",
    "infra_up",
    "run_stages",
]

_LOGS_KEPT = 20


def run_stages(
    stages: Sequence[Stage],
    *,
    names: Sequence[str] = (),
    keep: bool = False,
    jobs: str | None = None,
    keyword: str = "",
    verbose: bool = False,
    format: str = "auto",
    reports: Sequence[str] = (),
    extra: Sequence[str] = (),
    dry: bool = False,
    program: str | None = None,
) -> int:
    """Run ``stages`` of the project around the current folder; returns the contract's exit code.

    ``jobs`` is as typed. Raises a :class:`~tasklib.errors.TasklibError` when nothing could be run.
    """
    from tasklib.pipeline.stages import Options, plan, run
    from tasklib.project import find_project
    from tasklib.reporting.choose import open_sinks
    from tasklib.reporting.masking import Masker, secret_values

    project = find_project(Path.cwd())
    options = Options(
        names=tuple(names),
        keep=keep,
        jobs=_positive(jobs, "--jobs"),
        keyword=keyword,
        extra=tuple(extra),
        verbose=verbose,
        program=program or _program(),
    )
    if dry:
        for target in plan(project, stages, options):
            _say(f"would run {target}")
        return 0
    masker = Masker()

    def hide(variables: Mapping[str, str]) -> None:
        masker.add(secret_values(variables))

    with open_sinks(
        format,
        verbose=verbose,
        reports=[Path(report) for report in reports],
        stream=sys.stdout,
        env=os.environ,
        log_file=_log_file(project.name),
        masker=masker,
        base=str(Path.cwd()),
    ) as sink:
        return run(project, stages, sink, options=options, hide=hide).exit_code


def infra_up(
    names: Sequence[str] = (), *, environment: str = "test", yes: bool = False, dry: bool = False
) -> None:
    """Bring up the full stack (or those of ``names``), keep it, and say where it is reachable."""
    from tasklib import process
    from tasklib.errors import Interrupted
    from tasklib.stacks import infra
    from tasklib.stacks.interrupts import interruptible

    project = find(environment)
    plans = infra.plans(project, names)
    if dry:
        for plan in plans:
            _say(f"would bring up {plan.title}")
        return
    cancel = process.Cancel()
    with interruptible(cancel, _complain), _context(project) as context:
        for plan in plans:
            began = time.monotonic()
            last: list[str] = []
            try:
                variables = infra.bring_up(
                    context,
                    plan,
                    cancel,
                    say=_Waiting().say,
                    on_line=lambda line, last=last: last.append(line),
                )
            except Interrupted:
                raise
            except TasklibError as error:
                _show_logs(error)
                raise
            _say(f"{context.instance.project(plan.name)} is up ({time.monotonic() - began:.1f} s)")
            for name, value in variables.items():
                if name.endswith("_URL"):
                    _say(f"  {name}={value}")


class _Waiting:
    """Says what a stack waits for, each reason once."""

    def __init__(self) -> None:
        self._last = ""

    def say(self, text: str) -> None:
        if text and text != self._last:
            self._last = text
            sys.stderr.write(f"waiting: {text}\n")


def infra_down(names: Sequence[str] = (), *, environment: str = "test", dry: bool = False) -> None:
    """Take down every stack of this instance, or those of ``names``."""
    from tasklib.stacks import infra
    from tasklib.stacks.cleanup import summary

    project = find(environment)
    with _context(project) as context:
        projects = (
            [context.instance.project(plan.name) for plan in infra.plans(project, names)]
            if names
            else infra.own_projects(context)
        )
        if dry:
            for name in projects:
                _say(f"would take down {name}")
            return
        gone = [resource for name in projects for resource in infra.remove_project(context, name)]
        _say(f"took down {', '.join(projects)}: {summary(gone)}" if gone else "nothing is up")


def infra_status(*, environment: str = "test") -> None:
    """List the containers of every stack of this checkout."""
    from tasklib.stacks import infra

    project = find(environment)
    with _context(project) as context:
        found = infra.status(context)
        for stack in found:
            other = "" if stack.instance == context.instance.id else f" (of {stack.instance})"
            _say(f"{stack.project}{other}")
            for container in stack.containers:
                ports = " ".join(
                    f"{p.host}:{p.published}->{p.target}" for p in container.ports if p.published
                )
                health = f", {container.health}" if container.health else ""
                _say(f"  {container.service}: {container.state}{health} {ports}".rstrip())
        if not found:
            _say("nothing is up")


def infra_logs(names: Sequence[str] = (), *, environment: str = "test", tail: str = "100") -> None:
    """Print the last lines of this instance's containers, each prefixed by its service."""
    from tasklib.stacks import infra
    from tasklib.stacks.startup import read_logs

    project = find(environment)
    number = _positive(tail, "--tail") or 100
    with _context(project) as context:
        for stack in infra.status(context):
            wanted = [c for c in stack.containers if not names or c.service in names]
            if stack.instance == context.instance.id:
                for log in read_logs(context.engine, wanted, tail=number):
                    for line in log.lines:
                        _say(f"{log.service} | {line.text}")


def infra_env(format: str = "shell", *, name: str | None = None, environment: str = "test") -> None:
    """Print this instance's variables as ``shell``, ``dotenv`` or ``json``."""
    import json
    import shlex

    from tasklib.stacks import infra

    if format not in ("shell", "dotenv", "json"):
        raise UsageError(f"--format takes shell, dotenv or json, not {format!r}")
    project = find(environment)
    with _context(project) as context:
        variables = dict(infra.variables(context, name))
    if format == "json":
        _say(json.dumps(variables, indent=2))
        return
    export = "export " if format == "shell" else ""
    for variable, value in variables.items():
        _say(f"{export}{variable}={shlex.quote(value)}")


def infra_config(
    file: str | None = None, *, name: str | None = None, diff: bool = False, environment: str = "test"
) -> int:
    """Print the isolated config that would run as JSON, or with ``diff`` each change and why.

    What cannot be isolated is named on standard error; the code is 2 then.
    """
    import json

    from tasklib.errors import EngineError
    from tasklib.isolation import Instance
    from tasklib.project import Project
    from tasklib.stacks import infra
    from tasklib.stacks.compose import Source
    from tasklib.stacks.engine import Engine
    from tasklib.stacks.preparation import StackPlan, prepare

    if file is None:
        project = find(environment)
        (plan,) = infra.plans(project, [name] if name else [])
    else:
        path = Path(file).absolute()
        if not path.is_file():
            raise UsageError("there is no such Compose file", where=str(path))
        project = Project(path.parent, path.parent.name)
        plan = StackPlan(Source((path,), path.parent))
    try:
        engine = Engine.connect()
    except EngineError:
        engine = None
    instance = _instance(project) if file is None else Instance(_instance(project).id)
    prepared = prepare(plan, instance, engine)
    if engine:
        prepared = prepared.addressed(engine)
    isolation = prepared.isolation
    if diff:
        for change in isolation.changes:
            _say(f"{change.path}: {_short(change.before)} -> {_short(change.after)}  ({change.why})")
    else:
        _say(json.dumps(isolation.config, indent=2))
    for hint in isolation.hints:
        _complain(f"note: {hint.service}: {hint.variable}: {hint.what}")
    for problem in isolation.problems:
        _complain(f"cannot be isolated: {problem.path}: {problem.what}\n  {problem.remedy}")
    return 2 if isolation.problems else 0


def infra_id() -> None:
    """Print the instance id, one word."""
    from tasklib.project import find_project

    _say(_instance(find_project(Path.cwd())).id)


def clean(*, force: bool = False, everything: bool = False, dry: bool = False) -> None:
    """Remove what this instance owns and say what went."""
    from tasklib.stacks import cleanup

    project = find("test")
    with _context(project) as context:
        if dry:
            found = cleanup.owned_now(context, all_branches=everything)
            _say(
                f"would remove {cleanup.summary(found)}"
                if found
                else f"{context.instance.id}: nothing to clean"
            )
            return
        gone = cleanup.clean(context, force=force, all_branches=everything)
        said = f"removed {cleanup.summary(gone)}" if gone else "nothing to clean"
        _say(f"{context.instance.id}: {said}")
        if not everything:
            others = {
                r.labels.get("io.tasklib.instance", "") for r in cleanup.owned_now(context, all_branches=True)
            }
            if others := others - {"", context.instance.id}:
                _say(f"also of this checkout: {', '.join(sorted(others))} (`clean --all` removes them)")


def clean_stale(*, yes: bool = False) -> None:
    """Show what no living checkout owns; with ``yes`` remove it."""
    from tasklib.liveness import host_id
    from tasklib.stacks import cleanup
    from tasklib.stacks.engine import Engine
    from tasklib.stacks.ownership import sweep
    from tasklib.state import default_state

    engine, state = Engine.connect(), default_state()
    for name in sweep(engine, state):
        _say(f"removed {name}, left by a run that was killed")
    found = cleanup.find_stale(engine, state, host_id())
    for stale in found:
        _say(f"{stale.project}: {cleanup.summary(engine.sized(stale.resources))} ({stale.why})")
    if not found:
        _say("nothing is stale")
    elif yes:
        _say(f"removed {cleanup.summary(cleanup.remove_stale(engine, state, found))}")
    else:
        _say("`clean.stale --yes` removes this")


def find(environment: str) -> Project:
    """The project around the current folder, for an environment that exists."""
    from tasklib.project import Environment, find_project

    if environment not in set(Environment):
        raise UsageError(f"--env takes test, dev or prod, not {environment!r}")
    if environment != Environment.TEST:
        raise UsageError(f"--env {environment} is not there yet")
    return find_project(Path.cwd())


def _context(project: Project) -> AbstractContextManager[RunContext]:
    from tasklib.events import Event, Notice
    from tasklib.stacks.context import open_context

    def emit(event: Event) -> None:
        if isinstance(event, Notice):
            _complain(event.text)

    return open_context(project, emit)


def _instance(project: Project) -> Instance:
    """The instance as far as it is known without an engine."""
    from tasklib.checkout import find_checkout
    from tasklib.claims import resolve

    checkout = find_checkout(project.root)
    resolved = resolve(checkout, os.environ, prefix=project.prefix, folder=project.root)
    for notice in resolved.notices:
        _complain(notice)
    return resolved.instance


def _show_logs(error: TasklibError) -> None:
    from tasklib.stacks.startup import NotReady

    if isinstance(error, NotReady):
        for log in error.logs:
            for line in log.lines:
                _complain(f"  {log.service} | {line.text}")


def _short(value: object) -> str:
    import json

    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _complain(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _positive(text: str | None, option: str) -> int | None:
    """A number as typed, refused with the option's name when it is none."""
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise UsageError(f"{option} takes a number of at least 1, not {text!r}")
    return int(text)


def _program() -> str:
    """What the user typed to get here, for commands that we suggest."""
    name = Path(sys.argv[0]).name if sys.argv else ""
    return name if name in ("tasklib", "invoke", "inv") else "invoke"


def _log_file(project: str) -> Path:
    """A new file for everything in full; the oldest beyond twenty are removed."""
    from tasklib.state import default_state

    folder = default_state().root / "logs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in sorted(folder.glob("*.log"))[: 1 - _LOGS_KEPT or None]:
        old.unlink(missing_ok=True)
    name = "".join(c if c.isalnum() or c in "-_" else "-" for c in project)[:40]
    return folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{name}.log"
