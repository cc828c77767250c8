"""What tests a package where it is not vitest: node's own runner, jest, Playwright, or a script of it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from tasklib.pipeline.suites.detect import script_tests, sources
from tasklib.pipeline.suites.folders import table
from tasklib.pipeline.suites.script_words import last_command
from tasklib.pipeline.suites.watchers import without_watching

__all__ = [
    "STAGE_SCRIPTS",
    "Script",
    "StageScript",
    "after",
    "behind",
    "jest",
    "node_test",
    "npm_test",
    "once",
    "playwright",
    "script_of",
]

PLAYWRIGHT = "@playwright/test"
_TEST_DIR = re.compile(r"""\btestDir\s*:\s*['"`]([^'"`$]+)['"`]""")

STAGE_SCRIPTS = {
    "unit": ("test:unit", "test-unit", "unit"),
    "service": ("test:service", "test:integration", "test-integration"),
    "integration": ("test:integration", "test-integration", "test:e2e"),
}
"""What packages call the script that tests one stage alone."""

_DELEGATES = re.compile(
    r"(?:(?:npm|pnpm|yarn|bun) run(?:-script)?|yarn|pnpm|node --run)(?: -s| --silent)? (?P<name>[\w:.-]+)"
)
"""A script that only starts another one: what is handed to it would not come through."""

_SWITCHES = frozenset({"--test", "--test-only", "--experimental-strip-types", "--enable-source-maps"})
_VALUED = frozenset(
    {"--import", "--require", "-r", "--loader", "--experimental-loader", "--conditions", "-C", "--env-file"}
    | {"--test-concurrency", "--test-timeout", "--tsconfig", "--watch-path", "--test-shard"}
    | {"--test-reporter", "--test-reporter-destination", "--test-name-pattern", "--test-skip-pattern"}
)
"""Options of node, and of tsx before it, whose value may be the next word."""

_REPORTER, _DESTINATION = "--test-reporter", "--test-reporter-destination"
_NOT_HERE = (_REPORTER, "--watch")
"""How node's options begin that a run has of its own, or that keep it from ending."""

_ITSELF = frozenset(
    {"node", "bun", "deno", "npm", "pnpm", "yarn", "sh", "bash", "make", "cargo", "dotnet", "go", "python"}
)
"""Programs that no package has to bring."""

_JEST = re.compile(r"(^|/)jest(/bin/jest(\.js)?|\.js)?$")
_JEST_WITHIN = (("react-scripts", "test"), ("craco", "test"))
"""What hands its arguments to jest."""


class StageScript(Struct, frozen=True):
    """The script of a package.json that tests a stage; ``is_own``: no other one.

    ``before`` are the scripts that npm runs ahead of those that start it, ``ahead`` the one of its own.
    """

    name: str
    text: str
    is_own: bool = False
    before: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()


def script_of(data: Mapping[str, Any], stage: str) -> StageScript | None:
    """The script for ``stage``: its own, else ``test``; where that only starts another one, that one."""
    scripts = {name: str(text) for name, text in table(data, "scripts").items()}
    name = next((name for name in (*STAGE_SCRIPTS.get(stage, ()), "test") if name in scripts), None)
    if name is None:
        return None
    is_own, seen = name != "test", {name}
    before: tuple[str, ...] = ()
    while (other := _DELEGATES.fullmatch(scripts[name].strip())) and other["name"] in scripts.keys() - seen:
        before += _ahead(scripts, name)
        name = other["name"]
        seen.add(name)
    return StageScript(name, scripts[name], is_own, before, _ahead(scripts, name))


def _ahead(scripts: Mapping[str, str], name: str) -> tuple[str, ...]:
    return (f"pre{name}",) if f"pre{name}" in scripts else ()


class Script(Struct, frozen=True):
    """A command, what its environment needs, and whether it can be told a keyword."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    takes_keyword: bool = False


def after(script: StageScript, found: Script) -> Script:
    """``found``, the command of ``script``, behind what npm runs ahead and it does not."""
    names = script.before if found.argv[0] == "npm" else (*script.before, *script.ahead)
    return replace(found, argv=behind(names, found.argv))


def behind(names: Sequence[str], argv: tuple[str, ...], commands: str = "") -> tuple[str, ...]:
    """``argv``, once npm's scripts ``names`` and then a shell's ``commands`` have gone well."""
    steps = [*(f"npm run --silent {shlex.quote(name)}" for name in names), *filter(None, (commands,))]
    return ("sh", "-c", " && ".join((*steps, 'exec "$@"')), "sh", *argv) if steps else argv


def playwright(
    folder: Path, tests: Sequence[Path], without: tuple[Path, ...], keyword: str, extra: Sequence[str]
) -> Script | None:
    """Playwright's own runner, where ``tests`` (below the package in ``folder``) are written for it.

    They import it, or what lies with them does, or its configuration says that they are its own.
    """
    word = PLAYWRIGHT.encode()
    files = [file for place in tests for file in (*script_tests(place, without), *sources(place))]
    imported = any(word in file.read_bytes() for file in files if not _is_below(file, without))
    if not imported and not all(_is_below(place, _test_dirs(folder)) for place in tests):
        return None
    where = () if folder in tests else tuple(re.escape(f"{place}") for place in tests)
    chosen = ("-g", keyword) if keyword else ()
    program = str(folder / "node_modules" / ".bin" / "playwright")
    argv = (program, "test", "--reporter=line,junit", *chosen, *where, *extra)
    return Script(argv, {"PLAYWRIGHT_JUNIT_OUTPUT_NAME": "{junit}", "CI": "true"}, takes_keyword=True)


def _is_below(path: Path, places: Sequence[Path]) -> bool:
    return any(path.is_relative_to(place) for place in places)


def _test_dirs(folder: Path) -> tuple[Path, ...]:
    """The folders that Playwright's configuration in ``folder`` gives to it, as it is written there."""
    texts = [path.read_text(errors="replace") for path in folder.glob("playwright.config.*")]
    return tuple((folder / name).resolve() for text in texts for name in _TEST_DIR.findall(text))


def node_test(
    script: StageScript,
    folder: Path,
    tests: Sequence[Path],
    without: tuple[Path, ...],
    keyword: str,
    extra: Sequence[str],
) -> Script | None:
    """node's own runner on the files in ``tests``, where ``script`` of the package ``folder`` ends with it.

    The script's options stay, but for its reporters; the files that it names do not: those of the other
    stages are among them.
    """
    found = last_command(script.text)
    if found.program not in ("node", "tsx") or "--test" not in found.words:
        return None
    options = _node_options(found.words[1:])
    if options is None or (found.follows and len(options) < len(found.words) - 1):
        return None  # Which words are values, and which are files, is for node to know.
    files = tuple(str(file) for place in tests for file in script_tests(place, without))
    shown, junit = (f"{_DESTINATION}=stdout", (f"{_REPORTER}=junit", f"{_DESTINATION}={{junit}}"))
    chosen = [f"--test-name-pattern={keyword}"] if keyword else []
    own = (*junit, *chosen, *extra, *files)
    if found.follows:
        # node pairs reporters with destinations, and one alone needs none.
        said = [
            sum(word.partition("=")[0] == option for word in options) for option in (_REPORTER, _DESTINATION)
        ]
        own = ((f"{_REPORTER}=spec", shown) if not said[0] else (shown,) * (said[0] > said[1])) + own
        return Script(npm_test(own, script.name).argv, {"CI": "true"}, takes_keyword=True)
    own = (f"{_REPORTER}=spec", shown, *own)
    options = _without(options, _NOT_HERE)
    program = "node" if found.program == "node" else str(folder / "node_modules" / ".bin" / found.program)
    return Script((program, *options, *own), {"CI": "true", **found.env}, takes_keyword=True)


def jest(
    script: StageScript,
    folder: Path,
    tests: Sequence[Path],
    without: tuple[Path, ...],
    others: tuple[Path, ...],
    keyword: str,
    extra: Sequence[str],
) -> Script | None:
    """``script`` where it ends with jest, for the files in ``tests`` alone.

    ``others`` are those of other stages: a script that names folders itself would run them, too.
    """
    found = last_command(script.text)
    names_some = any(not word.startswith("-") for word in found.words[1:])
    without = (*without, *others) if names_some else without
    by_node = found.program == "node" and any(_JEST.search(word) for word in found.words)
    if not (found.program == "jest" or by_node or found.words[:2] in _JEST_WITHIN):
        return None
    where = [] if folder in tests else [re.escape(f"{place}/") for place in tests]
    leave = [f"--testPathIgnorePatterns={re.escape(f'{place}/')}" for place in without]
    leave = [*leave, "--testPathIgnorePatterns=/node_modules/"] if leave else []
    chosen = ["-t", keyword] if keyword else []
    # An option first: `--projects` and its like take all the words that follow.
    own = [*(["--ci"] if where else []), *where, *leave, *chosen, *extra]
    if found.program == "jest" and (ends := once(script, folder, own)):
        return Script(ends.argv, ends.env, takes_keyword=True)
    return Script(npm_test(own, script.name).argv, {"CI": "true"}, takes_keyword=True)


def once(script: StageScript, folder: Path, extra: Sequence[str]) -> Script | None:
    """``script`` without its options to wait for changes, where it is one command that has some."""
    found = last_command(script.text)
    words = without_watching(found.words)
    if found.follows or len(words) == len(found.words):
        return None
    # Where npm looks for it: workspaces have it at their top.
    programs = [place / "node_modules" / ".bin" / found.program for place in (folder, *folder.parents)]
    own = found.program if found.program in _ITSELF else str(programs[0])
    if "/" in found.words[0] and "node_modules/.bin/" not in found.words[0]:
        program = str(folder / found.words[0])  # A script of the package's own.
    else:
        program = next((str(program) for program in programs if program.exists()), own)
    return Script((program, *words[1:], *extra), {"CI": "true", **found.env})


def npm_test(extra: Sequence[str], name: str = "test") -> Script:
    """The package's script ``name``, whatever it is; CI keeps watchers from waiting for changes."""
    start = ("npm", "test") if name == "test" else ("npm", "run", name)
    return Script((*start, "--silent", *(("--", *extra) if extra else ())), {"CI": "true"})


def _without(options: Sequence[str], starts: tuple[str, ...]) -> list[str]:
    """The options, with their values, but for those that begin so."""
    kept: list[str] = []
    drops = False
    for word in options:
        drops = word.startswith(starts) if word.startswith("-") else drops
        if not drops:
            kept.append(word)
    return kept


def _node_options(words: Sequence[str]) -> list[str] | None:
    """The options among node's arguments, with their values; ``None`` where that cannot be told."""
    options: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            continue
        options.append(word)
        bare = "=" not in word and word not in _SWITCHES
        if bare and rest and not rest[0].startswith("-"):
            if word not in _VALUED:
                return None
            options.append(rest.pop(0))
    return options
