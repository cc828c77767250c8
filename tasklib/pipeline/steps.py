"""PURE: the steps of a run as values, in the order they are begun: what runs ahead, what is waited for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

from msgspec import Struct

from tasklib.results import Stage, Target

__all__ = [
    "FULL",
    "Ahead",
    "Effort",
    "Gate",
    "GetReady",
    "Run",
    "StackOf",
    "Step",
    "TargetStep",
    "steps",
    "told",
]


class StackOf(Struct, frozen=True):
    """The stack of one target, or the full one that all integration targets share."""

    target: Target | None

    def __str__(self) -> str:
        return f"the stack of {self.target.service}" if self.target else "the full stack"


FULL = StackOf(None)


class Effort(StrEnum):
    """How far a stack is taken before anybody needs it."""

    PREPARE = "build the images of"
    CREATE = "build the images and create the containers of"
    UP = "bring up"


class Ahead(Struct, frozen=True):
    """Take a stack so far; nobody waits for that."""

    stack: StackOf
    effort: Effort


class GetReady(Struct, frozen=True):
    """Start a target's test process, which waits until its stack is up; nobody waits for that."""

    target: Target


class TargetStep(Struct, frozen=True):
    """A target's tests, run against ``stack`` (``None``: nothing), which goes ``afterwards`` or stays."""

    target: Target
    stack: StackOf | None = None
    afterwards: bool = False


class Run(Struct, frozen=True):
    """Run tests and wait for their results: ``at_once`` several, or one after another (1)."""

    tests: tuple[TargetStep, ...]
    at_once: int


class Gate(Struct, frozen=True):
    """Go on only if everything so far has passed; else ``rest`` is skipped."""

    rest: tuple[Target, ...]


Step = Ahead | GetReady | Run | Gate


def steps(targets: Sequence[Target], *, full: bool, jobs: int) -> tuple[Step, ...]:
    """The steps of a run of ``targets``, of which up to ``jobs`` run at once.

    ``full`` is whether integration tests have a full stack, and do not bring up by themselves what they need.
    """
    return tuple(_steps(targets, full, jobs))


def _steps(targets: Sequence[Target], full: bool, jobs: int) -> Iterator[Step]:
    unit, service, integration = (tuple(t for t in targets if t.stage is stage) for stage in Stage)
    shared = FULL if integration and full else None
    for number, target in enumerate(service):
        yield Ahead(StackOf(target), Effort.CREATE if number < jobs else Effort.PREPARE)
    if shared:
        yield Ahead(shared, Effort.CREATE)
    if unit:
        yield Run(tuple(TargetStep(target) for target in unit), jobs)
    yield Gate((*service, *integration))
    if shared:
        yield Ahead(shared, Effort.UP)
        yield GetReady(integration[0])
    if service:
        yield Run(tuple(TargetStep(target, StackOf(target), afterwards=True) for target in service), jobs)
        yield Gate(integration)
    if integration:
        yield Run(tuple(TargetStep(target, shared) for target in integration), 1)


def told(steps: Sequence[Step]) -> Iterator[str]:
    """The steps in words, a line each: what would be done."""
    for step in steps:
        match step:
            case Ahead(stack, effort):
                yield f"ahead: {effort} {stack}"
            case GetReady(target):
                yield f"ahead: get the tests of {target} ready"
            case Run(tests, at_once):
                for test in tests:
                    yield f"run {test.target}" + (f" against {test.stack}" if test.stack else "")
                if len(tests) > 1:
                    yield f"  up to {at_once} at once" if at_once > 1 else "  one after another"
            case Gate(rest) if rest:
                yield "go on only if all of that passed"
