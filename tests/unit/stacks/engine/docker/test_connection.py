"""Looking for an engine where none is."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

import pytest

from tasklib.errors import EngineError
from tasklib.stacks.engine.docker.engine import DockerEngine


def open_sockets() -> set[str]:
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.add(str(descriptor.readlink()))
    return {target for target in found if target.startswith("socket:")}


@pytest.mark.parametrize(
    ("listens", "why"), [(False, "its socket does not exist"), (True, "connection refused")]
)
def test_where_no_engine_answers_no_socket_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listens: bool, why: str
) -> None:
    """Whoever asks every second for an engine that starts later would run out of them."""
    path = tmp_path / "engine.sock"
    if listens:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    before = open_sockets()
    with pytest.raises(EngineError, match=why) as caught:
        DockerEngine.connect()
    assert open_sockets() == before
    assert "DOCKER_HOST" in caught.value.what


def test_an_authority_that_is_asked_for_and_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder and the variables are named, not arguments of the SDK."""
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    with pytest.raises(EngineError, match=r"no ca\.pem") as caught:
        DockerEngine.connect()
    assert caught.value.where == str(tmp_path)
    (tmp_path / "ca.pem").write_text("")
    with pytest.raises(EngineError) as caught:
        DockerEngine.connect()
    assert "client_cert" not in str(caught.value)
