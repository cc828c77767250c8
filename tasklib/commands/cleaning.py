"""What this instance owns, and what nobody owns any more."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from tasklib.commands.console import complain, complain_of_left, engines_of, on, say
from tasklib.errors import TasklibError
from tasklib.options.caller import Caller

if TYPE_CHECKING:
    from tasklib.stacks.engine.engine import Engine
    from tasklib.stacks.holding.run import RunContext

__all__ = ["clean", "clean_stale"]


def clean(caller: Caller, *, force: bool, everything: bool, dry: bool) -> None:
    """Remove what this instance owns and say what went."""
    from tasklib.project import find_project
    from tasklib.state.environments import remove_environments

    project = find_project(Path.cwd())
    with engines_of(project) as fleet:
        for context in fleet.contexts:
            _clean(context, caller, force=force, everything=everything, dry=dry)
        if not dry and remove_environments(project.root, fleet.first.state):
            say("removed its environments of other Pythons")


def _clean(context: RunContext, caller: Caller, *, force: bool, everything: bool, dry: bool) -> None:
    """The same on one engine."""
    from tasklib.stacks.cleaning import instance, owned
    from tasklib.stacks.labels import INSTANCE

    found = owned.owned_now(context, all_branches=everything)
    name = f"{context.instance.id}{on(context)}"
    if dry:
        going = f"would remove {instance.summary(found)}{on(context)}"
        say(going if found else f"{name}: nothing to clean")
        return
    gone = instance.clean(context, force=force, all_branches=everything)
    if not complain_of_left(found, gone) or gone:
        said = f"removed {instance.summary(gone)}" if gone else "nothing to clean"
        say(f"{name}: {said}")
    context.take_back(all_branches=everything)
    if not everything:
        own = [(one.kind, one.name) for one in owned.owned_now(context, all_branches=False)]
        whole = owned.owned_now(context, all_branches=True)
        left = [one for one in whole if (one.kind, one.name) not in own]
        if left:
            # Images carry no labels: what they are of is not known, only that it is ours.
            names = sorted({one.labels.get(INSTANCE, "") for one in left} - {""})
            what = ", ".join(names) or f"{instance.summary(left)} of other branches"
            command = caller.line("clean.instance", "--all")
            say(f"also of this checkout{on(context)}: {what} (`{command}` removes them)")


def clean_stale(caller: Caller, *, yes: bool, dry: bool) -> None:
    """Show what checkouts left that are gone from the disk; with ``yes`` remove it."""
    from tasklib.errors import EngineError
    from tasklib.project import find_project
    from tasklib.stacks.address import listed_address
    from tasklib.stacks.engine.docker.engine import DockerEngine

    try:
        listed = find_project(Path.cwd()).engines
    except TasklibError:
        listed = ()  # Here is no project, or one that is not finished: what is stale is so all the same.
    answered: set[str] = set()
    failed: EngineError | None = None
    for name in listed or ("",):
        try:
            engine = DockerEngine.connect(strict=False, elsewhere=listed_address(name) if name else None)
        except EngineError as error:
            if not name:
                raise
            failed = error
            complain(f"engine {name} is left out: {error.what}")
            continue
        with contextlib.closing(engine):
            if engine.facts.id not in answered:
                _clean_stale(engine, f" on {name}" if name else "", caller, yes=yes, dry=dry)
            answered.add(engine.facts.id)
    if failed and not answered:
        raise failed


def _clean_stale(engine: Engine, where: str, caller: Caller, *, yes: bool, dry: bool) -> None:
    """The same on one engine; ``where`` names it."""
    from tasklib.instance.whereabouts import note_move
    from tasklib.project import find_project
    from tasklib.stacks.cleaning import stale
    from tasklib.stacks.cleaning.instance import summary
    from tasklib.stacks.holding.sweep import expire, sweep
    from tasklib.stacks.leases import sweep_leases
    from tasklib.state.store import default_state

    state = default_state()
    with contextlib.suppress(TasklibError):
        note_move(state, engine.facts.id, find_project(Path.cwd()).root)
    for name in sweep(engine, state):
        say(f"removed {name}{where}, left by a run that was killed")
    for name in sweep_leases(engine):
        say(f"removed {name}{where}, whose run has not renewed its lease")
    for name in expire(engine, state):
        say(f"removed {name}{where}, which failed tests had left to be looked at")
    found = stale.find_stale(engine, state)
    for entry in found:
        say(f"{entry.project}{where}: {summary(entry.resources)}: {entry.why}")
    if not found:
        say(f"nothing is stale{where}")
    elif yes and not dry:
        gone = stale.remove_stale(engine, state, found)
        say(f"removed {summary(gone)}{where}" if gone else "nothing could be removed: it is in use")
    else:
        say(f"`{caller.line('clean.stale', '--yes')}` removes this")
