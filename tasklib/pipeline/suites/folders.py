"""What the readers of folders share: the way up to the top, and tables of parsed files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["table", "upwards"]


def upwards(folder: Path, top: Path) -> Iterator[Path]:
    yield folder
    if folder != top and folder.is_relative_to(top):
        yield from upwards(folder.parent, top)


def table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, dict) else {}
