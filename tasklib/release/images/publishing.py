"""Images built, pushed and named the latest: all versions first, then what `latest` means."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from semver import Version

from tasklib import process
from tasklib.checkout import find_checkout
from tasklib.errors import Interrupted, TasklibError, UsageError, engine_stopped
from tasklib.project import Project, Service
from tasklib.release.images import names
from tasklib.release.images.definitions import Definitions, find_definitions
from tasklib.release.images.names import Image
from tasklib.release.images.registry import Registry, RegistryError, RegistryRefused
from tasklib.release.tag.repository import Repository
from tasklib.release.tag.tagging import ReleaseError
from tasklib.release.tag.versions import highest, is_stable, parse, tagged_version
from tasklib.shown.cutting import several, shorten
from tasklib.stacks.address import docker_environment, is_unreachable
from tasklib.stacks.compose.bake import bake

__all__ = ["PushFailed", "Release", "only", "previous_tag", "publish", "reference", "release_of"]

_DIGEST = re.compile(r"\bdigest: (?P<digest>sha256:[0-9a-f]{64})")
_AT_ONCE = 4
"""Pushes at a time."""

Say = Callable[[str], None]


class PushFailed(ReleaseError):
    """Not every image could be pushed; ``images`` are all of them, those that are out with a digest."""

    def __init__(self, what: str, images: tuple[Image, ...], *, remedy: str) -> None:
        super().__init__(what, remedy=remedy)
        self.images = images


@dataclass(frozen=True)
class Release:
    """What is to be built as which version.

    ``versions`` are those that git has tags of, ``marks`` the images' labels, ``platforms`` what to build for
    (none: what the engine is), ``push`` whether to push at all.
    """

    project: Project
    version: Version
    services: tuple[Service, ...]
    versions: tuple[Version, ...] = ()
    marks: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    push: bool = True
    notices: tuple[str, ...] = ()

    @property
    def revision(self) -> str:
        return self.marks.get(names.REVISION, "")


def release_of(
    project: Project,
    version: str | None,
    services: Sequence[Service],
    *,
    platforms: tuple[str, ...] = (),
    push: bool = True,
    cancel: process.Cancel | None = None,
) -> Release:
    """The release of ``version``, by default the one that HEAD is tagged as.

    Raises :class:`~tasklib.errors.UsageError` where that is none.
    """
    checkout = find_checkout(project.root)
    repository = Repository(checkout, cancel) if checkout.git_dir else None
    commit = repository.head()[0] if repository else None
    tags = repository.tags() if repository else {}
    chosen = parse(version) if version is not None else _tagged_here(project, repository)
    notices = []
    if repository and (dirty := repository.dirty()):
        what = f"the tree is dirty ({several(dirty)}): the images are not what {commit or 'HEAD'} is"
        if push:
            raise UsageError(what, remedy="Commit, ignore or remove what is not committed; or --no-push.")
        notices.append(what)
    marks = names.labels(
        chosen,
        created=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        revision=commit,
        source=names.public_url(repository.remote_url() or "") if repository else None,
    )
    known = tuple(found for tag in tags if (found := tagged_version(tag)))
    return Release(project, chosen, tuple(services), known, marks, platforms, push, tuple(notices))


def _tagged_here(project: Project, repository: Repository | None) -> Version:
    here = repository.tags(at="HEAD") if repository else {}
    found = highest(version for tag in here if (version := tagged_version(tag)))
    if found is None:
        raise UsageError(
            "which version is it?",
            where=str(project.root),
            remedy="--version X.Y.Z; a commit with a tag vX.Y.Z needs none.",
        )
    return found


def previous_tag(project: Project, version: Version, cancel: process.Cancel | None = None) -> str | None:
    """The tag of the version before ``version`` that HEAD descends from: what it has changed since."""
    checkout = find_checkout(project.root)
    if not checkout.git_dir or checkout.unborn:
        return None
    tags = Repository(checkout, cancel).tags(merged="HEAD")
    before = highest(found for tag in tags if (found := tagged_version(tag)) and found < version)
    return f"refs/tags/v{before}" if before else None


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
    found = {image.service: image for image in _there(release, wanted, say)} if release.push else {}
    missing = [image for image in wanted if image.service not in found]
    if missing:
        if release.push:
            _check_push(missing, say)
        say(f"building {', '.join(image.reference for image in missing)}")
        _build(release, definitions, missing, on_line, cancel)
    if not release.push:
        return tuple(wanted)
    pushed, failed = _push(release, definitions, missing, on_line, cancel)
    done = {**found, **{image.service: image for image in pushed}}
    everything = tuple(done.get(image.service, image) for image in wanted)
    if failed:
        failure = _failure(everything, failed)
        raise Interrupted(str(failure)) if cancel.is_set() else failure
    return _name_latest(release, everything, say, cancel)


def _there(release: Release, wanted: Sequence[Image], say: Say) -> list[Image]:
    """Those that the registry has of this version and commit. Raises where it has another commit's."""
    found = []
    for image in wanted:
        try:
            published = Registry(image.name).published(image.version)
        except RegistryError as error:
            say(f"{error}: {image.reference} is pushed without looking")
            continue
        if published is None:
            continue
        revision = published.labels.get(names.REVISION, "")
        if not release.revision or revision != release.revision:
            raise UsageError(
                f"{image.reference} is in the registry already, built from {revision or 'an unknown commit'}",
                remedy="A version is pushed once: raise it, or delete that tag in the registry.",
            )
        found.append(replace(image, digest=published.digest, kept=True))
    return found


