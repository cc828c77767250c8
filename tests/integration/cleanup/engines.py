"""An engine of a test's own, to be killed, stopped and filled up: in a network namespace of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import docker

__all__ = ["OwnEngine", "own_engine", "short_folder", "why_not"]


def why_not() -> str:
    """Why no second engine can be started here; empty: it can."""
    if os.geteuid() != 0:
        return "a second engine needs root"
    missing = [name for name in ("dockerd", "ip", "nsenter", "iptables") if not shutil.which(name)]
    return f"a second engine needs {', '.join(missing)}" if missing else ""


def short_folder() -> Path:
    """The path of a socket may have no more than about a hundred characters."""
    return Path(tempfile.mkdtemp(prefix="engine-"))


class OwnEngine:
    """A dockerd that shares nothing with the machine's own: two on one bridge break each other's network."""

    def __init__(self, root: Path, options: Sequence[str] = ()) -> None:
        self.root = root
        self._options = options
        self.namespace = f"tasklib-{secrets.token_hex(4)}"
        self.host = f"unix://{root}/sock"
        self._daemon: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again after it was killed."""
        # Its containerd died with it; where nobody reaps it, its pid looks alive.
        for pid in ("pid", "exec/containerd/containerd.pid"):
            (self.root / pid).unlink(missing_ok=True)
        argv = [
            "dockerd",
            f"--data-root={self.root}/data",
            f"--exec-root={self.root}/exec",
            f"--pidfile={self.root}/pid",
            f"--host={self.host}",
            *self._options,
        ]
        with (self.root / "log").open("ab") as log:
            self._daemon = subprocess.Popen(
                self.within(*argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < deadline, (self.root / "log").read_text()[-2000:]
            time.sleep(0.05)

    def wait(self) -> None:
        """Take note of the daemon's end."""
        if self._daemon:
            self._daemon.wait()

    def within(self, *argv: str) -> list[str]:
        """``argv`` in the namespace whose loopback the engine publishes on."""
        return ["nsenter", f"--net=/run/netns/{self.namespace}", "--", *argv]

    @property
    def daemon(self) -> int:
        """The pid of the daemon itself."""
        return int((self.root / "pid").read_text())

    @property
    def containerd(self) -> int:
        """The pid of what does the engine's work with containers: stopped, no removal comes to its end."""
        return int((self.root / "exec" / "containerd" / "containerd.pid").read_text())

    def send(self, number: signal.Signals) -> None:
        """Kill, stop or go on: the daemon alone, as the kernel's OOM killer would."""
        os.kill(self.daemon, number)
        if number == signal.SIGKILL and self._daemon:
            self._daemon.wait()

    def die(self) -> None:
        """As when its machine loses its power: the daemon goes, and whatever runs in containers."""
        _end_all(self.root)
        self.wait()

    @property
    def running(self) -> bool:
        """Whether its daemon was started and has not ended since."""
        return self._daemon is not None and self._daemon.poll() is None

    def load(self, image: str) -> None:
        """Copy ``image`` from the machine's own engine."""
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as save:
            subprocess.run(
                ["docker", "-H", self.host, "load"], stdin=save.stdout, check=True, capture_output=True
            )

    def left(self) -> list[str]:
        """Containers and networks that are not the engine's own."""
        client = docker.DockerClient(self.host, timeout=20)
        try:
            own = ("bridge", "host", "none")
            networks = [row["Name"] for row in client.api.networks() if row["Name"] not in own]
            return [row["Names"][0] for row in client.api.containers(all=True)] + networks
        finally:
            client.close()

    def containers(self) -> list[dict[str, Any]]:
        """As `docker ps` lists them."""
        client = docker.DockerClient(self.host, timeout=20)
        try:
            rows: list[dict[str, Any]] = client.api.containers(all=True)
            return rows
        finally:
            client.close()

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            try:
                connection.connect(str(self.root / "sock"))
                connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n")
                return b"200 OK" in connection.recv(4096)
            except OSError:
                return False


@contextmanager
def own_engine(root: Path, options: Sequence[str] = (), address: str = "") -> Iterator[OwnEngine]:
    """A running engine with all its files below ``root``; afterwards nothing of it is left.

    ``options`` are dockerd's; ``address`` is its machine's own (IPv4, in a /30 with ours, the one before).
    """
    engine = OwnEngine(root, options)
    _ip("netns", "add", engine.namespace)
    try:
        _ip("-n", engine.namespace, "link", "set", "lo", "up")
        if address:
            _connect(engine.namespace, address)
        engine.start()
        yield engine
    finally:
        _end_all(root)
        engine.wait()
        _ip("netns", "delete", engine.namespace)
        for mount in _mounts_below(root):
            subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)
        shutil.rmtree(root, ignore_errors=True)


def _connect(namespace: str, address: str) -> None:
    """A cable to the engine's machine; it goes with the namespace."""
    here, there = (f"tl{secrets.token_hex(4)}" for _ in range(2))
    _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", namespace)
    _ip("address", "add", f"{ip_address(address) - 1}/30", "dev", here)
    _ip("link", "set", here, "up")
    _ip("-n", namespace, "address", "add", f"{address}/30", "dev", there)
    _ip("-n", namespace, "link", "set", there, "up")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _end_all(root: Path) -> None:
    """The daemon, its containerd, the shims, and what descends from them: what runs in containers."""
    for _ in range(50):
        parents = _parents()
        ours = {pid for pid in parents if _is_part(pid, root)}
        while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
            ours |= more
        if not ours:
            return
        for pid in ours:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


def _parents() -> dict[int, int]:
    """Every process that has not ended, with its parent."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(folder.name)] = int(parent)
    return found


def _is_part(pid: int, root: Path) -> bool:
    """Whether it is one of the engine's own programs, all of which are told where the engine's files are."""
    with contextlib.suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        return os.fsencode(root) in command and (b"dockerd" in command or b"containerd" in command)
    return False


def _mounts_below(root: Path) -> list[str]:
    places = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    return sorted((place for place in places if place.startswith(f"{root}/")), reverse=True)
