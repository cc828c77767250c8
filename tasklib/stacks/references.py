"""PURE: the one reader of image references: ``registry:5000/team/postgres:16@sha256:…``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

__all__ = ["DOCKER_HUB", "Reference", "of_repository", "parse_reference", "same_image"]

DOCKER_HUB = "docker.io"

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:(?P<registry>(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?)/)?"
    rf"(?P<path>{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)


class Reference(Struct, frozen=True):
    """An image's name in full: ``postgres`` is ``library/postgres`` at ``docker.io``.

    ``tag`` and ``digest`` are "" where the reference has none.
    """

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """The last part of the repository: ``postgres``."""
        return self.repository.rpartition("/")[2]

    @property
    def familiar(self) -> str:
        """The repository as people write it: ``postgres``, ``valkey/valkey``, ``quay.io/team/app``."""
        if self.registry != DOCKER_HUB:
            return f"{self.registry}/{self.repository}"
        return self.repository.removeprefix("library/")

    @property
    def version(self) -> int | None:
        """The number that the tag starts with: 16 of ``16.3-alpine``."""
        found = re.match(r"v?(\d+)", self.tag)
        return int(found[1]) if found else None

    def __str__(self) -> str:
        """In full, with the tag that the engine takes where there is none."""
        tag = self.tag or ("" if self.digest else "latest")
        return f"{self.registry}/{self.repository}{tag and ':'}{tag}{self.digest and '@'}{self.digest}"


def parse_reference(text: str) -> Reference | None:
    """``text`` as the engine reads it; ``None`` for what it would refuse."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return None
    registry, path = found["registry"] or "", found["path"]
    if registry and not _is_registry(registry):
        if registry != registry.lower():
            return None
        registry, path = "", f"{registry}/{path}"
        if not re.fullmatch(rf"{_PART}(?:/{_PART})*", path):
            return None
    if registry in ("", "index.docker.io", DOCKER_HUB):
        registry = DOCKER_HUB
        path = path if "/" in path else f"library/{path}"
    return Reference(registry, path, found["tag"] or "", found["digest"] or "")


def same_image(image: str) -> str:
    """A reference in full, for comparing: ``app`` → ``docker.io/library/app:latest``; "" as it is."""
    found = parse_reference(image)
    return str(found) if found else image


def _is_registry(first: str) -> bool:
    """Whether the first part of a name is a host, and no folder of Docker Hub."""
    return "." in first or ":" in first or first == "localhost"


def of_repository(name: str, digests: Iterable[str]) -> list[str]:
    """By which digests the repository of ``name`` knows an image; ``digests`` are ``repository@digest``."""
    wanted = parse_reference(name)
    found = [parse_reference(digest) for digest in digests]
    return sorted(
        there.digest
        for there in found
        if there and wanted and (there.registry, there.repository) == (wanted.registry, wanted.repository)
    )
