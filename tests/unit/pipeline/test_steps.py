"""The steps of a run: what is begun when, and what is waited for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.pipeline.steps import FULL, Ahead, Effort, Gate, GetReady, Run, StackOf, TargetStep, steps, told
from tasklib.results import Stage, Target

UNIT, SERVICE, INTEGRATION = (Target(stage, "api") for stage in Stage)


def test_a_run_of_all_stages_has_its_stacks_created_while_unit_tests_run() -> None:
    """The full stack comes up while service tests run, and none of it without the stage before."""
    assert steps([UNIT, SERVICE, INTEGRATION], full=True, jobs=4) == (
        Ahead(StackOf(SERVICE), Effort.CREATE),
        Ahead(FULL, Effort.CREATE),
        Run((TargetStep(UNIT),), 4),
        Gate((SERVICE, INTEGRATION)),
        Ahead(FULL, Effort.UP),
        GetReady(INTEGRATION),
        Run((TargetStep(SERVICE, StackOf(SERVICE), afterwards=True),), 4),
        Gate((INTEGRATION,)),
        Run((TargetStep(INTEGRATION, FULL),), 1),
    )


def test_no_more_stacks_are_created_ahead_than_run_at_once() -> None:
    """The others' images are built all the same."""
    services = [Target(Stage.SERVICE, name) for name in ("a", "b", "c")]
    ahead = [step.effort for step in steps(services, full=False, jobs=2) if isinstance(step, Ahead)]
    assert ahead == [Effort.CREATE, Effort.CREATE, Effort.PREPARE]


def test_integration_tests_without_a_full_stack_are_run_against_nothing() -> None:
    """They bring up what they need themselves."""
    found = steps([INTEGRATION], full=False, jobs=2)
    assert [step for step in found if not isinstance(step, Gate)] == [Run((TargetStep(INTEGRATION),), 1)]


TARGETS = st.lists(
    st.builds(Target, st.sampled_from(list(Stage)), st.sampled_from("abcdef")), unique=True, max_size=9
)


@given(TARGETS, st.booleans(), st.integers(1, 5))
def test_every_target_is_run_once_and_only_after_the_stages_before_it(
    targets: list[Target], full: bool, jobs: int
) -> None:
    """Between two stages there is a gate that skips all that follows; no stack is used before it is known."""
    run: list[Target] = []
    known: set[StackOf] = set()
    gated: set[Target] = {target for target in targets if target.stage is Stage.UNIT}
    for step in steps(targets, full=full, jobs=jobs):
        match step:
            case Ahead(stack):
                known.add(stack)
            case Gate(rest):
                gated.update(rest)
                assert not set(rest) & set(run)
            case Run(tests):
                run += [test.target for test in tests]
                assert {test.target for test in tests} <= gated
                assert {test.stack for test in tests if test.stack} <= known
            case GetReady(target):
                assert target in gated
    assert sorted(map(str, run)) == sorted(map(str, targets))


@pytest.mark.parametrize(
    ("targets", "lines"),
    [
        ([UNIT], ["run unit api"]),
        (
            [UNIT, INTEGRATION],
            [
                "ahead: build the images and create the containers of the full stack",
                "run unit api",
                "go on only if all of that passed",
                "ahead: bring up the full stack",
                "ahead: get the tests of integration api ready",
                "run integration api against the full stack",
            ],
        ),
    ],
)
def test_a_plan_can_be_read(targets: list[Target], lines: list[str]) -> None:
    """What a dry run prints of it."""
    assert list(told(steps(targets, full=True, jobs=2))) == lines
