"""Stacks of tests up and down, as a user sees it, on the engine in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tasklib.commands import cleaning
from tasklib.commands.isolated import Isolated
from tasklib.errors import StackError, UsageError
from tasklib.instance.claims import Claims
from tasklib.options.caller import Caller
from tasklib.stacks.engine.docker.engine import DockerEngine
from tasklib.stacks.engine.values import Container
from tasklib.stacks.holding import run
from tasklib.state.liveness import current
from tasklib.state.records import Images, Run, Runs
from tasklib.state.stack_lock import StackLock
from tasklib.state.store import default_state
from tests.memory_compose import MemoryCompose
from tests.memory_engine import MemoryEngine


class NoReaper:
    """No process of its own: what it is told does not matter here."""

    def __init__(self, log: Path, env: object = None, *, children: bool = True) -> None:
        pass

    def introduce(self, **whose: object) -> None:
        pass

    def watch(self, project: str, labels: Mapping[str, str], lock: StackLock) -> None:
        pass

    def ready(self, project: str) -> None:
        pass

    def spare(self, project: str) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def engine(repository: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryEngine:
    """What every command finds; the current folder is a project with an api on the branch main."""
    found = MemoryEngine()
    monkeypatch.setattr(DockerEngine, "connect", lambda *wanted, **options: found)
    monkeypatch.setattr(run, "Reaper", NoReaper)
    monkeypatch.setattr("tasklib.stacks.starting.doors._SETTLED", 0.0)
    file = repository / "deploy" / "test" / "docker-compose.yml"
    file.parent.mkdir(parents=True)
    file.write_text("services: {api: {image: api}}\n")
    (repository / "tests" / "integration").mkdir(parents=True)
    (repository / "tests" / "integration" / "test_api.py").write_text("")
    monkeypatch.chdir(repository)
    return found


@pytest.fixture
def compose(engine: MemoryEngine, monkeypatch: pytest.MonkeyPatch) -> MemoryCompose:
    made = MemoryCompose(engine, {"api": {"image": "api", "environment": {"API_PASSWORD": "hush-hush"}}})
    made.install(monkeypatch)
    return made


def up() -> None:
    Isolated().up((), fresh=False, yes=False, dry=False)


def down(*, dry: bool = False) -> None:
    Isolated().down((), yes=False, dry=dry)


def test_a_stack_is_brought_up_looked_at_and_taken_down(
    engine: MemoryEngine, compose: MemoryCompose, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command says in a line or two what is there; afterwards nothing is."""
    up()
    assert capsys.readouterr().out.startswith("test-main is up (")
    Isolated().status()
    assert capsys.readouterr().out.splitlines()[1:] == ["test-main", "  api: running"]
    down(dry=True)
    assert capsys.readouterr().out == "would take down test-main\n"
    down()
    assert capsys.readouterr().out == "took down test-main: 1 container, 1 network\n"
    Isolated().status()
    down()
    assert capsys.readouterr().out.splitlines()[1:] == ["nothing is up", "nothing is up"]


