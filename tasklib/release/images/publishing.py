"""Images built, pushed and named the latest: all versions first, then what `latest` means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec.structs import replace

from tasklib import process
from tasklib.errors import Interrupted, TasklibError, UsageError
from tasklib.release.images import names
from tasklib.release.images.attesting import attesting
from tasklib.release.images.definitions import Definitions, find_definitions
from tasklib.release.images.latest import name_latest
from tasklib.release.images.names import Image
from tasklib.release.images.pushing import push_failure, push_tag
from tasklib.release.images.registry import Registry, RegistryError, RegistryRefused
from tasklib.release.images.release import Release
from tasklib.stacks.compose.bake import Where, bake
from tasklib.stacks.compose.builder import current_builder

__all__ = ["publish"]


_AT_ONCE = 4
"""Pushes at a time."""

Say = Callable[[str], None]


def publish(
    release: Release,
    say: Say,
    on_line: Say,
    cancel: process.Cancel,
) -> tuple[Image, ...]:
    """Build and push; returns every image with its digest.

    What the registry has of this version and commit already is kept. ``say`` is told what happens,
    ``on_line`` gets every line of the builds. Raises
    :class:`~tasklib.errors.UsageError` before the build where the registry lets this user push nothing,
    :class:`PushFailed` when not all of it could be pushed, :class:`~tasklib.errors.StackError` when an image
    cannot be built: then nothing was pushed.
    """
    version = str(release.version)
    definitions = find_definitions(release.project, release.services, cancel, version=version)
    for service in release.services:
        if service.name not in definitions.builds:
            say(f"{service.name} has no image: no Compose file builds it, and it has no Dockerfile")
    wanted = [Image(name, names.image_name(release.project, name), version) for name in definitions.builds]
    if not wanted:
        return ()
    unasked: list[str] = []
    there = _there(release, wanted, unasked.append) if release.push else []
    found = {image.service: image for image in there}
    missing = [image for image in wanted if image.service not in found]
    if missing:
        if release.push:
            _check_push(missing)
            for line in unasked:  # Only now: where the login is what is wrong, nothing is pushed.
                say(line)
            release = _attesting(release, missing, say, cancel)
        say(f"building {', '.join(image.reference for image in missing)}")
        _build(release, definitions, missing, on_line, cancel)
    if not release.push:
        return tuple(wanted)
    pushed, failed = _push(release, definitions, missing, on_line, cancel)
    done = {**found, **{image.service: image for image in pushed}}
    everything = tuple(done.get(image.service, image) for image in wanted)
    if failed:
        failure = push_failure(everything, failed)
        raise Interrupted(str(failure)) if cancel.is_set() else failure
    return name_latest(release, everything, say, cancel)


def _there(release: Release, wanted: Sequence[Image], say: Say) -> list[Image]:
    """Those that the registry has of this version and commit.

    Raises where it has another commit's, or not for all platforms.
    """
    found = []
    for image in wanted:
        try:
            published = Registry(image.name).published(image.version)
        except RegistryError as error:
            say(f"{error}: {image.reference} is pushed without checking whether it is there already")
            continue
        if published is None:
            continue
        revision = published.labels.get(names.REVISION, "")
        if not release.revision or revision != release.revision:
            raise UsageError(
                f"{image.reference} is in the registry already, built from {revision or 'an unknown commit'}",
                remedy="A version is pushed once: raise it, or delete that tag in the registry.",
            )
        if published.platforms and names.lacking(release.platforms, published.platforms):
            raise UsageError(
                f"{image.reference} is in the registry already, for {', '.join(published.platforms)} alone",
                remedy="A version is pushed once: raise it, or delete that tag in the registry.",
            )
        found.append(replace(image, digest=published.digest, kept=True))
    return found


def _check_push(wanted: Sequence[Image]) -> None:
    """Ask before anything is built whether it can be pushed. Raises where the registry says no."""
    for image in wanted:
        try:
            Registry(image.name).check_push()
        except RegistryRefused as error:
            raise UsageError(f"{error.what}; nothing was built", remedy=error.remedy) from error
        except RegistryError:
            continue  # the push itself will tell


def _attesting(release: Release, wanted: Sequence[Image], say: Say, cancel: process.Cancel) -> Release:
    """``release`` with what its builder can attest of the images; says why where it is nothing."""
    if not release.project.attestations:
        return release
    here = {registry.host for image in wanted if (registry := Registry(image.name)).is_here}
    several = len(release.platforms) > 1
    found = attesting(release.project.attestations, current_builder(cancel), sorted(here), several=several)
    if found.left:
        say(found.left)
    return replace(release, attesting=found)


def _config(release: Release, definitions: Definitions, wanted: Sequence[Image]) -> dict[str, object]:
    config = names.config(definitions.builds, wanted, release.marks)
    return {**config, "secrets": dict(definitions.secrets)} if definitions.secrets else config


def _build(
    release: Release,
    definitions: Definitions,
    wanted: Sequence[Image],
    on_line: Say,
    cancel: process.Cancel,
    where: Where | None = None,
) -> None:
    bake(
        _config(release, definitions, wanted),
        release.project.root,
        on_line,
        cancel,
        platforms=release.platforms,
        attests=release.attesting.attests,
        where=where or (Where.CACHE if release.by_builder else Where.ENGINE),
    )


def _push(
    release: Release, definitions: Definitions, wanted: Sequence[Image], on_line: Say, cancel: process.Cancel
) -> tuple[list[Image], dict[str, str]]:
    """Push each by itself; returns those that are out and, by reference, why the others are not."""

    def one(image: Image) -> Image | str:
        try:
            if release.by_builder:
                _build(release, definitions, [image], on_line, cancel, Where.REGISTRY)
                published = Registry(image.name).published(image.version)
                return replace(image, digest=published.digest if published else "")
            return replace(image, digest=push_tag(image.reference, cancel))
        except Interrupted:
            return "interrupted"
        except TasklibError as error:
            return error.what

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        outcomes = list(zip(wanted, pool.map(one, wanted), strict=True))
    failed = {image.reference: outcome for image, outcome in outcomes if isinstance(outcome, str)}
    return [outcome for _, outcome in outcomes if isinstance(outcome, Image)], failed
