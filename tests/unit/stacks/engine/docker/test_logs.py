"""What is read of a container's log."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tasklib.stacks.engine.docker.containers import Containers

STAMP = "2026-11-27T07:22:54.664675316Z "


class Api:
    """Answers as the engine does: each part of a long line counts as one."""

    def __init__(self, *lines: str) -> None:
        self.parts = [part for line in lines for part in _parts(line)]
        self.asked: list[int] = []

    def logs(self, container_id: str, *, tail: int, **options: Any) -> bytes:
        self.asked.append(tail)
        return "".join(self.parts[-tail:]).encode()


def _parts(line: str) -> list[str]:
    starts = range(0, len(line) or 1, 16_384)
    found = [f"{STAMP}{line[start : start + 16_384]}" for start in starts]
    return [*found[:-1], f"{found[-1]}\n"]


class Reading(Containers):
    """Asks ``api`` and nobody else."""

    def __init__(self, api: Api) -> None:
        self._api: Any = api
        self.heart: Any = SimpleNamespace(check=lambda: None)


def test_a_long_line_takes_the_place_of_no_other() -> None:
    """As many lines are told as were asked for, where there are so many."""
    found = Reading(Api(*(f"line {number}" for number in range(20)), "z" * 100_000)).logs("c", tail=5)
    assert [len(line.text) for line in found] == [7, 7, 7, 7, 100_000]


def test_short_lines_are_read_once() -> None:
    """Nothing more is asked for where nothing is in the way."""
    api = Api("one", "two")
    assert [line.text for line in Reading(api).logs("c", tail=5)] == ["one", "two"]
    assert api.asked == [5]
