"""PURE: what ssh is told of an engine's machine, and what it means by what it says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from tasklib.errors import EngineError

__all__ = ["asking", "by_hand", "destination", "is_refused", "no_connection", "nothing_through", "reason"]

_REFUSED = re.compile(r"channel \d+: open failed: .*")
"""The far end does not open what was asked of it. Of sockets it never says why, of ports it may."""

_KEY = re.compile(r"(?i)host key .*(?:has changed|is known for)")
"""What is wrong with a host's key, where ssh goes on to say that its verification failed."""


def destination(host: str) -> tuple[tuple[str, ...], str, str]:
    """``ssh://me@build-1:2222/run/docker.sock`` → options, host and path ("": the usual one) for ssh.

    Raises :class:`~tasklib.errors.EngineError` for what is no such address.
    """
    try:
        split = urlsplit(host)
        name, port = split.hostname or "", split.port
    except ValueError:
        name, port = "", None
    if not name or split.query or split.fragment:
        raise EngineError("DOCKER_HOST or the context is no address for ssh", remedy="ssh://user@host:22")
    if split.password is not None:
        raise EngineError(
            f"the address of the engine at {name} has a password, which ssh takes from nobody but its user",
            remedy="Take it out, and have a key let in there (`ssh-copy-id`).",
        )
    options = [
        *(("-p", str(port)) if port else ()),
        *(("-l", unquote(split.username)) if split.username else ()),
    ]
    return tuple(options), name, unquote(split.path.rstrip("/"))


def by_hand(options: Sequence[str], name: str, *command: str) -> str:
    """What somebody types to do ``command`` there.

    >>> by_hand(("-p", "2222"), "build-1", "docker", "version")
    'ssh -p 2222 build-1 docker version'
    """
    return shlex.join(["ssh", *options, name, *command])


def reason(log: str) -> str:
    """The line of ssh's ``log`` that says why it ended.

    >>> reason("No ED25519 host key is known for b.\\nHost key verification failed.\\n")
    'No ED25519 host key is known for b.'
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    told = [line for line in lines if _KEY.search(line)] if lines[-1:] == [_UNVERIFIED] else []
    return [*lines, *told][-1][:160] if lines else "ssh said nothing"


_UNVERIFIED = "Host key verification failed."


def no_connection(options: Sequence[str], name: str, why: str) -> EngineError:
    """There is none, for the reason that ssh gives."""
    return EngineError(
        f"no ssh connection to {name} ({why})",
        remedy=f"`{by_hand(options, name, 'docker', 'version')}` has to work without asking anything.",
    )


def asking(path: str) -> str:
    """What the shell there is to be asked where nothing comes through: who is to blame, by its exit code.

    Docker's own client needs no forwarding; there may be none.
    """
    quoted = shlex.quote(path)
    ends = f"test -S {quoted} -a -w {quoted} && exit {_SILENT}; exit {_UNUSABLE}"
    return f"docker -H {shlex.quote(f'unix://{path}')} version >/dev/null 2>&1 && exit {_ANSWERS}; {ends}"


_ANSWERS, _SILENT, _UNUSABLE = 40, 41, 42
"""Codes that nothing else ends with."""


def is_refused(log: str) -> bool:
    """Whether the far end opened no way, by ssh's ``log``."""
    return bool(_REFUSED.search(log))


def nothing_through(options: Sequence[str], name: str, path: str, code: int) -> EngineError:
    """Why the engine at ``path`` is not reached, though ssh is; ``code`` is the answer to :func:`asking`."""
    allowed = "AllowTcpForwarding and AllowStreamLocalForwarding, no DisableForwarding and no PermitOpen"
    if code == _ANSWERS:
        return EngineError(
            f"the ssh server of {name} lets nothing through to {path}",
            remedy=f"Its sshd_config has to allow that: {allowed}.",
        )
    if code == _UNUSABLE:
        return EngineError(
            f"on {name} there is no socket {path} that this user may use",
            remedy=f"Start the engine there, or have the user in its group: `{by_hand(options, name, 'id')}` "
            "names the groups.",
        )
    return EngineError(
        f"nothing comes through from {path} on {name}",
        remedy=f"Start the engine there. Its sshd_config has to allow {allowed}.",
    )
