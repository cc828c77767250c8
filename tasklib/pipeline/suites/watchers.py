"""PURE: commands that wait for files to be saved, and so never end.

Sources: the programs' own manuals.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from tasklib.errors import ConfigError

__all__ = ["refuse_watching", "watcher", "watcher_in", "without_watching"]

_WATCHES = ("--watch", "--watchAll", "--watch=true", "--watchAll=true")
"""How most runners are told to wait for changes."""

_SHORT = frozenset({"mocha", "_mocha", "ts-mocha", "electron-mocha", "ava"})
"""Those that are told so by ``-w`` as well; to others it means something else."""

_PROGRAMS = frozenset(
    {"nodemon", "watchexec", "cargo-watch", "bacon", "onchange", "chokidar", "npm-watch", "reflex", "gow"}
    | {"ptw", "pytest-watch", "pytest_watch", "pytest-watcher", "pytest_watcher", "watchfiles", "watchmedo"}
)
"""Those that do nothing else."""

_WORDS = frozenset(
    {("tsx", "watch"), ("cargo", "watch"), ("dotnet", "watch"), ("vitest", "watch"), ("vitest", "dev")}
)
"""Those that do so by their first word."""

_OFF = ("false", "0")
_ENDS = frozenset(";|&\n")
"""What operators that end a command consist of."""

_STARTERS = frozenset(
    {"npx", "bunx", "cross-env", "dotenv", "c8", "nyc", "exec", "run", "uv", "uvx", "poetry", "pdm"}
    | {"pipenv", "hatch", "npm", "pnpm", "yarn", "env", "sudo", "python", "python3", "sh", "bash"}
)
"""What may stand before the program that is meant."""

_VALUED = frozenset(
    {"--with", "--with-editable", "--with-requirements", "--group", "--only-group", "--extra", "--python"}
    | {"--package", "--project", "--directory", "--env-file", "-p", "-C", "-e", "-w"}
)
"""Options of those whose value is the next word: it is no program."""


_MANAGERS = frozenset({"npm", "pnpm", "yarn", "bun"})
_SHORTER = {"t": "test", "tst": "test"}
"""What npm takes for another word."""

_NONE: Mapping[str, str] = MappingProxyType({})


def watcher(words: Sequence[str], scripts: Mapping[str, str] = _NONE) -> str:
    """What makes this command wait for changes, as it is written; empty where nothing does.

    ``scripts`` are those of the package that it may start one of.

    >>> watcher(["npx", "mocha", "--watch", "tests"]), watcher(["tsx", "watch", "a.ts"]), watcher(["mocha"])
    ('mocha --watch', 'tsx watch', '')
    """
    names = [word.rpartition("/")[2] for word in words]
    at = 0
    while at < len(words) and _starts(words[at], names[at]):
        at += 2 if words[at] in _VALUED else 1
    if at >= len(words):
        return ""
    if any(character.isspace() for character in words[at]):
        return watcher_in(words[at], scripts)  # What a shell is given.
    name = names[at]
    script = _SHORTER.get(name, name)
    if script in scripts and _MANAGERS.intersection(names[:at]) and "exec" not in names[:at]:
        others = {other: text for other, text in scripts.items() if other != script}
        if found := watcher_in(scripts[script], others):
            return found
    if name in _PROGRAMS:
        return name
    if (name, *words[at + 1 : at + 2]) in _WORDS:
        return f"{name} {words[at + 1]}"
    return next((f"{name} {word}" for i, word in enumerate(words) if i > at and _asks(words, i, name)), "")


def watcher_in(script: str, scripts: Mapping[str, str] = _NONE) -> str:
    """The same of a shell's script: of the first of its commands that waits, and is waited for.

    >>> watcher_in("tsc && nodemon --exec 'mocha tests'"), watcher_in("nodemon a.js & mocha; kill %1")
    ('nodemon', '')
    """
    return next((found for words in _commands(script) if (found := watcher(words, scripts))), "")


def _commands(script: str) -> Iterator[list[str]]:
    """The words of its commands, but for those in the background: the script ends without them."""
    lexer = shlex.shlex(script, posix=True, punctuation_chars=";|&<>\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    words: list[str] = []
    try:
        for word in lexer:
            if not _ENDS.issuperset(word):
                words.append(word)
                continue
            if word.strip("\n") != "&":
                yield words
            words = []
    except ValueError:
        pass  # A quote that is not closed: what stands before it is known.
    yield words


def refuse_watching(found: str, key: str, where: Path, script: str = "") -> None:
    """Raise :class:`~tasklib.errors.ConfigError` where something waits, in ``key`` or a script."""
    if found:
        said = f'its script "{script}" is' if script else f"{key} is"
        raise ConfigError(
            f"{said} `{found}`, which waits for changes and never ends",
            where=str(where),
            remedy=f"Give a command that tests once as {key}; with `--watch` tasklib itself repeats it.",
        )


def without_watching(words: Sequence[str]) -> list[str]:
    """``words`` of one command without its options to wait for changes."""
    name = words[0].rpartition("/")[2] if words else ""
    return [word for at, word in enumerate(words) if not _asks(words, at, name)]


def _starts(word: str, name: str) -> bool:
    """Whether a program's name is still to come."""
    return (
        name in _STARTERS or word.startswith("-") or (word.partition("=")[0].isidentifier() and "=" in word)
    )


def _asks(words: Sequence[str], at: int, name: str) -> bool:
    off = words[at + 1 : at + 2] and words[at + 1] in _OFF
    return (words[at] in _WATCHES or (words[at] == "-w" and name in _SHORT)) and not off
