"""PURE: whether two runs are the same tests, told in two places."""

from __future__ import annotations

from tasklib.adopt.calling import called
from tasklib.adopt.evidence import Command, Evidence, Kind
from tasklib.adopt.stack import Stack
from tasklib.adopt.usages import Usage
from tasklib.adopt.variants import differing, other_server

__all__ = ["covers", "is_same"]


def covers(own: Usage, usage: Usage) -> bool:
    """Whether ``own`` runs what ``usage`` does, however that brings up its stack."""
    if own.place != usage.place and any(word.startswith("$?") for word in usage.words):
        return False  # A shell finds out which tests these are.
    if (own.runner, own.inside, own.options) != (usage.runner, usage.inside, usage.options):
        return False
    if differing(own.env, usage.env) or other_server(usage.recipe.name, own.env):
        return False
    # A stack that is written after the containers of CI takes the place of whatever else brings such up.
    if own.stack and usage.stack and not own.containers and own.stack.files != usage.stack.files:
        return False
    if own.inside:
        return own.words[:1] == usage.words[:1]
    return own.folder == usage.folder and (
        not own.paths or not usage.paths or set(usage.paths) <= set(own.paths)
    )


def is_same(usage: Usage, other: Usage | None, evidence: Evidence) -> bool:
    """Whether ``usage`` is what ``other`` runs with its stack: the same tests, told without it."""
    if other is None or other.inside:
        # Beside tests in a container, what has no folder of its own is those tests, told for inside; and so
        # is what CI, which tests in one, does not do.
        outside = other is not None and other.recipe.kind is Kind.JOB is not usage.recipe.kind
        plain = usage.runner in ("pytest", "django", "unittest") and not usage.paths
        return other is not None and (plain or outside or _calls(other, usage, evidence))
    return (
        usage.runner == other.runner
        and usage.options == other.options
        and not differing(other.env, usage.env)
        and set(usage.paths) <= set(other.paths or usage.paths)
    )


def _calls(inside: Usage, usage: Usage, evidence: Evidence) -> bool:
    """Whether what runs in a container is the very recipe that ``usage`` is of: ``yarn test`` of both."""
    service = Stack(inside.stack, evidence).services.get(inside.inside) if inside.stack else None
    words = inside.words or tuple(service.command.split() if service else ())
    if not words:
        return False
    there = Command(inside.place, words, usage.folder)
    return any(recipe == usage.recipe for recipe, _ in called(there, evidence, within=False))
