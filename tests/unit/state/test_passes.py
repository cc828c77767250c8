"""The passes that a checkout remembers."""

from __future__ import annotations

from pathlib import Path

from tasklib.state.passes import Pass, Passes
from tasklib.state.store import State


def passed(service: str = "api", tree: str = "a", at: float = 1.0) -> Pass:
    return Pass("unit", service, tree, "rest", at, tests=3)


def test_the_newest_comes_first(tmp_path: Path) -> None:
    """And a pass on the same content again replaces the one before."""
    passes = Passes(State(tmp_path), "checkout", "")
    passes.add([passed(at=1.0), passed(tree="b", at=2.0)])
    passes.add([passed(at=3.0)])
    assert [(known.tree, known.at) for known in passes.all()] == [("a", 3.0), ("b", 2.0)]


def test_old_ones_are_forgotten_target_by_target(tmp_path: Path) -> None:
    """A target that runs often does not push out another's."""
    passes = Passes(State(tmp_path), "checkout", "")
    passes.add([passed("web", at=0.0)])
    for number in range(30):
        passes.add([passed(tree=str(number), at=1.0 + number)])
    found = passes.all()
    assert [known.tree for known in found if known.service == "api"] == [str(n) for n in range(29, 9, -1)]
    assert [known.service for known in found][-1] == "web"


def test_checkouts_and_projects_have_their_own(tmp_path: Path) -> None:
    """What passed here says nothing of another folder."""
    Passes(State(tmp_path), "one", "").add([passed()])
    assert Passes(State(tmp_path), "two", "").all() == ()
    assert Passes(State(tmp_path), "one", "backend").all() == ()
