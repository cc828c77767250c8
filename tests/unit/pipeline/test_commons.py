"""Stacks that write one folder of the checkout run one after another, and never wait in a circle."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tasklib.errors import Interrupted, StackError
from tasklib.pipeline.commons import Commons
from tasklib.process import Cancel

ROOT = Path("/shop")


@dataclass(eq=False)
class Stack:
    title: str
    folders: tuple[str, ...] = ()
    prepared: bool = True
    broken: bool = False

    @property
    def writes(self) -> frozenset[Path]:
        return frozenset(ROOT / folder for folder in self.folders) if self.prepared else frozenset()

    def prepare(self) -> None:
        if self.broken:
            raise StackError("broken")
        self.prepared = True


@dataclass
class Run:
    """The stacks of a run, those that are in, in the order they came, and what the user was told."""

    said: list[str] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)
    cancel: Cancel = field(default_factory=Cancel)

    def __post_init__(self) -> None:
        self.commons = Commons(ROOT, self.said.append)

    def enters(self, stack: Stack, *, last: bool = False) -> threading.Thread:
        def enter() -> None:
            self.commons.enter(stack, self.cancel, last=last)
            self.inside.append(stack.title)

        thread = threading.Thread(target=enter)
        thread.start()
        return thread


def until(holds: Callable[[], object]) -> None:
    for _ in range(1000):
        if holds():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it takes too long")


def test_one_after_the_other_and_said_once() -> None:
    """The second waits until the first has left; whoever writes elsewhere does not."""
    run, first, second = Run(), Stack("first", ("data",)), Stack("second", ("data/pg", "logs"))
    run.enters(first).join()
    waiting = run.enters(second)
    run.enters(Stack("other", ("other",))).join()
    run.enters(Stack("nothing")).join()
    until(lambda: run.said)
    assert run.inside == ["first", "other", "nothing"]
    run.commons.leave(first)
    waiting.join(10)
    assert run.inside[-1] == "second"
    assert run.said == ["second waits for first: both write into data/pg"]


def test_the_last_lets_all_others_go_first() -> None:
    """Also those that are not up yet, and not even prepared; one that cannot be is not waited for."""
    run, full = Run(), Stack("full", ("data",))
    later, broken = Stack("later", ("data",), prepared=False), Stack("broken", ("data",), False, True)
    for stack in (later, broken):
        run.commons.expect(stack)
    waiting = run.enters(full, last=True)
    until(lambda: run.said)
    run.enters(later).join(10)
    assert run.inside == ["later"]
    run.commons.leave(later)
    waiting.join(10)
    assert run.inside == ["later", "full"]


def test_a_run_that_ends_waits_no_longer() -> None:
    """Whoever waits is interrupted, and has nothing."""
    run, first, second = Run(), Stack("first", ("data",)), Stack("second", ("data",))
    run.enters(first).join()
    run.cancel.set("stop")
    with pytest.raises(Interrupted):
        run.commons.enter(second, run.cancel, last=False)
    run.commons.leave(second)
    run.commons.leave(first)
    run.commons.enter(second, Cancel(), last=False)
