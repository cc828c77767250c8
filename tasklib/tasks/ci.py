"""``ci``: what a CI system asks."""

from __future__ import annotations

from invoke.collection import Collection
from invoke.context import Context

from tasklib.tasks._boundary import task

__all__ = ["ci"]


@task(
    help={
        "changed": "only services that the change touches",
        "base": "the branch or commit that --changed compares with (default: base-branch)",
        "explain": "say for every service why it is in or out, on standard error",
    }
)
def matrix(context: Context, changed: bool = False, base: str | None = None, explain: bool = False) -> None:
    """The services as JSON for a dynamic matrix."""
    from tasklib.commands import ci as commands

    commands.matrix(changed=changed, base=base, explain=explain)


@task(help={"for": "github or gitea", "force": "overwrite files that differ"})
def workflow(context: Context, for_: str | None = None, force: bool = False) -> int:
    """Write workflow files: tests of every change, images of every version tag."""
    from tasklib.commands import ci as commands

    return commands.workflow(for_, force=force, dry=bool(context.config.run.dry))


ci = Collection("ci", matrix, workflow)
