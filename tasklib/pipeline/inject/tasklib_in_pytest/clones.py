"""Copies of a database: sealed as a template when its stack becomes ready, and one for each test from that.

Postgres copies the files of a database in milliseconds (CREATE DATABASE … TEMPLATE). It does not copy what is
said about it from outside: its owner, its limits, who may do what with it, and ALTER DATABASE … SET. Those
are read from the original and said again of each copy.

This module runs in the environments of tests: the standard library of Python 3.6 and later, nothing else.
"""

import os
from typing import Any, List

__all__ = ["TEMPLATE", "Clones", "copy", "empty_like", "has_template", "is_used", "seal"]

TEMPLATE = "tasklib_template"
"""The template of a server's database; there is one for the one that the stack's URL names."""

_PREFIX = "tasklib_"

_LISTS = (
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
)
"""Settings that are lists of names: the catalog has them quoted already."""


def identifier(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it, whatever standard_conforming_strings says."""
    return " E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def has_template(connection: Any) -> bool:
    """Whether the server has one."""
    return bool(connection.query("SELECT 1 FROM pg_database WHERE datname = " + literal(TEMPLATE)))


def is_used(connection: Any, database: str) -> bool:
    """Whether anyone is connected to ``database``: it cannot be copied as files then."""
    sql = "SELECT 1 FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
    if connection.version < 10:
        sql = "SELECT 1 FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    return bool(connection.query(sql + " AND datname = " + literal(database)))


def copy(connection: Any, source: str, target: str) -> None:
    """Make ``target`` of ``source``, to which nobody may be connected."""
    connection.query("CREATE DATABASE {} TEMPLATE {}".format(identifier(target), identifier(source)))


def empty_like(connection: Any, source: str, target: str) -> None:
    """Make ``target`` without content, with the encoding and collation of ``source``."""
    wanted = (
        "pg_encoding_to_char(encoding)",
        "datcollate",
        "datctype",
        "to_jsonb(d)->>'datlocprovider'",
        "coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale')",
        "to_jsonb(d)->>'daticurules'",
    )
    sql = "SELECT {} FROM pg_database d WHERE datname = {}".format(", ".join(wanted), literal(source))
    encoding, collation, kind, provider, locale, rules = connection.query(sql)[0]
    words = ["CREATE DATABASE " + identifier(target), "TEMPLATE template0", "ENCODING" + literal(encoding)]
    words += ["LC_COLLATE" + literal(collation), "LC_CTYPE" + literal(kind)]
    if provider == "i":
        words += ["LOCALE_PROVIDER icu", "ICU_LOCALE" + literal(locale)]
        words += ["ICU_RULES" + literal(rules)] if rules else []
    elif provider == "b":
        words += ["LOCALE_PROVIDER builtin", "BUILTIN_LOCALE" + literal(locale)]
    connection.query(" ".join(words))


def seal(connection: Any, source: str) -> None:
    """Make the template what ``source`` says of itself, and let nobody in any more."""
    name = identifier(TEMPLATE)
    said = statements(connection, source, TEMPLATE)
    said += ["ALTER DATABASE {} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false".format(name)]
    connection.query(";".join(said))


def statements(connection: Any, source: str, target: str) -> List[str]:
    """What makes ``target`` like ``source`` in all that copying leaves out."""
    one = "FROM pg_database d WHERE datname = " + literal(source)
    owner, limit, allowed = connection.query("SELECT pg_get_userbyid(datdba), datconnlimit, datacl " + one)[0]
    name = identifier(target)
    said = ["ALTER DATABASE {} OWNER TO {}".format(name, identifier(owner))]
    if limit != "-1":
        said.append("ALTER DATABASE {} CONNECTION LIMIT {}".format(name, limit))
    if allowed is not None:
        said += _grants(connection, one, owner, name)
    settings = connection.query(
        "SELECT CASE s.setrole WHEN 0 THEN NULL ELSE pg_get_userbyid(s.setrole) END, unnest(s.setconfig) "
        "FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase "
        "WHERE d.datname = " + literal(source)
    )
    for role, setting in settings:
        key, _, value = setting.partition("=")
        whom = "ROLE {} IN DATABASE {}".format(identifier(role), name) if role else "DATABASE " + name
        said.append("ALTER {} SET {} TO {}".format(whom, _setting(key), _value(key, value)))
    return said


def _grants(connection: Any, one: str, owner: str, name: str) -> List[str]:
    rows = connection.query(
        "SELECT CASE a.grantee WHEN 0 THEN NULL ELSE pg_get_userbyid(a.grantee) END, a.privilege_type, "
        "a.is_grantable FROM (SELECT (aclexplode(datacl)).* {}) a".format(one)
    )
    said = ["REVOKE ALL ON DATABASE {} FROM PUBLIC, {}".format(name, identifier(owner))]
    for grantee, privilege, grantable in rows:
        whom = identifier(grantee) if grantee else "PUBLIC"
        option = " WITH GRANT OPTION" if grantable == "t" else ""
        said.append("GRANT {} ON DATABASE {} TO {}{}".format(privilege, name, whom, option))
    return said


def _setting(key: str) -> str:
    return ".".join(identifier(part) for part in key.split("."))


def _value(key: str, value: str) -> str:
    if key.lower() in _LISTS:
        return ", ".join("''" if part.strip() == '""' else part.strip() for part in _split(value)) or "''"
    return literal(value)


def _split(names: str) -> List[str]:
    """A list of quoted names, taken apart."""
    found, quoted = [""], False
    for character in names:
        quoted = quoted != (character == '"')
        if character == "," and not quoted:
            found.append("")
        else:
            found[-1] += character
    return found if names.strip() else []


class Clones:
    """The copies of one process of tests: each has a name of its own, and goes when it is given back.

    The names hold a token that our session at the server is called by, too, so that whoever comes later knows
    which copies have lost their owner.
    """

    def __init__(self, connect: Any) -> None:
        """``connect(name)`` opens a session called ``name``. Copies without an owner go."""
        self._token = os.urandom(4).hex()
        self._connection = connect(_PREFIX + self._token)
        self._number = 0
        try:
            for left in self._left():
                self.drop(left)
        except BaseException:
            self.close()
            raise

    def _left(self) -> List[str]:
        rows = self._connection.query(
            "SELECT d.datname FROM pg_database d WHERE d.datname ~ '^{0}[0-9a-f]{{8}}_[0-9]+$' "
            "AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a "
            "WHERE a.application_name = substr(d.datname, 1, {1}))".format(_PREFIX, len(_PREFIX) + 8)
        )
        return [row[0] for row in rows]

    @property
    def possible(self) -> bool:
        """Whether there is something to copy."""
        return has_template(self._connection)

    def make(self) -> str:
        """The name of a new copy."""
        self._number += 1
        name = "{}{}_{}".format(_PREFIX, self._token, self._number)
        copy(self._connection, TEMPLATE, name)
        self._connection.query(";".join(statements(self._connection, TEMPLATE, name)))
        return name

    def drop(self, name: str) -> None:
        """Remove a copy, whoever is connected to it."""
        if self._connection.version >= 13:
            self._connection.query("DROP DATABASE IF EXISTS {} WITH (FORCE)".format(identifier(name)))
            return
        of_it = " FROM pg_stat_activity WHERE datname = " + literal(name)
        self._connection.query("SELECT pg_terminate_backend(pid)" + of_it)
        self._connection.query("DROP DATABASE IF EXISTS " + identifier(name))

    def close(self) -> None:
        self._connection.close()
