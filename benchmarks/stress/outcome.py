"""What came of it, as a value and as a table."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Outcome", "table"]


@dataclass
class Outcome:
    """What happened: runs by how they were ended, and everything that must not be."""

    worktrees: int = 0
    rounds: int = 0
    users: int = 0
    seed: int = 0
    seconds: float = 0.0
    runs: int = 0
    passed: int = 0
    ended_by: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    """Runs that nobody ended and that did not pass."""
    cross_talk: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not (self.failed or self.cross_talk or self.left)


def table(outcome: Outcome) -> str:
    """For people."""
    ended = sum(number for name, number in outcome.ended_by.items() if name != "too late")
    who = f"{outcome.users} users" if outcome.users else f"{outcome.worktrees} worktrees"
    rows = [
        f"{who} x {outcome.rounds} rounds in {outcome.seconds:.0f} s",
        f"seed {outcome.seed}",
        f"{outcome.runs} runs: {ended} ended by a signal, {outcome.passed} left alone and passed",
        *(f"  {name}: {number}" for name, number in outcome.ended_by.items()),
        f"left alone and not passed: {len(outcome.failed)}",
        f"cross-talk: {len(outcome.cross_talk)}",
        f"left over: {len(outcome.left)}",
        *outcome.failed,
        *outcome.cross_talk,
        *outcome.left,
    ]
    return "\n".join(rows)
