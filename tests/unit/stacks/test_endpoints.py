"""Published ports become the variables that tests read."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.errors import ConfigError
from tasklib.stacks.endpoints import Endpoint, endpoint_variables, endpoints, variable_part
from tasklib.stacks.engine.values import Container, Port
from tasklib.stacks.servers import SERVERS


def variables(
    image: str,
    *targets: int,
    service: str = "db",
    templates: dict[str, str] | None = None,
    **environment: str,
) -> dict[str, str]:
    """Those of one service, whose ports are published from 32768 on."""
    config = {"services": {service: {"image": image, "environment": environment}}}
    found = [Endpoint(service, target, "127.0.0.1", 32768 + n) for n, target in enumerate(targets)]
    return endpoint_variables(config, found, templates, source="pyproject.toml")


def test_host_and_port_alone() -> None:
    """For those who read them apart: of the port that is named, else of the one that a URL would have."""
    templates = {"PGHOST": "{db.host}", "PGPORT": "{db.port}", "ADMIN": "{db:9000.port}", "X": "{other.host}"}
    found = variables("postgres:16", 9000, 5432, templates=templates)
    assert (found["PGHOST"], found["PGPORT"], found["ADMIN"]) == ("127.0.0.1", "32769", "32768")
    assert "X" not in found


@pytest.mark.parametrize(
    ("template", "named", "key"),
    [("{db:80.port}", "db:80", "db:80"), ("{cache.host}", "a port of cache", "cache:5432")],
)
def test_a_port_that_is_not_published_is_refused_with_the_key(template: str, named: str, key: str) -> None:
    """The message says how to publish it without touching the Compose file."""
    config = {"services": {"db": {"image": "postgres"}, "cache": {"image": "redis"}}}
    found = [Endpoint("db", 5432, "127.0.0.1", 32768)]
    with pytest.raises(ConfigError) as caught:
        endpoint_variables(config, found, {"A": template}, source="pyproject.toml")
    assert f"endpoints.A names {named}, which the stack does not publish" in str(caught.value)
    assert f'publish = ["{key}"]' in str(caught.value)


def test_a_service_has_a_host_a_port_and_a_url() -> None:
    """The first port, and each one by its number; a dash becomes an underscore."""
    assert variables("team/api:1", 8000, 9000, service="price-api") == {
        "TEST_PRICE_API_HOST": "127.0.0.1",
        "TEST_PRICE_API_PORT": "32768",
        "TEST_PRICE_API_URL": "http://127.0.0.1:32768",
        "TEST_PRICE_API_PORT_8000": "32768",
        "TEST_PRICE_API_PORT_9000": "32769",
    }


@pytest.mark.parametrize(
    ("image", "port", "environment", "url"),
    [
        (
            "postgres:16",
            5432,
            {"POSTGRES_USER": "test", "POSTGRES_PASSWORD": "test", "POSTGRES_DB": "testdb"},
            "postgresql://test:test@127.0.0.1:32768/testdb",
        ),
        ("postgres", 5432, {"POSTGRES_PASSWORD": "x"}, "postgresql://postgres:x@127.0.0.1:32768/postgres"),
        ("postgres", 5432, {"POSTGRES_USER": "shop"}, "postgresql://shop@127.0.0.1:32768/shop"),
        (
            f"registry.example:5000/team/postgis:16-3.4@sha256:{'0123' * 16}",
            5432,
            {"POSTGRES_PASSWORD": "p/w@1:2"},
            "postgresql://postgres:p%2Fw%401%3A2@127.0.0.1:32768/postgres",
        ),
        (
            "bitnami/postgresql:16",
            5432,
            {"POSTGRESQL_USERNAME": "u", "POSTGRESQL_PASSWORD": "p", "POSTGRESQL_DATABASE": "d"},
            "postgresql://u:p@127.0.0.1:32768/d",
        ),
        ("mysql:8", 3306, {"MYSQL_ROOT_PASSWORD": "r"}, "mysql://root:r@127.0.0.1:32768"),
        (
            "mariadb:11",
            3306,
            {"MARIADB_USER": "u", "MARIADB_PASSWORD": "p", "MARIADB_DATABASE": "d"},
            "mysql://u:p@127.0.0.1:32768/d",
        ),
        ("redis:7", 6379, {}, "redis://127.0.0.1:32768/0"),
        ("bitnami/valkey:8", 6379, {"VALKEY_PASSWORD": "v"}, "redis://:v@127.0.0.1:32768/0"),
        (
            "mongo:7",
            27017,
            {"MONGO_INITDB_ROOT_USERNAME": "u", "MONGO_INITDB_ROOT_PASSWORD": "p"},
            "mongodb://u:p@127.0.0.1:32768",
        ),
        ("rabbitmq:3-management", 5672, {}, "amqp://127.0.0.1:32768"),
        ("memcached", 11211, {}, "memcached://127.0.0.1:32768"),
        ("nginx", 443, {}, "https://127.0.0.1:32768"),
        ("postgres-exporter", 9187, {}, "http://127.0.0.1:32768"),
        ("team/pooler", 5432, {}, "postgresql://127.0.0.1:32768"),
        # ClickHouse's, and MinIO's over HTTP.
        ("team/api", 9000, {}, "http://127.0.0.1:32768"),
    ],
)
def test_a_known_server_gets_a_url_of_its_own(
    image: str, port: int, environment: dict[str, Any], url: str
) -> None:
    """By its image, from the variables that the official images document.

    Of others the port tells, where one protocol alone is known for it; everything else speaks HTTP.
    """
    assert variables(image, port, **environment)["TEST_DB_URL"] == url


def test_a_broker_with_two_ports_is_reached_at_its_own() -> None:
    """The URL means the server, not its management page, whichever comes first."""
    found = variables(
        "rabbitmq:3-management", 15672, 5672, RABBITMQ_DEFAULT_USER="u", RABBITMQ_DEFAULT_PASS="p"
    )
    assert found["TEST_DB_URL"] == "amqp://u:p@127.0.0.1:32769"
    assert found["TEST_DB_PORT_15672"] == "32768"


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_password_and_name_survive_the_url(user: str, password: str) -> None:
    """Whatever their characters; Compose's doubled dollars are single ones."""
    environment: dict[str, Any] = {
        "POSTGRES_USER": user.replace("$", "$$"),
        "POSTGRES_PASSWORD": password.replace("$", "$$"),
    }
    url = urlsplit(variables("postgres", 5432, **environment)["TEST_DB_URL"])
    assert (unquote(url.username or ""), unquote(url.password or "")) == (user, password)
    assert (url.hostname, url.port) == ("127.0.0.1", 32768)


