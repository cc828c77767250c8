"""The engine as it looks from far away."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

__all__ = ["tunnel"]


@contextmanager
def tunnel(engine: Any) -> Iterator[int]:
    """A port on loopback that leads to the engine's socket; its connections end with it."""
    path = engine.get_adapter(engine.base_url).socket_path
    threads: list[threading.Thread] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(0.2)
        ended = threading.Event()
        accepting = threading.Thread(target=_accept, args=(server, path, threads, ended), daemon=True)
        accepting.start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            for thread in (accepting, *threads):
                thread.join(10)


def _accept(
    server: socket.socket, path: str, threads: list[threading.Thread], ended: threading.Event
) -> None:
    while not ended.is_set():
        with suppress(TimeoutError):
            client, _ = server.accept()
            threads.append(threading.Thread(target=_connect, args=(client, path, ended), daemon=True))
            threads[-1].start()


def _connect(client: socket.socket, path: str, ended: threading.Event) -> None:
    """Pass everything on in both directions until either side ends."""
    with client, socket.socket(socket.AF_UNIX) as upstream, suppress(OSError):
        upstream.connect(path)
        other = {client: upstream, upstream: client}
        open_ends = [client, upstream]
        while open_ends and not ended.is_set():
            for source in select.select(open_ends, [], [], 0.2)[0]:
                if data := source.recv(65536):
                    other[source].sendall(data)
                else:
                    other[source].shutdown(socket.SHUT_WR)
                    open_ends.remove(source)
