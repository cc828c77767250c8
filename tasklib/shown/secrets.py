"""PURE: which values are secrets: by the names of their variables, and by their place in a text."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

__all__ = ["MIN_LENGTH", "inside_values", "is_secret_name", "secret_values"]

MIN_LENGTH = 8
"""Shorter values are ordinary words more often than secrets."""

_SECRET = frozenset({"PASS", "PWD", "PW", "TOKEN", "TOKENS", "APIKEY", "AUTH", "DSN", "KEY", "KEYS", "SALT"})
"""Words of names that hold secrets, whatever stands around them."""

_FOLDERS = frozenset({"PWD", "OLDPWD"})
"""The shell's own: folders, which are part of every path that is shown."""

_PLACE = frozenset(
    {
        "PATH",
        "PATHS",
        "FILE",
        "FILES",
        "DIR",
        "NAME",
        "NAMES",
        "ID",
        "IDS",
        "HOST",
        "PORT",
        "USER",
        "USERNAME",
    }
    | {
        "TYPE",
        "MODE",
        "METHOD",
        "ALGORITHM",
        "PREFIX",
        "LENGTH",
        "SIZE",
        "TTL",
        "EXPIRY",
        "EXPIRES",
        "TIMEOUT",
    }
    | {"ENABLED", "REQUIRED", "VERSION"}
)
"""Last words of names that say where a secret is, or what kind of one."""

_COMMON = frozenset(
    {"postgres", "postgresql", "password", "password1", "passw0rd", "changeme", "changeit", "rabbitmq"}
    | {"minioadmin", "testtest", "testpass", "testpassword", "development", "production", "integration"}
    | {"localhost", "username", "database"}
)
"""Passwords that are ordinary words: masking them would hide what logs say, and nothing that is a secret."""

_LONG = re.compile(r"(?i)password|passwd|passphrase|secret|credential|private_?key")
"""What names nothing but a secret, also where it is run together with other words: PGPASSWORD."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# What may be long begins where a word does: tried at each of its characters, a certificate takes seconds.
_IN_URL = re.compile(r"(?<=[\w+.-])://(?P<user>[^\s/:@]*)(?::(?P<password>[^\s/@]*))?@")
_TOKEN = 20
"""Characters from which on the user of a URL is taken for a token: `https://<token>@host`."""

_ASSIGNED = re.compile(r"""(?<![\w.-])(?P<name>[\w.-]+)=(?P<value>"[^"]*"|'[^']*'|[^&;,\s"']+)""")
"""`password=…` inside of a value: in a query, in what a driver takes, among a program's options."""

_INSIDE = frozenset({"PASS", "PWD", "PW", "TOKEN", "APIKEY"})
"""Words of names inside of values that hold secrets: a `sort_key=` holds none there."""


def is_secret_name(name: str, more: Collection[str] = ()) -> bool:
    """Whether a variable of this name holds a secret; ``more`` are names that do, too.

    >>> [is_secret_name(name) for name in ("DB_PASS", "PGPASSWORD", "apiKey", "MONKEY", "KEY_PATH")]
    [True, True, True, False, False]
    """
    if name in more or name.startswith("SECRET "):
        return True
    words = [word.upper() for word in _WORDS.findall(name)]
    if not words or words[-1] in _PLACE or name in _FOLDERS:
        return False
    return not _SECRET.isdisjoint(words) or _LONG.search(name) is not None


def secret_values(env: Mapping[str, str], more: Collection[str] = ()) -> frozenset[str]:
    """The secrets among the values of ``env``, 8 characters or longer, and passwords inside of values.

    What is an ordinary word, or the plain value of another variable (a user, a database), is none; nor is
    what the same URL names as its user.
    """
    plain = {value for name, value in env.items() if not is_secret_name(name, more)} | _COMMON
    urls = (found for value in env.values() for found in _IN_URL.finditer(value))
    plain |= {found["user"] for found in urls if found["password"] == found["user"]}
    return frozenset(
        value
        for value in _candidates(env, more)
        if len(value.strip()) >= MIN_LENGTH and value.strip() not in plain
    )


def _candidates(env: Mapping[str, str], more: Collection[str]) -> Iterator[str]:
    for name, value in env.items():
        inside = list(inside_values(value))
        yield from inside
        in_url = any(found["password"] for found in _IN_URL.finditer(value))
        if name in more or (is_secret_name(name) and not in_url):
            yield value


def inside_values(value: str) -> Iterator[str]:
    """Passwords inside of a value: of a URL, of what a driver takes, of a JSON document."""
    for found in _IN_URL.finditer(value):
        yield found["password"] or ""
        if len(found["user"]) >= _TOKEN:
            yield found["user"]
    for found in _ASSIGNED.finditer(value) if "=" in value else ():
        words = {word.upper() for word in _WORDS.findall(found["name"])}
        if _LONG.search(found["name"]) or words & _INSIDE:
            yield found["value"].strip("\"'")
    if value.lstrip().startswith(("{", "[")):
        try:
            yield from _of_document(json.loads(value))
        except (ValueError, RecursionError):
            return


def _of_document(document: Any) -> Iterator[str]:
    if isinstance(document, list):
        for item in document:
            yield from _of_document(item)
    if not isinstance(document, dict):
        return
    for name, value in document.items():
        if isinstance(value, str) and is_secret_name(name):
            yield value
        yield from _of_document(value)
