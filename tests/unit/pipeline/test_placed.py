"""Where an engine dies, its targets run again on another one, once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tasklib.errors import EngineError, TasklibError, engine_stopped
from tasklib.events import Event, Notice, TargetRestarted
from tasklib.pipeline.placed import PlacedStacks
from tasklib.pipeline.steps import StackOf
from tasklib.process import Cancel
from tasklib.results import Outcome, Stage, Target, TargetResult

API = Target(Stage.SERVICE, "api")
KEY = StackOf(API)


class Engines:
    """Engines that are alive by name, and what the runs of a target come to there."""

    def __init__(self, *names: str, **outcomes: Outcome | TasklibError) -> None:
        self.alive = dict.fromkeys(names, True)
        self.outcomes = outcomes
        self.ran: list[str] = []
        self.events: list[Event] = []
        self.contexts = [self._context(name) for name in names]

    def _context(self, name: str) -> Any:
        heart = SimpleNamespace(beats=lambda: self.alive[name])
        return SimpleNamespace(
            listed=name, engine=SimpleNamespace(heart=heart, facts=SimpleNamespace(id=name))
        )

    # -- as a fleet --------------------------------------------------------------------------------------

    @property
    def several(self) -> bool:
        return len(self.contexts) > 1

    def living(self) -> Any:
        contexts = [context for context in self.contexts if self.alive[context.listed]]
        return SimpleNamespace(contexts=contexts, place=lambda plans: contexts[:1])

    # -- as an execution ---------------------------------------------------------------------------------

    def stack_plan(self, service: str | None) -> Any:
        return service

    def place(self, plans: Any) -> Any:
        return (self.contexts[-1],) * len(plans)

    def stack(self, target: Target, plan: Any, context: Any) -> Any:
        return SimpleNamespace(context=context)

    def tests(self, target: Target) -> Any:
        return None

    def against(self, target: Target, stack: Any, tests: Any) -> TargetResult:
        name = stack.context.listed
        self.ran.append(name)
        outcome = self.outcomes[name]
        if outcome is not Outcome.PASSED:
            self.alive[name] = not name.startswith("dying")
        if isinstance(outcome, TasklibError):
            raise outcome
        return TargetResult(target, outcome)

    def placed(self) -> PlacedStacks:
        me = cast("Any", self)
        return PlacedStacks(me, me, {KEY: API}, self.events.append, Cancel())

    def run(self) -> TargetResult:
        return self.placed().against(API, KEY, cast("Any", None))


@pytest.mark.parametrize("outcome", [Outcome.FAILED, engine_stopped()])
def test_what_did_not_pass_on_an_engine_that_died_runs_again(outcome: Outcome | TasklibError) -> None:
    """Its tests may have noticed, or we; the user is told, and so is whoever counts tests."""
    engines = Engines("big", "dying", big=Outcome.PASSED, dying=outcome)
    result = engines.run()
    assert engines.ran == ["dying", "big"]
    assert (result.outcome, result.again) == (
        Outcome.PASSED,
        "run again on big: dying stopped answering",
    )
    assert [type(event) for event in engines.events] == [Notice, TargetRestarted]


def test_it_runs_again_once() -> None:
    """Where the second engine dies, too, that is the result."""
    engines = Engines("big", "dying1", "dying2", dying1=Outcome.FAILED, dying2=Outcome.FAILED)
    engines.contexts = [engines.contexts[1], engines.contexts[0], engines.contexts[2]]
    result = engines.run()
    assert (engines.ran, result.outcome) == (["dying2", "dying1"], Outcome.FAILED)


@pytest.mark.parametrize("names", [("dying",), ("big", "fine")])
def test_what_fails_on_an_engine_that_lives_or_has_no_other_is_a_result(names: tuple[str, ...]) -> None:
    """A test that fails fails."""
    engines = Engines(*names, dying=Outcome.FAILED, fine=Outcome.FAILED)
    assert (engines.run().outcome, len(engines.ran), engines.events) == (Outcome.FAILED, 1, [])


def test_where_none_is_left_the_reason_is_told() -> None:
    """As on a single engine."""
    engines = Engines("dying1", "dying2", dying2=engine_stopped())
    engines.alive["dying1"] = False
    with pytest.raises(EngineError, match="stopped answering"):
        engines.run()


def test_targets_that_share_a_stack_go_on_where_it_is_now() -> None:
    """What starts after the engine is known to be dead has not run there, and is not run twice."""
    engines = Engines("big", "dying", big=Outcome.PASSED, dying=Outcome.FAILED)
    placed = engines.placed()
    placed.against(API, KEY, cast("Any", None))
    second = placed.against(API, KEY, cast("Any", None))
    assert (engines.ran, second.again) == (["dying", "big", "big"], "")
