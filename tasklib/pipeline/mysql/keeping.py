"""Keeps a database as it is: its rows in one of their own, and statements for the rest, tried once."""

from __future__ import annotations

from collections.abc import Iterable

from tasklib.pipeline.inject.tasklib_in_pytest import mysql_clones as clones
from tasklib.pipeline.inject.tasklib_in_pytest.mysql import Connection, MysqlError
from tasklib.pipeline.mysql.survey import Part, Survey, survey

__all__ = ["keep"]

_PROOF = f"{clones.PREFIX}00000000_0"
_WHO = f"{clones.literal(clones.USER)}@'%'"
_MISSING = frozenset(("1146", "1305", "1356"))
"""A table or function is not there, or what a view needs."""

_TRIES = 3


def keep(connection: Connection, database: str, password: str) -> None:
    """Keep ``database``, whose copies are made by our own user with ``password``.

    ``connection`` may do everything. Raises :class:`MysqlError`, and leaves nothing, where a copy would not
    be like the original.
    """
    clones.prepare(connection)
    if clones.has_template(connection):
        return
    try:
        _refuse_grants(connection, database)
        found = _rows_of(connection, database)
        _admit(connection, database, password)
        script = _proven(connection, found)
        _write(connection, script)
    except BaseException:
        _drop(connection, clones.TEMPLATE)
        connection.query(f"DROP USER IF EXISTS {_WHO}")
        raise
    finally:
        _drop(connection, _PROOF)


def _drop(connection: Connection, name: str) -> None:
    connection.query(f"DROP DATABASE IF EXISTS {clones.identifier(name)}")


def _refuse_grants(connection: Connection, database: str) -> None:
    sql = "SELECT grantee, table_name FROM information_schema.{0}_privileges WHERE table_schema = {1} LIMIT 1"
    for what in ("table", "column"):
        for grantee, table in connection.query(sql.format(what, clones.literal(database))):
            raise MysqlError(f"{grantee} has rights on {table} alone, which its copies would not know")
    sql = f"SELECT user, routine_name FROM mysql.procs_priv WHERE db = {clones.literal(database)} LIMIT 1"
    for user, routine in connection.query(sql):
        raise MysqlError(f"{user} has rights on {routine} alone, which its copies would not know")


def _rows_of(connection: Connection, database: str) -> Survey:
    """Copy all rows, as they are at one moment, into the template; what the database was then."""
    for _ in range(_TRIES):
        found = survey(connection, database)
        _drop(connection, clones.TEMPLATE)
        template = clones.identifier(clones.TEMPLATE)
        connection.query(f"CREATE DATABASE {template} {found.like}")
        filled = [part for part in found.of("table") if part.columns]
        if filled:
            _copy(connection, template, filled)
        if survey(connection, database) == found:
            return found
    raise MysqlError("others write to it all the time")


def _copy(connection: Connection, template: str, filled: Iterable[Part]) -> None:
    locks, copies = [], []
    for part in filled:
        name = clones.identifier(part.name)
        columns = ", ".join(map(clones.identifier, part.columns))
        connection.query(f"CREATE TABLE {template}.{name} LIKE {name}")
        locks += [f"{name} READ", f"{template}.{name} WRITE"]
        copies.append(f"INSERT INTO {template}.{name} ({columns}) SELECT {columns} FROM {name}")
    try:
        connection.query(f"LOCK TABLES {', '.join(locks)}")
        for copy in copies:
            connection.query(copy)
    finally:
        connection.query("UNLOCK TABLES")


def _proven(connection: Connection, found: Survey) -> list[str]:
    """The statements that make a copy, which have made one that is the same."""
    _drop(connection, _PROOF)
    script = [found.like, *_said(found.of("sequence", "table", "routine"))]
    for message in clones.messages(_PROOF, script):
        connection.query(message)
    views = _in_order(connection, found.of("view"))
    rest = _said(found.of("trigger", "event"))
    _say(connection, rest)
    made = survey(connection, _PROOF)
    for part in found.parts:
        if part not in made.parts:
            raise MysqlError(f"a copy of the {part.kind} {part.name} is not like it")
    return [*script, *_said(views), *rest]


def _said(parts: Iterable[Part]) -> list[str]:
    return [statement for part in parts for statement in part.statements]


def _say(connection: Connection, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.query(statement)
    clones.prepare(connection)


def _in_order(connection: Connection, views: tuple[Part, ...]) -> list[Part]:
    """Views, each after those that it is of."""
    connection.query(f"USE {clones.identifier(_PROOF)}")
    done: list[Part] = []
    while len(done) < len(views):
        before = len(done)
        for part in views:
            if part in done:
                continue
            try:
                _say(connection, part.statements)
            except MysqlError as error:
                if error.code not in _MISSING:
                    raise
                last = error
            else:
                done.append(part)
        if len(done) == before:
            raise last
    return done


def _admit(connection: Connection, database: str, password: str) -> None:
    """Our own user, which may do everything; and who has rights in the database has them in copies."""
    connection.query(f"DROP USER IF EXISTS {_WHO}")
    connection.query(f"CREATE USER {_WHO} IDENTIFIED BY {clones.literal(password)}")
    connection.query(f"GRANT ALL ON *.* TO {_WHO} WITH GRANT OPTION")
    copies = clones.identifier(clones.PREFIX.replace("_", "\\_") + "%")
    rights: dict[tuple[str, str], list[str]] = {}
    for grantee, privilege, grantable in connection.query(
        "SELECT grantee, privilege_type, is_grantable FROM information_schema.schema_privileges "
        f"WHERE {clones.literal(database)} LIKE table_schema"
    ):
        rights.setdefault((str(grantee), str(grantable)), []).append(str(privilege))
    for (grantee, grantable), privileges in rights.items():
        option = " WITH GRANT OPTION" if grantable == "YES" else ""
        connection.query(f"GRANT {', '.join(privileges)} ON {copies}.* TO {grantee}{option}")


def _write(connection: Connection, script: Iterable[str]) -> None:
    template, writing = (
        clones.identifier(clones.TEMPLATE),
        clones.identifier(f"{clones.SCRIPT} being written"),
    )
    columns = "number INT PRIMARY KEY, text LONGTEXT NOT NULL"
    connection.query(f"CREATE TABLE {template}.{writing} ({columns}) DEFAULT CHARACTER SET utf8mb4")
    for number, text in enumerate(script):
        connection.query(f"INSERT INTO {template}.{writing} VALUES ({number}, {clones.literal(text)})")
    # Whoever sees the table sees all of it.
    whole = clones.identifier(clones.SCRIPT)
    connection.query(f"RENAME TABLE {template}.{writing} TO {template}.{whole}")
