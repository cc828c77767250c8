"""Copies of a database of MySQL or MariaDB, which have no templates: what makes one is said again for each.

When its stack becomes ready, the rows are copied into a database of their own, with the statements that make
the rest; a copy is those statements and the rows. Who may do that is a user of its own, since the one of the
stack's URL often has rights in its own database alone: whoever knows the URL knows its password, too.

This module runs in the environments of tests: the standard library of Python 3.6 and later, nothing else.
"""

import hashlib
import os
from typing import Any, List

__all__ = [
    "PREFIX",
    "SCRIPT",
    "TEMPLATE",
    "USER",
    "Clones",
    "has_template",
    "identifier",
    "literal",
    "password_of",
]

TEMPLATE = "tasklib_template"
"""Holds the rows; there is one for the database that the stack's URL names."""

SCRIPT = "tasklib script"
"""The table in it that holds the statements: it is made last."""

PREFIX = "tasklib_copy_"
USER = "tasklib_copies"

_WAIT = 20
"""Seconds for those who still use a copy that has to go."""

_ENDED = "1094"
"""The code for a session that has ended by itself."""

_LARGEST = 3 << 20
"""Characters of statements that are said at once: every server takes more."""

_SETTINGS = (
    "SET NAMES utf8mb4, SQL_MODE = 'NO_AUTO_VALUE_ON_ZERO', FOREIGN_KEY_CHECKS = 0, UNIQUE_CHECKS = 0, "
    "SQL_QUOTE_SHOW_CREATE = 1, SQL_LOG_BIN = 0, TIME_ZONE = DEFAULT, AUTOCOMMIT = 1, "
    "LOCK_WAIT_TIMEOUT = {}".format(_WAIT)
)


def identifier(name: str) -> str:
    """A name as SQL writes it."""
    return "`" + name.replace("`", "``") + "`"


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def password_of(user: str, password: str) -> str:
    """The password of our own user at a server, for who knows that login."""
    known = "tasklib\0{}\0{}".format(user, password).encode("utf-8", "surrogateescape")
    return "Tl-" + hashlib.sha256(known).hexdigest()


def has_template(connection: Any) -> bool:
    """Whether the server has one that is whole."""
    sql = "SELECT 1 FROM information_schema.tables WHERE table_schema = {} AND table_name = {}"
    return bool(connection.query(sql.format(literal(TEMPLATE), literal(SCRIPT))))


def prepare(connection: Any) -> None:
    """Have a session read and write statements as they are written here."""
    connection.query(_SETTINGS)


def messages(name: str, script: List[str]) -> List[str]:
    """What makes the database ``name`` by ``script``, of which the first part says what it is like."""
    found = [["CREATE DATABASE {} {}".format(identifier(name), script[0]), "USE " + identifier(name)]]
    size = 0
    # Whoever is in a copy is ended when it goes, we are not.
    for statement in [*script[1:], _SETTINGS, "USE information_schema"]:
        size += len(statement)
        if size > _LARGEST:
            found.append([])
            size = len(statement)
        found[-1].append(statement)
    # A statement may end in a comment, which goes to the end of its line.
    return ["\n;\n".join(statements) for statements in found]


class Clones:
    """The copies of one process of tests: each has a name of its own, and goes when it is given back.

    The names hold a token, and our session holds a lock of that name, so that whoever comes later knows which
    copies have lost their owner. While a test runs, the next copy is made and the last one removed.
    """

    def __init__(self, connect: Any) -> None:
        """``connect()`` opens a session of :data:`USER`. Copies without an owner go."""
        self._token = os.urandom(4).hex()
        self._number = 0
        self._ahead = ""
        self._removes = False
        self._script = []  # type: List[str]
        self._maker = connect()
        try:
            self._remover = connect()
        except BaseException:
            self._maker.close()
            raise
        try:
            prepare(self._maker)
            prepare(self._remover)
            self._maker.query("DO GET_LOCK({}, 0)".format(literal(PREFIX + self._token)))
            if has_template(self._maker):
                rows = self._maker.query(
                    "SELECT text FROM {}.{} ORDER BY number".format(identifier(TEMPLATE), identifier(SCRIPT))
                )
                self._script = [row[0] for row in rows]
            for left in self._left():
                self.drop(left)
        except BaseException:
            self.close()
            raise

    def _left(self) -> List[str]:
        rows = self._maker.query(
            "SELECT schema_name FROM information_schema.schemata "
            "WHERE schema_name REGEXP '^{0}[0-9a-f]{{8}}_[0-9]+$' "
            "AND IS_FREE_LOCK(LEFT(schema_name, {1}))".format(PREFIX, len(PREFIX) + 8)
        )
        return [row[0] for row in rows]

    @property
    def possible(self) -> bool:
        """Whether there is something to copy."""
        return bool(self._script)

    def make(self) -> str:
        """The name of a new copy."""
        name, self._ahead = self._ahead, ""
        if name:
            self._maker.finish()
        else:
            name = self._next()
            for message in messages(name, self._script):
                self._maker.query(message)
        if self._number > 1:  # Who asks twice asks again.
            ahead = self._next()
            said = messages(ahead, self._script)
            if len(said) == 1:
                self._maker.begin(said[0])
                self._ahead = ahead
        return name

    def _next(self) -> str:
        self._number += 1
        return "{}{}_{}".format(PREFIX, self._token, self._number)

    def drop(self, name: str) -> None:
        """Remove a copy, whoever is connected to it."""
        self._finish_removing()
        for (session,) in self._remover.query(
            "SELECT id FROM information_schema.processlist WHERE id <> connection_id() AND db = "
            + literal(name)
        ):
            self._end(session)
        self._remover.begin("DROP DATABASE IF EXISTS " + identifier(name))
        self._removes = True

    def _end(self, session: str) -> None:
        try:
            self._remover.query("KILL {}".format(session))
        except self._remover.Error as error:
            if error.code != _ENDED:
                raise

    def _finish_removing(self) -> None:
        removes, self._removes = self._removes, False
        if removes:
            self._remover.finish()

    def close(self) -> None:
        """Everything goes. Raises what went wrong with the last copy that was removed."""
        try:
            if self._ahead:
                name, self._ahead = self._ahead, ""
                self._maker.finish()
                self.drop(name)
            self._finish_removing()
        finally:
            self._maker.close()
            self._remover.close()
