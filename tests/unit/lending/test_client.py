"""The tests' side of a lent stack, with a lender whose answers are written before they are read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tasklib import process
from tasklib.lending.client import Lent, NotLent, borrow, look
from tasklib.listener import Listener

READY = {
    "ready": {"project": "test-main", "title": "full", "variables": {"A": "1"}, "kept": True, "seconds": 0.5}
}
Answers = Callable[..., None]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    """``answers({…}, {…})`` is what lenders say; one that says nothing ends at once."""
    said: list[Any] = []
    open_ends: list[int] = []

    def accompany(argv: object, *, stdin: int, log: Path) -> object:
        os.write(stdin, b"".join(json.dumps(message).encode() + b"\n" for message in said))
        if said:
            open_ends.append(os.dup(stdin))
        return SimpleNamespace(wait=lambda: 0)

    monkeypatch.setattr(process, "accompany", accompany)
    yield lambda *messages: said.extend(messages)
    for end in open_ends:
        os.close(end)


class Heard(Listener):
    def __init__(self) -> None:
        self.said: list[str] = []

    def line(self, line: str) -> None:
        self.said.append(f"line {line}")

    def waits(self, text: str) -> None:
        self.said.append(f"waits {text}")

    def notice(self, text: str) -> None:
        self.said.append(f"notice {text}")


def test_what_happens_is_told_until_the_stack_is_ready(answers: Answers, tmp_path: Path) -> None:
    """Then it can be asked for what its containers say, until it is given back."""
    answers({"begins": "full"}, {"waits": "db"}, {"notice": "slow"}, READY, {"logs": ["db: up"]})
    heard = Heard()
    loan = borrow("auto", [tmp_path], "", heard)
    assert heard.said == ["line full", "waits db", "notice slow"]
    assert loan.lent == Lent("test-main", "full", {"A": "1"}, kept=True, seconds=0.5)
    assert loan.logs() == ("db: up",)
    loan.close()
    assert loan.logs() == ()


def test_tests_that_need_nothing_get_nothing(answers: Answers, tmp_path: Path) -> None:
    """And whoever only looks at a stack has borrowed none."""
    answers({"nothing": True})
    loan = borrow("auto", [tmp_path], "", Listener())
    assert loan.lent is None
    loan.close()
    loan = look("test-main", tmp_path)
    assert loan.lent is None
    loan.close()


def test_what_went_wrong_is_raised_with_what_the_containers_said(answers: Answers, tmp_path: Path) -> None:
    """With the code that a run would end with."""
    answers({"error": "db did not become ready", "code": 4, "logs": ["db: no"]})
    with pytest.raises(NotLent, match="db did not become ready") as caught:
        borrow("auto", [tmp_path], "", Listener())
    assert (caught.value.code, caught.value.logs) == (4, ("db: no",))


def test_a_lender_that_ends_without_a_word(answers: Answers, tmp_path: Path) -> None:
    """Its log is named."""
    answers()
    with pytest.raises(NotLent, match=r"ended early; its log is .*lender.log") as caught:
        borrow("auto", [tmp_path], "", Listener())
    assert caught.value.code == 70
