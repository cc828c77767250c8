"""PURE: which targets need not run again, since nothing that they depend on differs from when they passed.

What a change touches is decided by the same rules as ``--changed``; what is unknown has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tasklib.changes.choices import Selection
from tasklib.results import Stage, Target
from tasklib.state.passes import Pass

__all__ = ["changes_since", "known_passes", "proof"]


def known_passes(
    targets: Iterable[Target],
    passes: Sequence[Pass],
    tree: str,
    rest: str,
    differing: Callable[[str], Sequence[Path] | None],
    touched: Callable[[Sequence[Path]], Selection],
) -> dict[Target, Pass]:
    """The targets that passed on all that they depend on, each with its newest such pass.

    ``passes`` are ordered from the newest, ``tree`` and ``rest`` are what is there now. ``differing`` tells
    the files between an earlier tree and now (``None``: unknown), ``touched`` what such a change touches.
    """
    selections: dict[str, Selection | None] = {}

    def untouched(target: Target, before: str) -> bool:
        if before == tree:
            return True
        if before not in selections:
            files = differing(before)
            selections[before] = None if files is None else touched(files)
        selection = selections[before]
        if selection is None:
            return False
        # The full stack is made of every service.
        return (
            not selection.tests
            if target.stage is Stage.INTEGRATION
            else target.service not in selection.tests
        )

    found: dict[Target, Pass] = {}
    for target in targets:
        for known in passes:
            mine = (known.stage, known.service) == (target.stage.value, target.service)
            if mine and known.rest == rest and untouched(target, known.tree):
                found[target] = known
                break
    return found


def changes_since(
    known: Pass,
    now: tuple[str, str],
    rest: Callable[[str], Sequence[str] | None],
    differing: Callable[[str], Sequence[Path] | None],
    touched: Callable[[Sequence[Path]], Selection],
) -> tuple[str, ...]:
    """What a target depends on that is another one ``now`` (tree and rest) than at its pass, in words.

    ``rest`` tells that of what it depends on beside the tree (``None``: unknown).
    """
    tree, digest = now
    found: list[str] = []
    if known.tree != tree:
        files = differing(known.tree)
        found += ["what changed since is not known any more"] if files is None else _of(known, touched(files))
    if known.rest != digest:
        others = rest(known.rest)
        found += ["what is beside the files of git is not what it was"] if others is None else others
    return tuple(dict.fromkeys(found))


def _of(known: Pass, selection: Selection) -> list[str]:
    choices = [*selection.services, *filter(None, (selection.suite,))]
    full = known.stage == Stage.INTEGRATION
    return [
        reason
        for choice in choices
        if choice.selected and (full or choice.name == known.service)
        for reason in choice.reasons
    ]


def proof(
    targets: Iterable[Target], passes: Iterable[Pass], tree: str, rest: str
) -> Mapping[Target, Pass | None]:
    """For each target its pass on exactly this content, or ``None``: it is missing."""
    exact = {(p.stage, p.service): p for p in passes if (p.tree, p.rest) == (tree, rest)}
    return {target: exact.get((target.stage.value, target.service)) for target in targets}
