"""The names that plain Compose gives the project of some files, and to what is in it.

Rendering is done under a name of ours, so the one that the files' own values go by has to be found apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tasklib.isolation import is_compose_name
from tasklib.stacks.rewrite.draft import Draft

__all__ = ["default_names", "has_default_name", "project_names", "projects_of"]

_NAME = re.compile(
    r"""(?mx) ^ (?P<key>["']?) name (?P=key) [ \t]* : [ \t]+ (?: &\S+ [ \t]+ )?
    (?: "(?P<double>[^"\n]*)" | '(?P<single>[^'\n]*)' | (?P<plain>[^\s"'#][^#\n]*?) )
    [ \t\r]* (?: [ \t]\#.* )? $"""
)
_VARIABLE = re.compile(r"\$(?:(?P<bare>\w+)|\{(?P<braced>\w+)(?:(?P<sign>:?[-+?])(?P<word>[^${}]*))?\})")


def project_names(
    texts: Iterable[str],
    assigned: Iterable[Mapping[str, str]],
    folder: str,
    variables: Mapping[str, str],
) -> tuple[str, ...]:
    """What the project is called without us: by COMPOSE_PROJECT_NAME or ``name``, else after its folder.

    ``texts``: the Compose files as written; ``assigned``: the variables of each .env file, the last one wins;
    ``variables``: the environment, which comes before them. A file's values go by what it says itself even
    where another file is merged over it, so all names are found.
    """
    files = list(assigned)
    known = {key: value for found in (*files, variables) for key, value in found.items()}
    written = [found["COMPOSE_PROJECT_NAME"] for found in files if "COMPOSE_PROJECT_NAME" in found]
    for found in (match for text in texts if (match := _NAME.search(text))):
        written.append(found["double"] or found["single"] or found["plain"] or "")
    names = [name for text in written if is_compose_name(name := _interpolated(text, known))]
    if not names:
        plain = re.sub(r"[^a-z0-9_-]", "", folder.lower()).lstrip("_-")
        names = [plain] if plain else []
    return tuple(dict.fromkeys(names))


def _interpolated(text: str, variables: Mapping[str, str]) -> str:
    """``text`` with its variables filled in, the innermost first: a default may hold further ones."""

    def value(found: re.Match[str]) -> str:
        known, word = variables.get(found["bare"] or found["braced"]), found["word"] or ""
        present = bool(known) if (found["sign"] or "").startswith(":") else known is not None
        match (found["sign"] or "")[-1:]:
            case "-":
                return (known or "") if present else word
            case "+":
                return word if present else ""
        return known or ""

    for _ in range(5):
        text, count = _VARIABLE.subn(value, text)
        if not count:
            break
    return text


def projects_of(draft: Draft) -> tuple[str, ...]:
    """The names that values of the config may go by: the rendered one first, then the files' own."""
    names = (str(draft.config.get("name") or ""), *draft.facts.projects)
    return tuple(dict.fromkeys(name for name in names if name))


def default_names(draft: Draft, *parts: str, joins: str = "-_") -> Iterator[str]:
    """What Compose calls a part without a name: ``("db", "1")`` → ``app-db-1``, ``app_db_1``."""
    for project in projects_of(draft):
        for join in joins:
            yield join.join((project, *parts))


def has_default_name(draft: Draft, key: str, part: Mapping[str, Any]) -> bool:
    """Whether a network or volume is left for Compose to name."""
    return not part.get("external") and part.get("name") in (None, f"{draft.config.get('name')}_{key}")
