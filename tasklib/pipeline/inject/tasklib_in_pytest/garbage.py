"""What tests are made of is not looked through for garbage again and again.

One full collection of what a web framework and its tests load takes as long as a dozen tests, and there are
several while all of it is imported and when Python ends. None of it is garbage. So Python looks seldom while
tests are collected, and not once more when it ends. While tests run it looks as ever, at everything: not to
look at what was there before (``gc.freeze``) would be faster still, but hypothesis and others that ask for
an object's referrers would find none.
"""

import atexit
import gc

import pytest

__all__ = ["Garbage"]

SELDOM = 50000
"""New objects between two looks for garbage while tests are collected."""


class Garbage:
    """Has Python look seldom until tests are collected, unless the project has settings of its own."""

    def __init__(self):
        self.usual = ()
        # PyPy and Python 3.6 have nothing of the kind; 0: the project wants none of it.
        if hasattr(gc, "freeze") and 0 < gc.get_threshold()[0] < SELDOM:
            self.usual = gc.get_threshold()
            gc.set_threshold(SELDOM, *self.usual[1:])
            atexit.register(gc.freeze)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self):
        if self.usual and gc.get_threshold() == (SELDOM, *self.usual[1:]):
            gc.set_threshold(*self.usual)
