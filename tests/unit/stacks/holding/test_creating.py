"""Creating a stack ahead of its start: how it ends when it cannot go on."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tasklib.errors import EngineError, Interrupted
from tasklib.isolation import Instance
from tasklib.process import Cancel
from tasklib.stacks.compose import compose
from tasklib.stacks.compose.failures import NotReady
from tasklib.stacks.compose.source import Source
from tasklib.stacks.engine import patience as engine_patience
from tasklib.stacks.holding import held_stack
from tasklib.stacks.holding.held_stack import HeldStack
from tasklib.stacks.plan import StackPlan
from tasklib.stacks.stack import Stack


class Prepared:
    """A stack of one service, wherever it is addressed."""

    config = {"name": "test-main_api", "services": {"api": {"image": "api"}}}
    env: dict[str, str] = {}

    def addressed(self, engine: object, seed: str) -> Prepared:
        return self


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Compose that creates for ever, until it is ended; set once it is under way."""
    begun = threading.Event()

    def create(source: object, config: object, env: object, on_line: object, cancel: Cancel) -> None:
        begun.set()
        while True:
            cancel.check()
            threading.Event().wait(0.005)

    monkeypatch.setattr(compose, "create", create)
    monkeypatch.setattr(engine_patience, "_BEAT", 0.02)
    return begun


def stack(*, answering: bool = True, patience: float = 60.0) -> Stack:
    """A prepared stack on an engine that has nothing of it."""
    nothing: Any = lambda *arguments, **options: ()  # noqa: E731

    def ping(timeout: float) -> None:
        if not answering:
            raise TimeoutError

    heart = engine_patience.Heart(ping)
    engine = SimpleNamespace(
        heart=heart,
        facts=SimpleNamespace(address=None),
        containers=nothing,
        owned=nothing,
        inherited=nothing,
        remove=nothing,
    )
    plan = StackPlan(Source((Path("/compose.yml"),), Path("/")), "api", ready_timeout=patience)
    made = Stack(plan, Instance("main", "checkout", "host"), cast("Any", engine))
    made._prepared = cast("Any", Prepared())
    return made


def test_an_engine_that_falls_silent_is_noticed(hanging: threading.Event) -> None:
    """Long before the stack's own patience is over."""
    with pytest.raises(EngineError, match="stopped answering"):
        stack(answering=False).create(Cancel())


def test_it_has_no_more_patience_than_the_stack(hanging: threading.Event) -> None:
    """What was not created by then is named."""
    with pytest.raises(NotReady, match=r"not ready after 0\.05 s, waiting for api \(not created\)"):
        stack(patience=0.05).create(Cancel())


@pytest.mark.parametrize("cut_off", [True, False])
def test_what_was_cut_off_stays_under_the_reapers_eyes(
    hanging: threading.Event, monkeypatch: pytest.MonkeyPatch, cut_off: bool
) -> None:
    """The engine may create yet what it was asked for: the reaper gets the lock and looks again."""
    done: list[str] = []

    def note(what: str) -> Any:
        return lambda *arguments: done.append(what)

    reaper = SimpleNamespace(watch=note("watch"), ready=note("ready"), spare=note("spare"))
    context = SimpleNamespace(
        instance=Instance("main", "checkout", "host"),
        engine=None,
        run_id="run",
        lock=lambda project: SimpleNamespace(
            acquire=note("lock"), release=note("release"), hand_over=note("hand over")
        ),
        runs=SimpleNamespace(add=note("add"), discard=note("discard")),
        kept=SimpleNamespace(get=lambda project: None),
        reaper=reaper,
    )
    inner = stack()
    monkeypatch.setattr(held_stack, "Stack", lambda *a, **k: inner)
    mine = HeldStack(cast("Any", context), inner.plan)
    cancel = Cancel()
    assert mine.take_ahead(cancel)
    if cut_off:

        def interrupt() -> None:
            hanging.wait(10)
            cancel.set()

        threading.Thread(target=interrupt).start()
        with pytest.raises(Interrupted):
            mine.stack.create(cancel)
    done.clear()
    mine.close()
    assert done == (["hand over"] if cut_off else ["spare", "release", "discard"])
