"""What Compose is called with for a stack's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklib.stacks.compose.compose import one_off
from tasklib.stacks.compose.source import (
    Source,
    as_arguments,
    env_file_arguments,
    environment,
    file_arguments,
)


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


def test_a_service_is_a_name_whatever_it_is_called() -> None:
    """One called like an option pushes nothing."""
    assert as_arguments(["--push", "api"]) == ["--", "--push", "api"]
    source = Source((Path("/shop/compose.yml"),), Path("/shop"))
    call = one_off(source, {"name": "test-main", "services": {"--push": {}}}, "--push", "test-main.x", {})
    assert call.argv[-2:] == ("--", "--push")


def test_what_is_read_for_rendering_is_read_for_the_rest(tmp_path: Path) -> None:
    """A secret may take its value from a variable of the root's `.env`, and it is made when the stack is."""
    (tmp_path / "deploy").mkdir()
    (tmp_path / ".env").write_text("DB_PASSWORD=x\n")
    source = Source((tmp_path / "deploy" / "compose.yml",), tmp_path)
    assert env_file_arguments(source) == ["--env-file", str(tmp_path / ".env")]
    assert env_file_arguments(source) == file_arguments(source)[2:]
