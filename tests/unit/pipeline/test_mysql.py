"""What is said to a MySQL, and what a database is made of, without one."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from tasklib.pipeline.inject.tasklib_in_pytest import mysql as mysql
from tasklib.pipeline.inject.tasklib_in_pytest import mysql_clones as clones
from tasklib.pipeline.inject.tasklib_in_pytest.wire import DatabaseError
from tasklib.pipeline.mysql.survey import Part, survey

SEED = bytes(range(1, 21))


def greeting(plugin: str) -> bytes:
    capabilities = 0xFFFFFFFF & ~0x800
    return (
        b"\x0a8.4.0\0"
        + struct.pack("<I", 7)
        + SEED[:8]
        + b"\0"
        + struct.pack("<HBHHB", capabilities & 0xFFFF, 45, 2, capabilities >> 16, 21)
        + bytes(10)
        + SEED[8:]
        + b"\0"
        + plugin.encode()
        + b"\0"
    )


@pytest.fixture
def server() -> Iterator[Callable[..., tuple[int, list[bytes]]]]:
    """``server(*messages)``: the port where a server says these, one after each that it is told, and that."""
    listening = socket.create_server(("127.0.0.1", 0))

    def start(*messages: tuple[bytes, ...]) -> tuple[int, list[bytes]]:
        told: list[bytes] = []

        def talk() -> None:
            connection, _ = listening.accept()
            with connection, connection.makefile("rb") as stream:
                number = 0
                for bodies in messages:
                    for body in bodies:
                        size = struct.pack("<I", len(body))[:3]
                        connection.sendall(size + bytes([number]) + body)
                        number += 1
                    head = stream.read(4)
                    if len(head) < 4:
                        return
                    told.append(stream.read(int.from_bytes(head[:3], "little")))
                    number = head[3] + 1

        threading.Thread(target=talk, daemon=True).start()
        return listening.getsockname()[1], told

    yield start
    listening.close()


OK = b"\0\0\0\x02\0\0\0"


def test_several_statements_at_once(server: Callable[..., tuple[int, list[bytes]]]) -> None:
    """The rows of the last one count, and nothing that is no row is taken for one."""
    end, more = b"\xfe\0\0\x02\0", b"\0\0\0\x0a\0\0\0"
    rows = (more, b"\x02", b"column", b"column", end, b"\x01a\xfb", b"\x00\xfc\x02\x00bc", end)
    port, told = server((greeting("mysql_native_password"),), (OK,), rows, ())
    connection = mysql.Connection("127.0.0.1", port, "app", "secret")
    assert connection.query("SET x; SELECT 1") == [("a", None), ("", "bc")]
    connection.close()
    assert told[1] == b"\x03SET x; SELECT 1"
    assert connection.version == "8.4.0"


def test_a_login_that_is_changed_over_to(server: Callable[..., tuple[int, list[bytes]]]) -> None:
    """The server's own default may not be the user's; a password that it has not kept needs TLS."""
    switch = b"\xfecaching_sha2_password\0" + SEED + b"\0"
    port, told = server((greeting("mysql_native_password"),), (switch,), (b"\x01\x03", OK))
    mysql.Connection("127.0.0.1", port, "app", "secret").close()
    assert len(told[1]) == 32
    port, told = server((greeting("caching_sha2_password"),), (b"\x01\x04",))
    with pytest.raises(DatabaseError, match="needs TLS"):
        mysql.Connection("127.0.0.1", port, "app", "secret")


def test_what_the_server_refuses(server: Callable[..., tuple[int, list[bytes]]]) -> None:
    """It is said in its own words, with its own number."""
    refused = b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied"
    port, _ = server((greeting("mysql_native_password"),), (refused,))
    with pytest.raises(mysql.MysqlError, match=r"^Access denied$") as caught:
        mysql.Connection("127.0.0.1", port, "app", "wrong")
    assert caught.value.code == mysql.REFUSED


@pytest.mark.parametrize("said", [b"\x0a8", b"HTTP/1.1 400 Bad Request\r\n", b"-ERR"])
def test_whoever_speaks_another_protocol(server: Callable[..., tuple[int, list[bytes]]], said: bytes) -> None:
    """It is told as what it is, never a mistake of ours."""
    port, _ = server((said,), (b"\xfd\xff",))
    with pytest.raises(DatabaseError):
        mysql.Connection("127.0.0.1", port, "app", "secret")
    port, _ = server((greeting("mysql_native_password"),), (OK,), (b"\xff",), ())
    connection = mysql.Connection("127.0.0.1", port, "app", "secret")
    with pytest.raises(DatabaseError, match="does not speak MySQL's protocol"):
        connection.query("SELECT 1")
    connection.close()


def test_a_password_is_known_to_who_knows_the_login() -> None:
    """And to nobody else."""
    known = {
        clones.password_of(*login) for login in (("app", "x"), ("app", "y"), ("root", "x"), ("ap", "px"))
    }
    assert len(known) == 4
    assert clones.password_of("app", "x") in known


def test_long_scripts_are_said_in_parts() -> None:
    """No server takes a statement of any size; a comment at the end of one ends with it."""
    script = ["CHARACTER SET utf8mb4", "CREATE TABLE t (a INT) -- t", *["x" * 1_000_000] * 5]
    parts = clones.messages("a`b", script)
    assert parts[0].startswith("CREATE DATABASE `a``b` CHARACTER SET utf8mb4\n;\nUSE `a``b`\n;\nCREATE TABLE")
    assert "-- t\n;\n" in parts[0]
    assert len(parts) == 2
    assert all(len(part) < 4 << 20 for part in parts)


Rows = list[tuple[str | None, ...]]


def parts_of(**answers: Rows) -> tuple[Part, ...]:
    """What a database called shop is made of where a server answers so to what it is asked for."""

    class Server:
        def query(self, sql: str) -> Rows:
            if sql.startswith("SHOW CREATE DATABASE"):
                return [("shop", "CREATE DATABASE `shop` DEFAULT CHARACTER SET utf8mb4")]
            asked = (
                sql.split()[2] if sql.startswith("SHOW") else sql.partition("_schema.")[2].partition(" ")[0]
            )
            return answers.get(asked, [])

    return survey(Server(), "shop").parts  # type: ignore[arg-type]


def test_a_function_in_a_view_is_that_of_the_copy() -> None:
    """MySQL names it with its database, where everything else goes without."""
    text = "CREATE VIEW `v` AS select `shop`.`more`(`t`.`id`) AS `shop`, '`shop`.`more`(' AS `x` from `t`"
    (view,) = parts_of(tables=[("v", "VIEW", None)], VIEW=[("v", text, "utf8mb4", "utf8mb4_bin")])
    assert "select `more`(`t`.`id`) AS `shop`, '`shop`.`more`(' AS" in view.statements[-1]


def routine(text: str, client: str = "utf8mb4") -> dict[str, Rows]:
    row = ("p", "STRICT_ALL_TABLES", f"CREATE PROCEDURE `p`() {text}", client, "utf8mb4_bin", "utf8mb4_bin")
    return {"routines": [("PROCEDURE", "p")], "PROCEDURE": [row]}


@pytest.mark.parametrize(
    ("text", "client", "why"),
    [
        ("DELETE FROM shop.t", "utf8mb4", "names the database shop"),
        ("DELETE FROM `shop` . `t`", "utf8mb4", "names the database shop"),
        ("SET @x = 'ä'", "latin1", "is written in latin1"),
    ],
)
def test_code_that_would_not_be_the_same_in_a_copy(text: str, client: str, why: str) -> None:
    """It is refused by its name."""
    with pytest.raises(mysql.MysqlError, match=f"the routine p {why}"):
        parts_of(**routine(text, client))


@pytest.mark.parametrize("text", ["DELETE FROM workshop.t", "SET @shop = 1.5", "SELECT a.shop, 'ä'"])
def test_code_that_is_the_same_in_a_copy(text: str) -> None:
    """It comes with the settings that it was made with."""
    (part,) = parts_of(**routine(text))
    assert part.statements[0] == "SET SQL_MODE = 'STRICT_ALL_TABLES'"
    assert part.statements[2].endswith(text)
