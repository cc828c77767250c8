"""``clean``: what this instance owns, and what nobody owns any more."""

from __future__ import annotations

from invoke.collection import Collection
from invoke.context import Context

from tasklib.tasks._boundary import task

__all__ = ["clean"]


@task(
    default=True,
    help={
        "force": "even while a run holds it",
        "all": "the stacks that other branches of this checkout left, too",
    },
)
def instance(context: Context, force: bool = False, all: bool = False) -> None:
    """Remove what this instance owns: containers, networks, volumes, images. Nothing else."""
    from tasklib.commands import cleaning

    cleaning.clean(force=force, everything=all, dry=bool(context.config.run.dry))


@task(help={"yes": "remove it"})
def stale(context: Context, yes: bool = False) -> None:
    """Show what no living checkout owns; `--yes` removes it."""
    from tasklib.commands import cleaning

    cleaning.clean_stale(yes=yes and not context.config.run.dry)


clean = Collection("clean", instance, stale)