def test_what_came_up_is_healthy_though_the_engine_has_not_looked_yet(
    engine: MemoryEngine, compose: MemoryCompose, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ready by our own check, it is not starting to whoever asks a moment later; it is once it fails."""

    def start(container: Container) -> None:
        engine.change(container.id, health="starting", health_test=("check",))

    engine.on_start = start
    up()
    assert engine.service("test-main", "api").health == "starting"
    Isolated().status()
    assert capsys.readouterr().out.splitlines()[-1] == "  api: running, healthy"
    engine.checks = lambda container: False
    Isolated().status()
    assert capsys.readouterr().out.splitlines()[-1] == "  api: running, starting"


def test_a_stack_that_is_up_is_used_again(engine: MemoryEngine, compose: MemoryCompose) -> None:
    """Its container is the same one."""
    up()
    (first,) = engine.containers("test-main")
    up()
    assert [container.id for container in engine.containers("test-main")] == [first.id]


def test_a_start_that_fails_shows_the_last_lines_without_secrets(
    engine: MemoryEngine, compose: MemoryCompose, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the container at fault; nothing stays."""

    def crash(container: object) -> None:
        (api,) = engine.containers("test-main")
        engine.say(api.id, "cannot log in with hush-hush")
        engine.change(api.id, state="exited", exit_code=1)

    engine.on_start = crash
    with pytest.raises(StackError, match="api exited with code 1"):
        up()
    assert capsys.readouterr().err == "  api | cannot log in with ***\n"
    assert engine.containers("test-main") == ()


def test_logs_are_those_of_the_containers_that_are_named(
    engine: MemoryEngine, compose: MemoryCompose, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that none has is refused."""
    up()
    engine.say(engine.service("test-main", "api").id, "listening")
    capsys.readouterr()
    Isolated().logs(("api",), tail=10)
    assert capsys.readouterr().out == "api | listening\n"
    with pytest.raises(UsageError, match="'apo'"):
        Isolated().logs(("apo",), tail=10)


@pytest.mark.parametrize("where", [{"pid_namespace": "another"}, {"host": "another"}])
def test_a_run_that_cannot_be_judged_blocks_until_it_is_forced(
    engine: MemoryEngine, compose: MemoryCompose, where: dict[str, Any]
) -> None:
    """It may live in another container or on another machine; whoever forces it knows that it does not."""
    up()
    caller = Caller(("invoke",), {})
    claim = Claims(default_state(), engine.facts.id).all()[0]
    lost = Run("lost", replace(current(), **where), claim.checkout, claim.id, claim.root)
    for run_of_mine in (lost, replace(lost, id="living", process=current())):
        Runs(default_state(), engine.facts.id).start(run_of_mine)
    with pytest.raises(UsageError, match="is in use by"):
        cleaning.clean(caller, force=False, everything=False, dry=False)
    cleaning.clean(caller, force=True, everything=False, dry=False)
    assert engine.containers("test-main") == ()
    assert [known.id for known in Runs(default_state(), engine.facts.id).all()] == ["living"]
    Runs(default_state(), engine.facts.id).finish("living")
    cleaning.clean(caller, force=False, everything=False, dry=False)


def test_clean_removes_what_this_checkout_has_and_nothing_else(
    engine: MemoryEngine, compose: MemoryCompose, capsys: pytest.CaptureFixture[str]
) -> None:
    """A container of the same Compose project that somebody started by hand stays."""
    up()
    caller = Caller(("invoke",), {})
    other = engine.add_container("test-main", "mine")
    capsys.readouterr()
    cleaning.clean(caller, force=False, everything=False, dry=True)
    assert capsys.readouterr().out == "would remove 1 container, 1 network\n"
    cleaning.clean(caller, force=False, everything=False, dry=False)
    assert capsys.readouterr().out == "main: removed 1 container, 1 network\n"
    assert engine.containers("test-main") == (other,)


def test_clean_takes_what_plain_compose_built_under_our_names(
    engine: MemoryEngine,
    compose: MemoryCompose,
    repository: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It was given them by `infra.env`, and tells nobody what it does with them."""
    compose.services = {"api": {"build": {"context": str(repository)}}}
    Isolated().env(None, dry=False)
    mine = default_state()
    ((_, tags),) = Images(mine, engine.facts.id).all().items()
    own = next(tag for tag in tags if not tag.endswith(":latest"))
    engine.add_image(own)
    engine.tag(own, "test-main-api:latest")
    capsys.readouterr()
    cleaning.clean(Caller(("invoke",), {}), force=False, everything=False, dry=False)
    assert "2 image tags" in capsys.readouterr().out
    assert Images(mine, engine.facts.id).all() == {}


@pytest.mark.parametrize("everything", [False, True])
def test_clean_forgets_what_plain_compose_was_told(
    engine: MemoryEngine, compose: MemoryCompose, everything: bool
) -> None:
    """The override of each stack of this instance, or of the checkout; other checkouts keep theirs."""
    up()
    Isolated().env(None, dry=False)
    (own,) = (default_state().root / "compose").iterdir()
    checkout = own.name.partition("@")[2]
    others = [own.with_name(f"test-main@{'0' * 8}.yml"), own.with_name(f"test-mainz@{checkout}")]
    for path in (own.with_name(f"test-main_api@{checkout}"), *others):
        path.write_text("services: {}\n")
    cleaning.clean(Caller(("invoke",), {}), force=False, everything=everything, dry=False)
    assert sorted(own.parent.iterdir()) == others[: 1 if everything else 2]
