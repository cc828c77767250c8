"""What this instance owns, and what nobody owns any more."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tasklib.commands.console import complain_of_left, engine_context, say
from tasklib.errors import TasklibError
from tasklib.options.caller import Caller

__all__ = ["clean", "clean_stale"]


def clean(caller: Caller, *, force: bool, everything: bool, dry: bool) -> None:
    """Remove what this instance owns and say what went."""
    from tasklib.project import find_project
    from tasklib.stacks.cleaning import instance, owned
    from tasklib.stacks.labels import INSTANCE
    from tasklib.state.environments import remove_environments

    project = find_project(Path.cwd())
    with engine_context(project) as context:
        found = owned.owned_now(context, all_branches=everything)
        if dry:
            say(
                f"would remove {instance.summary(found)}"
                if found
                else f"{context.instance.id}: nothing to clean"
            )
            return
        gone = instance.clean(context, force=force, all_branches=everything)
        if not complain_of_left(found, gone) or gone:
            said = f"removed {instance.summary(gone)}" if gone else "nothing to clean"
            say(f"{context.instance.id}: {said}")
        if remove_environments(project.root, context.state):
            say("removed its environments of other Pythons")
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
                say(f"also of this checkout: {what} (`{command}` removes them)")


def clean_stale(caller: Caller, *, yes: bool, dry: bool) -> None:
    """Show what checkouts left that are gone from the disk; with ``yes`` remove it."""
    from tasklib.instance.whereabouts import note_move
    from tasklib.project import find_project
    from tasklib.stacks.cleaning import stale
    from tasklib.stacks.cleaning.instance import summary
    from tasklib.stacks.engine.docker.engine import DockerEngine
    from tasklib.stacks.holding.sweep import expire, sweep
    from tasklib.stacks.leases import sweep_leases
    from tasklib.state.store import default_state

    engine, state = DockerEngine.connect(strict=False), default_state()
    with contextlib.suppress(TasklibError):
        note_move(state, engine.facts.id, find_project(Path.cwd()).root)
    for name in sweep(engine, state):
        say(f"removed {name}, left by a run that was killed")
    for name in sweep_leases(engine):
        say(f"removed {name}, whose run has not renewed its lease")
    for name in expire(engine, state):
        say(f"removed {name}, which failed tests had left to be looked at")
    found = stale.find_stale(engine, state)
    for entry in found:
        say(f"{entry.project}: {summary(entry.resources)}: {entry.why}")
    if not found:
        say("nothing is stale")
    elif yes and not dry:
        gone = stale.remove_stale(engine, state, found)
        say(f"removed {summary(gone)}" if gone else "nothing could be removed: it is in use")
    else:
        say(f"`{caller.line('clean.stale', '--yes')}` removes this")
