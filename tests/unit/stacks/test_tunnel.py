"""The way to an engine over ssh: what is asked of ssh, and what is said when there is none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasklib.errors import EngineError
from tasklib.stacks.tunnel import destination, opened


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("ssh://build-1", ((), "build-1", "")),
        ("ssh://me@build-1:2222", (("-p", "2222", "-l", "me"), "build-1", "")),
        (
            "ssh://me@build-1/run/user/1000/docker.sock",
            (("-l", "me"), "build-1", "/run/user/1000/docker.sock"),
        ),
        ("ssh://a%20b@[fe80::1]:22/", (("-p", "22", "-l", "a b"), "fe80::1", "")),
    ],
)
def test_an_address_is_taken_apart_as_docker_does(host: str, expected: object) -> None:
    """User, port, and the path of the socket there."""
    assert destination(host) == expected


@pytest.mark.parametrize("host", ["ssh://", "ssh://me@", "ssh://host:port", "ssh://host?x=1", "ssh://[::1"])
def test_what_is_no_address_is_refused(host: str) -> None:
    """Before anything is started."""
    with pytest.raises(EngineError, match="no address for ssh"):
        destination(host)


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place, at the front of PATH, for a stand-in of ssh."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "ssh"


def write(program: Path, text: str) -> None:
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


def test_what_ssh_says_is_the_reason(ssh: Path) -> None:
    """Its last line, once it has ended."""
    write(ssh, "echo warning >&2; echo 'Permission denied (publickey).' >&2; exit 255")
    with pytest.raises(EngineError, match=r"build-1 \(Permission denied") as refused, opened("ssh://build-1"):
        pass
    assert "ssh build-1 docker version" in str(refused.value.remedy)


def test_it_ends_when_we_do_and_names_are_no_options(ssh: Path, tmp_path: Path) -> None:
    """The connection reads a pipe of ours: its end is the connection's; nothing of it stays."""
    said = tmp_path / "said"
    log = f"printf '%s\\n' \"$*\" >> {said}"
    write(
        ssh, f'{log}\ncase "$*" in *" -O "*) exit 0;; esac\n: > "$4"\ncat > /dev/null\necho ended >> {said}'
    )
    with opened("ssh://-oProxyCommand=x/run/docker.sock") as tunnel:
        folder = tunnel.socket.parent
        port = tunnel.port("10.0.0.2", 5432)
        assert tunnel.port("10.0.0.2", 5432) == port
    lines = said.read_text().splitlines()
    assert all(line.split(" -- ")[1].startswith("-oproxycommand=x") for line in lines if line != "ended")
    assert sum(f"-L 127.0.0.1:{port}:10.0.0.2:5432" in line for line in lines) == 1
    assert sum(":/run/docker.sock" in line for line in lines) == 1
    assert not folder.exists()
