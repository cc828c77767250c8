"""A door to an engine elsewhere: an sshd on our loopback whose sessions are in that engine's network."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from ..cleanup.engines import why_not as why_no_engine

__all__ = ["Behind", "Door", "door", "doors", "why_not"]

_SSHD = "/usr/sbin/sshd"


def why_not() -> str:
    """Why there can be no such door here; empty: there can."""
    missing = [name for name in (_SSHD, "ssh", "ssh-keygen") if not shutil.which(name)]
    return why_no_engine() or (f"ssh to an engine needs {', '.join(missing)}" if missing else "")


class Behind(Protocol):
    """An engine that a door may lead to."""

    @property
    def host(self) -> str:
        """Its socket, as ``DOCKER_HOST`` names it where it runs."""
        ...

    def within(self, *argv: str) -> list[str]:
        """``argv`` in the engine's own network."""
        ...


class Door:
    """``accepted`` counts the connections that were made; each is an sshd of its own."""

    def __init__(self, engine: Behind, folder: Path) -> None:
        self._engine = engine
        self._folder = folder
        self._server = socket.create_server(("127.0.0.1", 0))
        self._sessions: list[subprocess.Popen[bytes]] = []
        self._open = True
        self.accepted = 0
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def env(self) -> dict[str, str]:
        """What a user's shell has that uses the engine behind the door."""
        path = os.pathsep.join([str(self._folder / "bin"), os.environ["PATH"]])
        return {"DOCKER_HOST": self.host, "PATH": path}

    @property
    def host(self) -> str:
        """The engine behind the door, as Docker writes it."""
        return f"ssh://root@127.0.0.1:{self.port}{self._engine.host.removeprefix('unix://')}"

    def cut(self, *, shut: bool = False) -> None:
        """Kill every connection; one that is ``shut`` takes no other."""
        self._open = not shut
        for session in self._sessions:
            subprocess.run(["pkill", "-KILL", "-P", str(session.pid)], check=False)
            session.kill()

    def close(self) -> None:
        """No door any more."""
        self.cut(shut=True)
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for session in self._sessions:
            session.wait()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                with connection:
                    if self._open:
                        self.accepted += 1
                        argv = self._engine.within(_SSHD, "-i", "-e", "-f", str(self._folder / "sshd_config"))
                        with (self._folder / "log").open("ab") as log:
                            self._sessions.append(
                                subprocess.Popen(
                                    argv, stdin=connection.fileno(), stdout=connection.fileno(), stderr=log
                                )
                            )


@contextmanager
def door(engine: Behind, folder: Path) -> Iterator[Door]:
    """A door to ``engine``; its keys and settings are below ``folder``."""
    with doors([engine], folder) as (made,):
        yield made


@contextmanager
def doors(engines: Sequence[Behind], folder: Path) -> Iterator[list[Door]]:
    """A door to each of ``engines``, with the same keys and settings, below ``folder``."""
    (folder / "bin").mkdir(parents=True)
    Path("/run/sshd").mkdir(exist_ok=True)
    for key in ("host", "user"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / key)]
        subprocess.run(words, check=True)
    (folder / "sshd_config").write_text(
        f"HostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\nPermitRootLogin yes\n"
        "StrictModes no\nUsePAM no\nPidFile none\n"
    )
    (folder / "ssh_config").write_text(
        f"Host *\n  IdentityFile {folder}/user\n  IdentitiesOnly yes\n  StrictHostKeyChecking no\n"
        f"  UserKnownHostsFile {folder}/known\n  LogLevel ERROR\n"
    )
    ssh = folder / "bin" / "ssh"
    ssh.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
    ssh.chmod(0o755)
    with contextlib.ExitStack() as closing:
        made = [Door(engine, folder) for engine in engines]
        for each in made:
            closing.callback(each.close)
        yield made
