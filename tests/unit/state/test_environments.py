"""Environments of other Pythons in the state folder."""

from __future__ import annotations

from pathlib import Path

from tasklib.state.environments import environments_of, remove_environments
from tasklib.state.store import State


def test_what_projects_that_are_gone_left_is_removed(tmp_path: Path) -> None:
    """Each project has a folder of its own until it is removed, by the project or since that is gone."""
    state = State(tmp_path / "state")
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    mine = environments_of(one, state)
    (mine / "3.13").mkdir()
    assert environments_of(two, state) != mine
    assert environments_of(one, state) == mine
    two.rmdir()
    environments_of(one, state)
    assert [path.name for path in mine.parent.iterdir()] == [mine.name]
    assert remove_environments(one, state)
    assert not remove_environments(one, state)
