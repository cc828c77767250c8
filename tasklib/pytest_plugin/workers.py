"""xdist's workers ask their controller for what it alone has: the session's stack."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tasklib.errors import TasklibError, UsageError

__all__ = ["Asked", "Controller", "Reply"]

Reply = dict[str, Any]
"""Of plain values."""


class Controller:
    """The controller's side: a socket in a folder that this user alone can enter, and who answers there."""

    def __init__(self, answer: Callable[[Mapping[str, Any]], Reply]) -> None:
        from tasklib.process import scratch_folder

        # Where we are killed, the next run finds that nobody holds the folder any more.
        self._closing = contextlib.ExitStack()
        self.address = str(self._closing.enter_context(scratch_folder()) / "stack")

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                try:
                    reply = answer(json.loads(self.rfile.readline()))
                except TasklibError as error:
                    reply = {"error": str(error)}
                with contextlib.suppress(OSError):
                    self.wfile.write((json.dumps(reply) + "\n").encode())

        self._server = _Server(self.address, Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()
        self._closing.close()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False


class Asked:
    """A worker's side: one question a connection, to the controller at ``address``."""

    ADDRESS, UP = "tasklib_stack_address", "tasklib_stack_up"
    """What a worker is told when it starts: where to ask, and whether the stack is up already."""

    def __init__(self, address: str) -> None:
        self._address = address

    def stack(self, paths: Sequence[str]) -> dict[str, str]:
        """The variables of the stack of the tests in ``paths``; none where none is known.

        Raises :class:`~tasklib.errors.UsageError`.
        """
        return dict(self._ask({"paths": list(paths)}).get("variables") or {})

    def logs(self, since: float) -> tuple[str, ...]:
        return tuple(self._ask({"logs": since}).get("logs") or ())

    def _ask(self, request: Mapping[str, object]) -> Reply:
        with socket.socket(socket.AF_UNIX) as channel, channel.makefile("rb") as lines:
            try:
                channel.connect(self._address)
                channel.sendall((json.dumps(request) + "\n").encode())
                reply: Reply = json.loads(lines.readline() or b"{}")
            except OSError as error:
                raise UsageError(f"xdist's controller does not answer: {error}") from error
        if text := reply.get("error"):
            raise UsageError(text)
        return reply
