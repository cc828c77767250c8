"""A held stack from before it exists until it is gone or kept on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from tasklib.errors import EngineError, Interrupted, StackError, UsageError
from tasklib.listener import Listener
from tasklib.process import Cancel
from tasklib.stacks.compose.failures import NotReady
from tasklib.stacks.engine.values import Container
from tasklib.stacks.holding.held_stack import HeldStack, Life
from tasklib.stacks.holding.run import RunContext
from tasklib.stacks.holding.sweep import expire
from tasklib.stacks.plan import StackPlan
from tasklib.state.records import KeptStack
from tests.memory_compose import MemoryCompose
from tests.memory_engine import MemoryEngine

from .conftest import NewRun

LABELS = {"io.tasklib.instance": "main"}


def prepared(context: RunContext, plan: StackPlan, **options: Any) -> HeldStack:
    held = HeldStack(context, plan, **options)
    held.stack.prepare(Cancel())
    return held


def recorded(context: RunContext) -> tuple[str, ...]:
    """The projects that the next run would remove if this one died now."""
    run = context.runs.get(context.run_id)
    return run.projects if run else ()


def watched(context: RunContext) -> set[str]:
    """The projects that the reaper would remove if the run died now."""
    return set(context.reaper.stacks)


def test_a_stack_is_ours_while_it_is_up_and_gone_afterwards(
    engine: MemoryEngine, new_run: NewRun, plan: StackPlan
) -> None:
    """On record and watched over before anything of it exists, and no longer once nothing does."""
    context = new_run()
    held = prepared(context, plan)
    assert not held.touched
    held.up(Cancel())
    assert [c.state for c in engine.containers(held.project)] == ["running"]
    assert recorded(context) == (held.project,)
    assert watched(context) == {held.project}
    held.close()
    assert engine.owned(LABELS) == ()
    assert (recorded(context), watched(context)) == ((), set())
    lock = new_run("next").lock(held.project)
    assert lock.try_acquire()
    lock.release()


def test_what_was_in_its_project_before_the_tests_stays(
    engine: MemoryEngine, new_run: NewRun, plan: StackPlan
) -> None:
    """Somebody's data may be in it; what plain Compose made of other files meanwhile goes with the stack."""
    held = prepared(new_run(), plan)
    mine = {"com.docker.compose.project": held.project}
    engine.add_volume("before", mine)
    held.up(Cancel())
    engine.add_volume("meanwhile", mine)
    held.close()
    assert [resource.name for resource in engine.owned(mine)] == ["before"]


def test_a_stack_that_nobody_needed_is_not_touched(
    engine: MemoryEngine, new_run: NewRun, plan: StackPlan
) -> None:
    """Preparing alone leaves the stack of another run where it is."""
    engine.add_container("test-main", "api", labels=LABELS)
    held = prepared(new_run(), plan)
    held.close()
    assert len(engine.owned(LABELS)) == 1


def test_what_is_left_of_a_run_before_goes_first(
    engine: MemoryEngine, new_run: NewRun, plan: StackPlan
) -> None:
    """The container that is there is not the one that the tests get."""
    context = new_run()
    held = prepared(context, plan)
    old = engine.add_container(held.project, "api", labels=held.stack.labels)
    held.up(Cancel())
    assert old.id not in {c.id for c in engine.containers(held.project)}
    held.close()


def test_a_stack_can_be_created_before_it_is_needed(
    engine: MemoryEngine, compose: MemoryCompose, new_run: NewRun, plan: StackPlan
) -> None:
    """It is started later, and created only once."""
    held = prepared(new_run(), plan)
    assert held.take_ahead(Cancel())
    held.stack.create(Cancel())
    assert [c.state for c in engine.containers(held.project)] == ["created"]
    held.up(Cancel())
    assert [c.state for c in engine.containers(held.project)] == ["running"]
    assert compose.did == ["create"]
    held.close()


def test_what_was_removed_meanwhile_is_created_again(
    engine: MemoryEngine, compose: MemoryCompose, new_run: NewRun, plan: StackPlan
) -> None:
    """Someone cleaned up between creating and starting."""
    held = prepared(new_run(), plan)
    held.take_ahead(Cancel())
    held.stack.create(Cancel())
    engine.remove(engine.owned(held.stack.labels))
    held.up(Cancel())
    assert compose.did == ["create", "create"]
    held.close()


