"""A stack's way from created to ready, on the engine in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tasklib.errors import Interrupted, StackError
from tasklib.listener import Listener
from tasklib.process import Cancel
from tasklib.stacks.compose.failures import NotReady
from tasklib.stacks.engine.values import SERVICE_LABEL, Container, EngineFacts, Port
from tasklib.stacks.servers import known_server
from tasklib.stacks.starting.proofs import Proofs
from tasklib.stacks.starting.startup import Startup
from tasklib.stacks.starting.steps import StartPlan
from tests.memory_engine import MemoryEngine

LOCAL = EngineFacts("id", "26.1", (1, 45), 2, "unix://")
POSTGRES = known_server("postgres:16")
assert POSTGRES


class Told(Listener):
    """What a listener was told that is to stay."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)


class World:
    """A stack of ``services`` on an engine in memory; ``open`` are the ports that take connections."""

    def __init__(self, services: Mapping[str, Any], **plan: Any) -> None:
        self.engine = MemoryEngine(LOCAL)
        self.plan = StartPlan({"name": "shop", "services": services}, "the full stack", 60.0, **plan)
        self.listener = Told()
        self.open: set[tuple[str, int]] = set()
        self.created: list[dict[str, Any]] = [{"service": name} for name in services]
        self.launches = 0
        self.failures: list[StackError] = []

    def launch(self, cancel: Cancel) -> None:
        self.launches += 1
        if self.launches == 1:
            for details in self.created:
                self.engine.add_container("shop", **details)
        if self.failures:
            raise self.failures.pop(0)

    def up(self, cancel: Cancel | None = None) -> dict[str, Container]:
        proofs = Proofs(
            LOCAL,
            self.plan.servers,
            programs=lambda container: self.engine.processes(container.id),
            knocks=lambda container, port, kind: (container.service, port) in self.open,
        )
        startup = Startup(self.engine, self.plan, self.launch, self.listener, proofs=proofs)
        return {container.service: container for container in startup.follow(cancel or Cancel())}

    def on_start(self, **actions: Callable[[Container], None]) -> None:
        def act(container: Container) -> None:
            if action := actions.get(container.service):
                action(container)

        self.engine.on_start = act


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for a moment of grace to pass."""
    monkeypatch.setattr("tasklib.stacks.starting.doors._SETTLED", 0.0)
    monkeypatch.setattr("tasklib.stacks.starting.doors._GRACE", 0.0)
    monkeypatch.setattr("tasklib.stacks.starting.startup._LOOK", 0.001)


def test_a_dependency_is_started_first_and_has_to_be_healthy() -> None:
    """Whoever waits for it is not started before its check has passed."""
    depends = {"depends_on": {"db": {"condition": "service_healthy"}}}
    world = World({"api": depends, "db": {}})
    world.created = [
        {"service": "api"},
        {"service": "db", "health": "starting", "health_test": ("check",)},
    ]
    asked: list[tuple[str, ...]] = []

    def check(container: Container) -> bool:
        asked.append(tuple(world.engine.started))
        return len(asked) > 1

    world.engine.checks = check
    up = world.up()
    assert world.engine.started == [up["db"].id, up["api"].id]
    assert asked == [(up["db"].id,), (up["db"].id,)]


def test_a_known_server_that_is_healthy_too_early_holds_whoever_waits_for_it() -> None:
    """Its port opens only when its data is there: nobody who connects to it starts before that."""
    depends = {"depends_on": {"db": {"condition": "service_healthy"}}}
    world = World({"api": depends, "db": {}}, servers={"db": POSTGRES})
    world.created = [{"service": "api"}, {"service": "db", "address": "10.0.0.2"}]
    waited: list[str] = []

    class Opening(Told):
        def waits(self, text: str) -> None:
            if "db: port" in text:
                waited.append(text)
                assert len(world.engine.started) == 1
            if len(waited) > 3:
                world.open.add(("db", 5432))

    world.listener = Opening()
    world.on_start(db=lambda c: world.engine.change(c.id, health="healthy"))
    assert set(world.up()) == {"api", "db"}
    assert waited[0] == "db: port 5432 does not accept"


def test_a_server_that_works_on_its_data_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long that takes, and while it is started anew afterwards: a health check that asks its socket
    says nothing of that; its programs do."""
    for name, seconds in (("doors.PATIENCE", 0.0), ("proofs.PATIENCE", 60.0), ("proofs._ASKED", 0.0)):
        monkeypatch.setattr(f"tasklib.stacks.starting.{name}", seconds)
    world = World({"db": {}}, servers={"db": POSTGRES})
    world.created = [{"service": "db", "address": "10.0.0.2", "health": "healthy"}]
    entry, server = (
        ("bash", "entrypoint.sh", "postgres"),
        ("postgres", "-c", "listen_addresses=", "-p", "5432"),
    )
    running = [(entry, server), (entry,), (("postgres",),)]

    def programs(container_id: str) -> tuple[tuple[str, ...], ...]:
        if len(running) == 1:
            world.open.add(("db", 5432))
        return running.pop(0) if len(running) > 1 else running[0]

    monkeypatch.setattr(world.engine, "processes", programs)
    waited: list[str] = []
    monkeypatch.setattr(world.listener, "waits", waited.append)
    world.up()
    assert waited.count("db: its data is being initialised") >= 3
    assert world.listener.notices == []


