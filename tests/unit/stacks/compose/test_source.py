"""What Compose is called with for a stack's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklib.stacks.compose.source import Source, environment, file_arguments


def test_a_profile_is_a_name_whatever_it_begins_with() -> None:
    """One that looks like an option is no option of Compose's."""
    source = Source((Path("/shop/compose.yml"),), Path("/shop"), profiles=("--x", "debug"))
    arguments = file_arguments(source)
    assert {"--profile=--x", "--profile=debug"} <= set(arguments)
    assert "--x" not in arguments


def test_the_current_folder_of_compose_is_the_projects(monkeypatch: pytest.MonkeyPatch) -> None:
    """`${PWD}` in a file means the folder that Compose is started from, wherever tests are started from."""
    monkeypatch.setenv("PWD", "/shop/services/api")
    assert environment(Source((Path("/shop/deploy/compose.yml"),), Path("/shop")), {})["PWD"] == "/shop"
