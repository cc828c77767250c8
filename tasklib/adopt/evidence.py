"""What was seen in a repository, as values: each with the file and line that it stands in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct, field

__all__ = [
    "Address",
    "Command",
    "ComposeService",
    "Evidence",
    "Kind",
    "Place",
    "Recipe",
    "ServiceContainer",
    "StackFile",
    "Value",
    "Variable",
]


def _none() -> Mapping[str, str]:
    return MappingProxyType({})


class Place(Struct, frozen=True, order=True):
    """A line of a file; ``file`` is relative to the repository, lines count from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Command(Struct, frozen=True):
    """One simple command: its ``words``, the ``folder`` it starts in, the variables ``env`` set for it.

    ``folder`` is relative to the repository, "" at its top.
    """

    place: Place
    words: tuple[str, ...]
    folder: str = ""
    env: Mapping[str, str] = field(default_factory=_none)

    @property
    def text(self) -> str:
        return " ".join(self.words)


class Kind(StrEnum):
    """Whose commands a recipe holds."""

    JOB = "job"
    MAKE = "make"
    JUST = "just"
    PACKAGE = "npm run"
    TOX = "tox"
    NOX = "nox"
    SCRIPT = "script"
    README = "README"
    """What people are told to type, where nothing else says it."""
    FUNCTION = "function"
    """A function of a script: it runs where the script calls it."""


class ServiceContainer(Struct, frozen=True):
    """A container that a CI job starts beside itself, in no Compose file."""

    place: Place
    name: str
    image: str
    env: Mapping[str, str] = field(default_factory=_none)
    ports: tuple[str, ...] = ()
    health: str = ""
    chosen: bool = False
    """Whether a job's matrix chooses the image."""


class Recipe(Struct, frozen=True):
    """Commands under one name: a Makefile's target, a CI job, a script.

    ``first`` and ``last`` are the lines it takes, ``needs`` what of the same kind runs before it, ``folder``
    the one that its file starts commands in, ``containers`` those of a CI job.
    """

    kind: Kind
    file: str
    name: str
    first: int
    last: int
    commands: tuple[Command, ...] = ()
    needs: tuple[str, ...] = ()
    folder: str = ""
    containers: tuple[ServiceContainer, ...] = ()

    @property
    def place(self) -> Place:
        return Place(self.file, self.first)


class ComposeService(Struct, frozen=True):
    """A service of a Compose file. ``ports`` are (host port or "", container port)."""

    place: Place
    name: str
    image: str = ""
    builds: bool = False
    ports: tuple[tuple[str, int], ...] = ()
    env: Mapping[str, str] = field(default_factory=_none)
    needs: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    command: str = ""
    entrypoint: bool = False
    context: str = ""
    """The folder it is built in, relative to the repository."""
    container: str = ""
    """What its container is called, where the file says it."""


class StackFile(Struct, frozen=True):
    """A Compose file."""

    file: str
    services: Mapping[str, ComposeService]


class Value(Struct, frozen=True):
    """What a variable is given, and where."""

    place: Place
    name: str
    value: str


class Variable(Struct, frozen=True):
    """A variable that code reads; ``default`` is what it takes where nothing sets it."""

    place: Place
    name: str
    default: str = ""


class Address(Struct, frozen=True):
    """A fixed address of this machine in a test."""

    place: Place
    text: str
    port: int


class Evidence(Struct, frozen=True):
    """Everything that was read.

    ``files`` are the paths of the repository, ``texts`` what those hold that were read; ``standard`` are the
    Compose files of the full test stack that tasklib finds by itself, ``manifests`` the folders that describe
    a package or program of their own, with its language; ``tests`` the files that are tests by their names.
    """

    name: str
    files: frozenset[str] = frozenset()
    texts: Mapping[str, str] = field(default_factory=_none)
    recipes: tuple[Recipe, ...] = ()
    stacks: Mapping[str, StackFile] = field(default_factory=lambda: MappingProxyType({}))
    standard: tuple[str, ...] = ()
    manifests: Mapping[str, str] = field(default_factory=_none)
    tests: tuple[str, ...] = ()
    variables: tuple[Variable, ...] = ()
    values: tuple[Value, ...] = ()
    addresses: tuple[Address, ...] = ()
    ignored: frozenset[str] = frozenset()
    """Files of variables that git ignores: a fresh worktree lacks them."""
    unread: tuple[str, ...] = ()
    """Compose files of the test stack that are none: not YAML, or without services."""

    def recipe(self, kind: Kind, name: str, file: str = "") -> Recipe | None:
        """The recipe of this kind and name, in ``file`` where one is given."""
        found = (r for r in self.recipes if r.kind is kind and r.name == name and file in ("", r.file))
        return next(found, None)
