"""An engine that falls silent is told from a connection to it that is lost."""

from __future__ import annotations

import threading

import pytest

from tasklib.errors import EngineError
from tasklib.stacks.engine import patience


class LostConnection:
    """Stands in for one over ssh, whose end is noticed a moment after what went through it has ended."""

    mended = ""
    error = EngineError("the connection was lost")

    def __init__(self) -> None:
        self.losses = 0

    def notice(self) -> None:
        self.losses += 1

    def wait(self) -> bool:
        return self.losses == 0


def refuse(seconds: float) -> None:
    raise ConnectionResetError


def test_a_loss_that_is_noticed_a_moment_later_is_the_reason() -> None:
    """A question through it fails before."""
    link = LostConnection()
    heart = patience.Heart(refuse, link)
    later = threading.Timer(0.05, link.notice)
    later.start()
    assert not heart.beats()
    assert heart.stopped() is link.error
    later.join()


def test_an_engine_that_does_not_answer_through_a_connection_has_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The connection is as it was."""
    monkeypatch.setattr(patience, "_MOMENT", 0.02)
    link = LostConnection()
    heart = patience.Heart(refuse, link)
    assert not heart.beats()
    assert "stopped answering" in heart.stopped().what
