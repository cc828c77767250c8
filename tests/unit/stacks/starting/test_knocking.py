"""Whether a server takes a connection, by what it answers to a greeting."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tasklib.stacks.starting.knocking import knock

Serve = Callable[[bytes | None], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """``serve(answer)`` is the port of a server that answers what is said to it; ``None``: with silence."""
    with contextlib.ExitStack() as stack:

        def start(answer: bytes | None) -> int:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            done = threading.Event()

            def run() -> None:
                with contextlib.suppress(OSError), listener.accept()[0] as connection:
                    if answer is not None:
                        connection.sendall(answer)
                        connection.shutdown(socket.SHUT_WR)
                    done.wait(10)

            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            stack.callback(thread.join, 10)
            # Whoever still waits for a connection gets an end of it.
            stack.callback(listener.shutdown, socket.SHUT_RDWR)
            stack.callback(done.set)
            return int(listener.getsockname()[1])

        yield start


@pytest.mark.parametrize(
    ("kind", "answer", "takes"),
    [
        ("postgres", b"R\0\0\0\x0c\0\0\0\x05salt", True),
        ("postgres", b"E\0\0\0\x20SFATAL\0C28P01\0Mpassword\0\0", True),
        ("postgres", b"E\0\0\0\x20SFATAL\0C57P03\0Mthe database system is starting up\0\0", False),
        ("postgres", b"", False),
        ("mysql", b"J\0\0\0\x0a8.4.0\0", True),
        ("mysql", b"", False),
        ("redis", b"+PONG\r\n", True),
        ("redis", b"-NOAUTH Authentication required.\r\n", True),
        ("redis", b"-LOADING Redis is loading the dataset in memory\r\n", False),
        ("mongo", None, True),
        ("", b"", True),
    ],
)
def test_a_server_that_is_there_answers_as_one(serve: Serve, kind: str, answer: bytes, takes: bool) -> None:
    """One that is starting up refuses in its own words, or hangs up."""
    assert knock("127.0.0.1", serve(answer), kind) is takes


def test_nobody_is_there_where_nothing_listens() -> None:
    """Whatever would be said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert not knock("127.0.0.1", port)
    assert not knock("127.0.0.1", port, "postgres")


def test_a_proxy_that_hangs_up_has_nobody_behind_it(serve: Serve) -> None:
    """The engine's own accepts before it knows; one that holds the line has somebody."""
    assert not knock("127.0.0.1", serve(b""), direct=False)
    assert knock("127.0.0.1", serve(None), direct=False)
