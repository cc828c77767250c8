"""Python looks seldom for garbage while tests are collected, and never at what they are made of."""

from __future__ import annotations

import gc
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tasklib.pipeline.inject.tasklib_in_pytest import garbage

Garbage: Any = garbage.Garbage


class Collector(ModuleType):
    """Stands in for `gc`, which is one for the whole process: these tests are no reason to change it."""

    def __init__(self) -> None:
        super().__init__("gc")
        self.threshold: tuple[int, ...] = (700, 10, 10)
        self.enabled = True
        self.frozen = False

    def get_threshold(self) -> tuple[int, ...]:
        return self.threshold

    def set_threshold(self, *threshold: int) -> None:
        self.threshold = threshold

    def isenabled(self) -> bool:
        return self.enabled

    def freeze(self) -> None:
        self.frozen = True


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Collector:
    found = Collector()
    monkeypatch.setattr(garbage, "gc", found)
    return found


def module(name: str, **values: object) -> ModuleType:
    found = ModuleType(name)
    vars(found).update(values)
    return found


def session(tests: ModuleType, *plugins: object) -> Any:
    manager = SimpleNamespace(get_plugins=lambda: {*plugins})
    items = [SimpleNamespace(module=tests), SimpleNamespace()]  # the second is no Python test
    return SimpleNamespace(items=items, config=SimpleNamespace(pluginmanager=manager))


def test_it_looks_seldom_while_tests_are_collected_and_as_ever_afterwards(collector: Collector) -> None:
    """What is there by then is left alone."""
    plugin = Garbage()
    assert collector.threshold == (garbage.SELDOM, 10, 10)
    plugin.pytest_collection_finish(session(module("test_a"), module("tests.conftest"), object()))
    assert collector.threshold == (700, 10, 10)
    assert collector.frozen


@pytest.mark.parametrize(
    ("tests", "conftest"),
    [
        ({"gc": "gc"}, {}),
        ({}, {"gc": "gc"}),
        ({"anything": gc.collect}, {}),
    ],
    ids=["a test imports it", "a conftest imports it", "one function of it"],
)
def test_tests_that_use_gc_find_all_as_ever(
    tests: dict[str, object], conftest: dict[str, object], collector: Collector
) -> None:
    """They may look for an object that was there before they began."""

    def real(values: dict[str, object]) -> dict[str, object]:
        return {name: collector if value == "gc" else value for name, value in values.items()}

    plugin = Garbage()
    plugin.pytest_collection_finish(
        session(module("test_a", **real(tests)), module("conftest", **real(conftest)))
    )
    assert not collector.frozen
    assert collector.threshold == (700, 10, 10)


def test_a_plugin_of_somebody_else_that_uses_gc_is_no_reason(collector: Collector) -> None:
    """pytest itself does."""
    plugin = Garbage()
    plugin.pytest_collection_finish(session(module("test_a"), module("_pytest.gc", gc=collector)))
    assert collector.frozen


@pytest.mark.parametrize(
    "settings",
    [
        lambda found: found.set_threshold(5, 5, 5),
        lambda found: setattr(found, "enabled", False),
    ],
    ids=["a threshold", "off"],
)
def test_settings_of_the_projects_own_stay(
    settings: Callable[[Collector], object], collector: Collector
) -> None:
    """Made while its conftest files are loaded."""
    plugin = Garbage()
    settings(collector)
    chosen = (collector.threshold, collector.enabled)
    plugin.pytest_collection_finish(session(module("test_a")))
    assert not collector.frozen
    assert (collector.threshold, collector.enabled) in (chosen, ((700, 10, 10), False))


def test_where_it_is_off_from_the_start_it_stays_off(collector: Collector) -> None:
    """A threshold of 0 is how Python spells that."""
    collector.threshold = (0, 10, 10)
    Garbage().pytest_collection_finish(session(module("test_a")))
    assert collector.threshold == (0, 10, 10)
    assert not collector.frozen


def test_a_lazy_value_in_a_test_module_is_not_woken(collector: Collector) -> None:
    """Settings of Django are loaded by the first look at them."""

    class Lazy:
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(f"somebody asked for {name}")

    Garbage().pytest_collection_finish(session(module("test_a", settings=Lazy())))
    assert collector.frozen


def test_a_python_without_all_of_that_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyPy has a collector of another kind."""
    monkeypatch.setattr(garbage, "gc", ModuleType("gc"))
    Garbage().pytest_collection_finish(session(module("test_a")))