def test_the_only_sql_database_has_a_name_of_its_own() -> None:
    """TEST_DATABASE_URL, whatever its service is called; with two databases it would be a guess."""
    assert variables("postgres", 5432)["TEST_DATABASE_URL"].startswith("postgresql://")
    assert "TEST_DATABASE_URL" not in variables("redis", 6379)
    config = {"services": {"one": {"image": "postgres"}, "two": {"image": "mysql"}}}
    both = [Endpoint("one", 5432, "127.0.0.1", 1), Endpoint("two", 3306, "127.0.0.1", 2)]
    assert "TEST_DATABASE_URL" not in endpoint_variables(config, both)


def test_a_project_names_its_own_variables() -> None:
    """`{service:port}` is filled in; a template may also replace what would be there."""
    found = variables(
        "api", 8000, templates={"SHOP_URL": "http://{db:8000}/v1", "TEST_DB_URL": "tcp://{db:8000}"}
    )
    assert found["SHOP_URL"] == "http://127.0.0.1:32768/v1"
    assert found["TEST_DB_URL"] == "tcp://127.0.0.1:32768"


def test_a_variable_of_another_stack_is_left_out() -> None:
    """A service's own stack lacks what the full stack has."""
    assert "WEB_URL" not in variables("api", 8000, templates={"WEB_URL": "http://{web:80}"})


def test_a_port_that_is_not_published_is_refused_with_the_line_to_add() -> None:
    """Naming the file that asks for it."""
    with pytest.raises(ConfigError, match="names db:9999, which the stack does not publish") as caught:
        variables("api", 8000, templates={"SHOP_URL": "http://{db:9999}"})
    assert (caught.value.where, 'ports: ["9999"]' in str(caught.value.remedy)) == ("pyproject.toml", True)


def test_only_what_is_reachable_is_an_endpoint() -> None:
    """Ports of containers that are down have no number; each of several replicas counts."""
    container: dict[str, Any] = {"id": "1", "name": "n", "project": "p", "service": "api", "state": "running"}
    up = Container(**container, ports=(Port(8000, "tcp", "127.0.0.1", 32768), Port(9000, "tcp", "", 0)))
    assert endpoints([up]) == (Endpoint("api", 8000, "127.0.0.1", 32768),)
    assert endpoints([up, up]) == endpoints([up])


@given(st.text())
def test_any_name_makes_part_of_a_variable(service: str) -> None:
    """Capitals, digits and underscores only."""
    assert set(variable_part(service)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def test_a_server_may_be_known_otherwise_than_by_its_image() -> None:
    """An image of the project's own that is built on postgres, with a password that a file holds."""
    definition = {"image": "test-main.db", "environment": {"POSTGRES_PASSWORD_FILE": "/run/secrets/pw"}}
    found = endpoint_variables(
        {"services": {"db": definition}},
        [Endpoint("db", 5432, "127.0.0.1", 1)],
        servers={"db": SERVERS[0]},
        text_of=lambda service, path: {("db", "/run/secrets/pw"): "s\n"}.get((service, path)),
    )
    assert found["TEST_DATABASE_URL"] == "postgresql://postgres:s@127.0.0.1:1/postgres"
