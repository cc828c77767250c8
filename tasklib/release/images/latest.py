"""Which images `latest` names once a version is out."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace
from semver import Version

from tasklib import process
from tasklib.release.images import names
from tasklib.release.images.names import Image
from tasklib.release.images.pushing import push_failure, tag_latest
from tasklib.release.images.registry import Registry, RegistryError
from tasklib.release.images.release import Release
from tasklib.release.tag.tagging import ReleaseError
from tasklib.release.tag.versions import highest, is_stable

__all__ = ["name_latest"]

Say = Callable[[str], None]


def name_latest(
    release: Release, everything: tuple[Image, ...], say: Say, cancel: process.Cancel
) -> tuple[Image, ...]:
    """Let ``latest`` name each image that no stable version of the registry or of git is above."""
    if not is_stable(release.version):
        return everything
    done, failed = [], {}
    for image in everything:
        theirs = _versions(release, image, say)
        if theirs is None:
            done.append(image)
            continue
        known = [*release.versions, *theirs]
        if not names.is_latest(release.version, known):
            say(f"{image.name}:latest stays: {highest(filter(is_stable, known))} is above {release.version}")
            done.append(image)
            continue
        try:
            tag_latest(release, image, cancel)
            done.append(replace(image, latest=True))
        except ReleaseError as error:
            failed[f"{image.name}:latest"] = error.what
            done.append(image)
    if failed:
        raise push_failure(tuple(done), failed)
    return tuple(done)


def _versions(release: Release, image: Image, say: Say) -> list[Version] | None:
    """The versions that the registry has of an image; ``None``: neither it nor git can tell."""
    try:
        return names.versions(Registry(image.name).tags())
    except RegistryError as error:
        if release.shallow:
            say(f"{error}, and a shallow clone has not all tags: {image.name}:latest stays as it is")
            return None
        say(f"{error}: git's tags alone decide whether {image.version} is the latest")
        return []
