"""PURE: what a service's image is called, what its labels say, and whether it is the latest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit, urlunsplit

from msgspec import Struct
from semver import Version

from tasklib.errors import ConfigError
from tasklib.project import Project
from tasklib.release.tag.versions import is_stable, tagged_version
from tasklib.stacks.references import DOCKER_HUB, parse_reference

__all__ = [
    "REVISION",
    "Image",
    "config",
    "image_name",
    "is_latest",
    "labels",
    "lacking",
    "platforms",
    "public_url",
    "rows",
    "split_name",
    "versions",
]

_PREFIX = "org.opencontainers.image."
REVISION = f"{_PREFIX}revision"

_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/]+):(?P<path>[^/:].*)")


class Image(Struct, frozen=True):
    """One service's image of one version.

    ``digest`` is the registry's ("" while it is not there), ``latest`` whether the tag ``latest`` names it
    now, ``kept`` whether it had been there before.
    """

    service: str
    name: str
    version: str
    digest: str = ""
    latest: bool = False
    kept: bool = False

    @property
    def reference(self) -> str:
        return f"{self.name}:{self.version}"

    def __str__(self) -> str:
        what = ", ".join([*(["latest"] if self.latest else []), *(["was there"] if self.kept else [])])
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.reference}{digest}{f' ({what})' if what else ''}"


def rows(images: Iterable[Image]) -> list[dict[str, object]]:
    """The images as JSON has them."""
    return [
        {
            "service": image.service,
            "image": image.reference,
            "digest": image.digest,
            "pushed": bool(image.digest),
            "latest": image.latest,
        }
        for image in images
    ]


def image_name(project: Project, service: str) -> str:
    """The image's name without a tag, from ``images.name``.

    Raises :class:`~tasklib.errors.ConfigError` where there is none, or one that no image can have.
    """
    where = str(project.config or project.root)
    template = project.image_name
    if not template:
        raise ConfigError(
            "the images have no name yet",
            where=where,
            remedy='[tool.tasklib.images] name = "registry.example.com/myproject-{service}"',
        )
    if "{service}" not in template and not project.single:
        raise ConfigError(
            f"images.name is the same for every service: {template}",
            where=where,
            remedy="Put {service} into it.",
        )
    name = template.replace("{service}", service)
    found = parse_reference(name)
    if not found or found.tag or found.digest:
        raise ConfigError(
            f"{name} is not a valid name for an image",
            where=where,
            remedy="registry.example.com/team/name: lower-case letters and digits, with single . _ - between "
            "them, and no tag.",
        )
    return name


def split_name(name: str) -> tuple[str, str]:
    """The registry's host and the repository there: ``("docker.io", "library/redis")`` for ``redis``."""
    found = parse_reference(name)
    return (found.registry, found.repository) if found else (DOCKER_HUB, name)


def labels(
    version: Version, *, created: str, revision: str | None = None, source: str | None = None
) -> dict[str, str]:
    """The labels that the OCI image specification defines; ``created`` is RFC 3339."""
    found = {"version": str(version), "created": created, "revision": revision, "source": source}
    return {f"{_PREFIX}{key}": value for key, value in found.items() if value}


def public_url(remote: str) -> str | None:
    """Where a git remote can be looked at: https, without the login that its URL may hold.

    ``None`` for what is no address on the network.
    """
    try:
        return _public_url(remote)
    except ValueError:
        return None  # a port that is no number, a bracket that is not closed


def _public_url(remote: str) -> str | None:
    if scp := _SCP.fullmatch(remote) if "://" not in remote else None:
        return f"https://{scp['host']}/{scp['path'].removesuffix('.git')}"
    parts = urlsplit(remote)
    if parts.scheme not in ("http", "https", "ssh", "git") or not parts.hostname:
        return None
    web = parts.scheme in ("http", "https")
    port = f":{parts.port}" if parts.port and web else ""
    path = parts.path.rstrip("/").removesuffix(".git")
    return urlunsplit((parts.scheme if web else "https", f"{parts.hostname}{port}", path, "", ""))


def is_latest(version: Version, known: Iterable[Version]) -> bool:
    """Whether ``latest`` means ``version``: a stable one that no stable one in ``known`` is above."""
    return is_stable(version) and all(other <= version for other in known if is_stable(other))


def versions(tags: Iterable[str]) -> list[Version]:
    """The versions that a registry's tags name; others before us may have pushed them with a v."""
    found = (tagged_version(tag if tag.startswith("v") else f"v{tag}") for tag in tags)
    return [version for version in found if version]


def platforms(text: str | None) -> tuple[str, ...]:
    """``linux/amd64,linux/arm64`` as typed."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def lacking(wanted: Iterable[str], there: Iterable[str]) -> tuple[str, ...]:
    """The platforms ``wanted`` that are not ``there``. A variant that one leaves out is the usual one."""

    def fits(one: str, other: str) -> bool:
        ours, theirs = one.split("/"), other.split("/")
        return ours[:2] == theirs[:2] and (len(ours) < 3 or len(theirs) < 3 or ours[2] == theirs[2])

    known = tuple(there)
    return tuple(one for one in wanted if "/" in one and not any(fits(one, other) for other in known))


def config(
    definitions: Mapping[str, Mapping[str, object]],
    images: Iterable[Image],
    marks: Mapping[str, str],
) -> dict[str, object]:
    """The Compose config that builds ``images`` from their ``definitions`` (by service, rendered), with the
    labels ``marks``."""
    marks = {key: value.replace("$", "$$") for key, value in marks.items()}
    services: dict[str, object] = {}
    for image in images:
        build = dict(definitions[image.service])
        known = build.get("labels")
        build["labels"] = {**(known if isinstance(known, dict) else {}), **marks}
        services[image.service] = {"image": image.reference, "build": build}
    return {"services": services}