def _check_push(wanted: Sequence[Image], say: Say) -> None:
    """Ask before anything is built whether it can be pushed. Raises where the registry says no."""
    for image in wanted:
        try:
            Registry(image.name).check_push()
        except RegistryRefused as error:
            raise UsageError(f"{error.what}; nothing was built", remedy=error.remedy) from error
        except RegistryError:
            continue  # the push itself will tell


def _config(release: Release, definitions: Definitions, wanted: Sequence[Image]) -> dict[str, object]:
    config = names.config(definitions.builds, wanted, release.marks)
    return {**config, "secrets": dict(definitions.secrets)} if definitions.secrets else config


def _build(
    release: Release,
    definitions: Definitions,
    wanted: Sequence[Image],
    on_line: Say,
    cancel: process.Cancel,
    push: bool = False,
) -> None:
    config = _config(release, definitions, wanted)
    bake(config, release.project.root, on_line, cancel, platforms=release.platforms, push=push)


def _push(
    release: Release, definitions: Definitions, wanted: Sequence[Image], on_line: Say, cancel: process.Cancel
) -> tuple[list[Image], dict[str, str]]:
    """Push each by itself; returns those that are out and, by reference, why the others are not."""

    def one(image: Image) -> Image | str:
        try:
            if len(release.platforms) > 1:
                # Images of several platforms are never on the engine: the builder pushes them.
                _build(release, definitions, [image], on_line, cancel, push=True)
                published = Registry(image.name).published(image.version)
                return replace(image, digest=published.digest if published else "")
            return replace(image, digest=_push_tag(image.reference, cancel))
        except Interrupted:
            return "interrupted"
        except TasklibError as error:
            return error.what

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        outcomes = list(zip(wanted, pool.map(one, wanted), strict=True))
    failed = {image.reference: outcome for image, outcome in outcomes if isinstance(outcome, str)}
    return [outcome for _, outcome in outcomes if isinstance(outcome, Image)], failed


def _push_tag(reference: str, cancel: process.Cancel) -> str:
    """Push one tag; returns its digest. Raises :class:`ReleaseError` with the registry's reason."""
    done = _docker("push", "--", reference, cancel=cancel)
    found = _DIGEST.search(done.stdout)
    return found["digest"] if found else ""


def _docker(*arguments: str, cancel: process.Cancel) -> process.Completed:
    done = process.run(["docker", *arguments], cancel=cancel, check=False, env=docker_environment())
    if done.code == 0:
        return done
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    reason = lines[-1] if lines else f"docker left with code {done.code}"
    if is_unreachable(done.stderr):
        raise engine_stopped()
    raise ReleaseError(shorten(reason, 300))


def _name_latest(
    release: Release, everything: tuple[Image, ...], say: Say, cancel: process.Cancel
) -> tuple[Image, ...]:
    """Let ``latest`` name each image that no stable version of the registry or of git is above."""
    if not is_stable(release.version):
        return everything
    done, failed = [], {}
    for image in everything:
        known = [*release.versions, *_versions(image, say)]
        if not names.is_latest(release.version, known):
            say(f"{image.name}:latest stays: {highest(filter(is_stable, known))} is above {release.version}")
            done.append(image)
            continue
        try:
            _tag_latest(release, image, cancel)
            done.append(replace(image, latest=True))
        except ReleaseError as error:
            failed[f"{image.name}:latest"] = error.what
            done.append(image)
    if failed:
        raise _failure(tuple(done), failed)
    return tuple(done)


def _versions(image: Image, say: Say) -> list[Version]:
    """The versions that the registry has of an image."""
    try:
        tags = Registry(image.name).tags()
    except RegistryError as error:
        say(f"{error}: git's tags alone decide whether {image.version} is the latest")
        return []
    return [version for tag in tags if (version := tagged_version(f"v{tag}"))]


def _tag_latest(release: Release, image: Image, cancel: process.Cancel) -> None:
    latest = f"{image.name}:latest"
    if image.kept or len(release.platforms) > 1:
        # It need not be on this engine: the registry gives it the second name.
        pinned = f"{image.name}@{image.digest}"
        _docker("buildx", "imagetools", "create", "--tag", latest, "--", pinned, cancel=cancel)
    else:
        _docker("tag", "--", image.reference, latest, cancel=cancel)
        _push_tag(latest, cancel)


def _failure(everything: tuple[Image, ...], failed: Mapping[str, str]) -> PushFailed:
    out = [image.reference for image in everything if image.digest]
    reasons = "; ".join(f"{reference} ({why})" for reference, why in failed.items())
    return PushFailed(
        f"not pushed: {reasons}",
        everything,
        remedy=f"Pushed: {', '.join(out) or 'nothing'}. The same command again completes it.",
    )


def only(release: Release, names: Sequence[str]) -> Release:
    """The same for those of its services that are called ``names``."""
    return replace(release, services=tuple(s for s in release.services if s.name in names))


def reference(release: Release, service: Service) -> str:
    """What a service's image will be called."""
    return f"{names.image_name(release.project, service.name)}:{release.version}"
