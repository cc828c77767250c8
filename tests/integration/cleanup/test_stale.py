"""`clean.stale` shows what checkouts left that are gone from the disk, and removes it on `--yes`."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker.errors
import pytest

from tasklib.instance.claim import owner
from tasklib.state.store import State

from ..conftest import NewProject
from ..projects import Checkout
from ..traces import Traces
from .support import FILES
from .test_clean import BUILT, PLAIN, dockerfile

BRANCHES = 4
"""Stands for twenty."""


@pytest.fixture
def clone(project: NewProject, token: str) -> Checkout:
    """A checkout whose service is built, with bytes of its own in the image."""
    made = project({**FILES, "services/api/deploy/test/docker-compose.yml": BUILT})
    made.write({"services/api/Dockerfile": dockerfile(token)})
    made.commit()
    return made


def test_a_deleted_worktree(clone: Checkout, traces: Traces, token: str) -> None:
    """Its kept stack and its images are shown first, with the reason; the living checkout's are not."""
    worktree = clone.worktree(f"feature/{token}-2")
    for checkout in (clone, worktree):
        assert checkout.run("tasklib", "infra.up", "--name", "api").code == 0
    assert clone.run("tasklib", "clean.stale").out == "nothing is stale\n"
    clone.git("worktree", "remove", "--force", str(worktree.root))

    shown = clone.run("tasklib", "clean.stale")
    assert shown.code == 0, shown
    stack, remedy = shown.out.splitlines()
    assert stack.startswith(f"test-feature-{token}-2_api: 1 container, 1 network, 1 volume, 2 image tags")
    assert stack.endswith(f"{worktree.root} is gone")
    assert remedy == "`tasklib clean.stale --yes` removes this"
    assert len(traces.containers()) == 2

    removed = clone.run("tasklib", "clean.stale", "--yes")
    assert "removed 1 container, 1 network, 1 volume, 2 image tags" in removed.out
    assert [row["Names"][0] for row in traces.containers()] == [f"/test-feature-{token}_api.api"]
    assert len(traces.images()) == 2
    assert clone.run("tasklib", "clean.stale").out == "nothing is stale\n"
    assert clone.run("tasklib", "clean").code == 0


def test_many_branches_do_not_fill_the_disk(clone: Checkout, traces: Traces, token: str) -> None:
    """Images of checkouts that are gone go with their layers: no byte that only they had is left."""
    for number in range(BRANCHES):
        worktree = clone.worktree(f"b{number}-{token}")
        worktree.write({"services/api/Dockerfile": dockerfile(token, number)})
        assert worktree.run("tasklib", "infra.up", "--name", "api").code == 0
        assert worktree.run("tasklib", "infra.down").code == 0
        shutil.rmtree(worktree.root)
    assert len(traces.images()) == 2 * BRANCHES
    assert len(traces.layers()) >= BRANCHES

    removed = clone.run("tasklib", "clean.stale", "--yes")
    assert f"removed {2 * BRANCHES} image tags ({5 * BRANCHES}.0 MB)" in removed.out, removed
    assert not traces.images()
    assert not traces.layers()
    assert not traces.dangling()


def test_an_idle_checkout_is_not_stale(clone: Checkout, traces: Traces) -> None:
    """Nothing of it is up and no claim is held, but its folder is there: its images stay."""
    assert clone.run("tasklib", "infra.up", "--name", "api").code == 0
    assert clone.run("tasklib", "infra.down").code == 0
    assert clone.run("tasklib", "clean.stale", "--yes").out == "nothing is stale\n"
    assert len(traces.images()) == 2


@pytest.fixture
def foreign(engine: Any, traces: Traces, token: str) -> Iterator[Any]:
    """``foreign(owner, folder)`` makes a container of a checkout that our state knows nothing of."""
    made: list[str] = []

    def make(owner: str, folder: str) -> str:
        labels = {
            "io.tasklib.instance": "main",
            "io.tasklib.checkout": "0123456789abcdef",
            "io.tasklib.host": owner,
            "io.tasklib.stack": "full",
            "com.docker.compose.project": f"test-main-{token}",
            "com.docker.compose.project.working_dir": folder,
        }
        made.append(engine.create_container(PLAIN, ["sleep", "9"], labels=labels)["Id"])
        return made[-1]

    yield make
    for container in made:
        with contextlib.suppress(docker.errors.NotFound):
            engine.remove_container(container, force=True)


def test_stacks_of_others_are_not_ours_to_judge(
    clone: Checkout, traces: Traces, foreign: Any, tmp_path: Path
) -> None:
    """Another user, machine or state folder: the folders may lie where we cannot see them."""
    foreign(owner(State(tmp_path / "another")), "/no/such/folder")
    assert clone.run("tasklib", "clean.stale", "--yes").out == "nothing is stale\n"
    assert len(traces.containers()) == 1


@pytest.mark.parametrize("there", [True, False])
def test_without_records_the_containers_themselves_tell(
    clone: Checkout, traces: Traces, foreign: Any, state: Path, tmp_path: Path, there: bool
) -> None:
    """With lost records nothing is stale whose folder is there, and nothing hidden whose folder is not."""
    foreign(owner(State(state / "tasklib")), str(tmp_path if there else tmp_path / "gone"))
    said = clone.run("tasklib", "clean.stale", "--yes").out
    assert ("nothing is stale" in said) == there
    assert bool(traces.containers()) == there
