"""test: stacks isolated from every other checkout's, up and down, and what is known of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from tasklib.commands.console import (
    Waiting,
    check_names,
    complain,
    complain_of_left,
    engines_of,
    give,
    known_instance,
    log_lines,
    on,
    say,
    say_log,
    short,
    show_logs,
    told,
)
from tasklib.errors import StackError, UsageError
from tasklib.shown.cutting import without_password

if TYPE_CHECKING:
    from tasklib.isolation import Instance
    from tasklib.reach import Way
    from tasklib.stacks.holding.held_stack import HeldStack
    from tasklib.stacks.plan import StackPlan

__all__ = ["Isolated", "config_of", "instance_id"]


class Isolated(Struct, frozen=True):
    """The environment of tests; see :class:`~tasklib.commands.environments.Stacks`."""

    def up(self, names: Sequence[str], *, fresh: bool, yes: bool, dry: bool) -> None:
        """Bring up the full stack (or those of ``names``), keep it, and say where it is reachable.

        Those that are up get new stores where ``fresh`` says so; else it is told how old their data is.
        """
        from tasklib import process
        from tasklib.events import Event, Notice
        from tasklib.pipeline.set_up import set_up
        from tasklib.process.interrupts import interruptible
        from tasklib.project import find_project
        from tasklib.shown.ages import ago
        from tasklib.siblings.include import bring_included
        from tasklib.stacks import kept

        if brought := bring_included(Path.cwd(), dry=dry):
            say(brought)
        project = find_project(Path.cwd())
        plans = kept.plans(project, names)
        if dry:
            for plan in plans:
                say(f"would bring up {plan.title}")
            return
        cancel = process.Cancel()
        with interruptible(cancel, complain), engines_of(project, holds=True) as fleet:
            ages: dict[str, str] = {}

            def hear(event: Event) -> None:
                if isinstance(event, Notice):
                    complain(event.text)

            def ready(held: HeldStack, reachable: Mapping[str, str]) -> None:
                set_up(project, held, held.context, reachable, hear, cancel)
                if held.since:
                    age = ago(time.time() - held.since)
                    ages[held.project] = f", with data from {age} (--fresh renews it)"

            for plan, context in zip(plans, fleet.place(plans), strict=True):
                began = time.monotonic()
                try:
                    variables = kept.bring_up(context, plan, cancel, Waiting(), fresh=fresh, ready=ready)
                except StackError as error:
                    show_logs(error)
                    raise
                name = context.instance.project(plan.name)
                say(f"{name} is up{on(context)} ({time.monotonic() - began:.1f} s){ages.get(name, '')}")
                if not context.engine.facts.reach.lasts:
                    say("  each run of tests opens its own ports to it")
                    continue
                for variable, value in variables.items():
                    if variable.endswith("_URL"):
                        say(f"  {variable}={without_password(value)}")

    def down(self, names: Sequence[str], *, yes: bool, dry: bool) -> None:
        """Take down every stack of this instance, or those of ``names``."""
        from tasklib.project import find_project
        from tasklib.stacks import kept
        from tasklib.stacks.cleaning import owned
        from tasklib.stacks.cleaning.instance import summary

        project = find_project(Path.cwd())
        with engines_of(project) as fleet:
            for context in fleet.contexts:
                projects = (
                    [context.instance.project(plan.name) for plan in kept.plans(project, names)]
                    if names
                    else owned.own_projects(context)
                )
                nothing = f"nothing is up{on(context)}"
                if dry:
                    say(f"would take down {', '.join(projects)}{on(context)}" if projects else nothing)
                    continue
                found = owned.owned_of(context, projects)
                gone = [resource for name in projects for resource in owned.remove_project(context, name)]
                if not complain_of_left(found, gone) or gone:
                    went = f"took down {', '.join(projects)}{on(context)}: {summary(gone)}"
                    say(went if gone else nothing)
                if not names:
                    context.take_back()

    def status(self) -> None:
        """List the containers of every stack of this checkout."""
        from tasklib.project import find_project
        from tasklib.stacks import kept
        from tasklib.stacks.starting.probes import asked

        project = find_project(Path.cwd())
        with engines_of(project) as fleet:
            for context in fleet.contexts:
                found = kept.status(context)
                say(f"engine{f' {context.listed}' if context.listed else ''}: {context.engine.facts.reach}")
                for stack in found:
                    other = "" if stack.instance == context.instance.id else f" (of {stack.instance})"
                    other += "" if stack.mine else " (another user's, or of another state folder)"
                    say(f"{stack.project}{other}")
                    # A container of somebody else's is not ours to run anything in.
                    seen = asked(context.engine, stack.containers) if stack.mine else stack.containers
                    for container in seen:
                        say(f"  {told(container)}")
                if not found:
                    say("nothing is up")

    def logs(self, names: Sequence[str], *, tail: int) -> None:
        """Print the last lines of this instance's containers, each prefixed by its service.

        Where several stacks are up, the stack comes first. Raises :class:`~tasklib.errors.UsageError` for a
        name that none of their containers has.
        """
        from tasklib.project import find_project
        from tasklib.stacks import kept
        from tasklib.stacks.starting.startup import read_logs

        project = find_project(Path.cwd())
        with engines_of(project) as fleet:
            stacks = [
                (context, stack)
                for context in fleet.contexts
                for stack in kept.status(context)
                if stack.mine and stack.instance == context.instance.id
            ]
            if not stacks:
                say("nothing is up")
                return
            check_names(names, {c.service for _, stack in stacks for c in stack.containers}, "container")
            for context in fleet.contexts:
                kept.hide_secrets_of(context, [stack for whose, stack in stacks if whose is context])
            for context, stack in stacks:
                wanted = [c for c in stack.containers if not names or c.service in names]
                prefix = f"{stack.project} " if len(stacks) > 1 else ""
                for text in log_lines(read_logs(context.engine, wanted, tail=tail)):
                    say_log(f"{prefix}{text}")

    def env(self, name: str | None, *, dry: bool) -> Mapping[str, str]:
        """This instance's variables; a shell that has them keeps the instance claimed, unless ``dry``."""
        from tasklib.project import find_project
        from tasklib.stacks import kept

        project = find_project(Path.cwd())
        (plan,) = kept.plans(project, [name] if name else [])
        with engines_of(project, gives_out=not dry) as fleet:
            return dict(kept.variables(fleet.keeper(plan) or fleet.first, name))

    def config(self, name: str | None, *, diff: bool) -> int:
        """Print the isolated config that would run; see :func:`config_of`."""
        from tasklib.project import find_project
        from tasklib.stacks import kept

        project = find_project(Path.cwd())
        (plan,) = kept.plans(project, [name] if name else [])
        first = project.engines[0] if project.engines else ""
        return _show(plan, known_instance(project), project.reach, first, diff=diff)


