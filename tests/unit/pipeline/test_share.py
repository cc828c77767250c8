"""Of the tests of a target each is in exactly one part, and the parts take about as long."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.pipeline.inject.tasklib_in_pytest import share

parts: Callable[..., dict[str, int]] = share.parts

names = st.sampled_from([f"test_{n}.py" for n in range(5)])
counts = st.dictionaries(names, st.integers(1, 30), min_size=1)
seconds = st.floats(0, 1e4)


def collected(sizes: dict[str, int]) -> dict[str, set[str]]:
    return {name: {f"{name}::test[{n}]" for n in range(size)} for name, size in sizes.items()}


def alone(tests: dict[str, set[str]]):  # type: ignore[no-untyped-def]
    """No test belongs to another."""
    return lambda name: {test: test for test in tests[name]}


def place(test: str, places: dict[str, int]) -> int:
    return places[test] if test in places else places[test.partition("::")[0]]


@given(counts, st.dictionaries(names, seconds), st.data(), st.integers(1, 9))
def test_every_test_is_in_one_part_whatever_is_known(
    sizes: dict[str, int], files: dict[str, float], data: st.DataObject, of: int
) -> None:
    """Of records that are wrong, too; all machines decide the same in whatever order they found the tests."""
    tests = collected(sizes)
    every = sorted(set().union(*tests.values()))
    slow = data.draw(st.dictionaries(st.sampled_from([*every, "gone.py::test"]), seconds, max_size=9))
    whole = data.draw(st.sets(st.sampled_from(sorted(tests))))

    def grouped(name: str) -> dict[str, str]:
        return {} if name in whole else {test: test[:-2] for test in tests[name]}

    places = parts(tests, of, files, slow, grouped)
    assert {place(test, places) for test in every} <= set(range(of))
    for name in tests:
        # Whole by its name, or cut: by all of its tests.
        assert (name in places) is not any(test in places for test in tests[name])
        assert name in places or tests[name] <= places.keys()
        assert name in places or name not in whole
    for group in {test[:-2] for test in every if test in places}:
        assert len({places[test] for test in every if test in places and test[:-2] == group}) == 1
    shuffled = {name: set(random.sample(sorted(held), len(held))) for name, held in reversed(tests.items())}
    assert parts(shuffled, of, dict(reversed(files.items())), slow, grouped) == places


@pytest.mark.parametrize("of", [2, 3, 4, 7])
@pytest.mark.parametrize("known", [False, True])
def test_one_file_is_spread_evenly(of: int, known: bool) -> None:
    """By the numbers of its tests, and where they are known by the seconds of each."""
    tests = collected({"test_0.py": 200})
    took = {
        test: (9.0 if n < 20 else 0.1) if known else 1.0 for n, test in enumerate(sorted(tests["test_0.py"]))
    }
    files, slow = ({"test_0.py": sum(took.values())}, took) if known else ({}, {})
    places = parts(tests, of, files, slow, alone(tests))
    loads = [sum(spent for test, spent in took.items() if place(test, places) == n) for n in range(of)]
    assert max(loads) <= 1.3 * sum(loads) / of + (9.0 if known else 0.0) / 2
    assert min(loads) > 0


def test_files_that_are_no_longer_than_a_fair_share_stay_whole() -> None:
    """What all tests of a file need is made once then; tests of one group are together in any case."""
    tests = collected({"test_0.py": 40, "test_1.py": 5, "test_2.py": 5})
    places = parts(tests, 2, {}, {}, lambda name: dict.fromkeys(tests[name], "@one"))
    assert {"test_1.py", "test_2.py"} <= places.keys()
    assert len({places[test] for test in tests["test_0.py"]}) == 1
