"""Pushing by Docker's own command: one tag, and the second name of an image that is out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tasklib import process
from tasklib.errors import engine_stopped
from tasklib.release.images.names import Image, split_name
from tasklib.release.images.release import Release
from tasklib.release.tag.tagging import ReleaseError
from tasklib.shown.cutting import shorten
from tasklib.stacks.address import docker_environment, is_unreachable

__all__ = ["PushFailed", "push_failure", "push_tag", "tag_latest"]

_DENIED = re.compile(r"(?i)unauthorized|denied|authentication required|no basic auth|forbidden")
_DIGEST = re.compile(r"\bdigest: (?P<digest>sha256:[0-9a-f]{64})")


class PushFailed(ReleaseError):
    """Not every image could be pushed; ``images`` are all of them, those that are out with a digest."""

    def __init__(self, what: str, images: tuple[Image, ...], *, remedy: str) -> None:
        super().__init__(what, remedy=remedy)
        self.images = images


def push_tag(reference: str, cancel: process.Cancel) -> str:
    """Push one tag; returns its digest. Raises :class:`ReleaseError` with the registry's reason."""
    done = _docker("push", "--", reference, cancel=cancel)
    found = _DIGEST.search(done.stdout)
    return found["digest"] if found else ""


def _docker(*arguments: str, cancel: process.Cancel) -> process.Completed:
    done = process.run(["docker", *arguments], cancel=cancel, check=False, env=docker_environment())
    if done.code == 0:
        return done
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    reason = lines[-1] if lines else f"docker exited with code {done.code}"
    if is_unreachable(done.stderr):
        raise engine_stopped()
    raise ReleaseError(shorten(reason, 300))


def tag_latest(release: Release, image: Image, cancel: process.Cancel) -> None:
    latest = f"{image.name}:latest"
    if image.kept or release.by_builder:
        # It need not be on this engine: the registry gives it the second name.
        pinned = f"{image.name}@{image.digest}"
        _docker("buildx", "imagetools", "create", "--tag", latest, "--", pinned, cancel=cancel)
    else:
        _docker("tag", "--", image.reference, latest, cancel=cancel)
        push_tag(latest, cancel)


def push_failure(everything: tuple[Image, ...], failed: Mapping[str, str]) -> PushFailed:
    """What failed (reasons by reference) of ``everything``; a login may have expired since it was asked."""
    out = [image.reference for image in everything if image.digest]
    denied = [reference for reference, why in failed.items() if _DENIED.search(why)]
    hosts = dict.fromkeys(split_name(reference)[0] for reference in denied)
    logins = "".join(f"`docker login {host}` as one who may. " for host in hosts)
    reasons = "; ".join(f"{reference} ({why})" for reference, why in failed.items())
    return PushFailed(
        f"not pushed: {reasons}",
        everything,
        remedy=f"Pushed: {', '.join(out) or 'nothing'}. {logins}The same command again completes it.",
    )
