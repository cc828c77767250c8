"""PURE: what a recipe comes to, as values: runs of tests, calls of Compose, and what is around them."""

from __future__ import annotations

from msgspec import Struct

from tasklib.adopt.composing import ComposeCall
from tasklib.adopt.evidence import Command, Place, Recipe, ServiceContainer
from tasklib.adopt.testing import TestRun

__all__ = ["Action", "Copy", "Flow", "Inside", "Install", "Other", "Step"]


class Step(Struct, frozen=True):
    """A command that prepares what tests need, on this machine."""

    command: Command


class Copy(Struct, frozen=True):
    """A file of variables made from an example."""

    place: Place
    source: str
    target: str


class Install(Struct, frozen=True):
    """What is installed: ``files`` of requirements, ``packages``, ``extras`` and ``groups`` of ``folder``."""

    place: Place
    files: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    folder: str = ""
    packages: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


class Other(Struct, frozen=True):
    """A command that is neither tests nor a stack nor what prepares it."""

    command: Command


class Inside(Struct, frozen=True):
    """A call of Compose that runs ``tests`` or ``steps`` in a container (``call.service``)."""

    call: ComposeCall
    steps: tuple[tuple[str, ...], ...] = ()
    tests: tuple[str, ...] | None = None
    """The command of the tests; empty where the service itself is one."""


Action = Step | Copy | Other | Install | Inside | ComposeCall | TestRun


class Flow(Struct, frozen=True):
    """What one recipe comes to, in its order: actions, each with the place in the recipe that it is from."""

    recipe: Recipe
    actions: tuple[tuple[Place, Action], ...]

    @property
    def tests(self) -> bool:
        """Whether tests may be run: what stays in front may be some."""
        return any(
            isinstance(action, TestRun)
            or (isinstance(action, Inside) and action.tests is not None)
            or (isinstance(action, ComposeCall) and (action.verdict or action.in_front))
            for _, action in self.actions
        )

    @property
    def containers(self) -> tuple[ServiceContainer, ...]:
        return self.recipe.containers
