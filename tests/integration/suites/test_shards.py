"""Several machines together run every test exactly once."""

from __future__ import annotations

import functools
import json
import operator
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from ..conftest import NewProject
from ..projects import Checkout, Ran

TESTS = "import pytest\n\n@pytest.mark.parametrize('n', range({0}))\ndef test_it(n): pass\n"


@pytest.fixture
def many(project: NewProject) -> Checkout:
    """A service with much to test and one with little, in files of all sizes."""
    files = {f"services/big/tests/unit/test_{n}.py": TESTS.format(n + 1) for n in range(7)}
    return project({**files, "services/small/tests/unit/test_it.py": TESTS.format(2)})


def ids(report: Path) -> list[str]:
    """The tests that a run.json holds, each with its service."""
    targets = json.loads(report.read_text())["targets"]
    return [f"{t['target']['service']} {test['id']}" for t in targets for test in t["tests"]]


def run(many: Checkout, folder: Path, number: int, of: int, *words: str, **env: str) -> Ran:
    named = ("--report", str(folder / f"{number}.json"), "--report", str(folder / f"{number}.jsonl"))
    return many.run("tasklib", "test.unit", "--shard", f"{number}/{of}", *named, *words, env=env)


@pytest.mark.parametrize(
    ("of", "recorded", "left"),
    [(2, False, ("big", "small")), (3, True, ("big", "small")), (3, True, ("small",))],
    ids=["unknown", "known", "too many"],
)
def test_together_all_tests_and_none_twice(
    many: Checkout, tmp_path: Path, of: int, recorded: bool, left: tuple[str, ...]
) -> None:
    """By the durations of the run before and without, and where a machine is left with nothing to do."""
    for service in {"big", "small"} - set(left):
        shutil.rmtree(many.root / "services" / service)
    whole = many.run("tasklib", "test.unit", "--report", str(tmp_path / "whole.json"))
    assert whole.code == 0, whole
    wanted = Counter(ids(tmp_path / "whole.json"))
    env = {"TASKLIB_DURATIONS": str(tmp_path / "whole.json")} if recorded else {}
    folder = tmp_path / "shards"
    for number in range(1, of + 1):
        ran = run(many, folder, number, of, **env)
        assert ran.code == 0, ran
    assert Counter(one for path in folder.glob("*.json") for one in ids(path)) == wanted
    merged = many.run("tasklib", "ci.merge", str(folder), "--report", str(tmp_path / "merged.json"))
    assert merged.code == 0, merged
    assert Counter(ids(tmp_path / "merged.json")) == wanted
    assert re.search(rf"PASSED: {wanted.total()} passed", merged.out), merged


def test_the_tests_of_one_file_are_shared(many: Checkout, tmp_path: Path) -> None:
    """With parameters; those of a class or a group together, none twice and none left out."""
    shutil.rmtree(many.root / "services/small")
    tests = many.root / "services/big/tests/unit"
    for path in tests.glob("*.py"):
        path.unlink()
    grouped = "@pytest.mark.xdist_group('one')\n"
    (tests / "test_it.py").write_text(
        f"{TESTS.format(20)}\n{grouped}def test_first(): ...\n\n"
        f"class TestThem:\n    def test_a(self): ...\n    def test_b(self): ...\n\n"
        f"{grouped}def test_z(): ...\n"
    )
    (many.root / "services/big/pytest.ini").write_text("[pytest]\nmarkers = xdist_group: together\n")
    whole = many.run("tasklib", "test.unit", "--report", str(tmp_path / "whole.json"))
    assert whole.code == 0, whole
    found = []
    for number in (1, 2, 3):
        ran = run(many, tmp_path / "shards", number, 3, TASKLIB_DURATIONS=str(tmp_path / "whole.json"))
        assert ran.code == 0, ran
        found.append(ids(tmp_path / f"shards/{number}.json"))
    assert Counter(functools.reduce(operator.iadd, found, [])) == Counter(ids(tmp_path / "whole.json"))
    assert all(found)
    together = {f"big tests/unit/test_it.py::test_{name}" for name in ("first", "z")}
    of_a_class = {f"big tests/unit/test_it.py::TestThem::test_{name}" for name in "ab"}
    for pair in (together, of_a_class):
        assert [len(pair.intersection(share)) for share in found].count(2) == 1
    merged = many.run("tasklib", "ci.merge", str(tmp_path / "shards"))
    assert merged.code == 0, merged


