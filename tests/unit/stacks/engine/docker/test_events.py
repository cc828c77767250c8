"""Events of an engine, as it sends them over a socket."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from docker import APIClient

from tasklib.errors import EngineError
from tasklib.stacks.engine.docker.connection import Connection
from tasklib.stacks.engine.docker.containers import Containers
from tasklib.stacks.engine.values import EngineFacts

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


@contextlib.contextmanager
def engine(path: Path, *answers: bytes) -> Iterator[Containers]:
    """One that answers whoever asks with ``answers``, a moment apart, and keeps the connection open."""
    asked: list[socket.socket] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                asked.append(connection)
                connection.recv(65536)
                for answer in answers:
                    threading.Event().wait(0.01)
                    connection.sendall(answer)

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        threading.Thread(target=serve, daemon=True).start()
        client = APIClient(f"unix://{path}", version="1.45")
        facts = EngineFacts("id", "26.1", (1, 45), 2, "unix://")
        made = SimpleNamespace(client=client, facts=facts, tunnel=None)
        try:
            yield Containers(cast("Connection", made))
        finally:
            client.close()
            server.shutdown(socket.SHUT_RDWR)
            for connection in asked:
                connection.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasklib.stacks.engine.docker.containers.TIMEOUT", 0.1)
    monkeypatch.setattr("tasklib.stacks.engine.patience._PING", 0.1)


@pytest.mark.usefixtures("impatient")
def test_an_engine_that_is_stuck_is_not_waited_for(tmp_path: Path) -> None:
    """It takes the question and never begins to answer."""
    with engine(tmp_path / "engine") as stuck, pytest.raises(EngineError), stuck.watch("p"):
        pass


def test_events_may_come_late(tmp_path: Path) -> None:
    """What limits the wait for the answer to begin does not limit that for an event."""
    event = json.dumps({"id": "c0ffee", "Actor": {"ID": "c0ffee"}}).encode() + b"\n"
    chunk = b"%x\r\n%s\r\n" % (len(event), event)
    with engine(tmp_path / "engine", HEAD, chunk) as slow:
        events: Any = slow._events("p")
        sock = events._response.raw._fp.fp.raw._sock
        assert sock.gettimeout() is None
        assert next(events)["id"] == "c0ffee"
        events._response.close()
