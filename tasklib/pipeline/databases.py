"""The state of a stack's databases when it became ready, kept for tests that want copies of it.

It is made when the stack has come up, and its setup has been done, before any test can write: only where a
file of the tests names one of the fixtures, since it takes a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from tasklib.errors import EngineError
from tasklib.pipeline.inject.tasklib_in_pytest import clones as clones
from tasklib.pipeline.inject.tasklib_in_pytest import mysql as mysql
from tasklib.pipeline.inject.tasklib_in_pytest.mysql_clones import password_of
from tasklib.pipeline.inject.tasklib_in_pytest.postgres import Connection, PostgresError
from tasklib.pipeline.inject.tasklib_in_pytest.wire import DatabaseError
from tasklib.pipeline.mysql.keeping import keep
from tasklib.pipeline.suites.detect import mention
from tasklib.project import Project, StageTests
from tasklib.stacks.endpoints import settings_of
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import Container, EngineFacts
from tasklib.stacks.holding.held_stack import HeldStack
from tasklib.stacks.plan import StackPlan
from tasklib.stacks.preparation import Prepared
from tasklib.stacks.servers import Server, Settings

__all__ = ["FIXTURES", "keep_databases"]

FIXTURES = ("fresh_database", "worker_database")

_TAKEN = "55006"
"""Postgres' code for a database that somebody is connected to."""

_DUMP = (
    'export PGPASSWORD="${POSTGRES_PASSWORD-}"; '
    '{ pg_dump -w -U "$1" -d "$2" || echo "SELECT the_dump_ended_early;"; } '
    '| psql -w -X -q -v ON_ERROR_STOP=1 -U "$1" -d "$3" >/dev/null'
)
"""Copies the content of a database while others are connected to it."""


def keep_databases(
    held: HeldStack, project: Project, engine: Engine, notice: Callable[[str], None], *, set_up: bool
) -> None:
    """Keep the databases of a stack that is up as they are, where its tests may ask for copies.

    ``set_up`` is whether the setup of its tests, if there is one, has been done: before that the stack is not
    ready. Where there is none, what a stack holds that was up before is somebody's work by now and no
    beginning: nothing is kept of it. What cannot be kept is told.
    """
    stack = held.stack
    suites = _suites(project, stack.plan)
    has_setup = any(tests.setup for tests in suites)
    if (has_setup and not set_up) or (held.since and not has_setup):
        return
    if not mention([path for tests in suites for path in tests.paths], FIXTURES, project.root):
        return
    prepared = stack.prepared
    containers = {found.service: found for found in engine.containers(stack.project)}
    for service, server in prepared.servers.items():
        container = containers.get(service)
        if container and server.kind in _KEEP and server.sql:
            try:
                _KEEP[server.kind](prepared, engine, container, server)
            except (DatabaseError, EngineError) as error:
                notice(f"{service}: no {' or '.join(FIXTURES)} for these tests: {error}")


def _suites(project: Project, plan: StackPlan) -> list[StageTests]:
    """The tests that may run against the stack of ``plan``."""
    suites = [service.tests for service in project.services if plan.name in (None, service.name)]
    return [tests for tests in (*suites, None if plan.name else project.integration) if tests]


def _settings(prepared: Prepared, service: str, server: Server) -> Settings:
    definition = prepared.config["services"][service]
    return settings_of(definition, server, partial(prepared.text_of, service))


def _keep_mysql(prepared: Prepared, engine: Engine, container: Container, server: Server) -> None:
    settings = _settings(prepared, container.service, server)
    if not settings.database:
        raise DatabaseError("its file names no database (" + " or ".join(server.database) + ")")
    # Only that one may make databases and users; the first of the logins is the one of the URL.
    almighty = _settings(prepared, container.service, replace(server, logins=server.logins[-1:]))
    try:
        connection = mysql.Connection(
            *_address(container, server.port, engine.facts), almighty.user, almighty.password
        )
    except mysql.MysqlError as error:
        if error.code == mysql.REFUSED:
            names = " or ".join(server.logins[-1].password)
            raise DatabaseError(f"its file does not say the password of {almighty.user} ({names})") from error
        raise
    try:
        keep(connection, settings.database, password_of(settings.user, settings.password))
    finally:
        connection.close()


def _keep_postgres(prepared: Prepared, engine: Engine, container: Container, server: Server) -> None:
    settings = _settings(prepared, container.service, server)
    host, port = _address(container, server.port, engine.facts)
    connection = _connect(host, port, settings)
    try:
        if clones.has_template(connection):
            return
        try:
            _copy(connection, engine, container, settings)
            clones.seal(connection, settings.database)
        except BaseException:
            connection.query(f"DROP DATABASE IF EXISTS {clones.TEMPLATE}")
            raise
    finally:
        connection.close()


def _copy(connection: Connection, engine: Engine, container: Container, settings: Settings) -> None:
    if not clones.is_used(connection, settings.database):
        try:
            clones.copy(connection, settings.database, clones.TEMPLATE)
        except PostgresError as error:
            if error.code != _TAKEN:
                raise
        else:
            return
    clones.empty_like(connection, settings.database, clones.TEMPLATE)
    words = ("sh", "-c", _DUMP, "sh", settings.user, settings.database, clones.TEMPLATE)
    if not engine.run_inside(container.id, words):
        raise PostgresError(
            "others are connected to it, and `pg_dump` and `psql` cannot copy it in its container"
        )


def _connect(host: str, port: int, settings: Settings) -> Connection:
    """A session in any database but the one that is to be copied."""
    names = [name for name in ("postgres", "template1") if name != settings.database]
    for name in names:
        try:
            return Connection(host, port, settings.user, settings.password, name, "tasklib")
        except PostgresError as error:
            if name == names[-1]:
                raise
            last = error
    raise last


def _address(container: Container, port: int, facts: EngineFacts) -> tuple[str, int]:
    if container.address and facts.reach.direct:
        return container.address, port
    for known in container.ports:
        if known.target == port and known.published:
            return known.host, known.published
    raise DatabaseError(f"its port {port} is not published")


_KEEP: dict[str, Callable[[Prepared, Engine, Container, Server], None]] = {
    "postgres": _keep_postgres,
    "mysql": _keep_mysql,
}
