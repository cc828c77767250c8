"""One ssh connection to an engine's machine, through which all goes: its socket, and containers' ports.

OpenSSH does it all: a master connection that lasts as long as a pipe of ours is open, so that it ends with us
whatever ends us, and forwards that are asked of it. A connection that is lost is opened again with the same
local ends.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tasklib import process
from tasklib.errors import EngineError
from tasklib.stacks.address import USUAL_SOCKET
from tasklib.stacks.tunnel.words import (
    asking,
    destination,
    is_refused,
    no_connection,
    nothing_through,
    reason,
)

__all__ = ["Tunnel", "opened"]

_OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": "15",
    "ControlPersist": "no",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "LogLevel": "INFO",
    "RemoteCommand": "none",
    "ServerAliveCountMax": "3",
    "ServerAliveInterval": "5",
}
"""Nobody is there to be asked, and an end that is silent for 15 seconds is gone.

What the user's own settings say of sessions by hand is none of ours, and its reasons are told in any case.
"""

_NO_OTHERS = ("-o", "ClearAllForwardings=yes")
"""What the user's settings forward is not asked for a second time, and may be taken: only ours counts."""

_ASK = "docker context inspect --format '{{.Endpoints.docker.Host}}'"
"""What says there which engine is meant, as `docker` itself would use it; for the shell of that machine."""

_PATIENCE = 30.0
"""Seconds that opening may take, and that a lost connection is tried to be opened again."""

_LOOK = 0.02
_PAUSE = 0.5
_TRIES = 5
"""How often a free port is looked for that nobody takes meanwhile."""


