"""Many runs on one machine take turns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from .conftest import NewProject
from .projects import Checkout, command_environment, compose
from .traces import Traces

FILES = {
    "services/api/tests/unit/test_api.py": """
        import pathlib, time

        def test_alone():
            mark = pathlib.Path(__file__).parents[4] / "testing"
            mark.touch()
            while not (mark.parent / "end").exists():
                time.sleep(0.01)
    """,
}


def test_a_run_waits_for_a_place_and_says_for_whom(tmp_path: Path) -> None:
    """Two checkouts of one user, one place: the second tests once the first is done, and both pass."""
    env = command_environment(tmp_path / "state") | {"TASKLIB_PLACES": "1"}
    checkouts = []
    for name in ("one", "two"):
        root = tmp_path / name
        root.mkdir()
        checkout = Checkout(root, "main", env)
        checkout.git("init", "-q", "-b", "main")
        checkout.write(FILES)
        checkouts.append(checkout)
    one, two = checkouts
    (two.root / "end").touch()
    with one.during("tasklib", "test.unit") as first:
        while not (one.root / "testing").exists():
            assert not first.ended, first.text
        with two.during("tasklib", "test.unit", "--format", "plain") as second:
            while "waiting for `tasklib test.unit`" not in second.text:
                assert not second.ended, second.text
            assert not (two.root / "testing").exists()
            (one.root / "end").touch()
            assert first.wait().code == 0
            ran = second.wait()
    assert ran.code == 0
    assert f"(pid {first.process.pid}), running since" in ran.text


def test_stacks_that_may_take_all_memory_take_turns(
    project: NewProject, engine: Any, token: str, traces: Traces
) -> None:
    """By the limit that their Compose file states; another run's tests wait, and are told for whom."""
    limit = engine.info()["MemTotal"]
    cache = f'image: "${{REDIS_IMAGE:-redis:7}}"\nports: ["6379"]\nmem_limit: "{limit}"\n'
    unit = FILES["services/api/tests/unit/test_api.py"]
    one = project(
        {
            "services/api/deploy/test/docker-compose.yml": compose(cache=cache),
            "services/api/tests/integration/test_api.py": unit,
        }
    )
    one = replace(one, env={**one.env, "TASKLIB_PLACES": "2"})
    two = one.worktree(f"other/{token}")
    (two.root / "end").touch()
    with one.during("tasklib", "test.service", "--format", "plain") as first:
        while not (one.root / "testing").exists():
            assert not first.ended, first.text
        with two.during("tasklib", "test.service", "--format", "plain") as second:
            while "waiting for `tasklib test.service" not in second.text:
                assert not second.ended, second.text
            assert not (two.root / "testing").exists()
            (one.root / "end").touch()
            assert first.wait().code == 0
            assert second.wait().code == 0
