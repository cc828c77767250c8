"""What tests a package where it is not vitest: node's own runner, jest, Playwright, or its script."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tasklib.pipeline.suites.detect import script_tests
from tasklib.pipeline.suites.folders import table

__all__ = ["Script", "jest", "node_test", "npm_test", "playwright"]

PLAYWRIGHT = "@playwright/test"

_SHELL = frozenset("|&;<>$`(){}*?~\n")
"""What makes a script more than one command with its arguments."""


@dataclass(frozen=True)
class Script:
    """A command, what its environment needs, and whether it can be told a keyword."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    takes_keyword: bool = False


def playwright(
    folder: Path, tests: Sequence[Path], without: tuple[Path, ...], keyword: str, extra: Sequence[str]
) -> Script | None:
    """Playwright's own runner, where one of ``tests`` (below the package in ``folder``) is written for it."""
    word = PLAYWRIGHT.encode()
    if not any(word in file.read_bytes() for place in tests for file in script_tests(place, without)):
        return None
    where = () if folder in tests else tuple(re.escape(f"{place}") for place in tests)
    chosen = ("-g", keyword) if keyword else ()
    program = str(folder / "node_modules" / ".bin" / "playwright")
    argv = (program, "test", "--reporter=line,junit", *chosen, *where, *extra)
    return Script(argv, {"PLAYWRIGHT_JUNIT_OUTPUT_NAME": "{junit}", "CI": "true"}, takes_keyword=True)


def node_test(
    data: Mapping[str, Any],
    tests: Sequence[Path],
    without: tuple[Path, ...],
    keyword: str,
    extra: Sequence[str],
) -> Script | None:
    """node's own runner on the files in ``tests``, where the script is that and nothing else.

    The script's options stay, the files that it names do not: those of the other stages are among them.
    """
    words = _words(data)
    if words[:1] != ["node"] or "--test" not in words:
        return None
    options = [word for word in words[1:] if word.startswith("-")]
    if len(options) < len(words) - 1 and any(_takes_value(word, words) for word in options):
        return None  # Which words are values, and which are files, is for node to know.
    files = tuple(str(file) for place in tests for file in script_tests(place, without))
    reporters = ("spec", "--test-reporter-destination=stdout", "junit", "--test-reporter-destination={junit}")
    report = [word if word.startswith("--") else f"--test-reporter={word}" for word in reporters]
    chosen = [f"--test-name-pattern={keyword}"] if keyword else []
    return Script(("node", *options, *report, *chosen, *extra, *files), {"CI": "true"}, takes_keyword=True)


def jest(
    data: Mapping[str, Any],
    folder: Path,
    tests: Sequence[Path],
    without: tuple[Path, ...],
    keyword: str,
    extra: Sequence[str],
) -> Script | None:
    """The script where it is jest and nothing else, for the files in ``tests`` alone."""
    words = _words(data)
    if words[:1] != ["jest"]:
        return None
    where = [] if folder in tests else [re.escape(f"{place}/") for place in tests]
    leave = [f"--testPathIgnorePatterns={re.escape(f'{place}/')}" for place in without]
    leave = [*leave, "--testPathIgnorePatterns=/node_modules/"] if leave else []
    chosen = ["-t", keyword] if keyword else []
    own = [*where, *leave, *chosen, *extra]
    return Script(npm_test(own).argv, {"CI": "true"}, takes_keyword=True)


def npm_test(extra: Sequence[str]) -> Script:
    """The package's ``test`` script, whatever it is; CI keeps watchers from waiting for changes."""
    return Script(("npm", "test", "--silent", *(("--", *extra) if extra else ())), {"CI": "true"})


def _words(data: Mapping[str, Any]) -> list[str]:
    script = str(table(data, "scripts").get("test", ""))
    if _SHELL.intersection(script):
        script = re.sub(r"'[^']*'|\"[^\"]*\"", "", script)  # Patterns in quotes are node's own.
        if _SHELL.intersection(script):
            return []
    try:
        return shlex.split(script)
    except ValueError:
        return []


def _takes_value(option: str, words: Sequence[str]) -> bool:
    after = words[words.index(option) + 1 :][:1]
    bare = "=" not in option and option not in ("--test", "--test-only", "--experimental-strip-types")
    return bool(bare and after and not after[0].startswith("-"))
