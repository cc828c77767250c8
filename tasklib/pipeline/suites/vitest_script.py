"""PURE: vitest as a package's script starts it, for the tests of one stage."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from tasklib.pipeline.suites.script_words import SHELL
from tasklib.pipeline.suites.scripts import Script, StageScript, behind

__all__ = ["VitestScript", "vitest", "vitest_in"]

_AND = re.compile(r"""&&(?=(?:[^'"]|'[^']*'|"[^"]*")*$)""")
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
_PROGRAM = re.compile(r"(^|/)vitest(\.mjs)?$")

_STARTERS = frozenset({"cross-env", "npx", "bunx", "npm", "pnpm", "yarn", "bun", "exec", "run", "--"}) | {
    *("--no-install", "--yes", "-y")
}
"""What may stand before vitest and only starts it."""

_KEPT = frozenset({"dotenv", "dotenvx", "env-cmd", "c8", "nyc", "node", "tsx"})
"""What starts it with something more: variables of a file, options of node."""

_BY_NODE = frozenset({"node", "tsx"})
"""Those that have to be told where it is."""

_TESTS = re.compile(r"(npm|pnpm|yarn|bun)( run)?( -s| --silent)? (test|unit)(:\S+)?")
"""Other tests, which are another stage's."""

_RUNS = frozenset({"run", "watch", "dev"})
_OTHERWISE = frozenset({"related", "bench", "list", "init", "typecheck"})

_OURS = frozenset(
    {
        "--run",
        "--watch",
        "-w",
        "--reporter",
        "--outputFile",
        "--ui",
        "--open",
        "--standalone",
        "--clearScreen",
    }
)
"""What a run says itself, or what keeps it from its end."""

_OF_THE_WHOLE = frozenset(
    {"--coverage", "--dir", "--project", "--exclude", "--testNamePattern", "--changed", "--shard"}
)
"""What says which of a package's tests are meant: a stage has its own, unless the script is the stage's."""

_BARE = frozenset(
    {"--run", "--watch", "-w", "--ui", "--open", "--coverage", "--globals", "--dom", "--isolate", "--color"}
    | {"--hideSkippedTests", "--fileParallelism", "--passWithNoTests", "--logHeapUsage", "--allowOnly"}
    | {"--dangerouslyIgnoreUnhandledErrors", "--disableConsoleIntercept", "--typecheck", "--cache", "--css"}
    | {"--clearScreen", "--expandSnapshotDiff", "--includeTaskLocation", "--printConsoleTrace"}
    | {"--standalone", "--clearCache"}
)
"""Options that take no value: the next word is a file."""

_LONG = {"-c": "--config", "-t": "--testNamePattern", "-r": "--root", "-u": "--update"}


class VitestScript(Struct, frozen=True):
    """What a script says of vitest: a shell's commands ``before`` it, what starts it, and its options.

    ``start`` are the words before its options; vitest itself is among them only where node is told its file.
    ``env`` are variables set for it.
    """

    before: str = ""
    start: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    options: tuple[tuple[str, ...], ...] = ()

    @property
    def by_node(self) -> bool:
        return self.start[:1] != () and self.start[0] in _BY_NODE

    def kept(self, said: Sequence[str], *, whole: bool) -> tuple[str, ...]:
        """Its options, but for those in ``said``, which vitest takes only once.

        Which tests it means, and what they cover, is asked of the ``whole`` of them alone.
        """
        names = {_name(word) for word in said if word.startswith("-")}
        names |= frozenset() if whole else _OF_THE_WHOLE
        kept = (option for option in self.options if not {_name(option[0]), _group(option[0])} & names)
        return tuple(word for option in kept for word in option)


def vitest_in(script: str) -> VitestScript | None:
    """What ``script`` says of the vitest that it starts; ``None`` where that cannot be told.

    >>> vitest_in("node prep.js && TZ=UTC vitest run -c unit.config.ts tests").options
    (('-c', 'unit.config.ts'),)
    """
    parts = _AND.split(script)
    for at in reversed(range(len(parts))):
        if words := _words(parts[at]):
            before = [part.strip() for part in parts[:at] if not _TESTS.fullmatch(part.strip())]
            return None if any(map(_words, before)) else _started(" && ".join(before), words)
    return None


def vitest(
    script: StageScript | None,
    program: Path,
    folder: Path,
    tests: Sequence[str],
    without: Sequence[str],
    keyword: str,
    extra: Sequence[str],
) -> Script:
    """``program`` for ``tests`` alone, with the variables, options and commands before it of ``script``.

    ``tests`` and ``without`` are as vitest is told them; the package is in ``folder``.
    """
    found = (vitest_in(script.text) if script else None) or VitestScript()
    said = ("-t", keyword, *extra) if keyword else tuple(extra)
    whole = (script is not None and script.is_own) or not (tests or without)
    start = found.start if found.by_node else (*found.start, str(program))
    leave = (part for place in without for part in ("--exclude", place))
    argv = (*start, "run", *tests, *leave, *found.kept(said, whole=whole), *said)
    steps = ""
    if found.before or found.start:
        programs = os.pathsep.join(
            str(place / "node_modules" / ".bin") for place in (folder, *folder.parents)
        )
        steps = f'PATH={shlex.quote(programs)}:"$PATH"' + (f" && {found.before}" if found.before else "")
    ahead = (*script.before, *script.ahead) if script else ()
    return Script(behind(ahead, argv, steps), dict(found.env), takes_keyword=True)


def _words(part: str) -> list[str]:
    """The words of a command that starts vitest; none of another one."""
    if SHELL.intersection(_QUOTED.sub("", part)):
        return []
    try:
        words = shlex.split(part)
    except ValueError:
        return []
    return words if any(map(_PROGRAM.search, words)) else []


def _started(before: str, words: list[str]) -> VitestScript | None:
    env: list[tuple[str, str]] = []
    while True:
        name, equals, value = words[0].partition("=")
        if equals and name.isidentifier():
            env.append((name, value))
        elif words[0] not in _STARTERS:
            break
        del words[0]
    at = next(at for at, word in enumerate(words) if _PROGRAM.search(word))
    start = words[:at]
    if start and start[0] not in _KEPT:
        return None
    if start and start[0] in _BY_NODE:
        start.append(words[at])
    options = _options(words[at + 1 :])
    return None if options is None else VitestScript(before, tuple(start), tuple(env), options)


def _options(words: Sequence[str]) -> tuple[tuple[str, ...], ...] | None:
    """vitest's options among its arguments, each with its value; ``None`` where that cannot be told."""
    rest = list(words)
    if rest and rest[0] in _OTHERWISE:
        return None
    if rest and rest[0] in _RUNS:
        del rest[0]
    found: list[tuple[str, ...]] = []
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            continue  # Files: those of the stage are named instead.
        option: tuple[str, ...] = (word,)
        takes = "=" not in word and not word.startswith("--no-") and word not in _BARE
        if takes and rest and not rest[0].startswith("-"):
            if "." in word:
                return None  # Some of those take values.
            option = (word, rest.pop(0))
        if _group(word) not in _OURS:
            found.append(option)
    return tuple(found)


def _group(word: str) -> str:
    """``--coverage`` of ``--coverage.enabled``."""
    return _name(word).partition(".")[0]


def _name(word: str) -> str:
    name = word.partition("=")[0]
    return _LONG.get(name, name)
