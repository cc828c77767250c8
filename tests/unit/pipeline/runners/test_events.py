"""What the plugin in pytest tells, whatever tests do to the modules that it uses."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, cast

import pytest

from tasklib.pipeline.inject.tasklib_in_pytest.events import Channel


def test_tests_put_what_they_like_in_the_place_of_system_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their results are told all the same."""
    path = tmp_path / "events"
    path.touch()
    channel = cast("Any", Channel)(str(path))

    def broken(*_: object) -> None:
        raise OSError

    for name in ("open", "write"):
        monkeypatch.setattr(os, name, broken)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    monkeypatch.setattr(json.JSONEncoder, "encode", broken)
    channel.send({"e": "start"})
    monkeypatch.undo()
    assert path.read_text() == '{"e": "start"}\n'
