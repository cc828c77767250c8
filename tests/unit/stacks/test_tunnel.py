"""The way to an engine over ssh: what is asked of ssh, and what is said when there is none."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from tasklib import process
from tasklib.errors import EngineError
from tasklib.stacks.tunnel import Tunnel, destination, opened
from tasklib.stacks.tunnel.words import asking, is_refused, nothing_through, reason


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


@pytest.mark.parametrize(
    "host", ["ssh://", "ssh://me@", "ssh://host:port", "ssh://host?x=1", "ssh://[::1", "ssh://me:secret@host"]
)
def test_what_is_no_address_is_refused(host: str) -> None:
    """Before anything is started."""
    with pytest.raises(EngineError, match=r"no address for ssh|has a password") as refused:
        destination(host)
    assert "secret" not in str(refused.value)


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


CHANGED = """@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
Offending ED25519 key in /home/me/.ssh/known_hosts:1
Host key for [build-1]:2222 has changed and you have requested strict checking.
Host key verification failed.
"""


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (CHANGED, "Host key for [build-1]:2222 has changed and you have requested strict checking."),
        ("Host key verification failed.\n", "Host key verification failed."),
        ("a host key is known for x\nConnection refused\n", "Connection refused"),
        ("\n", "ssh said nothing"),
    ],
)
def test_the_line_that_says_why_is_told(log: str, told: str) -> None:
    """Of a host's key ssh says what is wrong before its last line."""
    assert reason(log) == told


@pytest.mark.parametrize(
    ("there", "says"),
    [
        ("exit 0", "lets nothing through to {}"),
        ("exit 1", "nothing comes through from {} on build-1"),
        ("exit 1; rm", "no socket {}.gone that this user may use"),
    ],
    ids=["the engine answers there", "a socket that nobody serves", "no socket"],
)
def test_a_server_that_opens_nothing_is_told_from_an_engine_that_is_not_there(
    there: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker's own client needs no forwarding and gets through there: the reason is not the engine's."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    write(tmp_path / "docker", there)
    path = tmp_path / "it's a socket"
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as served:
        served.bind(str(path))
        asked = f"{path}.gone" if "gone" in says else str(path)
        code = subprocess.run(["sh", "-c", asking(asked)], check=False).returncode
    assert says.format(path) in nothing_through(("-p", "2"), "build-1", asked, code).what


def test_what_is_refused_is_known_by_what_ssh_says() -> None:
    """Which is the same for whatever the far end does not open."""
    assert is_refused("channel 1: open failed: connect failed: open failed\n")
    assert is_refused("channel 2: open failed: administratively prohibited: open failed\n")
    assert not is_refused("Warning: Permanently added 'build-1' to the list of known hosts.\n")


def test_what_a_user_sets_for_sessions_by_hand_bends_none_of_ours(ssh: Path, tmp_path: Path) -> None:
    """What the settings forward is asked for neither with the connection nor with each port of ours."""
    said = tmp_path / "said"
    log = f"printf '%s\\n' \"$*\" >> {said}"
    write(ssh, f'{log}\ncase "$*" in *" -O "*) exit 0;; esac\n: > "$4"\ncat > /dev/null')
    with opened("ssh://build-1/run/docker.sock"):
        pass
    connection, forward = said.read_text().splitlines()
    assert "RemoteCommand=none" in connection
    assert "ClearAllForwardings=yes" in connection
    assert "LogLevel=INFO" in connection
    assert "-F /dev/null -O forward" in forward
    assert "ClearAllForwardings" not in forward


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


def until(condition: Callable[[], bool]) -> bool:
    """Whether it holds before long."""
    limit = time.monotonic() + 20
    while not condition() and time.monotonic() < limit:
        threading.Event().wait(0.005)
    return condition()


def lives(pid: str) -> bool:
    return Path(f"/proc/{pid.strip()}").exists()


BUSY = """case "$*" in *" -O "*) exit 0;; esac
echo $$ > {pid}.new; mv {pid}.new {pid}
: > "$4"
exec sleep 600"""
"""A connection that does not end with its pipe, as something still goes through it."""


def test_it_ends_though_something_still_goes_through_it(ssh: Path, tmp_path: Path) -> None:
    """As to a container that was removed in the middle of a connection: nobody answers any more."""
    pid = tmp_path / "pid"
    write(ssh, BUSY.format(pid=pid))
    with opened("ssh://build-1/run/docker.sock"):
        number = pid.read_text()
        assert lives(number)
    assert until(lambda: not lives(number))


def test_closing_does_not_wait_for_one_that_is_being_opened(ssh: Path, tmp_path: Path) -> None:
    """It ends, too, though ssh was not let in yet and reads no pipe."""
    pid, failed = tmp_path / "pid", list[EngineError]()
    write(ssh, f"echo $$ > {pid}.new; mv {pid}.new {pid}\nexec sleep 600")
    tunnel = Tunnel("ssh://build-1", tmp_path)

    def connect() -> None:
        try:
            tunnel.open()
        except EngineError as error:
            failed.append(error)

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    assert until(pid.exists)
    tunnel.close()
    assert until(lambda: bool(failed))
    assert until(lambda: not lives(pid.read_text()))


def stuck(*argv: object, **options: object) -> NoReturn:
    raise process.TimedOut(["ssh"], 30.0)


def test_a_connection_that_is_stuck_is_an_error(
    ssh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the engine's, as others are: it is there and forwards nothing."""
    write(ssh, BUSY.format(pid=tmp_path / "pid"))
    monkeypatch.setattr(process, "run", stuck)
    with pytest.raises(EngineError, match="ssh to build-1 is stuck"), opened("ssh://build-1/sock"):
        pass


def test_one_that_was_stuck_while_it_was_opened_again_is_tried_again(
    ssh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would open it any more otherwise, and everyone wait for it."""
    pid = tmp_path / "pid"
    write(ssh, BUSY.format(pid=pid))
    with opened("ssh://build-1/sock") as tunnel:
        with monkeypatch.context() as broken:
            broken.setattr(process, "run", stuck)
            os.kill(int(pid.read_text()), 15)
            assert until(lambda: "is stuck" in tunnel.error.what)
        assert tunnel.wait()


def test_a_port_that_is_asked_for_in_the_moment_of_a_loss_is_there_afterwards(
    ssh: Path, tmp_path: Path
) -> None:
    """Whoever asks does not keep the connection from being opened again."""
    pid, once = tmp_path / "pid", tmp_path / "once"
    lost = f'rm {once} 2> /dev/null && kill "$now" && while kill -0 "$now"; do sleep 0.01; done'
    write(
        ssh,
        f'case "$*" in *" -O "*) now=$(cat {pid}); case "$*" in *:5432*) {lost};; esac\n'
        f'kill -0 "$now"; exit;; esac\n{BUSY.format(pid=pid)}',
    )
    with opened("ssh://build-1/sock") as tunnel:
        once.touch()
        assert tunnel.port("10.0.0.2", 5432)
        assert tunnel.losses == 1
