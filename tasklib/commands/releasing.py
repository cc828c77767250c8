"""Releases: a version as a tag, and as images."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tasklib.commands.console import complain, give, say
from tasklib.errors import StackError
from tasklib.shown.cleaning import harmless_json

__all__ = ["images", "tag"]


def _stopping(_: str) -> None:
    complain("stopping: undoing what was changed so far")


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
    from tasklib.checkout import existing_branch, find_checkout
    from tasklib.commands.consent import confirm
    from tasklib.process.interrupts import interruptible
    from tasklib.project import find_project
    from tasklib.release.tag.planning import plan, typed
    from tasklib.release.tag.tagging import apply, survey
    from tasklib.release.tag.versions import Bump

    project = find_project(Path.cwd())
    cancel = process.Cancel()
    with interruptible(cancel, _stopping):
        planned = plan(
            survey(project, cancel),
            base_branch=existing_branch(find_checkout(project.root), project.base_branch),
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
        publishing = ("git", "push", "--atomic", remote.name, planned.branch, made.tag)
        say(f"{typed(*publishing)} publishes it")


def images(
    *,
    version: str | None = None,
    names: Sequence[str] = (),
    changed: bool = False,
    base: str | None = None,
    explain: bool = False,
    platform: str | None = None,
    push: bool = True,
    format: str = "plain",
    verbose: bool = False,
    dry: bool = False,
) -> None:
    """Build and push the images of the services as ``version``, by default the one that HEAD is tagged as.

    ``changed`` keeps what differs from ``base``, by default the version before. The images with their digests
    are printed at the end, with ``format`` json as JSON, and also when not all of them could be pushed.
    """
    from tasklib import process
    from tasklib.commands.ci import choose
    from tasklib.process.interrupts import interruptible
    from tasklib.project import find_project, select_services
    from tasklib.release.images import release as releases
    from tasklib.release.images.names import Image, platforms, rows
    from tasklib.release.images.publishing import publish
    from tasklib.release.images.pushing import PushFailed

    def show(found: Sequence[Image]) -> None:
        if format == "json":
            give(harmless_json(json.dumps({"version": str(release.version), "images": rows(found)})))
            return
        for image in found:
            if image.digest or not push:
                say(str(image))

    project = find_project(Path.cwd())
    services = select_services(project, names)
    cancel = process.Cancel()
    with interruptible(cancel, lambda _: complain("stopping")):
        release = releases.release_of(
            project, version, services, platforms=platforms(platform), push=push, cancel=cancel
        )
        if changed or base is not None:
            since = base or releases.previous_tag(project, release.version, cancel)
            touched = choose(project, changed=since is not None, base=since, explain=explain).names
            release = releases.only(release, touched)
            if not release.services:
                complain("no image to build: the change touches none")
                show(())
                return
        for notice in release.notices:
            complain(notice)
        if dry:
            for service in release.services:
                say(f"would build {releases.reference(release, service)}")
            return
        try:
            show(publish(release, complain, complain if verbose else lambda line: None, cancel))
        except PushFailed as error:
            show(error.images)
            raise
        except StackError as error:
            from tasklib.commands.console import show_logs

            show_logs(error)
            raise
