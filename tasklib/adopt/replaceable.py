"""PURE: what an action of a recipe is to tasklib: a test of a stage, work that it does itself, or neither."""

from __future__ import annotations

from collections.abc import Mapping

from tasklib.adopt.actions import Action, Flow, Inside, Step
from tasklib.adopt.composing import ComposeCall
from tasklib.adopt.evidence import Evidence
from tasklib.adopt.suites import Part
from tasklib.adopt.testing import TestRun
from tasklib.adopt.usages import Usage, called_usages

__all__ = ["INFRA", "command_of", "is_replaced", "is_test", "reports_of", "stage_of"]

INFRA = {
    "up": "infra.up",
    "start": "infra.up",
    "down": "infra.down",
    "stop": "infra.down",
    "rm": "infra.down",
    "logs": "infra.logs",
    "ps": "infra.status",
}
"""The task that takes the place of a verb of Compose."""
_PLUMBING = frozenset({*INFRA, "build", "pull", "kill", "config", "create", "wait"})


def stage_of(usage: Usage, parts: Mapping[str, Part]) -> str:
    """``unit``, ``service``, ``integration`` or ``both`` of these; empty for what is not taken over."""
    for folder, part in parts.items():
        if stage := part.stage_of(usage):
            return stage if stage != "against" else "service" if folder else "integration"
    return ""


def command_of(stages: set[str]) -> str:
    """The task of tasklib that runs ``stages``: ``test.unit``, or ``test`` for more than one."""
    return "test" if "both" in stages or len(stages) > 1 else f"test.{next(iter(stages))}"


def is_replaced(action: Action) -> bool:
    """Whether tasklib does it now, so that its line can go."""
    match action:
        case ComposeCall(verb=verb, services=services, files=files):
            # An image of something else is built for something else.
            return verb in _PLUMBING and not (
                verb == "build" and any("doc" in word for word in (*services, *files))
            )
        case Inside(tests=tests, steps=steps):
            return tests is not None or bool(steps)
        case TestRun() | Step():
            return True
        case _:
            return False


def is_test(action: Action) -> bool:
    """Whether it runs tests, here or in a container."""
    match action:
        case TestRun():
            return True
        case Inside(tests=tests):
            return tests is not None
        case ComposeCall(verdict=verdict):
            return bool(verdict)
        case _:
            return False


def reports_of(flow: Flow, parts: Mapping[str, Part], evidence: Evidence) -> tuple[str, ...]:
    """What CI asks pytest to report, for whatever reads it afterwards."""
    found = [usage for usage in called_usages([flow], evidence) if stage_of(usage, parts)]
    return found[0].reports if len(found) == 1 and not found[0].inside else ()
