"""Copies of databases: which one is meant, what is said of a copy, and whether tests can ask for one."""

from __future__ import annotations

from pathlib import Path

import pytest
from _pytest.outcomes import Failed
from hypothesis import given
from hypothesis import strategies as st

from tasklib.pipeline.inject.tasklib_in_pytest import clones as clones
from tasklib.pipeline.inject.tasklib_in_pytest import databases as databases
from tasklib.pipeline.suites.detect import mention

URL = "postgresql://shop:p%40ss@127.0.0.1:32768/orders"


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("mysql://shop:x@127.0.0.1/orders", 3306),
        ("mariadb://127.0.0.1:4000/orders", 4000),
        ("mysql+pymysql://127.0.0.1/orders?charset=utf8mb4", 3306),
    ],
)
def test_a_mysql_is_meant(url: str, port: int) -> None:
    """By whatever its URL begins with."""
    found = databases._original({"TEST_DB_URL": url}, None)
    assert (found.name, found.port) == ("orders", port)


@pytest.mark.parametrize(
    "url", [URL, "postgres://127.0.0.1:32768/orders", "postgresql+psycopg://127.0.0.1:32768/orders"]
)
def test_the_only_database_is_meant(url: str) -> None:
    """Whatever a client library wants its URL to begin with, and under how many names it is known."""
    known = {"TEST_DB_URL": url, "TEST_DATABASE_URL": url, "TEST_CACHE_URL": "redis://127.0.0.1:1/0"}
    found = databases._original(known, None)
    assert (found.name, found.host, found.port) == ("orders", "127.0.0.1", 32768)
    assert str(found) == url


def test_what_a_url_says() -> None:
    """User and password are taken as they are meant, and no repr shows the password."""
    found = databases._original({"TEST_DB_URL": URL}, None)
    assert (found.user, found.password) == ("shop", "p@ss")
    assert "p@ss" not in repr(found)
    assert "p%40ss" not in repr(found)


def test_one_of_several_has_to_be_named() -> None:
    """The message names them, and the fixture that says which is meant."""
    known = {"TEST_ORDERS_DB_URL": URL, "TEST_USERS_DB_URL": URL.replace("orders", "users")}
    with pytest.raises(Failed, match=r"TEST_ORDERS_DB_URL, TEST_USERS_DB_URL(.|\n)*def database_service"):
        databases._original(known, None)
    assert databases._original(known, "users-db").name == "users"
    with pytest.raises(Failed, match="TEST_STOCK_URL names no Postgres, MySQL or MariaDB"):
        databases._original(known, "stock")


@pytest.mark.parametrize("url", ["redis://127.0.0.1/0", "postgresql://127.0.0.1:port/orders", ""])
def test_no_database(url: str) -> None:
    """Another store, or what is no URL, is none."""
    with pytest.raises(Failed, match="the stack has no Postgres, MySQL or MariaDB"):
        databases._original({"TEST_DB_URL": url}, None)


@given(st.text(min_size=1))
def test_names_and_texts_stay_what_they_are(text: str) -> None:
    """Nothing that is quoted ends its quotes."""
    assert clones.identifier(text)[1:-1].replace('""', "") == text.replace('"', "")
    inner = clones.literal(text)[3:-1]
    assert inner.replace("\\\\", "").replace("''", "") == text.replace("\\", "").replace("'", "")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("search_path", '"$user", public, "A b,c"', '"$user", public, "A b,c"'),
        ("search_path", '""', "''"),
        ("search_path", "", "''"),
        ("work_mem", "8MB", " E'8MB'"),
        ("app.shop", "it's", " E'it''s'"),
    ],
)
def test_settings_are_said_again(key: str, value: str, said: str) -> None:
    """Lists of names are written as names, everything else as one text."""
    assert clones._value(key, value) == said


def test_tests_that_can_ask(tmp_path: Path) -> None:
    """A test, a helper or a conftest above them names the fixture; what lies outside does not count."""
    tests = tmp_path / "project/services/api/tests"
    tests.mkdir(parents=True)
    (tests / "test_api.py").write_text("def test_api(fresh_database_of_mine): ...")
    (tmp_path / "conftest.py").write_text("fresh_database")
    top = tmp_path / "project"

    def asks() -> bool:
        return mention([tests], ["fresh_database", "worker_database"], top)

    assert not asks()
    (top / "conftest.py").write_text("def db(worker_database): ...")
    assert asks()
    (top / "conftest.py").unlink()
    (tests / "helpers.py").write_text("def db(fresh_database): ...")
    assert asks()
