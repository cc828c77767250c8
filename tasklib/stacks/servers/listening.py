"""PURE: at which ports a known server was told to listen, by its command line and by variables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

__all__ = ["NOWHERE", "listening"]

NOWHERE = 0
"""It was told to listen at a socket, or inside its container, alone."""

_OPTION = re.compile(r"(?:--?port=|-p|port=)(\d+)")
_VARIABLE = re.compile(r"\w*PORT(?:_NUMBER)?")
_NOWHERE = re.compile(
    r"(?:--)?listen[-_]addresses=['\"]?(?:localhost|127\.0\.0\.1)?['\"]?|--skip-networking(?:=1|=ON)?"
    r"|--bind[-_](?:address|ip)=(?:localhost|127\.0\.0\.1)"
)
_BROKER_VARIABLE = re.compile(r"KAFKA_(?:CFG_)?(?:ADVERTISED_)?LISTENERS")
_BROKER_OPTION = re.compile(r"--(?:advertise-)?kafka-addr(?:=(.*))?")
_ADDRESS = re.compile(r":(\d+)(?=,|$)")


def listening(words: Sequence[str], environment: Mapping[str, str]) -> tuple[int, ...]:
    """The ports, as they come: a guess where only a variable's name says so."""
    return tuple(dict.fromkeys((*_of_words(words), *_of_variables(environment))))


def _of_words(words: Sequence[str]) -> Iterator[int]:
    for before, word in zip(("", *words), words, strict=False):
        if _NOWHERE.fullmatch(word) or _NOWHERE.fullmatch(f"{before}={word}"):
            yield NOWHERE
        if found := _OPTION.fullmatch(word):
            yield from _numbers(found[1], least=NOWHERE)
        elif before in ("-p", "--port"):
            yield from _numbers(word, least=NOWHERE)
        elif addresses := _BROKER_OPTION.fullmatch(word):
            yield from _of_addresses(addresses[1] or "")
        elif _BROKER_OPTION.fullmatch(before):
            yield from _of_addresses(word)


def _of_variables(environment: Mapping[str, str]) -> Iterator[int]:
    for name, value in environment.items():
        if _VARIABLE.fullmatch(name):
            yield from _numbers(value)
        elif _BROKER_VARIABLE.fullmatch(name):
            yield from _of_addresses(value)


def _of_addresses(text: str) -> Iterator[int]:
    """``PLAINTEXT://kafka:9092,OUTSIDE://localhost:29092`` names two."""
    for number in _ADDRESS.findall(text):
        yield from _numbers(number)


def _numbers(text: str, least: int = 1) -> Iterator[int]:
    if text.isascii() and text.isdecimal() and len(text) < 6 and least <= int(text) < 65536:
        yield int(text)
