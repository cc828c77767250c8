"""Ready means ready: a stack that is up serves, whatever its checks say early."""

from __future__ import annotations

from .conftest import NewProject
from .projects import PYTHON, compose
from .traces import Traces

STACK = "deploy/test/docker-compose.yml"


def test_a_database_is_ready_once_it_takes_connections_over_tcp(project: NewProject, traces: Traces) -> None:
    """While it runs its scripts it listens on its socket alone, and `pg_isready` says that it accepts."""
    connect = "import socket, time; socket.create_connection(('db', 5432)); time.sleep(600)"
    shop = project(
        {
            STACK: compose(
                db="""
                    image: "${POSTGRES_IMAGE:-postgres:16}"
                    environment: {POSTGRES_PASSWORD: secret}
                    volumes: ["./slow.sql:/docker-entrypoint-initdb.d/slow.sql:ro"]
                    healthcheck: {test: ["CMD", "pg_isready", "-U", "postgres"], interval: 10s}
                """,
                app=f"""
                    image: {PYTHON}
                    command: ["python", "-c", "{connect}"]
                    depends_on: {{db: {{condition: service_healthy}}}}
                """,
            ),
            "deploy/test/slow.sql": "SELECT pg_sleep(3);\n",
        }
    )
    up = shop.run("tasklib", "infra.up")
    assert up.code == 0, up
    assert {row["State"] for row in traces.containers()} == {"running"}
    assert shop.run("tasklib", "infra.down").code == 0


def test_one_port_that_accepts_is_enough(project: NewProject) -> None:
    """A debugger's port is silent until somebody debugs: it is named, and holds nobody."""
    shop = project(
        {
            STACK: compose(
                api=f"""
                    image: {PYTHON}
                    command: python -m http.server 8000
                    ports: ["8000", "5678"]
                """
            )
        }
    )
    up = shop.run("tasklib", "infra.up")
    assert up.code == 0, up
    assert "api: nothing accepts connections on its port 5678" in up.lines
    assert shop.run("tasklib", "infra.down").code == 0


def test_a_container_that_dies_in_the_moment_after_fails_the_start(project: NewProject) -> None:
    """It has neither check nor port by which it could have been seen to be up."""
    shop = project({STACK: compose(worker=f"image: {PYTHON}\ncommand: sh -c 'sleep 0.3; exit 5'")})
    up = shop.run("tasklib", "infra.up")
    assert up.code == 4, up
    assert "worker exited with code 5" in up.text


def test_what_always_restarts_may_end_with_0_at_first(project: NewProject, traces: Traces) -> None:
    """An image that sets itself up and ends, to serve when it is started again."""
    shop = project(
        {
            STACK: compose(
                api=f"""
                    image: {PYTHON}
                    command: sh -c 'test -e /up || {{ touch /up; exit 0; }}; exec python -m http.server 8000'
                    restart: always
                    ports: ["8000"]
                """
            )
        }
    )
    up = shop.run("tasklib", "infra.up")
    assert up.code == 0, up
    assert [row["State"] for row in traces.containers()] == ["running"]
    assert shop.run("tasklib", "infra.down").code == 0