def test_a_kept_stack_outlives_its_run_and_is_used_again(
    engine: MemoryEngine, new_run: NewRun, plan: StackPlan
) -> None:
    """The next run brings it up to date, neither removes nor watches it, and leaves it where it is."""
    first = new_run("first")
    held = prepared(first, plan, keep=True)
    held.up(Cancel())
    held.close()
    (container,) = engine.containers(held.project)
    assert (watched(first), recorded(first)) == (set(), ())
    second = new_run("second")
    again = prepared(second, plan)
    assert not again.take_ahead(Cancel())
    again.up(Cancel())
    assert again.life is Life.KEPT
    assert watched(second) == set()
    again.close()
    assert [c.id for c in engine.containers(held.project)] == [container.id]


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({}, []),
        ({"environment": {"DEBUG": "1"}}, ["create"]),
        ({"image": "redis:8"}, ["create"]),
    ],
)
def test_compose_is_asked_for_a_kept_stack_only_where_something_changed(
    compose: MemoryCompose, new_run: NewRun, plan: StackPlan, change: dict[str, Any], asked: list[str]
) -> None:
    """What runs as it is meant to costs no start of Compose."""
    held = prepared(new_run("first"), plan, keep=True)
    held.up(Cancel())
    held.close()
    compose.did.clear()
    compose.services = {name: {**service, **change} for name, service in compose.services.items()}
    again = prepared(new_run("second"), plan)
    again.up(Cancel())
    again.close()
    assert compose.did == asked


def test_a_kept_stack_of_which_nothing_is_left_is_kept_no_more(new_run: NewRun, plan: StackPlan) -> None:
    """Someone removed it by hand: its record says nothing any more."""
    context = new_run()
    held = prepared(context, plan)
    context.kept.add(KeptStack(held.project, "checkout", "main", "/"))
    assert held.take_ahead(Cancel())
    assert context.kept.get(held.project) is None
    held.close()


def test_a_stack_that_should_be_kept_stays_where_it_fails(
    engine: MemoryEngine, new_run: NewRun, plan: StackPlan
) -> None:
    """For the user to look at."""
    engine.on_start = lambda container: engine.change(container.id, state="exited", exit_code=3)
    context = new_run()
    held = prepared(context, plan, keep=True)
    with pytest.raises(NotReady, match="api exited with code 3"):
        held.up(Cancel())
    held.close()
    assert context.kept.get(held.project)
    assert len(engine.containers(held.project)) == 1


@pytest.mark.parametrize("keep", [True, False])
def test_an_interrupted_start_leaves_nothing(
    engine: MemoryEngine, new_run: NewRun, plan: StackPlan, keep: bool
) -> None:
    """Not even of a stack that was to be kept: what is half up is of no use."""
    held = prepared(new_run(), plan, keep=keep)
    cancel = Cancel()

    def interrupt(container: Container) -> None:
        engine.change(container.id, health="starting")
        cancel.set()

    engine.on_start = interrupt
    with pytest.raises(Interrupted):
        held.up(cancel)
    held.close()
    assert engine.owned(held.stack.labels) == ()


def test_a_failed_start_says_what_could_not_be_created(
    compose: MemoryCompose, engine: MemoryEngine, new_run: NewRun, plan: StackPlan
) -> None:
    """And leaves nothing."""
    compose.failure = StackError("no space left on device")
    engine.add_image("api")
    held = prepared(new_run(), plan)
    with pytest.raises(StackError, match="no space left"):
        held.up(Cancel())
    held.close()
    assert engine.owned(held.stack.labels) == ()


def test_what_cannot_be_removed_stays_on_record(
    engine: MemoryEngine, new_run: NewRun, plan: StackPlan
) -> None:
    """The next run tries again."""
    context = new_run()
    held = prepared(context, plan)
    held.up(Cancel())
    engine.stuck |= {r.id for r in engine.owned(held.stack.labels, kinds=["network"])}
    held.close()
    assert recorded(context) == (held.project,)


def test_an_engine_that_stops_leaves_the_stack_to_the_reaper(
    engine: MemoryEngine, new_run: NewRun, plan: StackPlan
) -> None:
    """The lock is its own by then, and nothing is taken off the record."""
    context = new_run()
    held = prepared(context, plan)
    held.up(Cancel())
    engine.answering = False
    with pytest.raises(EngineError, match="stopped answering"):
        held.close()
    engine.answering = True
    assert recorded(context) == (held.project,)
    assert watched(context) == {held.project}


def test_whoever_waits_for_a_kept_stack_takes_no_turn_meanwhile(new_run: NewRun, plan: StackPlan) -> None:
    """Who uses it needs turns for its tests before it lets go of it."""
    first = prepared(new_run("first"), plan, keep=True)
    first.up(Cancel())
    turns: list[bool] = []

    @contextmanager
    def turn() -> Iterator[None]:
        turns.append(first.closed)
        yield

    second = prepared(replace(new_run("second"), emit=lambda event: first.close()), plan)
    assert not second.take_ahead(Cancel())
    second.up(Cancel(), turn)
    assert turns == [True]
    second.close()


