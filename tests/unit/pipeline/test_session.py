"""Stacks of runs that follow each other: each stays where it is while its engine lives."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tasklib.listener import Listener
from tasklib.pipeline.options import Options
from tasklib.pipeline.session import Session

PLAN = cast("Any", SimpleNamespace(name="api", title="the stack of api"))


class Held:
    """A held stack, of which nothing is up."""

    def __init__(self, context: Any, plan: Any, **_: Any) -> None:
        self.context, self.closed, self.looks = context, False, 1
        self.stack = SimpleNamespace(plan=plan)

    def again(self, plan: Any, listener: Listener) -> None:
        self.looks += 1

    def close(self) -> None:
        self.closed = True


def engine(*, beats: bool = True) -> Any:
    connection = SimpleNamespace(heart=SimpleNamespace(beats=lambda: beats))
    return SimpleNamespace(connection=connection)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr("tasklib.pipeline.session.HeldStack", Held)
    return Session(Options(), lambda event: None)


def test_a_stack_that_comes_back_to_an_engine_is_the_one_that_was_there(session: Session) -> None:
    """It holds its lock still: another hold would wait for it for ever."""
    one, other = engine(), engine()
    first = session.held(PLAN, Listener(), one)
    assert session.held(PLAN, Listener(), one) is first
    moved = session.held(PLAN, Listener(), other)
    assert (moved is first, session.place_of(PLAN)) == (False, other)
    assert session.held(PLAN, Listener(), one) is first
    assert cast("Any", first).looks == 3
    session.close()
    assert first.closed
    assert moved.closed


def test_a_session_is_lost_with_its_last_engine(session: Session) -> None:
    """One without an engine is not."""
    for beating, lost in (([True, False], False), ([False, False], True), ([], False)):
        contexts = [engine(beats=beats) for beats in beating] or [SimpleNamespace(connection=None)]
        session.open(cast("Any", SimpleNamespace(contexts=tuple(contexts))))
        assert session.lost is lost
