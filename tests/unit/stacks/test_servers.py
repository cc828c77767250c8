"""Databases, caches and brokers are known by their images."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.stacks.references import parse_reference
from tasklib.stacks.servers import SERVERS, known_server, plain_url, read_settings, server_url


@pytest.mark.parametrize(
    ("image", "kind", "port"),
    [
        ("postgres", "postgres", 5432),
        ("localhost:5000/mirror/library/postgres:15", "postgres", 5432),
        ("postgis/postgis:16-3.4", "postgres", 5432),
        ("pgvector/pgvector:pg17", "postgres", 5432),
        ("timescale/timescaledb-ha:pg16", "postgres", 5432),
        ("cockroachdb/cockroach:v24.1.0", "postgres", 26257),
        ("mysql/mysql-server:8.0", "mysql", 3306),
        ("mariadb:11", "mysql", 3306),
        ("mcr.microsoft.com/mssql/server:2022-latest", "mssql", 1433),
        ("redis/redis-stack:7.4.0-v0", "redis", 6379),
        ("valkey/valkey:8", "redis", 6379),
        ("mongodb/mongodb-community-server:7.0-ubi8", "mongo", 27017),
        ("rabbitmq:4-management", "rabbitmq", 5672),
        ("quay.io/debezium/kafka:2.7", "kafka", 9092),
        ("redpandadata/redpanda", "kafka", 9092),
        ("nats:2-alpine", "nats", 4222),
        ("memcached:1.6", "memcached", 11211),
        ("docker.elastic.co/elasticsearch/elasticsearch:8.1.0", "elasticsearch", 9200),
        ("opensearchproject/opensearch:2", "elasticsearch", 9200),
        ("quay.io/minio/minio", "minio", 9000),
        ("clickhouse/clickhouse-server:24", "clickhouse", 9000),
        ("docker.dragonflydb.io/dragonflydb/dragonfly", "redis", 6379),
        ("neo4j:5", "neo4j", 7687),
        ("scylladb/scylla:6.0", "cassandra", 9042),
        ("eclipse-mosquitto:2", "mqtt", 1883),
    ],
)
def test_a_server_is_known_by_the_end_of_its_repository(image: str, kind: str, port: int) -> None:
    """Registry, mirror, tag and digest do not matter for what it is."""
    server = known_server(image)
    assert server is not None
    assert (server.kind, server.port) == (kind, port)


@pytest.mark.parametrize(
    "image", ["postgres-exporter", "team/my-redis", "mongo-express", "app", "", "${IMAGE}", "mssql"]
)
def test_what_only_sounds_like_a_server_is_none(image: str) -> None:
    """The name has to be the whole last part."""
    assert known_server(image) is None


def test_a_vendors_image_is_another_one_than_the_official_of_that_name() -> None:
    """Its variables and folders differ, a mirror's path notwithstanding."""
    official, vendor = known_server("mysql:8"), known_server("mirror.example/bitnami/mysql:8")
    assert official is not None
    assert vendor is not None
    assert (official.data, vendor.data) == (("/var/lib/mysql",), ("/bitnami/mysql",))


def test_every_row_can_be_found_and_none_twice() -> None:
    """A name in two rows would make one of them dead."""
    names = [name for server in SERVERS for name in server.images]
    assert len(names) == len(set(names))
    for server in SERVERS:
        for name in server.images:
            assert parse_reference(name) is not None
            assert known_server(f"registry.example/{name}:1") is server


def url(
    image: str,
    environment: Mapping[str, str] | None = None,
    *command: str,
    files: Mapping[str, str] | None = None,
    port: int = 0,
) -> str:
    """That of the image's own port, or of another one."""
    server = known_server(image)
    assert server is not None
    settings = read_settings(server, image, environment or {}, command, (files or {}).get)
    return server_url("h:1", port or server.port, server, settings)


@pytest.mark.parametrize(
    ("image", "environment", "expected"),
    [
        ("cockroachdb/cockroach", {}, "postgresql://root@h:1/defaultdb"),
        (
            "cockroachdb/cockroach",
            {"COCKROACH_USER": "u", "COCKROACH_PASSWORD": "p", "COCKROACH_DATABASE": "d"},
            "postgresql://u:p@h:1/d",
        ),
        ("mysql/mysql-server", {"MYSQL_ROOT_PASSWORD": "r", "MYSQL_DATABASE": "d"}, "mysql://root:r@h:1/d"),
        # A password without a user is nobody's.
        ("mysql", {"MYSQL_PASSWORD": "p", "MYSQL_ROOT_PASSWORD": "r"}, "mysql://root:r@h:1"),
        ("mariadb", {"MYSQL_USER": "u", "MYSQL_PASSWORD": "p"}, "mysql://u:p@h:1"),
        ("mcr.microsoft.com/mssql/server", {"MSSQL_SA_PASSWORD": "p"}, "mssql://sa:p@h:1/master"),
        ("redis", {"REDIS_PASSWORD": "for the app"}, "redis://h:1/0"),
        ("redis/redis-stack", {"REDIS_ARGS": "--save '' --requirepass p"}, "redis://:p@h:1/0"),
        ("bitnami/mongodb", {"MONGODB_ROOT_PASSWORD": "p"}, "mongodb://root:p@h:1"),
        ("bitnami/rabbitmq", {"RABBITMQ_PASSWORD": "p"}, "amqp://user:p@h:1"),
        # A slash in front is part of a virtual host's name.
        ("rabbitmq", {"RABBITMQ_DEFAULT_VHOST": "/shop"}, "amqp://h:1/%2Fshop"),
        ("elasticsearch:7.17", {"ELASTIC_PASSWORD": "p"}, "http://elastic:p@h:1"),
        ("elasticsearch:8.1", {"ELASTIC_PASSWORD": "p"}, "https://elastic:p@h:1"),
        ("elasticsearch:8.1", {"xpack.security.enabled": "false"}, "http://h:1"),
        ("opensearchproject/opensearch:2", {"DISABLE_SECURITY_PLUGIN": "true"}, "http://h:1"),
        ("minio/minio", {"MINIO_ROOT_USER": "u", "MINIO_ROOT_PASSWORD": "p"}, "http://h:1"),
        ("clickhouse", {"CLICKHOUSE_PASSWORD": "p"}, "clickhouse://default:p@h:1/default"),
        ("apache/kafka", {}, "kafka://h:1"),
    ],
)
def test_a_url_is_made_of_the_variables_that_the_image_reads(
    image: str, environment: dict[str, str], expected: str
) -> None:
    """And of no others, though they sound alike."""
    assert url(image, environment) == expected


