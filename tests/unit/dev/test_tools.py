"""The programs that only the tests use."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dev import tools
from dev.consent import Consent
from dev.environment import Environment
from dev.errors import CommandFailed
from dev.facts import Host
from dev.plan import Install

DEBIAN = Host("debian", "bookworm", 12, root=False, systemd=False)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """An empty environment on a machine without a registry."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
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


@pytest.mark.parametrize(
    ("host", "given"),
    [
        (DEBIAN, True),
        (replace(DEBIAN, root=True), False),
        (Host("ubuntu", "noble", 24, root=True, systemd=False), True),
    ],
    ids=["not root", "not permitted", "Ubuntu"],
)
def test_no_browser(
    host: Host, given: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where none may or can be installed, one line says which tests are skipped."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(tools, "install", lambda *_: pytest.fail("installs"))
    tools.ensure_browser(host, Consent(given=given))
    assert capsys.readouterr().err == "dev: no chromium: the tests of pages are skipped\n"


def test_a_browser_is_installed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's Chromium, where there is no browser yet and changing the machine is permitted."""
    there: list[str] = []
    monkeypatch.setattr(shutil, "which", lambda name: name if name in there else None)
    monkeypatch.setattr(tools, "install", lambda wanted, host: there.extend(wanted.packages))
    for _ in range(2):
        tools.ensure_browser(replace(DEBIAN, root=True), Consent(given=True))
    assert there == list(Install(("chromium",)).packages)


def test_shells_that_are_missing_are_installed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is there is left alone."""
    there = ["zsh"]
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(shutil, "which", lambda name: name if name in there else None)
    monkeypatch.setattr(tools, "install", lambda wanted, host: asked.append(tuple(wanted.packages)))
    tools.ensure_shells(replace(DEBIAN, root=True), Consent(given=True))
    there.append("fish")
    tools.ensure_shells(replace(DEBIAN, root=True), Consent(given=True))
    assert asked == [("fish",)]


def test_an_ssh_server_is_installed_where_nothing_starts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own machine is not to get one that listens."""
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(tools, "install", lambda wanted, host: asked.append(tuple(wanted.packages)))
    for systemd in (True, False):
        tools.ensure_sshd(replace(DEBIAN, root=True, systemd=systemd), Consent(given=True))
    assert asked == [("openssh-server",)]
