"""Tests that are run by what a container does by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasklib.errors import ConfigError
from tasklib.pipeline.suites.suite import Suite, SuiteKind
from tasklib.pipeline.target_tests import TargetTests
from tasklib.process import Cancel
from tasklib.results import Outcome, Stage, Target
from tasklib.stacks.compose.source import Call


class Elsewhere:
    """Starts nothing of what it is given: whether CI is set is the verdict."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._folder = folder
        self._words = words

    @contextmanager
    def shared(self) -> Iterator[Path]:
        yield self._folder

    def call(self, argv: Sequence[str], env: Mapping[str, str], shared: Path) -> Call:
        assert not argv
        return Call(("/bin/sh", "-c", 'test -n "$CI"'), self._folder, env)

    def by_itself(self) -> tuple[str, ...]:
        return self._words

    def named(self, path: Path, word: str) -> str:
        return word


def ran(folder: Path, *words: str) -> Outcome:
    suite = Suite(Target(Stage.SERVICE, "shop"), SuiteKind.COMMAND, (), folder, folder, inside="sut")
    tests = TargetTests(lambda: suite, {}, lambda event: None, Cancel())
    return tests.run_inside(Elsewhere(folder, *words), {}).outcome


def test_what_a_container_does_by_itself_has_to_end(tmp_path: Path) -> None:
    """A watcher is refused, also behind the script of the package in the folder."""
    (tmp_path / "package.json").write_text('{"scripts": {"e2e": "jest --watch"}}')
    for words in (("ptw", "tests"), ("npm", "run", "e2e"), ("sh", "-c", "npm ci && yarn e2e")):
        with pytest.raises(ConfigError, match=r"sut runs `.*`, which waits for changes and never ends"):
            ran(tmp_path, *words)


def test_a_package_of_node_is_told_that_nobody_watches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`react-scripts test` and its like wait for changes without CI; others are left alone."""
    monkeypatch.delenv("CI", raising=False)
    assert ran(tmp_path, "npm", "test") is Outcome.PASSED
    assert ran(tmp_path, "go", "test") is Outcome.FAILED
