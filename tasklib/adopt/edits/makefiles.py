"""PURE: Makefiles and justfiles whose targets for tests and stacks become one line each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tasklib.adopt.evidence import Kind, Place, Recipe
from tasklib.adopt.proposal import Reason

__all__ = ["Front", "shortened"]


class Front(Struct, frozen=True):
    """What a target becomes: ``line``, without the targets ``drops`` before it."""

    recipe: Recipe
    line: str
    drops: frozenset[str] = frozenset()


def shortened(
    text: str, fronts: Sequence[Front], recipes: Sequence[Recipe], *, keep: bool
) -> tuple[str | None, tuple[Reason, ...]]:
    """The file with these targets shortened; ``None`` where it holds nothing else and does not ``keep``."""
    lines = text.splitlines()
    by_first: Mapping[int, Front] = {front.recipe.first: front for front in fronts}
    if not keep and {recipe.first for recipe in recipes} == set(by_first):
        return None, tuple(
            Reason(f"{front.recipe.name}:", f"`{front.line}` does it", (front.recipe.place,))
            for front in fronts
        )
    reasons = []
    found: list[str] = []
    at = 0
    while at < len(lines):
        front = by_first.get(at + 1)
        if front is None:
            found.append(lines[at])
            at += 1
            continue
        found.append(_header(lines[at], front))
        indent = "\t" if front.recipe.kind is Kind.MAKE else "    "
        found.append(f"{indent}{front.line}")
        reasons.append(
            Reason(f"{front.recipe.name}: {front.line}", _why(front), (front.recipe.place, *_places(front)))
        )
        at = front.recipe.last
    end = "\r\n" if "\r\n" in text else "\n"
    return end.join(found) + (end if text.endswith("\n") else ""), tuple(reasons)


def _header(line: str, front: Front) -> str:
    head, colon, rest = line.partition(":")
    needs, hash_, comment = rest.partition("#")
    kept = [word for word in needs.split() if word not in front.drops]
    shown = f" {' '.join(kept)}" if kept else ""
    return (
        f"{head}{colon}{shown}{f' {hash_}{comment}' if hash_ else ''}".rstrip()
        if front.drops
        else line.split(";")[0].rstrip()
    )


def _why(front: Front) -> str:
    number = front.recipe.last - front.recipe.first
    return f"one line for {number}" if number > 1 else "the same for this checkout alone"


def _places(front: Front) -> tuple[Place, ...]:
    return tuple(
        dict.fromkeys(
            command.place for command in front.recipe.commands if re.search(r"compose|test", command.text)
        )
    )[:2]
