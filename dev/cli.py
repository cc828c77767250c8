"""The commands: reads the arguments, sets up, and hands over to nox or pytest."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from dev.commands import attached
from dev.consent import Consent
from dev.dotenv import write_dotenvs
from dev.engine import ensure_engine
from dev.environment import Environment, ensure_environment
from dev.errors import DevError, UsageError
from dev.facts import Host
from dev.images import Choice, dotenv, summary, variables
from dev.probe import probe_host
from dev.provision_images import ensure_images
from dev.state import set_up_lock
from dev.tools import ensure_browser, ensure_registry, ensure_shells, ensure_sshd

__all__ = ["main", "parse", "suite_runs"]

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "example-project"
PARALLEL = ("-n", "auto", "--maxprocesses", "8")
WAITING = ("-n", str(min(8, (os.cpu_count() or 1) + 2)), "--dist", "worksteal")
"""For tests that wait for containers much of their time: two more than processors. Neighbours may share
what their module brings up, and stay together until a process has nothing left to do."""
COVERAGE = ("--cov", "--cov-report=")
THOROUGH = "--hypothesis-profile=thorough"  # tests/conftest.py has it, and a quick one


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit code is that of nox or pytest, or of what stopped the set-up."""
    for terminating in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(terminating) is not signal.SIG_IGN:
            signal.signal(terminating, _interrupt)
    try:
        options, extra = parse(arguments)
        with set_up_lock():
            run: Callable[[], int] = _COMMANDS[options.command](Consent(given=options.provide_engine), extra)
        return run()
    except DevError as error:
        print(f"dev: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print("dev: interrupted", file=sys.stderr)
        return 130


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """The tool's own options, and what stands after the first `--`, for pytest.

    Raises UsageError for the latter with any other command; what argparse refuses ends with exit code 2.
    """
    own, extra = _split(arguments)
    options = _parser().parse_args(own)
    if extra and options.command != "test":
        raise UsageError(f"`{options.command}` takes no arguments after --.")
    return options, extra


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 dev", description="Set up this checkout and run things in it.", allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in (
        ("demo", "set up, then run the main job on example-project"),
        (
            "test",
            "set up, then lint and run the whole test suite; with arguments after --, pytest with these",
        ),
        ("setup", "set up only: .venv, engine, images"),
        ("images", "choose, pull or build the images only, and print them"),
    ):
        command = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        command.add_argument(
            "--provide-engine",
            action="store_true",
            help="permit installing and starting what is missing (Docker Engine, Compose, build tools)",
        )
    return parser


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The arguments before and after the first `--`."""
    given = list(arguments)
    if "--" not in given:
        return given, []
    at = given.index("--")
    return given[:at], given[at + 1 :]


def _demo(consent: Consent, extra: list[str]) -> Callable[[], int]:
    environment, choices = _set_up(consent)
    argv = [str(environment.bin / "nox"), "-s", "unit", "service", "integration"]
    return lambda: _become(argv, PROJECT, environment, choices)


def _test(consent: Consent, extra: list[str]) -> Callable[[], int]:
    environment, choices = _set_up(consent)
    host = probe_host()
    ensure_registry(environment, host)
    ensure_browser(host, consent)
    ensure_shells(host, consent)
    ensure_sshd(host, consent)
    *first, last = ([str(environment.bin / "pytest"), *run] for run in suite_runs(extra))

    def run() -> int:
        for argv in first:
            if code := attached(argv, ROOT, environment.variables(variables(choices) | _coverage_core())):
                return code
        _become(last, ROOT, environment, choices)

    return run


def _setup(consent: Consent, extra: list[str]) -> Callable[[], int]:
    _set_up(consent)
    return lambda: 0


def _images(consent: Consent, extra: list[str]) -> Callable[[], int]:
    host = probe_host()
    ensure_engine(host, consent)
    choices = _provide_images(host, consent)
    for choice in choices:
        note = (
            f"{choice.origin.value} for {choice.image.official}"
            if choice.name != choice.image.official
            else "official"
        )
        print(f"{choice.image.variable}={choice.name}  # {note}")
    return lambda: 0


_COMMANDS = {"demo": _demo, "test": _test, "setup": _setup, "images": _images}


def _set_up(consent: Consent) -> tuple[Environment, tuple[Choice, ...]]:
    host = probe_host()
    # What may be refused comes first.
    ensure_engine(host, consent)
    environment = ensure_environment(ROOT, host, consent)
    choices = _provide_images(host, consent)
    print(f"dev: images: {summary(choices)}", file=sys.stderr, flush=True)
    return environment, choices


def _provide_images(host: Host, consent: Consent) -> tuple[Choice, ...]:
    choices = ensure_images(host, consent)
    write_dotenvs(PROJECT, dotenv(choices))
    return choices


def suite_runs(extra: Sequence[str], root: Path = ROOT) -> list[list[str]]:
    """pytest's arguments, run by run: the unit tests, with their coverage, then the rest, lint among it.

    With arguments of the user's it is one run without coverage, of what they name, or else of all tests.
    """
    if not extra:
        return [
            [*PARALLEL, *COVERAGE, THOROUGH, "-q", "tests/unit"],
            [*WAITING, "-q", "tests/integration"],
        ]
    chosen = any((root / argument.partition("::")[0]).exists() for argument in extra if argument[:1] != "-")
    return [[*PARALLEL, *([] if chosen else ["tests/unit", "tests/integration"]), *extra]]


def _coverage_core() -> dict[str, str]:
    """The interpreter's own monitoring, where it has one, slows nothing down."""
    return {"COVERAGE_CORE": "sysmon"} if sys.version_info >= (3, 12) else {}


def _become(argv: list[str], folder: Path, environment: Environment, choices: tuple[Choice, ...]) -> NoReturn:
    """Replace this process, so that signals, the terminal and the exit code are the command's own."""
    sys.stdout.flush()
    try:
        os.chdir(folder)
        os.execve(argv[0], argv, environment.variables(variables(choices)))
    except OSError as error:
        raise DevError(f"{argv[0]} cannot be run in {folder}: {error.strerror}.") from error
