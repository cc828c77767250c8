"""The fixtures ``fresh_database`` and ``worker_database``: databases for code in the tests' own process.

They come with the library's plugin; where tests run in an environment without that, this file is put beside
them instead. Hence the standard library of Python 3.6 and later, and pytest, and nothing else.
"""

import importlib
import os
import re
from typing import Any, Dict, Iterator, NamedTuple, Optional
from urllib.parse import unquote, urlsplit, urlunsplit

import pytest

__all__ = ["Database", "database_service", "fresh_database", "worker_database"]

_PORTS = {"postgres": 5432, "mysql": 3306}
_KINDS = {"postgresql": "postgres", "postgres": "postgres", "mysql": "mysql", "mariadb": "mysql"}
"""What a URL begins with → whose protocol is spoken there."""


class Database(
    NamedTuple(
        "Database",
        [
            ("url", str),
            ("host", str),
            ("port", int),
            ("name", str),
            ("user", str),
            ("password", str),
        ],
    )
):
    """A database and who may log in there; as a string it is its URL."""

    def __str__(self) -> str:
        return self.url

    def __repr__(self) -> str:
        return "<Database {} at {}:{}>".format(self.name, self.host, self.port)


@pytest.fixture(scope="session")
def database_service() -> Optional[str]:
    """The Compose service whose database is copied; to be replaced where a stack has several."""
    return None


@pytest.fixture(scope="session")
def _stack_of_databases() -> None:
    """Has the stack up. Whoever loads only this file has seen to it."""


@pytest.fixture(scope="session")
def _clones(_stack_of_databases: None, database_service: Optional[str]) -> Iterator[Any]:
    made = _Copies(_original(os.environ, database_service))
    yield made
    made.close()


@pytest.fixture
def fresh_database(_clones: Any) -> Iterator[Database]:
    """A database as the stack's was when it became ready, for this test alone."""
    made = _clones.make()
    yield made
    _clones.drop(made)


@pytest.fixture(scope="session")
def worker_database(_clones: Any) -> Iterator[Database]:
    """A database as the stack's was when it became ready, for this process: one for each xdist worker."""
    made = _clones.make()
    yield made
    _clones.drop(made)


class _Copies:
    """Copies of ``original``; what goes wrong fails the test with one plain line."""

    def __init__(self, original: Database) -> None:
        self._original = original
        self._error = _sibling("wire").DatabaseError
        try:
            self._clones = _OPEN[_kind(original.url)](original)
        except self._error as error:
            _fail("the database at {}:{} cannot be copied: {}".format(original.host, original.port, error))
        if self._clones is None or not self._clones.possible:
            self.close()
            _fail(
                "the database of this stack was not kept as it was when it became ready\n"
                "That is done when a stack comes up whose tests name `fresh_database` or `worker_database`, "
                "in one of their files or a conftest.py; what stood in the way was said then. One that was "
                "up before gets new data with `infra.up --fresh`."
            )

    def make(self) -> Database:
        try:
            name = self._clones.make()
        except self._error as error:
            _fail("the database cannot be copied: {}".format(error))
        parts = urlsplit(self._original.url)
        return self._original._replace(name=name, url=urlunsplit(parts._replace(path="/" + name)))

    def drop(self, database: Database) -> None:
        try:
            self._clones.drop(database.name)
        except self._error as error:
            _fail("{} cannot be removed: {}".format(database.name, error))

    def close(self) -> None:
        try:
            if self._clones is not None:
                self._clones.close()
        except self._error as error:
            _fail("a copy cannot be removed: {}".format(error))


def _postgres(found: Database) -> Any:
    module = _sibling("postgres")

    def connect(name: str) -> Any:
        for database in ("postgres", found.name):
            try:
                return module.Connection(found.host, found.port, found.user, found.password, database, name)
            except module.PostgresError as error:
                # Not every server has that one, and it is better nobody is connected to the original.
                if error.code not in ("3D000", "42501") or database == found.name:
                    raise
        raise AssertionError("unreachable")

    return _sibling("clones").Clones(connect)


def _mysql(found: Database) -> Any:
    """``None`` where our own user is not known: whoever keeps a database makes it."""
    module, clones = _sibling("mysql"), _sibling("mysql_clones")
    password = clones.password_of(found.user, found.password)
    try:
        return clones.Clones(lambda: module.Connection(found.host, found.port, clones.USER, password))
    except module.MysqlError as error:
        if error.code != module.REFUSED:
            raise
        return None


_OPEN = {"postgres": _postgres, "mysql": _mysql}


def _original(environment: Any, service: Optional[str]) -> Database:
    """The stack's database, by the variables that every run sets."""
    found = {}  # type: Dict[str, Database]
    for name, url in sorted(environment.items()):
        variable = re.match(r"TEST_([A-Z0-9_]+)_URL$", name)
        database = _database(url) if variable else None
        if variable and database:
            found[variable.group(1)] = database
    if service:
        key = re.sub(r"[^A-Z0-9]", "_", service.upper())
        if key not in found:
            _fail("TEST_{}_URL names no Postgres, MySQL or MariaDB{}".format(key, _known(found)))
        return found[key]
    different = {(one.host, one.port, one.name): one for one in found.values()}
    if len(different) != 1:
        what = "several databases" if different else "no Postgres, MySQL or MariaDB"
        text = "the stack has {}{}".format(what, _known(found))
        if different:
            text += (
                "\nSay which is meant by a fixture of your own in conftest.py: "
                '`@pytest.fixture(scope="session")\\ndef database_service(): return "orders-db"`'
            )
        _fail(text)
    return next(iter(different.values()))


def _known(found: Dict[str, Database]) -> str:
    names = ", ".join("TEST_{}_URL".format(name) for name in found)
    return ": " + names if names else " (no TEST_…_URL names one)"


def _kind(url: str) -> str:
    """Whose protocol is spoken at ``url``, "" for what is none that is known."""
    return _KINDS.get(urlsplit(url).scheme.split("+")[0], "")


def _database(url: str) -> Optional[Database]:
    try:
        kind, parts = _kind(url), urlsplit(url)
        if not kind:
            return None
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        name = unquote(parts.path[1:]) or (user if kind == "postgres" else "")
        return Database(url, parts.hostname or "", parts.port or _PORTS[kind], name, user, password)
    except ValueError:
        return None


def _sibling(name: str) -> Any:
    """The module beside this one, whichever way that was loaded."""
    return importlib.import_module(__name__.replace("databases", name))


def _fail(text: str) -> Any:
    pytest.fail(text, pytrace=False)
