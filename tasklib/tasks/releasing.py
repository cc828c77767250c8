"""``release``: a version as a tag, and as images."""

from __future__ import annotations

from invoke.collection import Collection
from invoke.context import Context

from tasklib.tasks._boundary import task

__all__ = ["release", "tag"]


@task(
    help={
        "bump": "major, minor, patch or pre: what the last version is raised by",
        "version": "the version itself, like 1.2.0 or 1.2.0-rc.1",
        "dry-run": "show the plan and stop",
        "push": "push the branch and the tag, both or neither",
        "yes": "do not ask",
    }
)
def tag(
    context: Context,
    bump: str | None = None,
    version: str | None = None,
    dry_run: bool = False,
    push: bool = False,
    yes: bool = False,
) -> None:
    """Tag a version: shows what it would do, asks, and does all of it or nothing."""
    from tasklib.commands import releasing

    dry = dry_run or bool(context.config.run.dry)
    releasing.tag(bump=bump, version=version, dry=dry, push=push, yes=yes)


release = Collection("release", tag)
