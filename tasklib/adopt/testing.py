"""PURE: whether a command runs tests, whose, and which; and whether it prepares a stack for them."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import replace

from tasklib.adopt.evidence import Command, Place
from tasklib.adopt.runners import runner_of
from tasklib.adopt.shell import joined

__all__ = [
    "TestRun",
    "is_report",
    "is_trivial",
    "is_wait",
    "plain_words",
    "prepares",
    "settled",
    "test_run",
    "waited",
]

_LAUNCHERS = {
    "uv": ("run",),
    "poetry": ("run",),
    "pdm": ("run",),
    "pipenv": ("run",),
    "hatch": ("run",),
    "rye": ("run",),
    "pyenv": ("exec",),
    "npx": (),
    "pnpm": ("exec",),
    "bunx": (),
    "bundle": ("exec",),
    "xvfb-run": (),
    "dotenv": ("run",),
    "env-cmd": (),
    "cross-env": (),
    "nyc": (),
    "c8": (),
    "nice": (),
}
_UP_TO_DASHES = ("dotenv", "env-cmd")
_LAUNCHER_VALUED = frozenset(
    {"--project", "--directory", "--with", "--extra", "--group", "--python", "-p", "-f", "-s", "--env-file"}
)
_PYTEST_VALUED = frozenset(
    [
        "-k",
        "-m",
        "-n",
        "-p",
        "-c",
        "-o",
        "-W",
        "--tb",
        "--cov",
        "--cov-report",
        "--cov-config",
        "--cov-fail-under",
        "--junitxml",
        "--junit-xml",
        "--rootdir",
        "--ignore",
        "--deselect",
        "--maxfail",
        "--durations",
        "--numprocesses",
        "--dist",
        "--ds",
        "--timeout",
        "--confcutdir",
        "--color",
        "--log-level",
        "--reruns",
        "--host",
        "--benchmark-json",
        "-r",
    ]
)
_ONLY_SHOWN = re.compile(
    r"-[svqxl]+|-r\w*|--verbose|--quiet|--exitfirst|--tb=.*|--cov.*|--no-cov|--junit-?xml.*|--color.*"
    r"|--durations.*|--maxfail.*|--showlocals|--capture=.*|--html.*|--self-contained-html|--cache-clear"
)
"""Options that say how pytest speaks and what it reports, not what it tests."""

_PREPARES = re.compile(
    r"migrat|seed|prestart|pre_start|initial_data|init_db|init-db|initdb|fixtures|loaddata|collectstatic"
    r"|createdb|create_db|\balembic\b|\bdb:(?:push|create|setup|schema|prepare|reset)|db push"
    r"|\bdb (?:reset|setup|prepare|create)\b"
    r"|prisma (?:generate|db)|\bdb upgrade\b|schema:sync"
    r"|\bmanage\.py (?:compile|createcachetable|setup)",
    re.IGNORECASE,
)
_SCRIPT = re.compile(r"\.(sh|py|[cm]?[jt]s)$")
_TRIVIAL = re.compile(
    r"(?:echo|printf|true|false|:|set|sleep|mkdir|exit|trap|rm|test|\[{1,2}|read|source|\.|chmod|shift"
    r"|return|pwd|ls|cat|date|coverage (?:report|html|xml|combine|erase|json)|codecov|docker logs"
    r"|docker version|case|for|in|unset|local)(?:\s|$)"
)
_WAITS = re.compile(
    r"^(?:sleep|until|while|wait|dockerize)\b|wait[-_]?for|wait-until|pg_isready|\bnc -z|healthcheck\.sh"
    r"|curl .*--retry|^(?:curl|wget|timeout|seq)\b|wait[-_]on|\.isAlive|mysqladmin ping"
)


_NO_RUN = re.compile(
    r"--watch(All)?|--ui|--collect-only|--co|--version|--help|-h|--list(Tests)?|--showConfig"
)
_OPEN = re.compile(r"\$[\w{(@*#?!]")
"""What a shell would fill in; the end of a pattern is none."""


class TestRun(Struct, frozen=True):
    """Tests that a command runs.

    ``runner`` is what runs them (``pytest``, ``django``, ``jest``, …), ``words`` the command without the
    launcher of an environment, ``launcher`` that, ``paths`` the tests it names, relative to ``folder``,
    ``options`` what decides which tests run and how, ``reports`` what pytest is to write besides.
    """

    __test__ = False

    place: Place
    runner: str
    words: tuple[str, ...]
    folder: str = ""
    paths: tuple[str, ...] = ()
    launcher: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    options: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()


def plain_words(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The launcher of an environment, and the command that it launches: ``uv run``, ``pytest tests``."""
    launcher: list[str] = []
    rest = list(words)
    while rest and rest[0] in _LAUNCHERS:
        if rest[0] in _UP_TO_DASHES and "--" in rest:
            at = rest.index("--") + 1
            launcher, rest = [*launcher, *rest[:at]], rest[at:]
            continue
        expected = _LAUNCHERS[rest[0]]
        if expected and tuple(rest[1 : 1 + len(expected)]) != expected:
            break
        taken = 1 + len(expected)
        while taken < len(rest) and (rest[taken].startswith("-") or re.fullmatch(r"\w+=.*", rest[taken])):
            taken += 2 if rest[taken] in _LAUNCHER_VALUED else 1
        # pyenv only chooses among what is on this machine.
        launcher += rest[:taken] if rest[0] != "pyenv" else ()
        rest = rest[taken:]
    return tuple(launcher), tuple(rest)


