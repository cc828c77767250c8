"""``release``: a version as a tag, and as images."""

from __future__ import annotations

from typing import Any

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


@task(
    repeats=("name",),
    help={
        "version": "like 1.2.0; by default the version that HEAD is tagged as",
        "name": "only this service; repeats",
        "changed": "only services that changed since the version before",
        "base": "the branch, tag or commit to compare with instead",
        "explain": "with --changed: why each service is in or out",
        "platform": "for these platforms: linux/amd64,linux/arm64",
        "push": "push them (--no-push: only build)",
        "format": "plain or json",
        "verbose": "show the builds' output",
    },
)
def images(
    context: Context,
    version: str | None = None,
    name: Any = None,
    changed: bool = False,
    base: str | None = None,
    explain: bool = False,
    platform: str | None = None,
    push: bool = True,
    format: str = "plain",
    verbose: bool = False,
) -> None:
    """Build and push every service's image; `latest` follows the highest stable version."""
    from tasklib.commands import releasing

    releasing.images(
        version=version,
        names=name or (),
        changed=changed,
        base=base,
        explain=explain,
        platform=platform,
        push=push,
        format=format,
        verbose=verbose,
        dry=bool(context.config.run.dry),
    )


release = Collection("release", tag, images)
