"""Which tests of a suite a command line asks for."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["selected", "unless_narrowed"]


def selected(
    keyword: str, extra: tuple[str, ...], paths: tuple[str, ...], cwd: Path
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """pytest's options and its arguments for ``keyword``: ``paths``, unless something names tests in them.

    A keyword that is the id of a test in ``paths`` is that test.
    """
    chosen = _id(keyword, paths, cwd)
    options: tuple[str, ...] = ()
    if keyword and not chosen:
        options = (f"-k{keyword}",) if keyword.startswith("-") else ("-k", keyword)
    return options, (*unless_narrowed(paths, (*chosen, *extra), cwd), *chosen)


def unless_narrowed(paths: tuple[str, ...], extra: tuple[str, ...], cwd: Path) -> tuple[str, ...]:
    """``paths``, or nothing where ``extra`` already names tests inside them."""
    folders = [os.path.normpath(cwd / path) for path in paths]
    for argument in extra:
        name = Path(os.path.normpath(cwd / argument.split("::")[0]))
        if not argument.startswith("-") and any(name.is_relative_to(folder) for folder in folders):
            return ()
    return paths


def _id(keyword: str, paths: tuple[str, ...], cwd: Path) -> tuple[str, ...]:
    file, found, _ = keyword.partition("::")
    if not found or not file.endswith(".py") or not (cwd / file).is_file():
        return ()
    return () if unless_narrowed(paths, (keyword,), cwd) else (keyword,)
