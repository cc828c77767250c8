"""PURE: frozen values as what JSON has."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any

from msgspec import Struct

from tasklib.results import RunResult, TestResult

__all__ = ["derived_names", "plain"]

_DERIVED: Mapping[type, tuple[str, ...]] = {TestResult: ("seconds",), RunResult: ("outcome", "exit_code")}
"""Properties that are written as well, so that readers do not compute them anew."""


@cache
def derived_names(kind: type) -> tuple[str, ...]:
    """The properties that are written beside the fields of ``kind``."""
    return next((names for known, names in _DERIVED.items() if issubclass(kind, known)), ())


def plain(value: Any) -> Any:
    """The value of Structs, enumerations, tuples and mappings as objects, strings and lists."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list, frozenset)):
        return [plain(item) for item in value]
    kind: type[Struct] = type(value)
    names = (*kind.__struct_fields__, *derived_names(kind))
    return {name: plain(getattr(value, name)) for name in names}
