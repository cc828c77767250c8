"""The servers that are known by their images. A new one is a row here, and nowhere else.

Each fact is one of the image's own documentation or start script, which the row names.
"""

from __future__ import annotations

from tasklib.stacks.servers.model import Baking, Login, Server

__all__ = ["SERVERS"]

_BITNAMI = ("bitnami", "bitnamilegacy", "bitnamisecure")


def _bitnami(name: str) -> tuple[str, ...]:
    return tuple(f"{team}/{name}" for team in _BITNAMI)


_PG_FOLDER = "/var/lib/postgresql"

_POSTGRES = (
    # hub.docker.com/_/postgres; postgis, timescaledb and pgvector are built on it. From 18 on the volume is
    # one folder higher.
    Server(
        "postgres",
        ("postgres", "postgis", "timescaledb", "timescaledb-ha", "pgvector", "citus"),
        ((5432, "postgresql"),),
        (Login(("POSTGRES_USER",), ("POSTGRES_PASSWORD",), "postgres"),),
        database=("POSTGRES_DB", "POSTGRES_USER"),
        default_database="postgres",
        sql=True,
        data=(_PG_FOLDER,),
        in_memory=True,
        official=("postgres",),
        volumes=((0, (f"{_PG_FOLDER}/data",)), (18, (_PG_FOLDER,))),
        baking=Baking(
            (_PG_FOLDER,),
            "PGDATA",
            configuration=("/etc/postgresql",),
            program="postgres",
            # While it initialises it listens on a socket alone.
            ready=("pg_isready", "-q", "-h", "127.0.0.1"),
            options=("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"),
        ),
    ),
    # github.com/kartoza/docker-postgis: names and defaults of its own.
    Server(
        "postgres",
        ("kartoza/postgis",),
        ((5432, "postgresql"),),
        (Login(("POSTGRES_USER",), ("POSTGRES_PASS",), "docker"),),
        database=("POSTGRES_DBNAME",),
        default_database="gis",
        sql=True,
        data=(_PG_FOLDER,),
    ),
    # github.com/bitnami/containers, postgresql: starts as user 1001.
    Server(
        "postgres",
        ("postgresql", *_bitnami("postgresql")),
        ((5432, "postgresql"),),
        (
            Login(
                ("POSTGRESQL_USERNAME", "POSTGRES_USER"),
                ("POSTGRESQL_PASSWORD", "POSTGRES_PASSWORD"),
                "postgres",
            ),
        ),
        database=("POSTGRESQL_DATABASE", "POSTGRES_DB"),
        default_database="postgres",
        sql=True,
        data=("/bitnami/postgresql",),
        in_memory=True,
    ),
    # cockroachlabs.com/docs, `cockroach start-single-node` in Docker; cockroach.sh of the image.
    Server(
        "postgres",
        ("cockroach",),
        ((26257, "postgresql"), (8080, "http")),
        (Login(("COCKROACH_USER",), ("COCKROACH_PASSWORD",), "root"),),
        argument_variables=("COCKROACH_ARGS",),
        database=("COCKROACH_DATABASE",),
        default_database="defaultdb",
        queries=(("--insecure", "sslmode=disable"),),
        sql=True,
        data=("/cockroach/cockroach-data",),
    ),
)

_MYSQL_LOGINS = (Login(("MYSQL_USER",), ("MYSQL_PASSWORD",)), Login((), ("MYSQL_ROOT_PASSWORD",), "root"))

