"""Images under names that somebody else may have: nobody's is removed, and nobody's name is taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..conftest import NewProject
from ..projects import Checkout
from ..traces import Traces
from .support import FILES
from .test_clean import BUILT, PLAIN, dockerfile

STACK = "services/api/deploy/test/docker-compose.yml"
UP = ("tasklib", "infra.up", "--name", "api")


def built(project: NewProject, token: str, name: str = "shop", version: int = 1) -> Checkout:
    made = project({**FILES, STACK: BUILT}, name=name)
    made.write({"services/api/Dockerfile": dockerfile(f"{token}-{name}", version)})
    return made


def readable(token: str) -> str:
    return f"test-feature-{token}_api-api:latest"


def test_an_image_built_by_hand_keeps_its_name(
    project: NewProject, traces: Traces, token: str, engine: Any
) -> None:
    """Whether the name was taken before our build or between two; `clean` takes ours and leaves it."""
    shop = built(project, token)
    theirs = engine.inspect_image(PLAIN)["Id"]
    engine.tag(PLAIN, *readable(token).split(":"))
    assert shop.run(*UP).code == 0
    (own,) = (tag for tag in traces.images() if tag != readable(token))
    assert engine.inspect_image(own)["Id"] != theirs == engine.inspect_image(readable(token))["Id"]
    ran = shop.run("tasklib", "clean")
    assert "1 image tag " in ran.out, ran
    assert traces.images() == [readable(token)]

    engine.remove_image(readable(token))
    assert shop.run(*UP).code == 0
    assert len(traces.images()) == 2
    engine.tag(PLAIN, *readable(token).split(":"))
    shop.write({"services/api/Dockerfile": dockerfile(token, 2)})
    assert shop.run(*UP).code == 0
    assert engine.inspect_image(readable(token))["Id"] == theirs
    assert shop.run("tasklib", "clean").code == 0
    assert traces.images() == [readable(token)]
    assert engine.inspect_image(PLAIN)["Id"] == theirs


def test_two_users_on_one_branch_keep_their_images(
    project: NewProject, traces: Traces, token: str, tmp_path: Path, engine: Any
) -> None:
    """Neither a build nor `clean` of one takes what the other built, although their stacks took turns."""
    first, second = built(project, token), built(project, token, "clone")
    env = {"XDG_STATE_HOME": str(tmp_path / "second")}
    for checkout, own in ((first, {}), (second, env)):
        assert checkout.run(*UP, env=own).code == 0
        # The id is free again, the images stay for the next run.
        assert checkout.run("tasklib", "infra.down", env=own).code == 0
    mine, theirs, name = sorted(traces.images(), key=lambda tag: (tag == readable(token), tag))
    kept = {engine.inspect_image(tag)["Id"] for tag in (mine, theirs)}
    assert (len(kept), name) == (2, readable(token))

    ran = second.run("tasklib", "clean", env=env)
    assert "1 image tag " in ran.out, ran
    left = {tag: engine.inspect_image(tag)["Id"] for tag in traces.images()}
    assert (len(left), len(set(left.values()) & kept)) == (2, 1)
    assert first.run(*UP).code == 0
    assert left == {tag: engine.inspect_image(tag)["Id"] for tag in traces.images()}, "nothing was built"
    assert first.run("tasklib", "clean").code == 0
    assert traces.images() == []


def test_two_users_of_one_checkout_leave_each_other_their_stacks(
    project: NewProject, traces: Traces, token: str, tmp_path: Path
) -> None:
    """The second gets an id with a hash; neither takes down or cleans what the other has up."""
    shop = built(project, token)
    users: tuple[dict[str, str], ...] = ({}, {"XDG_STATE_HOME": str(tmp_path / "second")})
    for env in users:
        assert shop.run(*UP, env=env).code == 0
    mine = f"test-feature-{token}_api"
    shown = shop.run("tasklib", "infra.status", env=users[1])
    assert f"{mine} (of feature-{token}) (another user's" in shown.out, shown
    for command in ("infra.down", "clean --all"):
        assert shop.run("tasklib", *command.split(), env=users[1]).code == 0
        assert mine in traces.projects()
    left = shop.run("tasklib", "infra.status")
    assert ("another user's" in left.out, mine in left.out) == (False, True), left
    assert shop.run("tasklib", "clean").code == 0
    assert traces.containers() == []
