"""Reading a pyproject.toml so that every complaint about it names the file and the line."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, ValuesView
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Struct

from tasklib.errors import ConfigError
from tasklib.options.likeness import nearest

__all__ = ["Document", "read"]

S = TypeVar("S", bound=msgspec.Struct)

_WORDS = {
    "array": "a list",
    "bool": "a boolean",
    "float": "a number",
    "int": "an integer",
    "object": "a table",
    "str": "a string",
}
_HEADER = re.compile(r"\s*\[{1,2}(?P<path>.+?)\]{1,2}\s*(?:#.*)?")
_KEY = re.compile(r"\s*(?P<path>[^=#\[\]{}]+?)\s*=")


class Document(Struct, frozen=True):
    """A parsed TOML file with the text it came from."""

    path: Path
    text: str
    data: Mapping[str, Any]

    def table(self, *keys: str) -> Mapping[str, Any] | None:
        """The table at ``keys``; ``None`` where there is none."""
        value: Any = self.data
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value if isinstance(value, Mapping) else None

    def where(self, *keys: str) -> str:
        """``file:line`` of the key, or of the nearest table around it that can be found."""
        line = _line(self.text, keys)
        return f"{self.path}:{line}" if line else str(self.path)

    def error(self, what: str, *keys: str, remedy: str | None = None) -> ConfigError:
        return ConfigError(what, where=self.where(*keys), remedy=remedy)

    def load(self, kind: type[S], *keys: str) -> S:
        """The table at ``keys`` as a ``kind``.

        Raises :class:`~tasklib.errors.ConfigError` for an unknown key (naming the nearest known one) and for
        a value of the wrong type.
        """
        return self._struct(kind, self.table(*keys) or {}, keys)

    def _struct(self, kind: type[S], table: object, keys: tuple[str, ...]) -> S:
        fields = _fields(kind)
        values = {}
        for key, value in self._items(table, keys):
            if key not in fields:
                raise self.error(
                    f"unknown key `{key}` in [{'.'.join(keys)}]",
                    *(*keys, key),
                    remedy=f"Did you mean `{nearest(key, fields)}`? Known keys: {', '.join(sorted(fields))}.",
                )
            values[fields[key].name] = self._value(fields[key].type, value, (*keys, key))
        return kind(**values)

    def _value(self, kind: Any, value: object, keys: tuple[str, ...]) -> Any:
        plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
        if _holds_nul(value):
            raise self.error(
                f"`{_short(keys)}`: holds a NUL character, which paths and variables cannot", *keys
            )
        for table in _structs(plain):
            if table is plain or isinstance(value, Mapping):
                return self._struct(table, value, keys)
        if get_origin(plain) is dict:
            # One by one: msgspec's own message leaves out which key of a dict it is about.
            return {
                key: self._value(get_args(plain)[1], v, (*keys, key)) for key, v in self._items(value, keys)
            }
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            what = f"`{_short(keys)}`: {_plain(str(error))}"
            raise self.error(what, *keys, remedy=_example(kind, keys)) from None

    def _items(self, table: object, keys: tuple[str, ...]) -> Iterator[tuple[str, object]]:
        if not isinstance(table, Mapping):
            raise self.error(f"`{_short(keys)}`: expected a table", *keys)
        for key, value in table.items():
            if "\0" in key:
                raise self.error(f"`{_short(keys)}`: a name in it holds a NUL", *keys)
            yield key, value


def read(path: Path) -> Document:
    """The TOML file at ``path``; :class:`~tasklib.errors.ConfigError` where it cannot be read or parsed."""
    try:
        text = path.read_bytes().decode()
        return Document(path, text, tomllib.loads(text))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError("is not UTF-8", where=f"{path}:{line}") from error
    except RecursionError as error:
        raise ConfigError("is nested too deeply", where=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$", str(error))
        line = int((place and place["line"]) or len(text.splitlines()) or 1)
        what = str(error)[: place.start()] if place else str(error)
        raise ConfigError(f"is not valid TOML: {what}", where=f"{path}:{line}") from error


def _holds_nul(value: object) -> bool:
    """Whether a text, or one in a list or in a table of a list, does; tables tell it by their keys."""
    if isinstance(value, list):
        return any(
            _holds_nul(part.values()) if isinstance(part, dict) else _holds_nul(part) for part in value
        )
    if isinstance(value, ValuesView):
        return any(map(_holds_nul, value))
    return isinstance(value, str) and "\0" in value


@cache
def _fields(kind: type[Struct]) -> Mapping[str, msgspec.structs.FieldInfo]:
    """The keys that a table may have; its annotations are read anew each time that msgspec is asked."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def _structs(kind: Any) -> Iterator[type[msgspec.Struct]]:
    """``kind`` itself, or the members of a union, that are structs."""
    for part in (kind, *(get_args(kind) if get_origin(kind) in (Union, UnionType) else ())):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            yield part


def _short(keys: tuple[str, ...]) -> str:
    """The key within its tool's table: ``services.api.command``."""
    return ".".join(keys[2:] if keys[0] == "tool" and len(keys) > 2 else keys)


def _example(kind: Any, keys: tuple[str, ...]) -> str | None:
    """How the key is written, where its type says so by an example."""
    metas = kind.__metadata__ if get_origin(kind) is Annotated else ()
    example = next((meta.examples[0] for meta in metas if meta.examples), None)
    # The lists and strings of JSON are those of TOML.
    return None if example is None else f"Write it like `{keys[-1]} = {json.dumps(example)}`."


def _plain(message: str) -> str:
    """msgspec's message in the words of TOML: ``expected a list, got a string``."""
    message = message.split(" - at ")[0].replace(" | null", "").replace(" | ", "` or `")
    message = re.sub(r"`(\w+)`", lambda found: _WORDS.get(found[1], found[1]), message)
    return message[:1].lower() + message[1:]


def _line(text: str, keys: tuple[str, ...]) -> int | None:
    """The line (from 1) that sets ``keys``, else the last line that opens a table around it."""
    table: tuple[str, ...] = ()
    around: tuple[int, int] = (0, 0)
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            path = table = _keys(f"[{header['path']}]")
        elif key := _KEY.match(line):
            path = (*table, *_keys(f"{key['path']} = 0"))
        else:
            continue
        if path[: len(keys)] == keys:
            return number
        if keys[: len(path)] == path:
            around = max(around, (len(path), number))
    return around[1] or None


def _keys(line: str) -> tuple[str, ...]:
    """The dotted key of a line of TOML, unquoted."""
    try:
        value: Any = tomllib.loads(line)
    except (tomllib.TOMLDecodeError, RecursionError):
        return ()
    keys = []
    while isinstance(value, dict) and value:
        key, value = next(iter(value.items()))
        keys.append(key)
    return tuple(keys)