_MYSQL = (
    # hub.docker.com/_/mysql; mysql-server and Percona's images read the same variables.
    Server(
        "mysql",
        ("mysql", "mysql-server", "percona", "percona-server"),
        ((3306, "mysql"),),
        _MYSQL_LOGINS,
        database=("MYSQL_DATABASE",),
        sql=True,
        data=("/var/lib/mysql",),
        in_memory=True,
        official=("mysql",),
        volumes=((0, ("/var/lib/mysql",)),),
        baking=Baking(("/var/lib/mysql",), configuration=("/etc/mysql", "/etc/my.cnf", "/etc/my.cnf.d")),
    ),
    # hub.docker.com/_/mariadb: its own names, and MySQL's where those are not set.
    Server(
        "mysql",
        ("mariadb",),
        ((3306, "mysql"),),
        (
            Login(("MARIADB_USER", "MYSQL_USER"), ("MARIADB_PASSWORD", "MYSQL_PASSWORD")),
            Login((), ("MARIADB_ROOT_PASSWORD", "MYSQL_ROOT_PASSWORD"), "root"),
        ),
        database=("MARIADB_DATABASE", "MYSQL_DATABASE"),
        sql=True,
        data=("/var/lib/mysql",),
        in_memory=True,
        official=("mariadb",),
        volumes=((0, ("/var/lib/mysql",)),),
        baking=Baking(("/var/lib/mysql",), configuration=("/etc/mysql",)),
    ),
    # github.com/bitnami/containers, mysql and mariadb.
    Server(
        "mysql",
        _bitnami("mysql"),
        ((3306, "mysql"),),
        (_MYSQL_LOGINS[0], Login(("MYSQL_ROOT_USER",), ("MYSQL_ROOT_PASSWORD",), "root")),
        database=("MYSQL_DATABASE",),
        sql=True,
        data=("/bitnami/mysql",),
        in_memory=True,
    ),
    Server(
        "mysql",
        _bitnami("mariadb"),
        ((3306, "mysql"),),
        (
            Login(("MARIADB_USER",), ("MARIADB_PASSWORD",)),
            Login(("MARIADB_ROOT_USER",), ("MARIADB_ROOT_PASSWORD",), "root"),
        ),
        database=("MARIADB_DATABASE",),
        sql=True,
        data=("/bitnami/mariadb",),
        in_memory=True,
    ),
)

_MSSQL = (
    # learn.microsoft.com/sql/linux/sql-server-linux-configure-environment-variables: runs as user mssql.
    Server(
        "mssql",
        ("mssql/server", "azure-sql-edge"),
        ((1433, "mssql"),),
        (Login((), ("MSSQL_SA_PASSWORD", "SA_PASSWORD"), "sa"),),
        default_database="master",
        sql=True,
        data=("/var/opt/mssql",),
    ),
)

_REDIS_OPTIONS, _REDIS_LINES = ("--requirepass",), ("requirepass",)

_REDIS = (
    # hub.docker.com/_/redis and /r/valkey/valkey: no variable sets a password, only the command line does.
    Server(
        "redis",
        ("redis", "valkey", "keydb"),
        ((6379, "redis"),),
        password_options=_REDIS_OPTIONS,
        password_lines=_REDIS_LINES,
        argument_variables=("VALKEY_EXTRA_FLAGS",),
        default_database="0",
        data=("/data",),
        in_memory=True,
        official=("redis", "valkey/valkey"),
        volumes=((0, ("/data",)),),
    ),
    # hub.docker.com/r/redis/redis-stack: its start script appends REDIS_ARGS; 8001 is RedisInsight.
    Server(
        "redis",
        ("redis-stack", "redis-stack-server"),
        ((6379, "redis"), (8001, "http")),
        password_options=_REDIS_OPTIONS,
        argument_variables=("REDIS_ARGS",),
        default_database="0",
        data=("/data",),
        in_memory=True,
    ),
    *(
        # github.com/bitnami/containers, redis, valkey, keydb.
        Server(
            "redis",
            _bitnami(name),
            ((6379, "redis"),),
            (Login((), (f"{name.upper()}_PASSWORD",)),),
            password_options=_REDIS_OPTIONS,
            default_database="0",
            data=(f"/bitnami/{name}",),
            in_memory=True,
        )
        for name in ("redis", "valkey", "keydb")
    ),
)

_MONGO_QUERY = (("--replSet", "directConnection=true"),)
"""Members of a replica set are known by their addresses inside, where clients outside cannot follow."""

_MONGO = (
    # hub.docker.com/_/mongo: the database that a variable names is the scripts' alone.
    Server(
        "mongo",
        ("mongo", "mongodb-community-server"),
        ((27017, "mongodb"),),
        (Login(("MONGO_INITDB_ROOT_USERNAME",), ("MONGO_INITDB_ROOT_PASSWORD",)),),
        queries=_MONGO_QUERY,
        data=("/data/db", "/data/configdb"),
        in_memory=True,
        official=("mongo",),
        volumes=((0, ("/data/configdb", "/data/db")),),
        baking=Baking(("/data/db", "/data/configdb")),
    ),
    # github.com/bitnami/containers, mongodb.
    Server(
        "mongo",
        ("mongodb", *_bitnami("mongodb")),
        ((27017, "mongodb"),),
        (Login(("MONGODB_ROOT_USER",), ("MONGODB_ROOT_PASSWORD",), "root"),),
        data=("/bitnami/mongodb",),
        in_memory=True,
    ),
)

