"""A suite: one target's test command, ready to run."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct, field

from tasklib.pipeline.shards import Share
from tasklib.results import Target

__all__ = ["PLUGIN", "SILENCE", "OtherPython", "Preparation", "Suite", "SuiteKind", "SuiteOptions"]

SILENCE = 600.0
"""Seconds without any sign of life after which a test process is ended, where no time limit is set."""


PLUGIN = "tasklib_in_pytest.plugin"
"""The plugin that is loaded into a foreign pytest."""


class Preparation(Struct, frozen=True):
    """A command that a suite needs once, run in ``folder``, unless ``stamp`` is newer than ``source``.

    ``source`` (absolute, must exist) is also what concurrent preparations lock. ``marks``: the stamp is a
    file of ours, written once it went well; others are the tool's own.
    """

    argv: tuple[str, ...]
    folder: Path
    source: Path
    stamp: Path
    marks: bool = False

    def needed(self) -> bool:
        try:
            return self.stamp.stat().st_mtime < self.source.stat().st_mtime
        except OSError:
            return True


class SuiteKind(StrEnum):
    """How a suite's results are learnt."""

    PYTEST = "pytest"
    VITEST = "vitest"
    COMMAND = "command"
    """By a JUnit report if it writes one, else by its exit code."""


class OtherPython(Struct, frozen=True):
    """A ``version`` of Python that tests run on instead, in folders of their own below ``environments``."""

    version: str
    environments: Path


class SuiteOptions(Struct, frozen=True):
    """What the user asks of every suite: ``-k``, what follows ``--``, a time limit in seconds, a Python.

    ``parts`` are the targets of which only a share is run.
    """

    keyword: str = ""
    extra: tuple[str, ...] = ()
    timeout: float | None = None
    verbose: bool = False
    python: OtherPython | None = None
    parts: Mapping[Target, Share] = field(default_factory=lambda: MappingProxyType({}))


class Suite(Struct, frozen=True):
    """A test command, ready to run: ``argv`` in ``cwd`` with ``env`` added and ``unset`` taken away.

    ``folder`` is the target's own, to which the files of its tests are relative; ``paths`` are the tests
    (relative to ``cwd``), ``prepare`` what has to be there first, ``timeout`` in seconds, ``silence`` the
    seconds that it may say nothing where there is no timeout, ``slow`` the seconds that one test should take
    at most. ``fullstack`` is which tests that are marked so run (``only`` them, or all but: ``exclude``);
    ``skip`` is why the suite cannot take part in this run, empty if it can; ``selects`` whether ``-k``
    narrows it. ``waits`` is whether ``argv`` may be started before the whole environment is known: it loads
    nothing of the project until it is let through a gate. ``inside`` is the Compose service in whose image it
    runs, started where that starts; without ``argv`` it is what the service itself would do. ``notes`` are
    for the user: what was found beside it and is not used. ``share`` is what is run of its tests.
    """

    target: Target
    kind: SuiteKind
    argv: tuple[str, ...]
    cwd: Path
    folder: Path
    paths: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    unset: frozenset[str] = frozenset()
    prepare: tuple[Preparation, ...] = ()
    timeout: float | None = None
    silence: float = SILENCE
    slow: float = float("inf")
    keyword: str = ""
    fullstack: str = ""
    skip: str = ""
    selects: bool = True
    waits: bool = False
    inside: str = ""
    notes: tuple[str, ...] = ()
    share: Share | None = None

    @property
    def tests(self) -> tuple[Path, ...]:
        """Where the tests are, absolute."""
        return tuple(self.cwd / path for path in self.paths)

    @property
    def plain(self) -> tuple[str, ...]:
        """The command without what makes pytest tell us of every test."""
        if PLUGIN not in self.argv:
            return self.argv
        at = self.argv.index(PLUGIN)
        return (*self.argv[: at - 1], *self.argv[at + 1 :])
