"""What a command says of a stack that failed."""

from __future__ import annotations

import pytest

from tasklib.commands.boundary import boundary
from tasklib.commands.console import show_logs
from tasklib.results import ContainerLog, LogLine
from tasklib.stacks.compose.failures import NotReady
from tasklib.stacks.hidden import hide_secrets


def test_secrets_are_masked_in_the_logs_and_in_the_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passwords of any service and the stack's secrets are hidden wherever the failure shows them."""
    monkeypatch.setenv("SIGNING", "sign-here-now")
    rendered = {
        "services": {
            "api": {
                "environment": {"DB_PASSWORD": "correct-horse", "MODE": "production"},
                "build": {"context": ".", "args": {"NPM_TOKEN": "npm_0123456789"}},
            },
            "cache": {
                "command": ["redis-server", "--requirepass", "open-sesame"],
                "healthcheck": {"test": ["CMD-SHELL", "curl -u shop:cost$$cutter http://localhost"]},
            },
        },
        "configs": {"settings": {"content": "[db]\npassword = silver-bullet\n"}},
        "secrets": {"signing": {"environment": "SIGNING"}},
    }
    log = ContainerLog("api", (LogLine(1.0, "production: correct-horse, sign-here-now, npm_0123456789"),))
    check = ContainerLog("cache", (LogLine(1.0, "open-sesame, cost$cutter, silver-bullet"),))
    error = NotReady("api is unhealthy; it said: correct-horse", logs=(log, check), remedy="Look.")
    hide_secrets(rendered)
    show_logs(error)
    with pytest.raises(NotReady), boundary():
        raise error
    assert capsys.readouterr().err == "  api | production: ***, ***, ***\n  cache | ***, ***, ***\n"
    assert str(error) == "api is unhealthy; it said: ***\nLook."
    assert error.args == ("api is unhealthy; it said: ***",)
