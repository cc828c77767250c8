"""Moves images between engines and registries; a registry that has none is not one that cannot be asked."""

from __future__ import annotations

import re
from typing import Protocol

from tasklib import process
from tasklib.stacks.address import EngineAddress, docker_environment

__all__ = ["Refused", "Registry", "by_docker", "says_none"]

_PATIENCE = 600.0
"""Seconds that an image may take to come or to go."""

_NONE = re.compile(r"\b(?:manifest|name) unknown\b|\bmanifest for \S+ not found\b|: not found$")

_DENIED = re.compile(
    r"\bpull access denied\b|\binsufficient_scope\b|(?:^|: )(?:denied|unauthorized)(?::|$)"
    r"|\bno basic auth credentials$"
)
"""What registries say of repositories that are not ours to read, and of those that do not exist yet."""


def says_none(answer: str) -> bool:
    """Whether a registry says, by Docker's last line, that there is no such image, or none for us.

    What is wrong before a registry can answer is something else: no connection, a helper for logins that is
    missing, a socket that may not be opened.
    """
    return bool(_NONE.search(answer) or _DENIED.search(answer))


class Registry(Protocol):
    """What moves images between engines and registries; both raise :class:`Refused`."""

    def pull(self, reference: str, engine: EngineAddress | None, cancel: process.Cancel) -> bool:
        """Whether the registry has it, and the engine, too, now."""
        ...

    def push(self, reference: str, engine: EngineAddress | None, cancel: process.Cancel) -> None: ...


class Refused(Exception):
    """Why a registry does not do what it is asked."""


class _Docker:
    """Docker's own commands, which know the logins."""

    def pull(self, reference: str, engine: EngineAddress | None, cancel: process.Cancel) -> bool:
        why = self._ask("pull", reference, engine, cancel)
        if why and not says_none(why):
            raise Refused(why)
        return not why

    def push(self, reference: str, engine: EngineAddress | None, cancel: process.Cancel) -> None:
        if why := self._ask("push", reference, engine, cancel):
            raise Refused(why)

    def _ask(self, what: str, reference: str, engine: EngineAddress | None, cancel: process.Cancel) -> str:
        """Why it did not; empty: it did."""
        argv, env = ["docker", what, "--quiet", "--", reference], docker_environment(address=engine)
        try:
            done = process.run(argv, env=env, timeout=_PATIENCE, cancel=cancel, check=False)
        except (process.CommandError, process.TimedOut) as error:
            return error.what
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        return (lines[-1] if lines else f"docker left with code {done.code}") if done.code else ""


by_docker: Registry = _Docker()
