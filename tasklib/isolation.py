"""PURE: a branch becomes an instance id, and an instance becomes names that nothing else can have.

An id is at most 20 characters of ``[a-z0-9-]``, starts and ends with a letter or digit and holds no ``--``.
It never holds ``_`` or ``.``, which is what makes the joins below unambiguous:

* project ``test-<instance>`` or ``test-<instance>_<stack>``: the first ``_`` ends the instance;
* resource ``<project>.<key>``: the first ``.`` ends the project.
"""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum

from msgspec import Struct

__all__ = [
    "FULL_ID",
    "PREFIX",
    "IdSource",
    "Instance",
    "image_version",
    "instance_id",
    "is_compose_name",
    "is_plain_id",
    "project_name",
    "readable_image",
    "resource_name",
    "slug",
    "with_hash",
]

PREFIX = "test"
"""What the names of test stacks begin with, where the project names nothing else."""

MAX_LENGTH = 20
_HASH_LENGTH = 8
"""Characters of base 32: 40 bits, so that a hundred thousand names with one beginning stay apart."""

FULL_ID = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")
_COMPOSE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


class IdSource(StrEnum):
    """Where an instance's id comes from."""

    ENVIRONMENT = "TEST_INSTANCE_ID"
    BRANCH = "branch"
    CI = "CI branch"
    WORKTREE = "worktree"
    COMMIT = "commit"
    FOLDER = "folder"


class Instance(Struct, frozen=True):
    """The isolation identity of a checkout on its branch.

    ``id`` names everything, ``checkout`` tells two checkouts with one id apart, ``host`` says which user of
    which machine knows whether the checkout lives, ``prefix`` starts every Compose project.
    """

    id: str
    checkout: str = ""
    host: str = ""
    prefix: str = PREFIX

    def project(self, stack: str | None = None) -> str:
        return project_name(self, stack)


def instance_id(branch: str) -> str:
    """The id of a branch: ``feature/auth`` → ``feature-auth``.

    Only ``/`` → ``-`` is free. Where anything else had to change (cut, case, other characters), the id ends
    in 40 bits of a hash of the whole name, so that names that differ get ids that differ.

    >>> instance_id("feature/auth")
    'feature-auth'
    """
    return slug(branch, free="/")


def slug(name: str, *, free: str = "") -> str:
    """``name`` within the rules of an id; ends in a hash when more changed than ``free`` → ``-``."""
    plain = name
    for character in free:
        plain = plain.replace(character, "-")
    if is_plain_id(plain):
        return plain
    return with_hash(plain, name)


def with_hash(name: str, whole: str) -> str:
    """As much of ``name`` as fits before the hash of ``whole``."""
    digest = _hash(whole)
    kept = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[: MAX_LENGTH - _HASH_LENGTH - 1].strip("-")
    return f"{kept}-{digest}" if kept else digest


def is_plain_id(text: str) -> bool:
    """Whether ``text`` is within the rules of an id as it stands."""
    return len(text) <= MAX_LENGTH and bool(FULL_ID.fullmatch(text))


def is_compose_name(name: str) -> bool:
    """Whether Compose accepts ``name`` as (a part of) a project's name."""
    return bool(_COMPOSE_NAME.fullmatch(name))


def project_name(instance: Instance | str, stack: str | None = None, *, prefix: str = PREFIX) -> str:
    """``test-<instance>`` for the full stack, ``test-<instance>_<stack>`` for a service's own.

    >>> project_name("feature-auth"), project_name("feature-auth", "price")
    ('test-feature-auth', 'test-feature-auth_price')
    """
    if isinstance(instance, Instance):
        prefix = instance.prefix
        instance = instance.id
    full = f"{prefix}-{instance}"
    return full if stack is None else f"{full}_{slug(stack)}"


def resource_name(project: str, key: str) -> str:
    """The name of the container, network or volume ``key`` of a Compose project; valid for the engine.

    ``key`` is a key of the Compose file (``[a-zA-Z0-9._-]+``).
    """
    return f"{project}.{key}"


def image_version(checkout: str, host: str) -> str:
    """The tag of all that a checkout's stacks build: no other checkout or state folder makes the same one."""
    return _hash(f"{checkout}\0{host}") if checkout else "latest"


def readable_image(project: str, service: str) -> str:
    """The tag for people of a built image: ``test-feature-auth-price-db:latest``."""
    return f"{project}-{slug(service)}:latest"


_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


def _hash(text: str) -> str:
    number = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    return "".join(_BASE32[(number >> shift) & 31] for shift in range(0, 5 * _HASH_LENGTH, 5))
