"""What tests are made of is not looked through for garbage again and again.

One full collection of what a web framework and its tests load takes as long as a dozen tests, and there are
many: while all of it is imported, while tests run, at pytest's end, at Python's. None of it is garbage. So
Python looks seldom while tests are collected, and from then on leaves alone what is there by then: see
``gc.freeze`` in Python's documentation. Whatever tests make themselves is collected as ever.
"""

import gc
import sys
import types

import pytest

__all__ = ["Garbage"]

SELDOM = 50000
"""New objects between two looks for garbage while tests are collected."""

WATCHERS = ("guppy", "objgraph", "pympler", "pytest_leaks")
"""What looks at all objects that there are."""


class Garbage:
    """Has Python look seldom from now on, and not at all at what is there once tests are collected.

    Where the project has settings of its own, or its tests or conftest files use ``gc``, all is as ever.
    """

    def __init__(self):
        # PyPy and Python 3.6 have nothing of the kind; 0: the project wants none of it.
        self.usual = gc.get_threshold() if hasattr(gc, "freeze") else (0,)
        self.seldom = (max(SELDOM, self.usual[0]), *self.usual[1:])
        if self.usual[0]:
            gc.set_threshold(*self.seldom)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session):
        if not self.usual[0] or gc.get_threshold() != self.seldom:
            return
        gc.set_threshold(*self.usual)
        if gc.isenabled() and not _is_watched(session):
            gc.freeze()


def _is_watched(session):
    """Whether somebody would miss what is left alone."""
    if any(name in sys.modules for name in WATCHERS):
        return True
    tests = {id(module): module for module in (getattr(item, "module", None) for item in session.items)}
    plugins = [plugin for plugin in session.config.pluginmanager.get_plugins() if _is_conftest(plugin)]
    return any(_uses_gc(module) for module in list(tests.values()) + plugins)


def _is_conftest(plugin):
    return isinstance(plugin, types.ModuleType) and plugin.__name__.rpartition(".")[2] == "conftest"


def _uses_gc(module):
    """Whether a module has imported ``gc``, or a function of it."""
    # Types are asked, not values: a lazy object would wake up.
    return isinstance(module, types.ModuleType) and any(
        value is gc or (type(value) is types.BuiltinFunctionType and value.__module__ == "gc")
        for value in list(vars(module).values())
    )