def test_what_nobody_requires_may_fail() -> None:
    """Compose only warns of a dependency that is not `required`; what the settings need is required."""
    depends = {"condition": "service_completed_successfully", "required": False}
    world = World({"api": {"depends_on": {"seed": depends}}, "seed": {}})
    world.created = [{"service": "api"}, {"service": "seed", "argv": ("false",)}]
    assert world.up()["api"].state == "running"
    assert world.listener.notices == ["seed exited with code 1: nothing requires it (`required: false`)"]
    world = World({"api": {"depends_on": {"seed": depends}}, "seed": {}}, needs=frozenset({"seed"}))
    world.created = [{"service": "api"}, {"service": "seed", "argv": ("false",)}]
    with pytest.raises(NotReady, match="seed exited with code 1"):
        world.up()
    world = World({"api": {"depends_on": {"seed": depends}}, "web": {"depends_on": {"seed": {}}}, "seed": {}})
    world.created = [{"service": "api"}, {"service": "web"}, {"service": "seed", "argv": ("false",)}]
    with pytest.raises(NotReady, match="seed exited with code 1"):
        world.up()


def test_a_silent_port_is_told_and_holds_nobody() -> None:
    """The debugger's, beside the one that serves."""
    world = World({"api": {}})
    ports = (Port(5678, "tcp", "127.0.0.1", 32768), Port(8000, "tcp", "127.0.0.1", 32769))
    world.created = [{"service": "api", "ports": ports}]
    world.open.add(("api", 8000))
    world.up()
    assert world.listener.notices == ["api: nothing accepts connections on its port 5678"]


def test_a_container_that_dies_in_the_moment_after_fails_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """What shows in no way that it serves has to run for a moment before it counts."""
    monkeypatch.setattr("tasklib.stacks.starting.doors._SETTLED", 60.0)
    world = World({"worker": {}})
    looks = 0

    class Dying(Told):
        def waits(self, text: str) -> None:
            nonlocal looks
            looks += text == "worker: has just started"
            if looks == 3:
                container = world.engine.service("shop", "worker")
                world.engine.say(container.id, "connection refused")
                world.engine.change(container.id, state="exited", exit_code=1)

    world.listener = Dying()
    with pytest.raises(NotReady, match="worker exited with code 1") as failed:
        world.up()
    assert [line.text for log in failed.value.logs for line in log.lines] == ["connection refused"]


def test_what_always_restarts_is_started_again_after_0() -> None:
    """The file says so, although the policy of a test stack is a bounded one."""
    world = World({"api": {}}, comes_back=frozenset({"api"}))
    world.created = [{"service": "api", "ports": (Port(8000, "tcp", "127.0.0.1", 32768),)}]
    world.open.add(("api", 8000))

    def first(container: Container) -> None:
        if len(world.engine.started) == 1:
            world.engine.change(container.id, state="exited", exit_code=0)

    world.on_start(api=first)
    assert world.up()["api"].state == "running"
    assert len(world.engine.started) == 2


def test_what_always_restarts_and_never_serves_is_given_up() -> None:
    """After as many starts as a crashing container has."""
    world = World({"api": {}}, comes_back=frozenset({"api"}))
    ports = (Port(8000, "tcp", "127.0.0.1", 32768),)
    world.created = [{"service": "api", "argv": ("echo", "bye"), "ports": ports}]
    with pytest.raises(NotReady, match="exited with code 0 although it publishes a port"):
        world.up()
    assert len(world.engine.started) == 11


def test_a_job_that_always_restarts_and_serves_nothing_is_done() -> None:
    """Nobody waits for a loop to end."""
    world = World({"job": {}}, comes_back=frozenset({"job"}))
    world.created = [{"service": "job", "argv": ("echo", "done")}]
    assert world.up()["job"].state == "exited"


class Crashing(Told):
    """`api` ends and is started again between any two looks; `db` is ready after as many restarts of it."""

    def __init__(self, world: World, *, ready_after: int = 0, serves_after: int = 99) -> None:
        super().__init__()
        self.restarts = 0
        self._world, self._ready_after, self._serves_after = world, ready_after, serves_after

    def waits(self, text: str) -> None:
        api = self._world.engine.service("shop", "api")
        if api.state == "created" or self.restarts > self._serves_after:
            return
        self.restarts += 1
        if self.restarts == self._ready_after:
            self._world.engine.change(self._world.engine.service("shop", "db").id, health="healthy")
        state = "running" if self.restarts > self._serves_after else "restarting"
        self._world.engine.say(api.id, f"try {self.restarts}: refused")
        self._world.engine.change(api.id, state=state, exit_code=1, restarts=self.restarts, max_restarts=10)


