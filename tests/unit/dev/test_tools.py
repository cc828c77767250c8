"""The programs that only the tests use."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev import tools
from dev.environment import Environment
from dev.errors import CommandFailed
from dev.facts import Host

DEBIAN = Host("debian", "bookworm", 12, root=False, systemd=False)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An empty environment on a machine without a registry."""
    monkeypatch.setattr(tools.shutil, "which", lambda name: None)
    made = Environment(tmp_path)
    made.bin.mkdir(parents=True)
    return made


def test_registry_is_taken_out_of_its_package(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program of the package ends up in .venv/bin; the package itself is not installed."""
    commands = []

    def run(argv: list[str], log: Path) -> None:
        commands.append(argv)
        if "download" in argv:
            (Path(argv[2]) / "docker-registry_1.deb").touch()
        else:
            program = Path(argv[3]) / "usr/bin/docker-registry"
            program.parent.mkdir(parents=True)
            program.write_text("the registry")

    monkeypatch.setattr(tools, "run_logged", run)
    tools.ensure_registry(environment, DEBIAN)
    assert (environment.bin / "docker-registry").read_text() == "the registry"
    assert [argv[0] for argv in commands] == ["env", "dpkg-deb"]
    tools.ensure_registry(environment, DEBIAN)
    assert len(commands) == 2


def test_no_package(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the package cannot be had, one line says so and the tests go on without it."""

    def run(argv: list[str], log: Path) -> None:
        raise CommandFailed(tuple(argv), 100, log, ())

    monkeypatch.setattr(tools, "run_logged", run)
    tools.ensure_registry(environment, DEBIAN)
    assert "the tests that push images are skipped" in capsys.readouterr().err
    tools.ensure_registry(environment, Host("", "", 0, root=True, systemd=False))
    assert "install it" in capsys.readouterr().err
