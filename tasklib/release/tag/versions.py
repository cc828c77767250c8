"""PURE: versions as tags, images and Python packages spell them. Semantic versions, nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from semver import Version

from tasklib.errors import UsageError

__all__ = [
    "Bump",
    "from_pep440",
    "highest",
    "is_stable",
    "next_version",
    "parse",
    "pep440",
    "tag_name",
    "tagged_version",
    "unlike",
]

_TOKEN = "rc"
_NUMBERS = re.compile(r"(?:^|[^0-9.])[0-9]+(?:[.-][0-9]+)+|(?:^|[-_/])[vVr]?[0-9]+$")
_LONGEST = 128
_ZEROS = re.compile(r"(?<![0-9A-Za-z-])0+(?=[0-9])")
_PLAIN = re.compile(r"([vV]?[0-9]+(?:\.[0-9]+)+)(?:[-+._]?[a-zA-Z].*|\+.*)?", re.DOTALL)
"""A version and no more, or with what follows it: 1.3.0rc1, v1.3.0+build.5."""
_PEP440 = {"a": "a", "alpha": "a", "b": "b", "beta": "b", "c": "rc", "rc": "rc", "pre": "rc", "preview": "rc"}


class Bump(StrEnum):
    """Which part of the last version is raised."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"
    PRE = "pre"


def parse(text: str) -> Version:
    """``1.2.0``, ``1.2.0-rc.1``, with or without a leading ``v``.

    Raises :class:`~tasklib.errors.UsageError` for anything else, build metadata included: an image tag
    cannot hold a ``+``.
    """
    try:
        version = Version.parse(text.strip().removeprefix("v"))
    except ValueError:
        plain = _ZEROS.sub("", text.strip().removeprefix("v"))
        like = f"Without leading zeros: {plain}." if Version.is_valid(plain) else "Like 1.2.0, or 1.2.0-rc.1."
        raise UsageError(f"{text!r} is not a semantic version", remedy=like) from None
    if len(str(version)) > _LONGEST:
        raise UsageError(
            f"{text!r} is longer than the {_LONGEST} characters of an image tag", remedy="Shorten it."
        )
    if version.build:
        raise UsageError(
            f"{text!r} has build metadata, which an image tag cannot hold", remedy="Leave out the + part."
        )
    return version


def from_pep440(text: str) -> Version | None:
    """A Python package's version as a semantic one, ``None`` for what has no such spelling: ``1.2.post1``."""
    found = re.fullmatch(r"(\d+)\.(\d+)(?:\.(\d+))?(?:\.?(a|b|rc|dev)(\d+))?", text.strip())
    if not found:
        return None
    pre = f"{found[4]}.{int(found[5])}" if found[4] else None
    return Version(int(found[1]), int(found[2]), int(found[3] or 0), prerelease=pre)


def tag_name(version: Version) -> str:
    """The git tag: ``v1.2.0``. The image tag is the version itself."""
    return f"v{version}"


def tagged_version(tag: str) -> Version | None:
    """The version that a git tag names, ``None`` for any other tag."""
    if not tag.startswith("v"):
        return None
    try:
        version = Version.parse(tag[1:])
    except ValueError:
        return None
    return None if version.build else version


def unlike(tags: Iterable[str], *, above: Version | None = None) -> tuple[str, ...]:
    """The tags that look like versions of another form: ``1.4.2``, ``v1.4``, ``api-v1.4.2``, ``2024.05.01``.

    Where some have our form and ``above`` is the last of them: the plain ones with higher numbers, as after
    a change of habits. Newest first, as far as their numbers tell.
    """

    def order(tag: str) -> list[tuple[int, str]]:
        numbers = (number.lstrip("0") for number in re.findall(r"[0-9]+", tag))
        return [(len(number), number) for number in numbers]

    found = [tag for tag in tags if _NUMBERS.search(tag) and not tagged_version(tag)]
    if above:
        last = order(tag_name(above.finalize_version()))
        found = [tag for tag in found if (plain := _PLAIN.fullmatch(tag)) and order(plain[1]) > last]
    return tuple(sorted(found, key=order, reverse=True))


def is_stable(version: Version) -> bool:
    return version.prerelease is None


def highest(versions: Iterable[Version]) -> Version | None:
    return max(versions, default=None)


def next_version(last: Version | None, bump: Bump) -> Version:
    """The version after ``last`` (``None``: after nothing, so the first).

    ``pre`` raises a pre-release, or begins one of the next patch: 1.2.0 → 1.2.1-rc.1 → 1.2.1-rc.2. The
    others finish a pre-release where that is enough: 1.3.0-rc.1 → 1.3.0 by ``minor`` or ``patch``.
    """
    last = last or Version(0, 0, 0)
    if bump is not Bump.PRE:
        return last.next_version(bump.value)
    if last.prerelease is None:
        return last.bump_patch().replace(prerelease=f"{_TOKEN}.1")
    number = re.search(r"\d+$", last.prerelease)
    if number is None:
        return last.replace(prerelease=f"{last.prerelease}.1")
    return last.replace(prerelease=f"{last.prerelease[: number.start()]}{int(number[0]) + 1}")


def spellings(version: Version) -> list[str]:
    """How files may write it: as it is, and as Python packages do where they can."""
    try:
        return [str(version), pep440(version)]
    except UsageError:
        return [str(version)]


def pep440(version: Version) -> str:
    """``version`` as a Python package spells it: ``1.2.0rc1``.

    Raises :class:`~tasklib.errors.UsageError` for a pre-release that Python has no spelling for.
    """
    plain = f"{version.major}.{version.minor}.{version.patch}"
    if version.prerelease is None:
        return plain
    found = re.fullmatch(r"(?P<word>[a-z]+)[.-]?(?P<number>\d*)", version.prerelease)
    word, number = (found["word"], int(found["number"] or 0)) if found else ("", 0)
    if word == "dev":
        return f"{plain}.dev{number}"
    if word not in _PEP440:
        raise UsageError(
            f"{version} cannot be written into pyproject.toml: it is no version of a Python package",
            remedy=f"Use alpha, beta, rc or dev and a number: {plain}-rc.1.",
        )
    return f"{plain}{_PEP440[word]}{number}"
