"""The Tab key in real shells, on a pseudo-terminal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from .projects import command_environment

SHELLS = {
    "bash": (["--norc", "--noprofile", "-i"], 'eval "$(tasklib --print-completion-script bash)"'),
    "zsh": (
        ["-f", "-i"],
        'autoload -Uz compinit; compinit -u; eval "$(tasklib --print-completion-script zsh)"',
    ),
    "fish": (["--no-config", "-i"], "tasklib --print-completion-script fish | source"),
}


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[pexpect.spawn[str]]:
    """A shell in a project of two services, in which the completion of the docs is set up."""
    name = request.param
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed; `python3 dev test --provide-engine` brings it")
    for service in ("frontend", "worker"):
        (tmp_path / "shop" / "services" / service / "tests" / "unit").mkdir(parents=True)
    arguments, set_up = SHELLS[name]
    env = {**command_environment(tmp_path / "state"), "TERM": "xterm", "HOME": str(tmp_path)}
    child = pexpect.spawn(
        name,
        arguments,
        env=env,
        cwd=str(tmp_path / "shop"),
        encoding="utf-8",
        timeout=60,
        dimensions=(50, 200),
    )
    child.sendline(set_up)
    child.sendline("echo ready''-now")
    child.expect("ready-now")
    yield child
    child.close(force=True)


def test_services_are_completed(shell: pexpect.spawn[str]) -> None:
    """`--name fr` and Tab is `--name frontend`."""
    shell.send("tasklib test.service --name fr\t")
    shell.expect("frontend")


def test_commands_and_options_are_completed(shell: pexpect.spawn[str]) -> None:
    """The task first, then one of its options."""
    shell.send("tasklib test.serv\t")
    shell.expect("test.service")
    shell.send("--fail\t")
    shell.expect("--fail-slow")
