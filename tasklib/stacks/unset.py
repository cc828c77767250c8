"""Variables that Compose files ask for and that nothing sets: where, and what breaks by it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from tasklib.errors import ConfigError
from tasklib.project.places import way_to
from tasklib.shown.cutting import shorten
from tasklib.stacks.dollars import plain
from tasklib.stacks.references import parse_reference

__all__ = ["not_set", "place_of", "refuse_bad_images", "refuse_unset"]


_SET = re.compile(r"(?m)^\s*(?:export\s+)?([\w.-]+)\s*[=:]")
"""What a line of an env file sets, as Compose reads it."""


def place_of(variable: str, files: Iterable[Path]) -> str:
    """The file and line that first ask for a variable; the first file where another one includes it."""
    asked = re.compile(rf"(?<!\$)\$(?:{re.escape(variable)}\b|\{{{re.escape(variable)}[}}:+?-])")
    paths = list(files)
    for path in paths:
        try:
            lines = path.read_text(errors="replace").splitlines()
        except OSError:
            continue  # Compose's to complain about.
        for number, line in enumerate(lines, start=1):
            if asked.search(line) and not line.lstrip().startswith("#"):
                return f"{path}:{number}"
    return str(paths[0])


def not_set(variables: Iterable[str], files: Iterable[Path] = ()) -> str | None:
    """What to tell whoever's files break by ``variables`` that are not set, where there are any.

    ``files`` are those that would be read if they were there, as they are not in a new worktree.
    """
    names = ", ".join(sorted(variables))
    if not names:
        return None
    way = next(filter(None, map(way_to, files)), "")
    return f"Not set, and without a default: {shorten(names, 200)}. {way}".rstrip()


def refuse_bad_images(
    rendered: Mapping[str, Any], unset: Mapping[str, str], where: str, files: Iterable[Path] = ()
) -> None:
    """Raise :class:`~tasklib.errors.ConfigError` for an image that is no reference, naming its service.

    ``unset``: variable without a value → where it is asked for, ``where``: the Compose file, ``files``: the
    env files that are missing.
    """
    for name, service in rendered["services"].items():
        image = service.get("image")
        if image is None or parse_reference(plain(image)) is not None:
            continue
        place = next(iter(unset.values())) if len(unset) == 1 else where
        raise ConfigError(
            f"{name}: {image!r} is no valid image reference", where=place, remedy=not_set(unset, files)
        )


def refuse_unset(
    rendered: Mapping[str, Any], variables: Collection[str], texts: Iterable[str], where: str
) -> None:
    """Raise :class:`~tasklib.errors.ConfigError` for a secret or config of a service that is the value of a
    variable which is neither among ``variables`` nor set by the ``texts`` of env files.

    ``where`` is the Compose file.
    """
    known = {*variables, *(name for text in texts for name in _SET.findall(text))}
    for section in ("secrets", "configs"):
        used = {
            str(entry.get("source") if isinstance(entry, Mapping) else entry)
            for service in rendered["services"].values()
            for entry in service.get(section) or ()
        }
        for name, part in (rendered.get(section) or {}).items():
            variable = str((part or {}).get("environment") or "")
            if name in used and variable and variable not in known:
                raise ConfigError(
                    f"the {section[:-1]} {name} is the value of {variable}, which is not set",
                    where=where,
                    remedy=f"Export {variable}, or set it in the .env file that Compose reads.",
                )