def config_of(file: str, *, diff: bool) -> int:
    """Print the isolated config of any Compose file as JSON, or with ``diff`` each change and why.

    What cannot be isolated is named on standard error; the code is 2 then.
    """
    from tasklib.isolation import Instance
    from tasklib.project import Project
    from tasklib.stacks.compose.source import Source
    from tasklib.stacks.plan import StackPlan

    path = Path(file).absolute()
    if not path.is_file():
        raise UsageError("there is no such Compose file", where=str(path))
    project = Project(path.parent, path.parent.name)
    plan = StackPlan(Source((path,), path.parent))
    return _show(plan, Instance(known_instance(project).id), diff=diff)


def _show(
    plan: StackPlan, instance: Instance, reach: Way | None = None, listed: str = "", *, diff: bool
) -> int:
    from tasklib.errors import EngineError
    from tasklib.stacks.address import listed_address
    from tasklib.stacks.engine.docker.engine import DockerEngine
    from tasklib.stacks.holding.bakery import with_known_bakes
    from tasklib.stacks.preparation import prepare
    from tasklib.stacks.rewrite import as_text
    from tasklib.state.store import default_state

    try:
        engine = DockerEngine.connect(reach, elsewhere=listed_address(listed) if listed else None)
    except EngineError:
        engine = None
    prepared = prepare(plan, instance, engine)
    if engine:
        prepared = with_known_bakes(prepared, engine, default_state()).addressed(engine)
    isolation = prepared.isolation
    if diff:
        for rule, changes in isolation.by_rule().items():
            say(f"{rule}:")
            for change in changes:
                say(f"  {change.path}: {short(change.before)} -> {short(change.after)}  ({change.why})")
    else:
        give(as_text(isolation.config, indent=2))
    for hint in isolation.hints:
        complain(f"note: {hint.service}: {hint.variable}: {hint.what}")
    for problem in isolation.problems:
        complain(f"cannot be isolated: {problem.path}: {problem.what}\n  {problem.remedy}")
    return 2 if isolation.problems else 0


def instance_id() -> None:
    """Print the instance id, one word."""
    from tasklib.project import find_project

    say(known_instance(find_project(Path.cwd())).id)
