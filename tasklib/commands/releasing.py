"""Releases: a version as a tag, and as images."""

from __future__ import annotations

from pathlib import Path

from tasklib.commands.console import complain, say
from tasklib.errors import UsageError

__all__ = ["tag"]


def _stopping(_: str) -> None:
    complain("stopping: what was begun is taken back")


def tag(
    *,
    bump: str | None = None,
    version: str | None = None,
    dry: bool = False,
    push: bool = False,
    yes: bool = False,
) -> None:
    """Tag a version of the project around the current folder, once its plan is approved."""
    from datetime import date

    from tasklib import process
    from tasklib.commands.consent import confirm
    from tasklib.project import find_project
    from tasklib.release.planning import plan
    from tasklib.release.tagging import apply, survey
    from tasklib.release.versions import Bump
    from tasklib.stacks.interrupts import interruptible

    if bump is not None and bump not in set(Bump):
        raise UsageError(f"--bump takes {', '.join(Bump)}, not {bump!r}")
    project = find_project(Path.cwd())
    cancel = process.Cancel()
    with interruptible(cancel, _stopping):
        planned = plan(
            survey(project, cancel),
            base_branch=project.base_branch,
            bump=Bump(bump) if bump else None,
            version=version,
            push=push,
            today=date.today(),
        )
    for line in planned.lines():
        say(line)
    if dry:
        return
    confirm(f"Release {planned.version}?", yes=yes)
    with interruptible(cancel, _stopping):
        made = apply(planned, project, cancel)
    remote = planned.survey.remote
    say(
        f"tagged {made.tag} at {made.commit[:10]}"
        + (f", pushed to {remote.name}" if made.pushed and remote else "")
    )
    if remote and not made.pushed:
        say(f"`git push --atomic {remote.name} {planned.branch} {made.tag}` publishes it")
