"""Python looks seldom for garbage while tests are collected, and as ever while they run."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from tasklib.pipeline.inject.tasklib_in_pytest import garbage

Garbage: Any = garbage.Garbage


class Collector(ModuleType):
    """Stands in for `gc`, which is one for the whole process: these tests are no reason to change it."""

    def __init__(self) -> None:
        super().__init__("gc")
        self.threshold: tuple[int, ...] = (700, 10, 10)

    def get_threshold(self) -> tuple[int, ...]:
        return self.threshold

    def set_threshold(self, *threshold: int) -> None:
        self.threshold = threshold

    def freeze(self) -> None:
        raise AssertionError("while tests run nothing is left alone")


@pytest.fixture
def at_exit(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """What was registered to be done when Python ends."""
    found: list[Callable[[], object]] = []
    monkeypatch.setattr(atexit, "register", found.append)
    return found


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch, at_exit: list[Callable[[], object]]) -> Collector:
    found = Collector()
    monkeypatch.setattr(garbage, "gc", found)
    return found


def test_it_looks_seldom_while_tests_are_collected_and_as_ever_afterwards(
    collector: Collector, at_exit: list[Callable[[], object]]
) -> None:
    """At the end it does not look again at what is there."""
    plugin = Garbage()
    assert collector.threshold == (garbage.SELDOM, 10, 10)
    plugin.pytest_collection_finish()
    assert collector.threshold == (700, 10, 10)
    assert at_exit == [collector.freeze]


def test_a_setting_that_a_conftest_makes_stays(collector: Collector) -> None:
    """Conftest files are loaded later."""
    plugin = Garbage()
    collector.set_threshold(5, 5, 5)
    plugin.pytest_collection_finish()
    assert collector.threshold == (5, 5, 5)


@pytest.mark.parametrize("first", [0, garbage.SELDOM * 2], ids=["off", "more seldom"])
def test_where_it_looks_less_anyway_nothing_changes(
    first: int, collector: Collector, at_exit: list[Callable[[], object]]
) -> None:
    """Somebody wants it that way."""
    collector.threshold = (first, 10, 10)
    plugin = Garbage()
    assert collector.threshold == (first, 10, 10)
    plugin.pytest_collection_finish()
    assert collector.threshold == (first, 10, 10)
    assert not at_exit


def test_a_python_without_all_of_that_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyPy has a collector of another kind."""
    monkeypatch.setattr(garbage, "gc", ModuleType("gc"))
    Garbage().pytest_collection_finish()
