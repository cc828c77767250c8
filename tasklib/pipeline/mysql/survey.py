"""What a database is made of: the statements that make another one like it, or what cannot be said again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from tasklib.pipeline.inject.tasklib_in_pytest.mysql import Connection, MysqlError
from tasklib.pipeline.inject.tasklib_in_pytest.mysql_clones import TEMPLATE, identifier, literal

__all__ = ["Part", "Survey", "survey"]

_ENGINES = frozenset(("InnoDB", "MyISAM", "Aria", "MEMORY", "ROCKSDB"))
"""Those whose rows are in the table and nowhere else."""

_UTF8 = frozenset(("utf8", "utf8mb3", "utf8mb4"))
_QUOTED = r"'(?:[^'\\\\]|\\\\.|'')*'"


class Part(Struct, frozen=True):
    """One table, view, … and how it is made.

    ``columns`` are those of a table that hold values, if it has rows.
    ``facts`` are all that the server says of it: two that agree in them are alike.
    """

    kind: str
    name: str
    statements: tuple[str, ...]
    columns: tuple[str, ...] = ()
    facts: tuple[str | None, ...] = ()


class Survey(Struct, frozen=True):
    """A database: what it is ``like``, and its parts in the order in which they are made, but for views."""

    like: str
    parts: tuple[Part, ...]

    def of(self, *kinds: str) -> tuple[Part, ...]:
        """The parts of these kinds."""
        return tuple(part for part in self.parts if part.kind in kinds)


def survey(connection: Connection, database: str) -> Survey:
    """Look at ``database``, which becomes the session's own.

    Raises :class:`MysqlError` for what is not copied.
    """
    name = identifier(database)
    connection.query(f"USE {name}")
    like = (connection.query(f"SHOW CREATE DATABASE {name}")[0][1] or "").partition(name)[2]
    tables = connection.query(
        "SELECT table_name, table_type, engine FROM information_schema.tables "
        f"WHERE table_schema = {literal(database)} ORDER BY table_name"
    )
    look = _Look(connection, database, frozenset(str(row[0]) for row in tables))
    columns: dict[str, list[str]] = {}
    for table, column in connection.query(
        "SELECT table_name, column_name FROM information_schema.columns "
        f"WHERE table_schema = {literal(database)} AND coalesce(generation_expression, '') = '' "
        "ORDER BY table_name, ordinal_position"
    ):
        columns.setdefault(str(table), []).append(str(column))
    of: dict[str, list[Part]] = {"SEQUENCE": [], "BASE TABLE": [], "VIEW": []}
    for row in tables:
        table, kind, engine = (str(value) for value in row)
        if kind not in of:
            raise MysqlError(f"{table} is {kind.lower()}, of which there is no copy with its history")
        if kind == "BASE TABLE" and engine not in _ENGINES:
            raise MysqlError(f"{table} has the engine {engine}, whose rows may be elsewhere")
        of[kind].append(look.at(kind, table, columns.get(table, ())))
    routines = [
        look.routine(kind, name) for kind, name in look.named("routine", "routine_type, routine_name")
    ]
    triggers = [look.trigger(name) for _, name in look.named("trigger", "event_object_table, trigger_name")]
    events = [look.event(name) for _, name in look.named("event", "event_schema, event_name")]
    parts = (*of["SEQUENCE"], *of["BASE TABLE"], *routines, *of["VIEW"], *triggers, *events)
    return Survey(like, parts)


class _Look:
    def __init__(self, connection: Connection, database: str, tables: frozenset[str]) -> None:
        self._connection = connection
        self._database = database
        name = re.escape(database)
        # A table may be called like its database: then only what is there counts as being named.
        after = "|".join(map(re.escape, sorted(tables))) if database in tables else r"[\w$]"
        self._named = re.compile(rf"(?:`{name}`|(?<![\w$`@.]){name})\s*\.\s*`?(?:{after})")
        self._own = re.compile(rf"({_QUOTED})|`{name}`\.(?=`)")
        self._from = re.compile(rf"\b(?:from|join)\s+\(*`{name}`\.`")
        self._call = re.compile(rf"({_QUOTED})|`{name}`\.(?=`[^`]+`\()")

    def named(self, what: str, columns: str) -> Iterator[tuple[str, str]]:
        order = "action_order" if what == "trigger" else columns
        rows = self._connection.query(
            f"SELECT {columns} FROM information_schema.{what}s "
            f"WHERE {what}_schema = {literal(self._database)} ORDER BY {order}"
        )
        return ((str(first), str(second)) for first, second in rows)

    def at(self, kind: str, name: str, columns: Sequence[str]) -> Part:
        if kind == "VIEW":
            return self._view(name)
        return self._sequence(name) if kind == "SEQUENCE" else self._table(name, columns)

    def _show(self, kind: str, name: str) -> tuple[str | None, ...]:
        return self._connection.query(f"SHOW CREATE {kind} {identifier(name)}")[0]

    def _table(self, name: str, columns: Sequence[str]) -> Part:
        # A default may take its value from a sequence, which is named with its database.
        text = self._own.sub(lambda found: found[1] or "", str(self._show("TABLE", name)[1]))
        if not self._connection.query(f"SELECT 1 FROM {identifier(name)} LIMIT 1"):
            return Part("table", name, (text,), facts=(text, "empty"))
        listed = ", ".join(map(identifier, columns))
        rows = f"SELECT {listed} FROM {identifier(TEMPLATE)}.{identifier(name)}"
        fill = f"INSERT INTO {identifier(name)} ({listed}) {rows}"
        return Part("table", name, (text, fill), tuple(columns), (text, "filled"))

    def _sequence(self, name: str) -> Part:
        text = str(self._show("SEQUENCE", name)[1])
        [(following,)] = self._connection.query(f"SELECT next_not_cached_value FROM {identifier(name)}")
        return Part(
            "sequence",
            name,
            (text, f"DO SETVAL({identifier(name)}, {following}, 0)"),
            facts=(text, following),
        )

    def _view(self, name: str) -> Part:
        _, text, client, collation = self._show("VIEW", name)[:4]
        # Functions are always named with their database, everything else where another one is named, too.
        text = self._call.sub(lambda found: found[1] or "", str(text))
        if self._from.search(text):
            raise MysqlError(f"the view {name} is of several databases")
        return self._part("view", name, text, client, collation)

    def routine(self, kind: str, name: str) -> Part:
        _, mode, text, client, collation, own = self._show(kind, name)[:6]
        return self._code("routine", name, text, mode, client, collation, own)

    def trigger(self, name: str) -> Part:
        _, mode, text, client, collation, own = self._show("TRIGGER", name)[:6]
        return self._code("trigger", name, text, mode, client, collation, own)

    def event(self, name: str) -> Part:
        _, mode, zone, text, client, collation, own = self._show("EVENT", name)[:7]
        part = self._code("event", name, text, mode, client, collation, own)
        said = (f"SET TIME_ZONE = {literal(zone or 'SYSTEM')}", *part.statements)
        return Part(part.kind, name, said, facts=(zone, *part.facts))

    def _code(
        self,
        kind: str,
        name: str,
        text: str | None,
        mode: str | None,
        client: str | None,
        collation: str | None,
        own: str | None,
    ) -> Part:
        if not text:
            raise MysqlError(f"the {kind} {name} is not shown to this user")
        if self._named.search(text):
            raise MysqlError(
                f"the {kind} {name} names the database {self._database}, which no copy is called"
            )
        part = self._part(kind, name, text, client, collation)
        said = (f"SET SQL_MODE = {literal(mode or '')}", *part.statements)
        return Part(kind, name, said, facts=(mode, own, *part.facts))

    def _part(self, kind: str, name: str, text: str, client: str | None, collation: str | None) -> Part:
        if client not in _UTF8 and not text.isascii():
            raise MysqlError(f"the {kind} {name} is written in {client}, and not in ASCII alone")
        how = f"SET CHARACTER_SET_CLIENT = {client}, COLLATION_CONNECTION = {collation}"
        return Part(kind, name, (how, text), facts=(client, collation, text))
