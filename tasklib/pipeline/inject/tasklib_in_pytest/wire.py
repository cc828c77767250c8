"""One connection to a database's server, and what goes wrong with it.

Tests run in environments of their own, which may hold any driver or none. So this, and what is built on it,
asks for the standard library alone, of Python 3.6 and later.
"""

import socket
from typing import Any

__all__ = ["DatabaseError", "Wire"]

# Those that block sockets in tests put something else in its place later.
_Socket = socket.socket

_SECONDS = 60.0
"""That one answer may take: making a database copies files."""


class DatabaseError(Exception):
    """The server refused, with its own words.

    ``code`` is what it calls that ("" where it said nothing), ``fatal`` whether the session has ended.
    """

    def __init__(self, text: str, code: str = "", fatal: bool = True) -> None:
        super().__init__(text)
        self.code = code
        self.fatal = fatal


class Wire:
    """Bytes to a server and back. Everything raises :class:`DatabaseError`."""

    def __init__(self, host: str, port: int) -> None:
        self._rest = b""
        self._socket = _connected(host, port)

    def send(self, message: bytes) -> None:
        try:
            self._socket.sendall(message)
        except OSError as error:
            raise DatabaseError("the connection to the database is lost: {}".format(error)) from error

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        while len(self._rest) < size:
            try:
                more = self._socket.recv(65536)
            except OSError as error:
                raise DatabaseError("the database does not answer: {}".format(error)) from error
            if not more:
                raise DatabaseError("the database closed the connection")
            self._rest += more
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def encrypt(self) -> None:
        """Go on with TLS, whoever answers: it keeps a password from others, and does not tell who asks."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            self._socket = context.wrap_socket(self._socket)
        except (OSError, ValueError) as error:
            raise DatabaseError("the database cannot be reached by TLS: {}".format(error)) from error

    def close(self) -> None:
        self._socket.close()


def _connected(host: str, port: int) -> Any:
    last = None  # type: Optional[OSError]
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM):
        made = _Socket(family, kind, protocol)
        try:
            made.settimeout(_SECONDS)
            made.connect(address)
        except OSError as error:
            made.close()
            last = error
        else:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return made
    raise DatabaseError("nobody answers at {}:{}: {}".format(host, port, last))