def test_a_run_does_not_wait_for_the_run_that_started_it(new_run: NewRun, plan: StackPlan) -> None:
    """It would wait for ever."""
    outer = prepared(new_run("outer"), plan)
    outer.up(Cancel())
    inner = prepared(new_run("inner", outer_runs=("outer",)), plan)
    with pytest.raises(UsageError, match="in use by the run that started this one"):
        inner.up(Cancel())
    inner.close()
    outer.close()


def test_what_clients_are_told_wrongly_is_said_when_the_stack_is_prepared(
    compose: MemoryCompose, new_run: NewRun, plan: StackPlan
) -> None:
    """A loud hint is a notice to whoever listens; the others are for who asks for the config."""
    ports = [{"target": 8000, "published": "8000"}]
    quiet, loud = {"A": "http://host.docker.internal:8000"}, {"PUBLIC_URL": "http://localhost:8000"}
    compose.services = {"api": {"image": "api", "ports": ports, "environment": quiet | loud}}
    heard: list[str] = []

    class Hears(Listener):
        def notice(self, text: str) -> None:
            heard.append(text)

    prepared(new_run(), plan, listener=Hears())
    assert [text.partition(" tells")[0] for text in heard] == ["api: PUBLIC_URL"]


STORE = {
    "db": {"image": "postgres:16"},
    "api": {"image": "api", "depends_on": {"db": {"condition": "service_started"}}},
    "web": {"image": "web"},
}


def ids(engine: MemoryEngine, held: HeldStack) -> dict[str, str]:
    return {container.service: container.id for container in engine.containers(held.project)}


def test_a_kept_stack_gets_new_stores(
    engine: MemoryEngine, compose: MemoryCompose, new_run: NewRun, plan: StackPlan
) -> None:
    """And what depends on them starts anew, and nothing else; without that its age is known."""
    compose.services = STORE
    first = prepared(new_run("first"), plan, keep=True)
    first.up(Cancel())
    first.close()
    before = ids(engine, first)

    used = prepared(new_run("second"), plan)
    used.up(Cancel())
    used.close()
    assert used.since
    assert ids(engine, used) == before

    renewed = prepared(new_run("third"), plan, fresh=True)
    renewed.up(Cancel())
    renewed.close()
    assert renewed.since is None
    now = ids(engine, renewed)
    assert now.keys() == before.keys()
    assert {name for name in now if now[name] != before[name]} == {"db", "api"}


def test_a_stack_of_failed_tests_stays_for_a_time(
    engine: MemoryEngine, compose: MemoryCompose, new_run: NewRun, plan: StackPlan
) -> None:
    """To be looked at: the next run of it starts anew, as if it were left over."""
    held = prepared(new_run("first"), plan)
    held.up(Cancel())
    until = held.keep_failed(60)
    held.close()
    before = ids(engine, held)
    assert until
    assert before
    again = prepared(new_run("second"), plan)
    again.up(Cancel())
    assert again.life is Life.TRIED
    assert again.since is None
    assert not ids(engine, again).items() & before.items()
    again.close()
    assert engine.owned(LABELS) == ()


def test_what_stayed_to_be_looked_at_and_is_tested_again_goes(
    engine: MemoryEngine, new_run: NewRun, plan: StackPlan
) -> None:
    """By the same run: unless it fails once more."""
    held = prepared(new_run("first"), plan)
    held.up(Cancel())
    assert held.keep_failed(60)
    held.again(plan, Listener())
    held.stack.prepare(Cancel())
    held.up(Cancel())
    assert held.context.kept.get(held.project) is None
    held.close()
    assert engine.owned(LABELS) == ()


def test_what_stayed_to_be_looked_at_goes_when_its_time_is_over(
    engine: MemoryEngine, new_run: NewRun, plan: StackPlan
) -> None:
    """Unless someone uses it at that moment; what is kept on purpose has no such time."""
    context = new_run("first")
    held = prepared(context, plan)
    held.up(Cancel())
    held.keep_failed(60)
    assert expire(engine, context.state) == []
    record = context.kept.get(held.project)
    assert record
    context.kept.add(replace(record, until=1.0))
    assert expire(engine, context.state) == []
    held.close()
    assert expire(engine, context.state) == [held.project]
    assert engine.owned(LABELS) == ()
    assert context.kept.get(held.project) is None


def test_nothing_stays_that_was_not_up_or_stays_in_any_case(new_run: NewRun, plan: StackPlan) -> None:
    """There is nothing to look at before it was tried, and a kept stack goes when its user says so."""
    held = prepared(new_run("first"), plan, keep=True)
    assert held.keep_failed(60) is None
    held.up(Cancel())
    assert held.keep_failed(60) is None
    held.close()
    assert held.life is Life.KEPT
