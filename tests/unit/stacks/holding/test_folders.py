"""What two runs, or a run and what stays up, write in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tasklib.errors import StackError, UsageError
from tasklib.events import Event, Notice
from tasklib.process import Cancel
from tasklib.stacks.engine.values import WritableMount
from tasklib.stacks.holding.folders import in_the_way
from tasklib.stacks.holding.held_stack import HeldStack
from tasklib.stacks.holding.run import RunContext
from tasklib.stacks.plan import StackPlan
from tests.memory_compose import MemoryCompose
from tests.memory_engine import MemoryEngine

from .conftest import NewRun

POSTGRES = "/var/lib/postgresql/data"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of the checkout."""
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def full(compose: MemoryCompose, plan: StackPlan, data: Path) -> StackPlan:
    """A stack with a database in that folder."""
    mount = {"type": "bind", "source": str(data), "target": POSTGRES}
    compose.services = {"db": {"image": "postgres:16", "volumes": [mount]}}
    return plan


def prepared(context: RunContext, plan: StackPlan, **options: Any) -> HeldStack:
    held = HeldStack(context, plan, **options)
    held.stack.prepare(Cancel())
    return held


def told(found: list[Event]) -> list[str]:
    return [event.text for event in found if isinstance(event, Notice)]


def test_a_stack_waits_for_what_another_run_has_up_there(
    engine: MemoryEngine, new_run: NewRun, full: StackPlan
) -> None:
    """And says for whom; it starts, and has a turn for that, once that run has taken its stack down."""
    first = prepared(new_run("first"), full)
    first.up(Cancel())
    heard: list[Event] = []
    turns: list[bool] = []

    @contextmanager
    def turn() -> Iterator[None]:
        turns.append(first.closed)
        yield

    def hear(event: Event) -> None:
        heard.append(event)
        first.close()

    second = prepared(replace(new_run("second"), emit=hear), replace(full, name="api"))
    second.up(Cancel(), turn)
    assert turns == [True]
    assert [c.project for c in engine.containers(second.project)] == [second.project]
    assert engine.containers(first.project) == ()
    (text,) = told(heard)
    assert text.startswith("the stack of api waits for test-main, which writes into data too, in use by ")
    second.close()


def test_a_kept_store_and_another_cannot_have_one_folder(
    engine: MemoryEngine, new_run: NewRun, full: StackPlan
) -> None:
    """One line says which, and what to do; the other way round too, and nothing of the second stays."""
    for kept, late in ((full, replace(full, name="api")), (replace(full, name="api"), full)):
        first = prepared(new_run("first"), kept, keep=True)
        first.up(Cancel())
        first.close()
        second = prepared(new_run("second"), late)
        with pytest.raises(
            StackError, match=r"both have their data in data, and test-main\S* is up"
        ) as raised:
            second.up(Cancel())
        assert "`tasklib infra.down`" in str(raised.value)
        second.close()
        assert engine.containers(second.project) == ()
        again = prepared(new_run("third"), kept)
        again.up(Cancel())  # What is up there is its own.
        again.close()
        engine.remove(engine.owned(again.stack.labels))


def test_who_starts_a_store_there_by_hand_is_named(
    engine: MemoryEngine, new_run: NewRun, full: StackPlan, data: Path
) -> None:
    """Also without Compose."""
    by_hand = engine.add_container("", "", writes=[(f"{data}/..//data", "/x")], name="mine")
    engine.start(by_hand.id)
    held = prepared(new_run(), full)
    with pytest.raises(StackError, match="the container mine is up"):
        held.up(Cancel())
    held.close()


def test_other_common_folders_are_said_once(
    engine: MemoryEngine, compose: MemoryCompose, new_run: NewRun, full: StackPlan, data: Path
) -> None:
    """Logs that two write are nobody's ruin; what does not run writes nothing."""
    mounts = [{"type": "bind", "source": str(data), "target": target} for target in ("/logs", "/more")]
    compose.services = {"api": {"image": "api", "volumes": mounts}}
    for name in ("dev-1", "dev-2"):
        engine.start(engine.add_container("shop-dev", "api", name=name, writes=[(str(data), "/logs")]).id)
    engine.add_container("shop-old", "api", writes=[(str(data), "/logs")])
    heard: list[Event] = []
    held = prepared(replace(new_run(), emit=heard.append), full)
    held.up(Cancel())
    held.close()
    assert told(heard) == ["the full stack and shop-dev, which is up, both write into data"]


def test_a_run_inside_of_another_does_not_wait_for_it(new_run: NewRun, full: StackPlan) -> None:
    """It would wait for ever."""
    outer = prepared(new_run("outer"), full)
    outer.up(Cancel())
    inner = prepared(new_run("inner", outer_runs=("outer",)), replace(full, name="api"))
    with pytest.raises(UsageError, match="in use by the run that started this one"):
        inner.up(Cancel())
    inner.close()
    outer.close()


def test_links_lead_to_the_same_folder(tmp_path: Path, data: Path) -> None:
    """What the engine was given need not be the folder's own name."""
    (tmp_path / "link").symlink_to(data)
    mount = WritableMount("c", "other", "", str(tmp_path / "link" / "pg"), "/x")
    assert in_the_way([mount], {data}, {"mine"}) == (mount,)
    assert in_the_way([mount], {data}, {"mine", "other"}) == ()
    assert in_the_way([mount], {tmp_path / "else"}, ()) == ()
