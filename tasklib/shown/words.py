"""PURE: which words of a command, or of a file of settings, are secrets.

A secret is known by the option before it (`--requirepass x`), by its place in a word (`-u shop:x`, a header,
SQL) or by what the program means by a short option (`mysql -px`). Sources: the programs' own manuals.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator

from tasklib.shown.secrets import inside_values, is_secret_name

__all__ = ["secret_words"]

_BARE = frozenset({"requirepass", "masterauth", "primaryauth"})
"""Settings of Redis and Valkey: options of the server, lines of its file, words of `config set`."""

_NAME = re.compile(r"(?:--?|/)?(?P<name>[A-Za-z][\w.-]*):?")
_PAIR = re.compile(r"(?:-u|-U|--(?:proxy-)?user(?:name)?=|--basic-?auth=)?[^\s:/@]+:(?P<password>\S+)")
_PAIRED = frozenset({"-u", "-U", "--user", "--proxy-user", "--basic-auth", "--auth"})
"""Options after which there may be `user:password`."""

_HEADER = re.compile(
    r"(?P<name>[A-Za-z][\w-]*):\s*(?:(?:Bearer|Basic|Token|Digest|ApiKey)\s+)?(?P<value>\S.*)"
)
_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})

_SQL = re.compile(r"(?i)\b(?:password|identified\s+(?:with\s+\S+\s+)?by)\s*=?\s*'(?P<value>[^']+)'")
_SETTING = re.compile(r"""\s*["']?(?P<name>[\w.-]+)["']?\s*[=:]\s*(?P<value>\S.*)""")

_NEXT = {
    "redis-cli": "-a",
    "valkey-cli": "-a",
    "mongo": "-p",
    "mongosh": "-p",
    "mongodump": "-p",
    "mongorestore": "-p",
    "mongoimport": "-p",
    "sshpass": "-p",
    "cypher-shell": "-p",
    "sqlcmd": "-P",
    "isql": "-P",
}
"""Program → the option whose value is a password."""

_ATTACHED = re.compile(r"(?:mysql|mariadb)[a-z-]*")
"""Programs that take `-p<password>`."""

_AFTER = {"add_user": 2, "change_password": 2, "authenticate_user": 2}
"""Commands of rabbitmqctl → how many words later the password is."""


def secret_words(words: Iterable[str]) -> Iterator[str]:
    """Those of a command, as a list of words or with whole shell scripts among them.

    >>> sorted(secret_words(["redis-server", "--requirepass", "s3cr3t-word", "--port", "6379"]))
    ['s3cr3t-word']
    >>> sorted(secret_words(["CMD-SHELL", "curl -u shop:s3cr3t-word http://localhost || exit 1"]))
    ['s3cr3t-word']
    """
    given = list(words)
    yield from (value for value in _of_words(given) if _is_plain(value))
    for word in given:
        if any(character.isspace() for character in word):
            yield from (found["value"] for found in _SQL.finditer(word))
            for line in word.splitlines():
                yield from (
                    value for value in (*_of_line(line), *_of_words(_split(line))) if _is_plain(value)
                )


def _is_plain(value: str) -> bool:
    """What a shell puts there later is none, nor is the name of a file."""
    return not value.startswith(("$", "/", "./", "-"))


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _of_words(words: list[str]) -> Iterator[str]:
    program = ""
    for at, word in enumerate(words):
        after = words[at + 1] if at + 1 < len(words) else ""
        name = word.rpartition("/")[2]
        if name in _NEXT or _ATTACHED.fullmatch(name):
            program = name
        yield from inside_values(word)
        yield from _by_option(word, after)
        if program in _NEXT and word == _NEXT[program]:
            yield after
        if _ATTACHED.fullmatch(program) and word.startswith("-p"):
            yield word.removeprefix("-p")
        if later := words[at + _AFTER[word] :][:1] if word in _AFTER else []:
            yield later[0]
        header = _HEADER.fullmatch(word)
        if header and (header["name"].lower() in _HEADERS or is_secret_name(header["name"])):
            yield header["value"]


def _by_option(word: str, after: str) -> Iterator[str]:
    if pair := _PAIR.fullmatch(after if word in _PAIRED else word if word.startswith("-") else ""):
        yield pair["password"]
    if (option := _NAME.fullmatch(word)) is None:
        return
    name = option["name"]
    if name in _BARE or (word.startswith("--") and is_secret_name(name)):
        yield after


def _of_line(line: str) -> Iterator[str]:
    """A line of a file of settings: `name = value`, `name: value`."""
    if (found := _SETTING.fullmatch(line)) and is_secret_name(found["name"]):
        yield found["value"].rstrip(",;").strip("\"'")
