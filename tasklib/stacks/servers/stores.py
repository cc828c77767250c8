"""PURE: what keeps data without SQL, by its images: caches, documents, objects, columns, search."""

from __future__ import annotations

from tasklib.stacks.servers.model import Baking, Login, Server, bitnami

__all__ = ["STORES"]

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
    # dragonflydb.io/docs, flags: Redis' protocol; each flag may be a variable.
    Server(
        "redis",
        ("dragonfly",),
        ((6379, "redis"),),
        (Login((), ("DFLY_requirepass",)),),
        password_options=_REDIS_OPTIONS,
        default_database="0",
        data=("/data",),
    ),
    *(
        # github.com/bitnami/containers, redis, valkey, keydb.
        Server(
            "redis",
            bitnami(name),
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
        ("mongodb", *bitnami("mongodb")),
        ((27017, "mongodb"),),
        (Login(("MONGODB_ROOT_USER",), ("MONGODB_ROOT_PASSWORD",), "root"),),
        data=("/bitnami/mongodb",),
        in_memory=True,
    ),
)

_ELASTIC_OFF = (("xpack.security.enabled", "false"), ("xpack.security.http.ssl.enabled", "false"))
_OPENSEARCH_OFF = (("DISABLE_SECURITY_PLUGIN", "true"), ("plugins.security.disabled", "true"))

_OTHERS = (
    # hub.docker.com/_/memcached
    Server("memcached", ("memcached", *bitnami("memcached")), ((11211, "memcached"),)),
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
        Server("elasticsearch", bitnami(name), ((9200, "http"),), data=(f"/bitnami/{name}",), in_memory=True)
        for name in ("elasticsearch", "opensearch")
    ),
    # neo4j.com/docs, Docker: clients give the login apart from the address.
    Server("neo4j", ("neo4j",), ((7687, "bolt"), (7474, "http")), data=("/data",)),
    # cassandra.apache.org/doc, native protocol; Scylla speaks the same.
    Server("cassandra", ("cassandra", "scylla"), ((9042, "cassandra"),), data=("/var/lib/cassandra",)),
    # min.io/docs: the keys go into the clients' own settings, not into a URL; 9001 is the usual console.
    Server("minio", ("minio", *bitnami("minio")), ((9000, "http"), (9001, "http")), data=("/data",)),
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

STORES: tuple[Server, ...] = (*_REDIS, *_MONGO, *_OTHERS)
