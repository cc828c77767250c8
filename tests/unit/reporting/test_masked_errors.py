"""What a command says of a stack that failed."""

from __future__ import annotations

import pytest

from tasklib.commands.console import masker_of, show_logs
from tasklib.results import ContainerLog, LogLine
from tasklib.stacks.compose.failures import NotReady
from tasklib.stacks.preparation import hidden_variables


def test_secrets_are_masked_in_the_logs_and_in_the_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passwords of any service and the stack's secrets are hidden wherever the failure shows them."""
    monkeypatch.setenv("SIGNING", "sign-here-now")
    rendered = {
        "services": {"api": {"environment": {"DB_PASSWORD": "correct-horse", "MODE": "production"}}},
        "secrets": {"signing": {"environment": "SIGNING"}},
    }
    log = ContainerLog("api", (LogLine(1.0, "production: correct-horse, sign-here-now"),))
    error = NotReady("api is unhealthy; it said: correct-horse", logs=(log,), remedy="Look.")
    show_logs(error, masker_of(hidden_variables(rendered)))
    assert capsys.readouterr().err == "  api | production: ***, ***\n"
    assert str(error) == "api is unhealthy; it said: ***\nLook."
    assert error.args == ("api is unhealthy; it said: ***",)
