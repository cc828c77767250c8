"""Speaks to Postgres: one connection, one statement at a time, text in and text out.

What it says is written down in the manual's chapter "Frontend/Backend Protocol"; the login is by password in
any of the ways that a server may ask for.
"""

import base64
import hashlib
import hmac
import os
import re
import struct
import unicodedata
from typing import Dict, List, Optional, Tuple

from .wire import DatabaseError, Wire

__all__ = ["Connection", "PostgresError"]

_VERSION = 3 << 16

Row = Tuple[Optional[str], ...]


class PostgresError(DatabaseError):
    """The server refused; ``code`` is its SQLSTATE."""


class Connection:
    """A session as ``user`` in ``database``, called ``name`` in the server's list of sessions."""

    def __init__(self, host: str, port: int, user: str, password: str, database: str, name: str) -> None:
        """Raises :class:`DatabaseError`, also where nobody listens."""
        self.settings = {}  # type: Dict[str, str]
        self._password = password
        self._user = user
        self._wire = Wire(host, port)
        try:
            words = ("user", user, "database", database, "application_name", name, "client_encoding", "UTF8")
            self._send(b"", struct.pack("!i", _VERSION) + b"".join(map(_text, words)) + b"\0")
            self._log_in()
            self._finish()
        except BaseException:
            self._wire.close()
            raise

    @property
    def version(self) -> int:
        """The server's major version."""
        found = re.match(r"\d+", self.settings.get("server_version", ""))
        return int(found.group()) if found else 0

    def query(self, sql: str) -> List[Row]:
        """The rows that ``sql`` yields, each value as text. Raises :class:`PostgresError`."""
        self._send(b"Q", _text(sql))
        return self._finish()

    def close(self) -> None:
        """End the session. A connection that is lost is closed, too."""
        try:
            self._send(b"X", b"")
        except DatabaseError:
            pass
        finally:
            self._wire.close()

    # -- messages ------------------------------------------------------------------------------------------

    def _send(self, kind: bytes, body: bytes) -> None:
        self._wire.send(kind + struct.pack("!i", len(body) + 4) + body)

    def _receive(self) -> Tuple[bytes, bytes]:
        kind, size = struct.unpack("!ci", self._wire.take(5))
        body = self._wire.take(size - 4)
        if kind == b"S":
            name, value = body.split(b"\0")[:2]
            self.settings[name.decode()] = value.decode("utf-8", "replace")
        return kind, body

    def _finish(self) -> List[Row]:
        """All up to the server's being ready for the next statement."""
        rows = []  # type: List[Row]
        error = None  # type: Optional[PostgresError]
        while True:
            kind, body = self._receive()
            if kind == b"D":
                rows.append(_row(body))
            elif kind == b"E":
                error = _error(body)
                if error.fatal:
                    raise error
            elif kind == b"Z":
                if error:
                    raise error
                return rows

    # -- the login -----------------------------------------------------------------------------------------

    def _log_in(self) -> None:
        scram = None  # type: Optional[_Scram]
        while True:
            kind, body = self._receive()
            if kind == b"E":
                raise _error(body)
            if kind != b"R":
                continue
            asked = struct.unpack("!i", body[:4])[0]
            if asked == 0:
                return
            if asked == 3:
                self._send(b"p", _text(self._password))
            elif asked == 5:
                inner = hashlib.md5((self._password + self._user).encode()).hexdigest()
                digest = hashlib.md5(inner.encode() + body[4:8]).hexdigest()
                self._send(b"p", _text("md5" + digest))
            elif asked == 10 and b"SCRAM-SHA-256" in body[4:].split(b"\0"):
                scram = _Scram(self._password)
                first = scram.first()
                self._send(b"p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first)
            elif asked == 11 and scram:
                self._send(b"p", scram.final(body[4:]))
            elif asked == 12 and scram:
                scram.check(body[4:])
            else:
                raise PostgresError("the database wants a login that is not known here ({})".format(asked))


class _Scram:
    """The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding."""

    def __init__(self, password: str) -> None:
        self._password = unicodedata.normalize("NFKC", password).encode()
        self._nonce = base64.b64encode(os.urandom(18)).decode()
        self._expected = b""

    def first(self) -> bytes:
        return ("n,,n=,r=" + self._nonce).encode()

    def final(self, challenge: bytes) -> bytes:
        said = _pairs(challenge)
        if not said["r"].startswith(self._nonce):
            raise PostgresError("the database's answer belongs to another login")
        salted = hashlib.pbkdf2_hmac("sha256", self._password, base64.b64decode(said["s"]), int(said["i"]))
        client = hmac.new(salted, b"Client Key", "sha256").digest()
        without_proof = "c=biws,r=" + said["r"]
        whole = ",".join(["n=,r=" + self._nonce, challenge.decode(), without_proof]).encode()
        signature = hmac.new(hashlib.sha256(client).digest(), whole, "sha256").digest()
        proof = bytes(a ^ b for a, b in zip(client, signature))
        server = hmac.new(salted, b"Server Key", "sha256").digest()
        self._expected = hmac.new(server, whole, "sha256").digest()
        return (without_proof + ",p=" + base64.b64encode(proof).decode()).encode()

    def check(self, answer: bytes) -> None:
        given = base64.b64decode(_pairs(answer).get("v", ""))
        if not self._expected or not hmac.compare_digest(given, self._expected):
            raise PostgresError("whoever answers at the database's port does not know the password")


def _pairs(message: bytes) -> Dict[str, str]:
    return {part[:1]: part[2:] for part in message.decode().split(",")}


def _text(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape") + b"\0"


def _row(body: bytes) -> Row:
    found = []  # type: List[Optional[str]]
    at = 2
    for _ in range(struct.unpack("!h", body[:2])[0]):
        size = struct.unpack("!i", body[at : at + 4])[0]
        at += 4
        found.append(None if size < 0 else body[at : at + size].decode("utf-8", "replace"))
        at += max(size, 0)
    return tuple(found)


def _error(body: bytes) -> PostgresError:
    fields = {part[:1]: part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}
    severity = fields.get(b"V", fields.get(b"S", ""))
    return PostgresError(
        fields.get(b"M", "the database refused"), fields.get(b"C", ""), severity in ("FATAL", "PANIC")
    )
