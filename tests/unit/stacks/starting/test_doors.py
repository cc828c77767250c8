"""What a running container still lacks: decided from its ports and what was seen of them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tasklib.reach import HERE, Reach, Way
from tasklib.stacks.engine.values import Container, EngineFacts, Port
from tasklib.stacks.servers import known_server
from tasklib.stacks.starting.doors import Doors, Life, Proof, doors_of, proof

FACTS = EngineFacts("id", "26.1", (1, 45), 2, "unix://")
THROUGH = replace(FACTS, reach=replace(HERE, direct=False))
DATABASE = Container("1", "p.db", "p", "db", "running", health="healthy", address="10.0.0.2")
API = Container("2", "p.api", "p", "api", "running", address="10.0.0.3")
POSTGRES = known_server("postgres:16")
LONG = 1000.0


@pytest.mark.parametrize(
    ("command", "environment", "ports"),
    [
        (("postgres",), {}, {5432}),
        (("postgres", "-p", "5433"), {}, {5432, 5433}),
        (("postgres", "--port=5433"), {}, {5432, 5433}),
        (("postgres", "-c", "port=5433"), {}, {5432, 5433}),
        (("postgres",), {"PGPORT": "5433"}, {5432, 5433}),
        (("postgres",), {"POSTGRESQL_PORT_NUMBER": "5433", "SUPPORT": "9"}, {5432, 5433, 9}),
        (("postgres", "-c", "listen_addresses="), {}, set()),
        (("postgres", "-c", "listen_addresses=localhost"), {}, set()),
        (("mongod", "--bind_ip", "127.0.0.1"), {}, set()),
        (("mongod", "--bind_ip", "0.0.0.0"), {}, {5432}),
        (("mysqld", "--bind-address=127.0.0.1"), {}, set()),
        (("redis-server", "--port", "0", "--tls-port", "6379"), {}, set()),
    ],
)
def test_a_known_server_is_looked_for_where_it_may_listen(
    command: tuple[str, ...], environment: dict[str, str], ports: set[int]
) -> None:
    """Its usual port and what it was told; one that was told to listen nowhere has none."""
    told = replace(DATABASE, command=command, environment=environment)
    assert doors_of(told, POSTGRES, FACTS).known == ports


def test_what_cannot_be_reached_is_not_waited_for() -> None:
    """Behind a machine of its own only published ports are there; of a remote engine nothing is."""
    assert doors_of(DATABASE, POSTGRES, THROUGH) == Doors()
    published = replace(DATABASE, ports=(Port(5432, "tcp", "127.0.0.1", 32768), Port(53, "udp", "", 32769)))
    assert doors_of(published, POSTGRES, THROUGH).known == {5432}
    assert doors_of(published, None, FACTS) == Doors(published=frozenset({5432}))
    assert doors_of(published, POSTGRES, replace(FACTS, reach=Reach(Way.NONE, ""))) == Doors()


def test_a_healthy_server_has_to_take_a_connection() -> None:
    """While its data is initialised it listens on a socket alone, which a health check may ask."""
    doors = Doors(known=frozenset({5432}))
    life = Life(0.0, healthy=1.0)
    assert proof(DATABASE, doors, life, 2.0) == Proof("port 5432 does not accept")
    assert proof(DATABASE, doors, replace(life, opened={5432: 2.0}), 2.0) == Proof()


def test_a_healthy_server_that_listens_elsewhere_is_believed_in_the_end() -> None:
    """Its port is told, and holds nobody up until the stack's time is over."""
    doors = Doors(known=frozenset({5432}))
    assert proof(DATABASE, doors, Life(0.0, healthy=1.0), LONG) == Proof(silent=frozenset({5432}))


def test_a_server_without_a_check_whose_port_the_tests_need_is_waited_for() -> None:
    """However long it takes: there is nothing else to believe."""
    doors = Doors(known=frozenset({5432}), published=frozenset({5432}))
    unchecked = replace(DATABASE, health=None)
    assert proof(unchecked, doors, Life(0.0), LONG) == Proof("port 5432 does not accept")


def test_one_accepting_port_and_a_moment_are_enough() -> None:
    """A debugger's port does not hold the stack; without any that accepts there is nothing to test."""
    doors = Doors(published=frozenset({5678, 8000}))
    assert proof(API, doors, Life(0.0), LONG) == Proof("port 5678 does not accept")
    life = Life(0.0, opened={8000: 10.0})
    assert proof(API, doors, life, 10.1) == Proof("port 5678 does not accept")
    assert proof(API, doors, life, LONG) == Proof(silent=frozenset({5678}))


def test_a_health_check_knows_better_than_a_port() -> None:
    """A container that is no known server is ready when its check passes."""
    checked = replace(API, health="healthy")
    assert proof(checked, Doors(published=frozenset({8000})), Life(0.0, healthy=0.0), 0.0) == Proof()


def test_what_shows_nothing_has_to_run_for_a_moment() -> None:
    """A worker that dies when it first needs something does so at once; what ran before us is settled."""
    assert proof(API, Doors(), Life(10.0), 10.1) == Proof("has just started")
    assert proof(API, Doors(), Life(10.0), LONG) == Proof()
    assert proof(API, Doors(), Life(float("-inf")), 10.1) == Proof()
