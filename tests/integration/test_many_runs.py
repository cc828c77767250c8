"""Many runs on one machine take turns."""

from __future__ import annotations

from pathlib import Path

from .projects import Checkout, command_environment

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