def test_machines_that_find_tests_of_other_names_are_refused(many: Checkout, tmp_path: Path) -> None:
    """In a file that they share: one of them may have run nowhere."""
    for service in ("big", "small"):
        shutil.rmtree(many.root / "services" / service)
    named = "import pytest, uuid\n\n@pytest.mark.parametrize('n', [uuid.uuid4().hex for _ in range(4)])\n"
    many.write({"services/big/tests/unit/test_it.py": f"{named}def test_it(n): ...\n"})
    for number in (1, 2):
        assert run(many, tmp_path / "shards", number, 2).code == 0
    merged = many.run("tasklib", "ci.merge", str(tmp_path / "shards"))
    assert merged.code == 2, merged
    assert "did not find the same tests of unit big" in merged.err


def test_xdist_is_told_as_well(many: Checkout, tmp_path: Path) -> None:
    """Each of its processes collects all tests, and leaves the same out."""
    (many.root / "services/big/pyproject.toml").write_text(
        '[project]\nname = "big"\nversion = "1"\nrequires-python = ">=3.11"\n'
        '[dependency-groups]\ndev = ["pytest", "pytest-xdist"]\n'
    )
    for number in (1, 2):
        ran = run(many, tmp_path, number, 2, "--name", "big", "--", "-n", "2")
        assert ran.code == 0, ran
    found = Counter(one for path in tmp_path.glob("*.json") for one in ids(path))
    assert set(found.values()) == {1}
    assert found.total() == sum(range(1, 8))


def test_a_share_that_failed_or_is_missing_fails_the_whole(many: Checkout, tmp_path: Path) -> None:
    """The failed test is shown again, and its exit code is the run's."""
    (many.root / "services/small/tests/unit/test_it.py").write_text("def test_it(): assert 1 == 2\n")
    shards = tmp_path / "shards"
    codes = {run(many, shards, number, 2).code for number in (1, 2)}
    assert codes == {0, 1}
    merged = many.run("tasklib", "ci.merge", str(shards), "--report", str(tmp_path / "junit.xml"))
    assert merged.code == 1, merged
    assert "assert 1 == 2" in merged.out
    assert 'failures="1"' in (tmp_path / "junit.xml").read_text()
    (shards / "2.jsonl").unlink()
    alone = many.run("tasklib", "ci.merge", str(shards))
    assert alone.code == 2, alone
    assert "shard 2/2 is missing" in alone.err


def test_machines_that_share_by_different_durations_are_refused(many: Checkout, tmp_path: Path) -> None:
    """A test may have run on none of them."""
    shards = tmp_path / "shards"
    whole = many.run("tasklib", "test.unit", "--report", str(tmp_path / "whole.json"))
    assert whole.code == 0, whole
    run(many, shards, 1, 2)
    run(many, shards, 2, 2, TASKLIB_DURATIONS=str(tmp_path / "whole.json"))
    merged = many.run("tasklib", "ci.merge", str(shards))
    assert merged.code == 2, merged
    assert "did not share the same tests" in merged.err


@pytest.mark.parametrize("text", ["{", "[]", '{"targets": [{"target": 1, "tests": [1]}]}'])
def test_durations_that_cannot_be_read_are_named(many: Checkout, tmp_path: Path, text: str) -> None:
    """Before anything runs: on another machine they might be read."""
    (tmp_path / "run.json").write_text(text)
    ran = run(many, tmp_path, 1, 2, TASKLIB_DURATIONS=str(tmp_path / "run.json"))
    assert ran.code == 2, ran
    assert "TASKLIB_DURATIONS names no report" in ran.err
    assert "run.json" in ran.err
