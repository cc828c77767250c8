"""PURE: which services a change touches, and why, as values."""

from __future__ import annotations

from msgspec import Struct

from tasklib.project import Project
from tasklib.shown.cutting import several

__all__ = ["Choice", "Selection", "everything"]

_MOST = 3
"""Reasons that are told for one service."""


class Choice(Struct, frozen=True):
    """Whether a service is in, and why."""

    name: str
    selected: bool
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        reasons = several(self.reasons, _MOST, join="; ")
        return f"{self.name}: {'in' if self.selected else 'out'}: {reasons}"


class Selection(Struct, frozen=True):
    """A choice for every service, in the project's order, and one for the project's own tests, if any."""

    services: tuple[Choice, ...]
    suite: Choice | None

    @property
    def names(self) -> tuple[str, ...]:
        """The services that are in."""
        return tuple(choice.name for choice in self.services if choice.selected)

    @property
    def tests(self) -> tuple[str, ...]:
        """The names whose tests are in: services, and the project's own suite."""
        suite = [self.suite.name] if self.suite and self.suite.selected else []
        return tuple(dict.fromkeys([*self.names, *suite]))

    @property
    def explanation(self) -> tuple[str, ...]:
        """A line for every service, then one for the project's own tests where they are not a service's."""
        names = {choice.name for choice in self.services}
        suite = [self.suite] if self.suite and self.suite.name not in names else []
        return tuple(map(str, [*self.services, *suite]))


def everything(project: Project, why: str) -> Selection:
    """All services, for one reason."""
    return Selection(
        tuple(Choice(service.name, True, (why,)) for service in project.services),
        Choice(project.suite, True, (why,)) if project.unit or project.integration else None,
    )
