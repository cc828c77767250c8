"""What a finished test process amounts to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.pipeline.runners.verdict import Ending, how_it_ended, judge
from tasklib.results import Counts, Outcome

GOOD: dict[str, Any] = {"code": 0, "counts": Counts(total=2, passed=2), "ended": 0}


def ending(**changes: Any) -> Ending:
    return Ending(**{**GOOD, **changes})


@pytest.mark.parametrize(
    ("changes", "outcome", "exit_code", "reason"),
    [
        ({}, Outcome.PASSED, 0, ""),
        ({"counts": Counts(total=2, passed=1, failed=1), "code": 1, "ended": 1}, Outcome.FAILED, 0, ""),
        # An exit code does not talk a failure away.
        ({"counts": Counts(total=2, passed=1, errors=1)}, Outcome.FAILED, 0, ""),
        ({"code": 3}, Outcome.ERROR, 1, "no test failed, but pytest ended with exit code 3"),
        ({"ended": 3}, Outcome.ERROR, 1, "no test failed, but pytest ended with exit code 3"),
        ({"ended": None}, Outcome.ERROR, 1, "the test process ended between tests (exit code 0)"),
        (
            {"ended": None, "code": -9, "running": ("a", "b")},
            Outcome.ERROR,
            1,
            "the test process ended while a and b ran (SIGKILL)",
        ),
        # A test that stopped the session keeps others from running: more than a failure.
        (
            {"ended": 2, "code": 2, "counts": Counts(total=2, errors=1), "running": ("a",), "stopped": "no"},
            Outcome.ERROR,
            1,
            "no",
        ),
        (
            {"ended": None, "running": tuple("abcde")},
            Outcome.ERROR,
            1,
            "the test process ended while a and b and c and 2 more ran (exit code 0)",
        ),
        (
            {"code": None, "ended": None, "limit": 60.0, "running": ("a",)},
            Outcome.ERROR,
            1,
            "ended after 60 s, its time limit: a was running",
        ),
        (
            {"spoke": False, "ended": None, "code": 1, "last": "no such package"},
            Outcome.ERROR,
            2,
            "pytest did not start (exit code 1): no such package",
        ),
        (
            {"ended": None, "code": 4, "counts": Counts(), "last": "unrecognized arguments"},
            Outcome.ERROR,
            2,
            "pytest refused its arguments: unrecognized arguments",
        ),
        (
            {"counts": Counts(), "ended": 5, "code": 5, "paths": ("tests/unit",)},
            Outcome.ERROR,
            2,
            "no tests found in tests/unit",
        ),
        ({"counts": Counts(), "paths": ("t",)}, Outcome.ERROR, 2, "no tests found in t"),
        (
            {"counts": Counts(), "ended": 5, "code": 5, "deselected": 3, "paths": ("t",)},
            Outcome.ERROR,
            2,
            "no test ran: all 3 in t are deselected",
        ),
        (
            {
                "counts": Counts(),
                "ended": 5,
                "code": 5,
                "deselected": 3,
                "paths": ("t",),
                "chosen": ("-k", "a"),
            },
            Outcome.ERROR,
            2,
            "no test ran: all 3 in t are deselected by -k 'a': run them with `-- -k ''`, or take the -k "
            "out of addopts",
        ),
        (
            {"counts": Counts(), "ended": 5, "code": 5, "deselected": 3, "keyword": "x"},
            Outcome.SKIPPED,
            0,
            "no test matches -k 'x'",
        ),
        ({"counts": Counts(total=2)}, Outcome.ERROR, 1, "pytest ended without running any of its tests"),
        ({"counts": Counts(total=2), "only_collected": True}, Outcome.PASSED, 0, ""),
        (
            {"counts": Counts(total=2), "only_collected": True, "asked": False},
            Outcome.ERROR,
            2,
            "no test ran: --collect-only, --setup-only or --setup-plan stands in pytest's settings: "
            "take it out of addopts",
        ),
        (
            {"counts": Counts(), "ended": 5, "code": 5, "left": "--testmon", "paths": ("t",)},
            Outcome.ERROR,
            2,
            "no test ran: --testmon in pytest's settings leaves out all in t; `-- -o addopts=` runs them",
        ),
        ({"stopped": "had enough"}, Outcome.ERROR, 1, "had enough"),
        (
            {"trouble": ("usage", "what?"), "ended": 4, "code": 4},
            Outcome.ERROR,
            2,
            "pytest refused its arguments: what?",
        ),
        (
            {"coverage": (90.0, 59.999), "code": 1, "ended": 1},
            Outcome.FAILED,
            0,
            "coverage is 60.00 %, below the 90 % that the project asks for",
        ),
        (
            {"ended": None, "code": 5, "counts": Counts(), "importing": "t/test_a.py", "last": "chatter"},
            Outcome.ERROR,
            1,
            "the test process ended while t/test_a.py was imported (exit code 5)",
        ),
        (
            {"runner": "vitest", "ended": None, "code": 4},
            Outcome.ERROR,
            1,
            "the test process ended between tests (exit code 4)",
        ),
    ],
)
def test_every_ending_has_its_outcome_and_reason(
    changes: dict[str, Any], outcome: Outcome, exit_code: int, reason: str
) -> None:
    """A pass needs every sign of one; whatever else it was is said in one line."""
    verdict = judge(ending(**changes))
    assert (verdict.outcome, verdict.exit_code, verdict.reason) == (outcome, exit_code, reason)


@given(
    code=st.one_of(st.none(), st.integers(-15, 255)),
    ended=st.one_of(st.none(), st.integers(0, 6)),
    counts=st.builds(Counts, total=st.integers(0, 3), passed=st.integers(0, 3), failed=st.integers(0, 1)),
    spoke=st.booleans(),
    running=st.sampled_from([(), ("a",)]),
    keyword=st.sampled_from(["", "x"]),
    deselected=st.integers(0, 2),
)
def test_nothing_passes_without_tests_and_both_zeroes(**changes: Any) -> None:
    """Whatever comes together: a pass has passed tests, no failure, and 0 from the runner and the process."""
    given_ending = ending(**changes)
    verdict = judge(given_ending)
    if verdict.outcome is Outcome.PASSED:
        assert (given_ending.code, given_ending.ended, given_ending.counts.failed) == (0, 0, 0)
        assert given_ending.counts.done > 0
    if verdict.outcome is Outcome.ERROR:
        assert verdict.reason
        assert verdict.exit_code in (1, 2)


@pytest.mark.parametrize(
    ("code", "words"),
    [(-9, "SIGKILL"), (137, "SIGKILL"), (-11, "SIGSEGV"), (2, "exit code 2"), (255, "exit code 255")],
)
def test_exit_codes_in_words(code: int, words: str) -> None:
    """A signal has its name, whoever passed it on."""
    assert how_it_ended(code) == words
