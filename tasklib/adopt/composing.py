"""PURE: what a call of Compose asks for: which files, which services, and what runs inside."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from tasklib.adopt.evidence import Command, Place
from tasklib.adopt.shell import joined

__all__ = ["ComposeCall", "compose_call"]


class _Options(NamedTuple):
    """Which options of a command take a value."""

    valued: frozenset[str]


_GLOBAL = frozenset(
    [
        "-f",
        "--file",
        "-p",
        "--project-name",
        "--profile",
        "--env-file",
        "--project-directory",
        "--ansi",
        "--parallel",
        "--progress",
    ]
)
_VALUED: Mapping[str, frozenset[str]] = {
    "up": frozenset(
        [
            "--exit-code-from",
            "--attach",
            "--no-attach",
            "--pull",
            "--scale",
            "-t",
            "--timeout",
            "--wait-timeout",
        ]
    ),
    "run": frozenset(
        [
            "-e",
            "--env",
            "--entrypoint",
            "-l",
            "--label",
            "--name",
            "-p",
            "--publish",
            "--pull",
            "-u",
            "--user",
            "-v",
            "--volume",
            "-w",
            "--workdir",
            "--env-from-file",
            "--cap-add",
            "--cap-drop",
        ]
    ),
    "exec": frozenset(["-e", "--env", "-u", "--user", "-w", "--workdir", "--index"]),
}


class ComposeCall(Struct, frozen=True):
    """``files``, ``env_files`` and ``directory`` are relative to the repository, in the order they are given.

    ``services`` are those of ``up``; ``service`` and ``inner`` the container of ``run`` and ``exec`` and what
    runs in it (empty: what it does by itself), ``entrypoint`` what it is started by instead, ``verdict`` the
    service whose exit code counts.
    """

    place: Place
    verb: str
    folder: str = ""
    files: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    directory: str = ""
    services: tuple[str, ...] = ()
    service: str = ""
    inner: tuple[str, ...] = ()
    entrypoint: str = ""
    workdir: str = ""
    env: tuple[tuple[str, str], ...] = ()
    verdict: str = ""
    detached: bool = False
    deps: bool = True

    @property
    def in_front(self) -> bool:
        """Whether it is an ``up`` that ends when its containers do."""
        return self.verb == "up" and not self.detached


def compose_call(command: Command) -> ComposeCall | None:
    """The call of Compose that ``command`` is, if it is one."""
    words = command.words
    if words[0] == "docker-compose":
        rest = words[1:]
    elif words[:2] == ("docker", "compose"):
        rest = words[2:]
    else:
        return None
    rest = tuple(word for word in rest if word not in ("$?", ""))
    options, rest = _taken(rest, _GLOBAL)
    if not rest:
        return None
    verb, rest = rest[0], rest[1:]
    own, rest = _taken(rest, _VALUED.get(verb, frozenset()), stop=verb in ("run", "exec"))
    folder = command.folder

    def paths(*names: str) -> tuple[str, ...]:
        return tuple(joined(folder, value) for name, value in options if name in names and "$" not in value)

    named = [value for name, value in options if name == "--profile"]
    named += command.env.get("COMPOSE_PROFILES", "").replace(",", " ").split()
    files = paths("-f", "--file")
    if not files and (listed := command.env.get("COMPOSE_FILE")):
        files = tuple(joined(folder, part) for part in listed.split(":"))
    plain = tuple(word for word in rest if "$" not in word)
    given = dict(own)
    inside = verb in ("run", "exec")
    return ComposeCall(
        command.place,
        verb,
        folder,
        files,
        paths("--env-file"),
        tuple(named),
        next(iter(paths("--project-directory")), ""),
        plain if verb in ("up", "start", "create", "build") else (),
        rest[0] if inside and rest else "",
        tuple(word for word in rest[1:] if not word.startswith("$")) if inside else (),
        given.get("--entrypoint", ""),
        given.get("-w", given.get("--workdir", "")),
        tuple(
            (name, value)
            for option, assigned in own
            if option in ("-e", "--env")
            for name, _, value in [assigned.partition("=")]
            if value
        ),
        given.get("--exit-code-from", ""),
        any(name in ("-d", "--detach", "--wait") for name, _ in own),
        not any(name == "--no-deps" for name, _ in own),
    )


def _taken(
    words: Sequence[str], valued: frozenset[str], *, stop: bool = True
) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """The options in ``words`` and the rest; with ``stop`` only those before the first plain word."""
    options: list[tuple[str, str]] = []
    rest: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        if word.startswith("-") and word != "-":
            name, equals, value = word.partition("=")
            if not equals and name in valued and at + 1 < len(words):
                at += 1
                value = words[at]
            options.append((name, value))
        elif word.startswith("$") and stop and not rest:
            pass  # What a variable would add here are options.
        elif stop:
            return options, tuple(words[at:])
        else:
            rest.append(word)
        at += 1
    return options, tuple(rest)


def first_folder(call: ComposeCall) -> str:
    """The folder that a call's files are in."""
    return posixpath.dirname(call.files[0]) if call.files else call.folder