@pytest.mark.parametrize(
    ("image", "command", "expected"),
    [
        ("redis", ["redis-server", "--requirepass", "a b"], "redis://:a%20b@h:1/0"),
        ("redis", ["redis-server", "--requirepass=p"], "redis://:p@h:1/0"),
        ("redis", ["redis-server", "--requirepass"], "redis://h:1/0"),
        ("redis", ["sh", "-c", 'redis-server --requirepass "$PASS" && true'], "redis://:p%20%27@h:1/0"),
        (
            "redis",
            ["/bin/sh", "-ec", "exec redis-server --requirepass ${NONE:-dflt};true"],
            "redis://:dflt@h:1/0",
        ),
        ("redis", ["sh", "-c", "redis-server --requirepass $(cat /run/secrets/pw)"], "redis://:s@h:1/0"),
        ("redis", ["redis-server", "/etc/redis.conf"], "redis://:from-conf@h:1/0"),
        ("redis", ["redis-server", "--requirepass", "$PASS"], "redis://:%24PASS@h:1/0"),
        ("nats", ["--user", "u", "--pass", "p"], "nats://u:p@h:1"),
        ("mongo", ["mongod", "--replSet", "rs0"], "mongodb://h:1/?directConnection=true"),
        (
            "cockroachdb/cockroach",
            ["start-single-node", "--insecure"],
            "postgresql://root@h:1/defaultdb?sslmode=disable",
        ),
    ],
)
def test_the_command_line_counts_too(image: str, command: list[str], expected: str) -> None:
    """As words, or as a shell's script with variables and files in it; only a shell fills something in."""
    files = {
        "/run/secrets/pw": "s\n",
        "/etc/redis.conf": "# requirepass no\nsave 60 1\nrequirepass from-conf\n",
    }
    assert url(image, {"PASS": "p '"}, *command, files=files) == expected


@pytest.mark.parametrize(
    ("image", "environment", "command", "port", "expected"),
    [
        ("valkey/valkey", {}, ["valkey-server", "--port", "7000", "--requirepass", "p"], 7000, "redis://:p@h:1/0"),
        ("redis", {}, ["sh", "-c", "redis-server --port 7000"], 7000, "redis://h:1/0"),
        ("postgres", {"PGPORT": "5433", "POSTGRES_PASSWORD": "p"}, [], 5433, "postgresql://postgres:p@h:1/postgres"),
        ("mysql", {"MYSQL_ROOT_PASSWORD": "r"}, ["--port=3307"], 3307, "mysql://root:r@h:1"),
        ("mysql", {"MYSQL_ROOT_PASSWORD": "r"}, ["--port=3307"], 8080, "http://h:1"),
        ("cp-kafka", {"KAFKA_ADVERTISED_LISTENERS": "IN://k:9092,OUT://localhost:29092"}, [], 29092, "kafka://h:1"),
        ("redpanda", {}, ["--kafka-addr", "in://0.0.0.0:9092,out://0.0.0.0:19092"], 19092, "kafka://h:1"),
        ("redpanda", {}, ["--kafka-addr=0.0.0.0:19092"], 8081, "http://h:1"),
    ],
)  # fmt: skip
def test_a_port_that_a_server_was_told_of_is_its_own(
    image: str, environment: dict[str, str], command: list[str], port: int, expected: str
) -> None:
    """Its protocol is spoken there, with its login; what it was not told of speaks HTTP."""
    assert url(image, environment, *command, port=port) == expected


def test_a_variable_may_name_a_file() -> None:
    """The images' own way to secrets: the line break at its end is not part of them."""
    files = {"/run/secrets/pw": "p w\n", "/run/secrets/user": "u"}
    given = {"POSTGRES_PASSWORD_FILE": "/run/secrets/pw", "POSTGRES_USER_FILE": "/run/secrets/user"}
    assert url("postgres", given, files=files) == "postgresql://u:p%20w@h:1/u"
    assert url("postgres", {"POSTGRES_PASSWORD_FILE": "/nowhere"}) == "postgresql://postgres@h:1/postgres"


@given(st.lists(st.text()), st.dictionaries(st.text(), st.text()))
def test_any_command_line_can_be_read(words: list[str], environment: dict[str, str]) -> None:
    """However odd: what is not understood says nothing."""
    for server in SERVERS:
        read_settings(server, server.images[0], environment, ["sh", "-c", *words])


@pytest.mark.parametrize(
    ("port", "scheme"), [(8083, "http"), (9001, "http"), (5432, "postgresql"), (443, "https")]
)
def test_a_port_of_an_unknown_server_is_taken_for_what_one_protocol_alone_has(port: int, scheme: str) -> None:
    """Web servers listen anywhere, also where a broker speaks over WebSockets."""
    assert plain_url("h:1", port) == f"{scheme}://h:1"