def test_a_crash_that_nothing_will_mend_is_told_early() -> None:
    """Not after all restarts, each of which waits twice as long as the one before; what waits for it, too."""
    world = World({"api": {}, "web": {"depends_on": {"api": {"condition": "service_healthy"}}}})
    world.created = [{"service": "api", "health": "starting"}, {"service": "web"}]
    world.listener = crashing = Crashing(world)
    with pytest.raises(
        NotReady, match=r"api keeps ending with code 1 \(6 restarts, and nothing else"
    ) as failed:
        world.up()
    assert crashing.restarts == 6
    assert failed.value.logs[0].lines[-1].text == "try 6: refused"


def test_what_crashes_until_its_database_is_there_gets_two_more_tries() -> None:
    """However long the database takes: until then it is no crash loop."""
    services: dict[str, Any] = {"api": {}, "db": {}}
    created = [{"service": "api"}, {"service": "db", "health": "starting"}]
    world = World(services)
    world.created = list(created)
    world.listener = Crashing(world, ready_after=8, serves_after=9)
    world.on_start(db=lambda c: world.engine.change(c.id, health="starting"))
    assert world.up()["api"].state == "running"
    world = World(services)
    world.created = list(created)
    world.listener = crashing = Crashing(world, ready_after=7)
    world.on_start(db=lambda c: world.engine.change(c.id, health="starting"))
    with pytest.raises(NotReady, match="api keeps ending"):
        world.up()
    assert 9 <= crashing.restarts <= 10


def test_what_nothing_requires_may_crash_as_it_likes() -> None:
    """Until its restarts are over, as before."""
    depends = {"condition": "service_started", "required": False}
    world = World({"api": {}, "web": {"depends_on": {"api": depends}}})
    world.created = [{"service": "api"}, {"service": "web"}]
    world.listener = crashing = Crashing(world, serves_after=8)
    assert world.up()["api"].state == "running"
    assert crashing.restarts == 9


def test_what_the_engine_does_not_start_is_said_in_its_words() -> None:
    """With the container at fault."""
    world = World({"api": {}})
    world.created = [{"service": "api", "argv": ("no-such-program",)}]
    with pytest.raises(
        NotReady, match=r'api cannot start: .*exec: "no-such-program": executable file not found'
    ):
        world.up()


def test_time_that_is_over_names_what_is_missing() -> None:
    """And what it last said."""
    world = World({"api": {}, "db": {}})
    world.plan = StartPlan(world.plan.config, "the full stack", 0.0)
    world.created = [{"service": "api"}, {"service": "db", "health": "starting"}]
    with pytest.raises(NotReady, match=r"not ready after 0 s, waiting for api \(created\), db \(created\)"):
        world.up()


@pytest.mark.parametrize(
    ("removed", "named"), [({"db"}, "container of db"), ({"api", "db"}, "containers of api, db")]
)
def test_containers_that_somebody_removes_end_the_wait(removed: set[str], named: str) -> None:
    """At once, not when the time is over: nothing will bring them back."""
    world = World({"api": {}, "db": {}})

    def remove(_: Container) -> None:
        for service in removed:
            world.engine.remove(world.engine.owned({SERVICE_LABEL: service}, kinds=["container"]))

    world.on_start(db=remove)
    with pytest.raises(NotReady, match=f"cannot become ready: somebody removed its {named} while it started"):
        world.up()


def test_compose_is_asked_again_where_it_lost_patience() -> None:
    """A dependency that the engine restarts may still come; any other failure is one."""
    world = World({"api": {}}, starts=False)
    world.failures = [StackError("dependency failed to start: container db exited (1)")]
    world.created = [{"service": "api", "state": "restarting", "max_restarts": 3}]
    again: list[int] = []

    class Mending(Told):
        def waits(self, text: str) -> None:
            if world.launches == 2 and not again:
                again.append(1)
                world.engine.change(world.engine.service("shop", "api").id, state="running")

    world.listener = Mending()
    assert world.up()["api"].state == "running"
    assert world.launches == 2
    broken = World({"api": {}})
    broken.failures = [StackError("no space left on device")]
    with pytest.raises(StackError, match="no space left"):
        broken.up()


def test_a_request_to_stop_ends_the_wait() -> None:
    """At once, whatever is waited for."""
    world = World({"api": {}})
    cancel = Cancel()

    def interrupt(container: Container) -> None:
        world.engine.change(container.id, health="starting")
        cancel.set()

    world.on_start(api=interrupt)
    with pytest.raises(Interrupted):
        world.up(cancel)
