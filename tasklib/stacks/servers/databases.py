"""PURE: SQL databases, by their images."""

from __future__ import annotations

from tasklib.stacks.servers.model import Baking, Login, Server, bitnami

__all__ = ["DATABASES"]

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
            programs=("postgres",),
            # While it initialises it listens on a socket alone.
            ready=("pg_isready", "-q", "-h", "127.0.0.1"),
            options=("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"),
            moving=(
                r"(?:--?port=|-p|port=)\d*|(?:--)?config[-_]file=.*|data_directory=.*|-D.*|listen_addresses=.*"
            ),
            unlike=("PGPORT", "PGHOST"),
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
        ("postgresql", *bitnami("postgresql")),
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


def _mysql_baking(*programs: str, configuration: tuple[str, ...]) -> Baking:
    """By the start scripts of the official images: the folder of the data is what the server says it is."""
    return Baking(
        ("/var/lib/mysql",),
        data_option="--datadir",
        configuration=configuration,
        programs=programs,
        # While it initialises it listens on a socket alone. From MariaDB 11 on there is no mysqladmin, in
        # MySQL nothing else; "access denied" is an answer, too.
        ready=(
            "sh",
            "-c",
            'exec "$(command -v mariadb-admin || command -v mysqladmin)" -h 127.0.0.1 --protocol=tcp ping',
        ),
        # Each table that is made would be written to the disk seven times. Not each of them knows all of it.
        options=(
            "--innodb-flush-log-at-trx-commit=0",
            "--sync-binlog=0",
            "--loose-innodb-flush-method=nosync",
            "--loose-innodb-doublewrite=0",
            "--loose-sync-frm=0",
            "--loose-log-ddl-recovery=/dev/shm/tasklib-ddl-recovery.log",
        ),
        moving=(
            r"(?i)--(?:port|bind[-_]address|skip[-_]networking|defaults|datadir|basedir|innodb[-_][a-z_-]*dir"
            r"|server[-_]id|log[-_]bin|gtid|wsrep).*|-P.*|-h.*"
        ),
        # A password that the log tells once, and servers that know of each other.
        unlike=(
            "MYSQL_TCP_PORT",
            "MYSQL_RANDOM_ROOT_PASSWORD",
            "MARIADB_RANDOM_ROOT_PASSWORD",
            "MARIADB_MASTER_HOST",
            "MARIADB_REPLICATION_USER",
        ),
        # MariaDB's: it reads there who it is. Others have no such file and do without.
        check="/usr/local/bin/healthcheck.sh",
        check_file=".my-healthcheck.cnf",
        check_options=("--datadir={data}", "--defaults-extra-file={data}/.my-healthcheck.cnf"),
    )


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
        baking=_mysql_baking("mysqld", configuration=("/etc/mysql", "/etc/my.cnf", "/etc/my.cnf.d")),
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
        # Before 11 its command is mysqld.
        baking=_mysql_baking("mariadbd", "mysqld", configuration=("/etc/mysql",)),
    ),
    # github.com/bitnami/containers, mysql and mariadb.
    Server(
        "mysql",
        bitnami("mysql"),
        ((3306, "mysql"),),
        (_MYSQL_LOGINS[0], Login(("MYSQL_ROOT_USER",), ("MYSQL_ROOT_PASSWORD",), "root")),
        database=("MYSQL_DATABASE",),
        sql=True,
        data=("/bitnami/mysql",),
        in_memory=True,
    ),
    Server(
        "mysql",
        bitnami("mariadb"),
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

DATABASES: tuple[Server, ...] = (*_POSTGRES, *_MYSQL, *_MSSQL)
