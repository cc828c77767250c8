"""PURE: settings written as TOML at the end of a pyproject.toml."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from tasklib.adopt.proposal import Reason, Setting

__all__ = ["with_settings"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDEST = 110


def with_settings(text: str, settings: Sequence[Setting]) -> tuple[str, tuple[Reason, ...]]:
    """``text`` with ``settings`` in tables of their own at its end, and why for each line."""
    tables: dict[tuple[str, ...], list[tuple[str, Setting]]] = {}
    for setting in settings:
        table, name = _table(setting.keys)
        tables.setdefault(table, []).append((f"{name} = {_value(setting.value)}", setting))
    lines: list[str] = []
    reasons: list[Reason] = []
    for table in sorted(tables):
        if lines:
            lines.append("")
        lines.append(f"[{'.'.join(map(_key, ('tool', 'tasklib', *table)))}]")
        for line, setting in tables[table]:
            lines += line.splitlines()
            reasons.append(Reason(line.splitlines()[0], setting.why, setting.places))
    if not lines:
        return text, ()
    before = text.rstrip("\n")
    end = "\r\n" if "\r\n" in text else "\n"
    return f"{before}{end * 2 if before else ''}{end.join(lines)}{end}", tuple(reasons)


def _table(keys: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """The table that a key stands in, and its name there: variables and services have tables of their own."""
    if keys[0] == "compose":
        return (), ".".join(map(_key, keys))
    return keys[:-1], _key(keys[-1])


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name)


def _value(value: object, indent: str = "") -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Mapping():
            return f"{{ {', '.join(f'{_key(str(k))} = {_value(v)}' for k, v in value.items())} }}"
        case list() | tuple():
            flat = f"[{', '.join(map(_value, value))}]"
            if len(flat) <= _WIDEST or not any(isinstance(item, list | Mapping) for item in value):
                return flat
            return "\n".join(["[", *_rows(value, indent), f"{indent}]"])
        case _:
            return json.dumps(value)


def _rows(values: Sequence[object], indent: str) -> Iterator[str]:
    for value in values:
        yield f"{indent}  {_value(value)},"
