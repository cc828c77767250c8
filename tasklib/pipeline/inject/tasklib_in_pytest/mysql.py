"""Speaks to MySQL and MariaDB: one connection, text in and text out.

What it says is written down in the manual of MySQL's source, chapter "Client/Server Protocol", and in that of
MariaDB, "Clientserver Protocol". The login is by password, in the ways that official images set up: MySQL's
newer one wants TLS, in which the password is sent as it is.
"""

import contextlib
import hashlib
import struct
from typing import Iterator, List, Optional, Tuple

from .wire import DatabaseError, Wire

__all__ = ["REFUSED", "Connection", "MysqlError"]

REFUSED = "1045"
"""The code of a login that is not accepted."""

_LONG_PASSWORD, _PROTOCOL_41, _TLS, _TRANSACTIONS = 0x1, 0x200, 0x800, 0x2000
_SECURE, _MULTI_STATEMENTS, _MULTI_RESULTS, _PLUGINS = 0x8000, 0x10000, 0x20000, 0x80000
_WANTED = (
    _LONG_PASSWORD | _PROTOCOL_41 | _TRANSACTIONS | _SECURE | _MULTI_STATEMENTS | _MULTI_RESULTS | _PLUGINS
)

_UTF8 = 45
_MORE = 0x8
"""In what is said of a statement: another one follows."""

_LARGEST = 0xFFFFFF
_NATIVE = "mysql_native_password"
_WITH_TLS = ("caching_sha2_password", "sha256_password")

Row = Tuple[Optional[str], ...]


class MysqlError(DatabaseError):
    """The server refused; ``code`` is its number."""


class Connection:
    """A session as ``user``, in no database."""

    Error = MysqlError

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        """Raises :class:`DatabaseError`, also where nobody listens."""
        self.version = ""
        self._number = 0
        self._wire = Wire(host, port)
        try:
            with _understood():
                self._log_in(user, password)
        except BaseException:
            self._wire.close()
            raise

    def query(self, sql: str) -> List[Row]:
        """The rows that the last statement of ``sql`` yields, each value as text."""
        self.begin(sql)
        return self.finish()

    def begin(self, sql: str) -> None:
        """Have the server work on ``sql`` until :meth:`finish`."""
        self._number = 0
        self._send(b"\x03" + sql.encode("utf-8", "surrogateescape"))

    def finish(self) -> List[Row]:
        """The rows of what was begun. Raises :class:`MysqlError` for the first statement that fails."""
        with _understood():
            return self._results()

    def _results(self) -> List[Row]:
        rows = []  # type: List[Row]
        more = True
        while more:
            first = self._receive()
            if first[:1] == b"\0":
                at = _number(first, _number(first, 1)[1])[1]
                rows = []
                more = bool(struct.unpack_from("<H", first, at)[0] & _MORE)
                continue
            if first[:1] == b"\xfb":
                raise MysqlError("the database asks for a file of this machine")
            for _ in range(_number(first, 0)[0]):
                self._receive()
            self._receive()
            rows, more = self._rows()
        return rows

    def close(self) -> None:
        """End the session. A connection that is lost is closed, too."""
        try:
            self._number = 0
            self._send(b"\x01")
        except DatabaseError:
            pass
        finally:
            self._wire.close()

    # -- messages ------------------------------------------------------------------------------------------

    def _rows(self) -> Tuple[List[Row], bool]:
        rows = []
        while True:
            body = self._receive()
            if body[:1] == b"\xfe" and len(body) < 9:
                return rows, bool(struct.unpack_from("<H", body, 3)[0] & _MORE)
            rows.append(_row(body))

    def _send(self, body: bytes) -> None:
        message = b""
        for start in range(0, len(body) + 1, _LARGEST):
            part = body[start : start + _LARGEST]
            message += struct.pack("<I", len(part))[:3] + bytes([self._number % 256]) + part
            self._number += 1
        self._wire.send(message)

    def _receive(self) -> bytes:
        body, size = b"", _LARGEST
        while size == _LARGEST:
            size = struct.unpack("<I", self._wire.take(3) + b"\0")[0]
            self._number = self._wire.take(1)[0] + 1
            body += self._wire.take(size)
        if body[:1] == b"\xff":
            code = struct.unpack_from("<H", body, 1)[0]
            text = body[9:] if body[3:4] == b"#" else body[3:]
            raise MysqlError(text.decode("utf-8", "replace"), str(code), fatal=False)
        return body

    # -- the login -----------------------------------------------------------------------------------------

    def _log_in(self, user: str, password: str) -> None:
        greeting = self._receive()
        self.version, at = _until_nul(greeting, 1)
        seed = greeting[at + 4 : at + 12]
        low, _, _, high, size = struct.unpack_from("<HBHHB", greeting, at + 13)
        at += 13 + 8 + 10
        seed += greeting[at : at + max(13, size - 8)]
        plugin = _until_nul(greeting, at + max(13, size - 8))[0] or _NATIVE
        # Before 5.7 not every server knows what a plugin is.
        wanted = _WANTED & (low | high << 16)
        secure = plugin in _WITH_TLS and bool(low & _TLS)
        if secure:
            wanted |= _TLS
        start = struct.pack("<IIB23x", wanted, _LARGEST, _UTF8)
        if secure:
            self._send(start)
            self._wire.encrypt()
        seed = seed[:20]
        proof = _proof(plugin, password, seed)
        name = user.encode("utf-8", "surrogateescape") + b"\0"
        self._send(start + name + bytes([len(proof)]) + proof + plugin.encode() + b"\0")
        while True:
            said = self._receive()
            if said[:1] == b"\0":
                return
            if said[:1] == b"\xfe":
                plugin, at = _until_nul(said, 1) if len(said) > 1 else ("mysql_old_password", 1)
                seed = said[at : at + 20]
                self._send(_proof(plugin, password, seed))
            elif said == b"\x01\x04":
                if not secure:
                    raise MysqlError("the login of {} needs TLS, which this server has not".format(user))
                self._send(password.encode("utf-8", "surrogateescape") + b"\0")
            elif said != b"\x01\x03":
                raise MysqlError("the database wants a login that is not known here ({})".format(plugin))