class Tunnel:
    """A connection that is open, or being opened again. Safe to use from threads."""

    def __init__(self, host: str, folder: Path) -> None:
        """``host`` is an address as Docker writes it; ``folder`` holds the local ends and is ours alone."""
        self.options, self.name, self._path = destination(host)
        self.socket = folder / "engine"
        self.losses = 0
        """How often the connection was lost."""
        self._control, self._log = folder / "control", folder / "log"
        self._lock, self._hand = threading.RLock(), threading.Lock()
        # The first is held while ssh is asked for something, the second never for longer than a moment.
        self._ports: dict[tuple[str, int], int] = {}
        self._end = -1
        self._master: _Ended | None = None
        self._up, self._over = threading.Event(), threading.Event()
        self._why = ""

    # -- opening and closing -----------------------------------------------------------------------------

    def open(self) -> None:
        """Connect. Raises :class:`~tasklib.errors.EngineError` with ssh's own reason."""
        ended = self._connect()
        threading.Thread(target=self._follow, args=(ended,), daemon=True, name=f"ssh to {self.name}").start()

    def close(self) -> None:
        """End the connection and all that goes through it; one that is being opened, too. Does not wait."""
        self._over.set()
        self._hang_up()

    def wait(self, seconds: float = _PATIENCE) -> bool:
        """Whether it is open, now or within ``seconds``."""
        until = time.monotonic() + seconds
        while not self._up.is_set() and not self._over.is_set() and time.monotonic() < until:
            self._up.wait(_PAUSE)
        return self._up.is_set()

    @property
    def error(self) -> EngineError:
        """What ends a run that needed the connection when it was lost."""
        why = f" and cannot be opened again ({self._why})" if self._why else ""
        return EngineError(
            f"the ssh connection to {self.name} was lost{why}",
            remedy="Check that the machine is up, and run the command again.",
        )

    def refusal(self) -> EngineError | None:
        """Why nothing came through to the engine although there was a connection; ``None``: not known."""
        log = self._logged()
        if not self._up.is_set() or (self._master and self._master.is_set()):
            return no_connection(self.options, self.name, reason(log))
        if is_refused(log):
            code = self._session(asking(self._path)).code
            return nothing_through(self.options, self.name, self._path, code)
        return None

    @property
    def mended(self) -> str:
        """What to say where it was lost and is open again; empty where there is nothing to say."""
        back = self.losses and self._up.is_set()
        return f"the ssh connection to {self.name} was lost and opened again" if back else ""

    def _connect(self) -> Callable[[], int]:
        """Start the connection with everything that goes through it; what waits for its end."""
        self._control.unlink(missing_ok=True)
        self._log.unlink(missing_ok=True)
        try:
            master = self._dial()
            self._expect(master)
            self.socket.unlink(missing_ok=True)
            self._forward(f"{self.socket}:{self._far_socket()}")
            for (address, port), local in self._ports.items():
                self._forward(f"127.0.0.1:{local}:{_bracketed(address)}:{port}")
        except BaseException:
            self._hang_up()
            raise
        self._up.set()
        return master.join

    def _dial(self) -> _Ended:
        argv = ["ssh", "-T", "-M", *self._base(), *_NO_OTHERS, "--", self.name, "cat"]
        reads, end = os.pipe()
        try:
            with self._hand:
                self._end = end
                self._master = _Ended(process.accompany(argv, stdin=reads, log=self._log))
                return self._master
        except OSError as error:
            raise EngineError("there is no `ssh` command", remedy="Install OpenSSH's client.") from error
        finally:
            os.close(reads)

    def _expect(self, master: _Ended) -> None:
        """Return once the connection is there."""
        until = time.monotonic() + _PATIENCE
        while not self._control.exists():
            if master.is_set() or self._over.is_set() or time.monotonic() > until:
                raise no_connection(self.options, self.name, reason(self._logged()))
            master.wait(_LOOK)

    def _follow(self, join: Callable[[], int]) -> None:
        """Open the connection again whenever it ends and we are not done."""
        while True:
            join()
            if self._over.is_set():
                return
            self._up.clear()
            self.losses += 1
            self._hang_up()
            until = time.monotonic() + _PATIENCE
            while not self._over.is_set():
                try:
                    with self._lock:
                        join = self._connect()
                    break
                except (EngineError, OSError) as error:
                    self._why = error.what if isinstance(error, EngineError) else str(error)
                    if time.monotonic() > until:
                        self._over.set()
                        return
                    self._over.wait(_PAUSE)
            if self._over.is_set():
                # Closed in the very moment that it was opened.
                self._hang_up()

    def _hang_up(self) -> None:
        """The pipe alone would not do: ssh does not read it before it is let in, and waits afterwards for
        whatever still goes through it, if only to a container that is gone and never answers."""
        with self._hand:
            if self._end >= 0:
                os.close(self._end)
                self._end = -1
            if self._master:
                self._master.end()
                self._master = None

    # -- what goes through it ----------------------------------------------------------------------------

    def port(self, address: str, port: int) -> int:
        """The port of our loopback that leads to ``port`` of ``address``, as that machine sees it.

        Raises :class:`~tasklib.errors.EngineError` where ssh cannot have one.
        """
        for left in reversed(range(_TRIES)):
            try:
                with self._lock:
                    if (address, port) not in self._ports:
                        local = _free_port()
                        self._forward(f"127.0.0.1:{local}:{_bracketed(address)}:{port}")
                        self._ports[address, port] = local
                    return self._ports[address, port]
            except EngineError:
                # Waited for without the lock: whoever opens the connection again needs it.
                if not left or not self.wait():
                    raise
        raise AssertionError("unreachable")

    def _forward(self, what: str) -> None:
        # Without the user's settings: whatever they forward would be asked for with it, each time.
        done = self._ssh("-F", os.devnull, "-O", "forward", "-L", what, "--", self.name)
        if done.code:
            raise EngineError(f"{self.name} forwards nothing over ssh ({reason(done.stderr)})")

    def _far_socket(self) -> str:
        if not self._path:
            said = self._session(_ASK).stdout.strip()
            self._path = said.removeprefix("unix://") if said.startswith("unix:///") else USUAL_SOCKET
        return self._path

    def _session(self, command: str) -> process.Completed:
        return self._ssh("-T", *_NO_OTHERS, "--", self.name, command)

    def _ssh(self, *words: str) -> process.Completed:
        """Ask the connection for something; silence is an answer, too."""
        try:
            return process.run(["ssh", *self._base(), *words], check=False, timeout=_PATIENCE)
        except (process.CommandError, process.TimedOut) as error:
            raise EngineError(f"ssh to {self.name} is stuck ({error.what})") from error

    def _base(self) -> list[str]:
        options = [word for key, value in _OPTIONS.items() for word in ("-o", f"{key}={value}")]
        return ["-S", str(self._control), *options, *self.options]

    def _logged(self) -> str:
        try:
            return self._log.read_text(errors="replace")
        except OSError:
            return ""


class _Ended:
    """A process and the note of its end, taken by a thread."""

    def __init__(self, companion: process.Companion) -> None:
        self._companion = companion
        self._event = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        self._companion.wait()
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        return self._event.wait(seconds)

    def end(self) -> None:
        self._companion.terminate()

    def join(self) -> int:
        self._event.wait()
        return 0


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _free_port() -> int:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as held:
        return int(held.getsockname()[1])


@contextlib.contextmanager
def opened(host: str) -> Iterator[Tunnel]:
    """A tunnel to ``host`` for as long as the block lasts.

    Raises :class:`~tasklib.errors.EngineError` where there is no way to it.
    """
    with process.scratch_folder() as folder:
        tunnel = Tunnel(host, folder)
        try:
            tunnel.open()
            yield tunnel
        finally:
            tunnel.close()
