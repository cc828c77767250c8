"""Whether the process that wrote a record still lives. Unknown is alive.

A pid alone says nothing: it is recycled, and means another process in another container. An identity adds the
start time, the boot, the pid namespace and the host, from ``/proc`` on Linux and from ``ps`` elsewhere.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import secrets
from pathlib import Path

from msgspec import Struct

from tasklib import process
from tasklib.errors import TasklibError
from tasklib.state.store import State, default_state

__all__ = ["ProcessIdentity", "boot_id", "current", "host_id", "identify", "is_alive"]

_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


class ProcessIdentity(Struct, frozen=True):
    """One process, told apart from every other on any machine at any time."""

    pid: int
    start_time: str
    boot_id: str
    pid_namespace: str
    host: str


def current() -> ProcessIdentity:
    """The identity of this process."""
    found = identify(os.getpid())
    if found is None:
        raise TasklibError("this process cannot be found in /proc or by ps")
    return found


def identify(pid: int) -> ProcessIdentity | None:
    """The identity of the process that has ``pid`` now; ``None`` where there is none or it has ended."""
    start_time = _start_time(pid)
    if not start_time:
        return None
    return ProcessIdentity(pid, start_time, boot_id(), _pid_namespace(), host_id())


def is_alive(identity: ProcessIdentity) -> bool | None:
    """Whether that very process still runs; ``None`` where this process cannot know."""
    if identity.host != host_id():
        return None
    if identity.boot_id != boot_id():
        return False  # no process outlives the machine's boot, whatever namespace it was in
    if identity.pid_namespace != _pid_namespace():
        return None
    start_time = _start_time(identity.pid)
    return None if start_time is None else start_time == identity.start_time


def host_id(state: State | None = None) -> str:
    """The id of this machine: a hash of its machine id, or a random one kept in the state folder."""
    return _host_id(None if state is None else str(state.root))


@functools.cache
def _host_id(root: str | None) -> str:
    for path in _MACHINE_IDS:
        try:
            machine = path.read_text().strip()
        except (OSError, UnicodeDecodeError):
            continue
        if len(machine) >= 32:
            # The id itself is not to leave the machine (machine-id(5)); its hash may.
            return hashlib.sha256(f"tasklib host {machine}".encode()).hexdigest()[:16]
    return _kept_host_id(default_state() if root is None else State(Path(root)))


class _Host(Struct, frozen=True):
    id: str


def _kept_host_id(state: State) -> str:
    # Containers and machines that share the folder (a home on the network) are told apart by host name.
    name = State.name("hosts", platform.node())
    with state.lock("hosts"):
        kept = state.read(name, _Host)
        if kept is None:
            kept = _Host(secrets.token_hex(8))
            state.write(name, kept)
    return kept.id


def _start_time(pid: int) -> str | None:
    """When the process started, in the system's own unit; empty: it is gone; ``None``: it cannot be known."""
    if not Path("/proc/self/stat").exists():
        return _start_time_by_ps(pid)
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return _signalled(pid)
    # The command's name stands in parentheses and may itself hold spaces and parentheses.
    fields = text[text.rindex(b")") + 2 :].split()
    return "" if fields[0] in (b"Z", b"X") else fields[19].decode()


def _start_time_by_ps(pid: int) -> str | None:
    try:
        asked = process.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], timeout=10, check=False)
    except TasklibError:
        return _signalled(pid)
    status, _, start_time = asked.stdout.strip().partition(" ")
    return "" if status.startswith("Z") else start_time.strip()


def _signalled(pid: int) -> str | None:
    """Whether ``pid`` can be signalled tells at least whether anything has it (/proc may hide processes)."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError, ValueError):
        return ""
    except OSError:
        return None
    return None


@functools.cache
def boot_id() -> str:
    """The id of the machine's present boot; empty where it cannot be known."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        pass
    try:
        return process.run(["sysctl", "-n", "kern.bootsessionuuid"], timeout=10).stdout.strip()
    except TasklibError:
        return ""


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