@contextlib.contextmanager
def _understood() -> Iterator[None]:
    """Whoever listens there may be no such server at all."""
    try:
        yield
    except (struct.error, IndexError, KeyError) as error:
        raise MysqlError("what answers does not speak MySQL's protocol") from error


def _proof(plugin: str, password: str, seed: bytes) -> bytes:
    """That the password is known, without saying it."""
    text = password.encode("utf-8", "surrogateescape")
    if plugin == _NATIVE:
        once = hashlib.sha1(text).digest()
        mask = hashlib.sha1(seed + hashlib.sha1(once).digest()).digest()
    elif plugin == "caching_sha2_password":
        once = hashlib.sha256(text).digest()
        mask = hashlib.sha256(hashlib.sha256(once).digest() + seed).digest()
    else:
        raise MysqlError("the database wants a login that is not known here ({})".format(plugin))
    return bytes(a ^ b for a, b in zip(once, mask)) if text else b""


def _until_nul(body: bytes, at: int) -> Tuple[str, int]:
    end = body.find(b"\0", at)
    end = len(body) if end < 0 else end
    return body[at:end].decode("utf-8", "replace"), end + 1


def _number(body: bytes, at: int) -> Tuple[int, int]:
    """A number of one to nine bytes, and where it ends."""
    first = body[at]
    if first < 0xFB:
        return first, at + 1
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}[first]
    return int.from_bytes(body[at + 1 : at + 1 + size], "little"), at + 1 + size


def _row(body: bytes) -> Row:
    found = []  # type: List[Optional[str]]
    at = 0
    while at < len(body):
        if body[at] == 0xFB:
            found.append(None)
            at += 1
            continue
        size, at = _number(body, at)
        found.append(body[at : at + size].decode("utf-8", "replace"))
        at += size
    return tuple(found)