def test_run(command: Command) -> TestRun | None:
    """The tests that ``command`` runs; ``None`` where it runs none itself."""
    launcher, words = plain_words(command.words)
    folder = command.folder
    for option, value in itertools.pairwise(launcher):
        if option == "--directory":
            folder = joined(folder, value)
    if not words:
        return None
    runner, arguments = runner_of(words)
    if not runner or any(_NO_RUN.fullmatch(word) for word in arguments):
        return None
    valued = _PYTEST_VALUED if runner == "pytest" else frozenset({"--config", "-c", "-t", "--settings", "-p"})
    named = tuple(_paths(arguments, valued))
    paths = named if runner in ("pytest", "jest", "vitest", "node") else ()
    # What tells service tests apart is given by tasklib itself.
    options = tuple(word for word in _options(arguments, valued) if word != "--integration")
    reports = tuple(
        word for word in arguments if re.match(r"--(cov|junit-?xml)", word) and not _OPEN.search(word)
    )
    reports = (
        reports if runner == "pytest" and all("=" in word or word == "--cov" for word in reports) else ()
    )
    return TestRun(command.place, runner, words, folder, paths, launcher, command.env, options, reports)


test_run.__test__ = False  # type: ignore[attr-defined]


def settled(words: Sequence[str]) -> list[str]:
    """``words`` without what a shell's variables add for once, and without options whose values these are."""
    found: list[str] = []
    for word in words:
        if not _OPEN.search(word):
            found.append(word)
        elif found and found[-1].startswith("-") and "=" not in found[-1] and not word.startswith("-"):
            alone = re.fullmatch(r"\$(\w+|\{[^}]*\}|[@*?])", word)
            if not alone or found[-1] in _PYTEST_VALUED:
                found.pop()
    return found


def is_wait(command: Command) -> bool:
    """Whether ``command`` only waits for a stack, which tasklib does by itself."""
    return bool(_WAITS.search(command.text))


def waited(command: Command) -> Command:
    """What ``command`` does after waiting: ``wait-for-it.sh db:5432 -- pytest`` is ``pytest``."""
    if "--" in command.words and re.search(_WAITS, posixpath.basename(command.words[0])):
        rest = command.words[command.words.index("--") + 1 :]
        return replace(command, words=rest) if rest else command
    return command


def is_trivial(command: Command) -> bool:
    """Whether ``command`` neither tests nor prepares anything: it speaks, tidies up or reports coverage."""
    _, words = plain_words(command.words)
    return not words or bool(_TRIVIAL.match(" ".join(words)))


def is_report(command: Command) -> bool:
    """Whether ``command`` makes a report of coverage for somebody to read."""
    _, words = plain_words(command.words)
    return words[:1] == ("coverage",) and words[1:2] != ("erase",) and not test_run(command)


def prepares(command: Command) -> bool:
    """Whether ``command`` makes a stack that is up ready for tests: migrations, seeds, generated clients."""
    if "--check" in command.words or "--dry-run" in command.words:
        return False
    first, *rest = command.words
    # What is only a path to migrations is copied, or checked.
    told = " ".join([first, *(word for word in rest if "/" not in word or _SCRIPT.search(word))])
    return bool(_PREPARES.search(told)) and not is_wait(command) and not is_trivial(command)


def _paths(arguments: Sequence[str], valued: frozenset[str]) -> list[str]:
    found = []
    skip = False
    for word in arguments:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = word in valued
        elif not _OPEN.search(word) and word != "run":
            found.append(word.rstrip("/") or word)
    return found


def _options(arguments: Sequence[str], valued: frozenset[str]) -> list[str]:
    """What decides which tests run and how they are run: not how much is said of them."""
    found: list[str] = []
    at = 0
    while at < len(arguments):
        word = arguments[at]
        taken = 2 if word in valued and at + 1 < len(arguments) else 1
        if word.startswith("-") and not _ONLY_SHOWN.fullmatch(word) and not _OPEN.search(word):
            found += arguments[at : at + taken]
        at += taken
    return found
