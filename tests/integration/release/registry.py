"""A real image registry on this machine, and a way to have it die in the middle of a push."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from ..cleanup.engines import OwnEngine
from ..traces import until

__all__ = ["BESIDE", "LOGIN", "PASSWORD", "Dying", "Registry", "beside"]

PASSWORD = "hunter2-secret"
"""The password of the user in LOGIN, which is a line of an htpasswd file."""
LOGIN = "tester:$2b$04$/bDlI9dHs71knguvy.kPs.Bwssyifd.WpHFtJaFcFCU3zs1ok6fEm"

BESIDE = "127.0.0.1:5000"
"""Where an engine in a network of its own has its registry: on its loopback, where nobody else is."""

_PROGRAMS = ("docker-registry", "registry")
_ACCEPT = "application/vnd.docker.distribution.manifest.v2+json"


def _program() -> str:
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        reason = "no image registry is installed; `python3 dev test --provide-engine` brings one"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return program


@contextlib.contextmanager
def beside(engines: Sequence[OwnEngine], folder: Path) -> Iterator[None]:
    """One registry for all ``engines``, each has it at :data:`BESIDE`; its files are in ``folder``."""
    folder.mkdir()
    storage = {"filesystem": {"rootdirectory": str(folder / "data")}}
    settings = {"version": "0.1", "storage": storage, "http": {"addr": BESIDE}}
    (folder / "config.yml").write_text(json.dumps(settings))
    argv = [_program(), "serve", str(folder / "config.yml")]
    with contextlib.ExitStack() as running:
        for engine in engines:
            serving = subprocess.Popen(engine.within(*argv), stderr=subprocess.DEVNULL)
            running.callback(serving.wait)
            running.callback(serving.kill)
            asking = engine.within("curl", "-sf", f"http://{BESIDE}/v2/")
            assert until(lambda asking=asking: subprocess.run(asking, check=False).returncode == 0)
        yield


class Registry:
    """A registry process on a free port of 127.0.0.1, its images in ``folder``."""

    def __init__(self, folder: Path, *, login: str = "") -> None:
        self._program = _program()
        self._folder = folder
        folder.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        settings: dict[str, Any] = {
            "version": "0.1",
            "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
            "http": {"addr": self.host},
        }
        if login:
            (folder / "htpasswd").write_text(f"{login}\n")
            settings["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
        (folder / "config.yml").write_text(json.dumps(settings))
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "serve", str(self._folder / "config.yml")], stdout=log, stderr=log
            )
        assert until(self._answers), (self._folder / "log").read_text()

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            self.get("/v2/")
        except HTTPError as error:
            return error.code == 401
        except OSError:
            return False
        return True

    def get(self, path: str) -> tuple[dict[str, Any], Mapping[str, str]]:
        with urlopen(Request(f"http://{self.host}{path}", headers={"Accept": _ACCEPT}), timeout=10) as answer:
            return json.loads(answer.read() or b"{}"), dict(answer.headers)

    def tags(self, repository: str) -> list[str]:
        with contextlib.suppress(HTTPError):
            return sorted(self.get(f"/v2/{repository}/tags/list")[0]["tags"] or [])
        return []

    def digest(self, repository: str, tag: str) -> str:
        return self.get(f"/v2/{repository}/manifests/{tag}")[1]["Docker-Content-Digest"]

    def labels(self, repository: str, tag: str) -> dict[str, str]:
        config = self.get(f"/v2/{repository}/manifests/{tag}")[0]["config"]["digest"]
        labels = self.get(f"/v2/{repository}/blobs/{config}")[0]["config"]["Labels"]
        assert isinstance(labels, dict)
        return labels


class Dying:
    """A port in front of ``registry`` that kills it once ``last_request`` passes and ``ready()`` holds."""

    def __init__(self, registry: Registry, last_request: str, ready: Callable[[], bool]) -> None:
        self._registry = registry
        self._trigger = last_request.encode()
        self._ready = ready
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.armed = True
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._registry.port), timeout=5)
        except OSError:
            client.close()
            return
        threading.Thread(target=self._pipe, args=(server, client, False), daemon=True).start()
        self._pipe(client, server, True)

    def _pipe(self, source: socket.socket, target: socket.socket, watch: bool) -> None:
        with contextlib.suppress(OSError), source, target:
            source.settimeout(None)
            while data := source.recv(65536):
                if watch and self.armed and self._trigger in data:
                    until(self._ready)
                    self._registry.kill()
                    return
                target.sendall(data)