_BROKERS = (
    # hub.docker.com/_/rabbitmq. Its data goes by the host's name, so that another container starts anew.
    Server(
        "rabbitmq",
        ("rabbitmq",),
        ((5672, "amqp"), (15672, "http")),
        (Login(("RABBITMQ_DEFAULT_USER",), ("RABBITMQ_DEFAULT_PASS",), "guest"),),
        database=("RABBITMQ_DEFAULT_VHOST",),
        data=("/var/lib/rabbitmq",),
        in_memory=True,
        official=("rabbitmq",),
        volumes=((0, ("/var/lib/rabbitmq",)),),
    ),
    # github.com/bitnami/containers, rabbitmq.
    Server(
        "rabbitmq",
        _bitnami("rabbitmq"),
        ((5672, "amqp"), (15672, "http")),
        (Login(("RABBITMQ_USERNAME",), ("RABBITMQ_PASSWORD",), "user"),),
        database=("RABBITMQ_VHOST",),
        data=("/bitnami/rabbitmq",),
        in_memory=True,
    ),
    # docs.nats.io, nats-server flags; 8222 is its monitoring.
    Server(
        "nats",
        ("nats",),
        ((4222, "nats"), (8222, "http")),
        user_options=("--user",),
        password_options=("--pass",),
    ),
    # kafka.apache.org/documentation (docker); the others listen on the same port.
    Server("kafka", ("kafka", "cp-kafka", "cp-server", "kafka-native"), ((9092, "kafka"),)),
    # docs.redpanda.com: 8081 is the schema registry, 8082 the HTTP proxy, 9644 the admin API.
    Server("kafka", ("redpanda",), ((9092, "kafka"), (8081, "http"), (8082, "http"), (9644, "http"))),
)

_ELASTIC_OFF = (("xpack.security.enabled", "false"), ("xpack.security.http.ssl.enabled", "false"))
_OPENSEARCH_OFF = (("DISABLE_SECURITY_PLUGIN", "true"), ("plugins.security.disabled", "true"))

_OTHERS = (
    # hub.docker.com/_/memcached
    Server("memcached", ("memcached", *_bitnami("memcached")), ((11211, "memcached"),)),
    # elastic.co/guide, Docker: from 8 on TLS and the user `elastic` are set up unless that is turned off.
    Server(
        "elasticsearch",
        ("elasticsearch",),
        ((9200, "https"),),
        (Login((), ("ELASTIC_PASSWORD",), "elastic"),),
        secure_from=8,
        secure_unless=_ELASTIC_OFF,
        data=("/usr/share/elasticsearch/data",),
        in_memory=True,
    ),
    # docs.opensearch.org, Docker: the demo certificates and the user `admin`, unless the plugin is off.
    Server(
        "elasticsearch",
        ("opensearch",),
        ((9200, "https"),),
        (Login((), ("OPENSEARCH_INITIAL_ADMIN_PASSWORD",), "admin"),),
        secure_from=0,
        secure_unless=_OPENSEARCH_OFF,
        data=("/usr/share/opensearch/data",),
        in_memory=True,
    ),
    *(
        # github.com/bitnami/containers, elasticsearch and opensearch: HTTP unless told otherwise.
        Server("elasticsearch", _bitnami(name), ((9200, "http"),), data=(f"/bitnami/{name}",), in_memory=True)
        for name in ("elasticsearch", "opensearch")
    ),
    # min.io/docs: the keys go into the clients' own settings, not into a URL; 9001 is the usual console.
    Server("minio", ("minio", *_bitnami("minio")), ((9000, "http"), (9001, "http")), data=("/data",)),
    # clickhouse.com/docs/install/docker and the image's entrypoint.sh; 8123 is the same server over HTTP.
    Server(
        "clickhouse",
        ("clickhouse", "clickhouse-server"),
        ((9000, "clickhouse"), (8123, "http")),
        (Login(("CLICKHOUSE_USER",), ("CLICKHOUSE_PASSWORD",), "default"),),
        database=("CLICKHOUSE_DB",),
        default_database="default",
        data=("/var/lib/clickhouse",),
        official=("clickhouse", "clickhouse/clickhouse-server"),
        volumes=((0, ("/var/lib/clickhouse",)),),
        baking=Baking(("/var/lib/clickhouse",), configuration=("/etc/clickhouse-server",)),
    ),
)

SERVERS: tuple[Server, ...] = (*_POSTGRES, *_MYSQL, *_MSSQL, *_REDIS, *_MONGO, *_BROKERS, *_OTHERS)
