"""PURE: what the names of variables tell, and the forms that addresses have in them."""

from __future__ import annotations

import re

__all__ = [
    "ASIDE",
    "HERE",
    "HOST",
    "KINDS",
    "LIBPQ",
    "LOGIN",
    "MAIL",
    "PAIRED_PORT",
    "PAIRS",
    "PLAIN",
    "PORT",
    "PORT_OF",
    "URL",
]

HERE = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "host.docker.internal", "::1"})
HOST = re.compile(r"(?P<prefix>.*?)_?(?:HOST(?:NAME)?|SERVER|ADDR(?:ESS)?|ENDPOINT_HOST)")
PORT = re.compile(r"(?P<prefix>.*?)_?PORT")
LOGIN = re.compile(r"(?P<prefix>.*?)_?(?P<what>USER(?:NAME)?|PASS(?:WORD)?|PASSWD|DB|DATABASE|NAME|DBNAME)")
LIBPQ = re.compile(r"PG[A-Z]+")
URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:(?P<login>[^@/\s]*)@)?(?P<host>[\w.-]+|\[::1\])(?::(?P<port>\d+))?(?P<rest>[/?].*)?"
)
PLAIN = re.compile(r"(?P<host>[\w.-]+):(?P<port>\d+)(?P<rest>/.*)?")
ASIDE = re.compile(
    r"(?:PY_COLORS|FORCE_COLOR|NO_COLOR|COVERAGE_\w*|CODECOV_\w*|COVERALLS_\w*|GITHUB_\w*|CI|CI_\w*|UV_\w*|PIP_\w*|POETRY_\w*|NODE_AUTH_TOKEN"
    r"|NPM_\w*|DOCKER_\w*|COMPOSE_\w*|BUILDKIT_\w*|TERM|TZ|LANG|HOME|PATH|FF_\w*|CACHE_\w*|SONAR_\w*|TOX\w*|NOX\w*)"
)
PORT_OF = {
    "postgres": 5432, "postgresql": 5432, "mysql": 3306, "mariadb": 3306, "redis": 6379, "rediss": 6379,
    "mongodb": 27017, "amqp": 5672, "http": 80, "https": 443, "smtp": 25, "nats": 4222, "memcached": 11211,
}  # fmt: skip
KINDS = (
    (r"^(PG|POSTGRES|PSQL|TIMESCALE)", ("postgres",)),
    (r"(MYSQL|MARIADB)", ("mysql", "mariadb")),
    (r"(REDIS|VALKEY|CACHE|CELERY_RESULT)", ("redis", "valkey", "memcached")),
    (r"MONGO", ("mongodb", "mongo")),
    (r"(RABBIT|AMQP|BROKER)", ("rabbitmq", "amqp")),
    (r"KAFKA", ("kafka",)),
    (r"(ELASTIC|OPENSEARCH|^ES)", ("elasticsearch", "opensearch")),
    (r"MEMCACHE", ("memcached",)),
    (r"(S3|MINIO)", ("minio",)),
    (r"^(DB|DATABASE|SQL|.*_DB$|.*DATABASE)", ("postgres", "mysql", "mariadb", "mssql")),
)
MAIL = re.compile(r"mail(pit|hog|dev|catcher)")
PAIRS = re.compile(
    r"(?P<key>\b(?:host|server|data source)\s*=\s*)(?P<host>localhost|127\.0\.0\.1|[\w-]+)", re.IGNORECASE
)
"""How connection strings of pairs name a host: ``Host=localhost;Port=5432``, ``host=localhost port=5432``."""

PAIRED_PORT = re.compile(r"(?P<key>\bport\s*=\s*)(?P<port>\d+)", re.IGNORECASE)
