"""Nox sessions: ``from tasklib.sessions import register`` and ``register()`` make a noxfile.py.

Options follow ``--``, pytest's own a second ``--``: ``nox -s service -- --name api -- -k orders``.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

import nox

from tasklib.errors import NothingRan, TasklibError, UsageError

__all__ = ["register"]

_DEFAULT = ("unit", "service", "integration")

# What failed in this Nox run: the stages that follow skip themselves, other sessions are not stopped.
_failed: list[str] = []

# The sessions of this Nox run in which some test ran.
_ran: list[str] = []


def register(*names: str) -> None:
    """Define the sessions called ``names``, all of them without names.

    Only unit, service and integration run when ``nox`` is called without ``-s``. Raises
    :class:`~tasklib.errors.UsageError` for a name that is none of ours.
    """
    for name in names or tuple(_SESSIONS):
        if name not in _SESSIONS:
            raise UsageError(f"tasklib has no session {name!r}", remedy=f"Known: {', '.join(_SESSIONS)}.")
        nox.session(name=name, python=False, default=name in _DEFAULT)(_SESSIONS[name])


def _stage(stage: str) -> Callable[[nox.Session], None]:
    def session(session: nox.Session) -> None:
        if _failed:
            session.skip(f"{_failed[0]} failed")
        _tests(session, (stage,))

    session.__doc__ = {
        "unit": "Unit tests; no engine is touched.",
        "service": "Each service against its own stack.",
        "integration": "The full stack and its tests.",
    }[stage]
    return session


def _all(session: nox.Session) -> None:
    """The three stages as one pipeline, stopping at the first that fails."""
    _tests(session, _DEFAULT)


def _tests(session: nox.Session, stages: tuple[str, ...]) -> None:
    from tasklib.commands import testing

    _quiet()
    with _failures(session):
        own, extra = _split(session.posargs)
        options = _stage_options(session.name).parse_args(own)
        code = testing.run_stages(
            stages,
            names=options.name,
            changed=options.changed,
            base=options.base,
            explain=options.explain,
            keep=options.keep,
            jobs=options.jobs,
            keyword=options.k,
            verbose=options.verbose,
            format=options.format,
            reports=options.report,
            durations=options.durations,
            fail_slow=options.fail_slow,
            extra=extra,
            program="nox",
        )
        _ran.append(session.name)
        if code == 130:
            raise KeyboardInterrupt
        if code:
            _failed.append(session.name)
            session.error(_REASONS.get(code, f"exit code {code}"))


def _quiet() -> None:
    """Nox shows every library's debugging lines; those of the Docker SDK are hundreds a stack."""
    for name in ("docker", "urllib3", "filelock"):
        logging.getLogger(name).setLevel(logging.WARNING)


_REASONS = {
    1: "tests failed",
    2: "wrong configuration",
    3: "no usable engine",
    4: "a stack did not become ready",
}


@contextlib.contextmanager
def _failures(session: nox.Session) -> Iterator[None]:
    """Errors as the session's reason: a traceback helps nobody, and SystemExit would end every session."""
    try:
        yield
    except NothingRan as error:
        if _ran or _stages_follow(session):
            session.skip(error.what)  # what was asked for was or may be in another session
        session.error(error.line.rstrip(".?"))
    except TasklibError as error:
        if error.exit_code == 130:
            raise KeyboardInterrupt from None
        _failed.append(session.name)
        session.error(error.line.rstrip(".?"))  # Nox ends it with a full stop of its own


def _stages_follow(session: nox.Session) -> bool:
    """Whether Nox has sessions of tests in its queue; it tells no session of the others by itself."""
    queue = getattr(getattr(session._runner, "manifest", None), "_queue", ())
    return any(runner.name in (*_DEFAULT, "test") for runner in queue)


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our options, and what follows a second ``--``."""
    words = list(words)
    if "--" not in words:
        return words, []
    at = words.index("--")
    return words[:at], words[at + 1 :]


class _Parser(argparse.ArgumentParser):
    """argparse that raises, in the words of the other front end."""

    def error(self, message: str) -> NoReturn:
        if missing := re.fullmatch(r"argument (\S+): expected one argument", message):
            raise UsageError(f"{missing[1]} needs a value")
        if unknown := re.fullmatch(r"unrecognized arguments: (\S+).*", message, re.DOTALL):
            known = sorted(self._option_string_actions)
            near = [] if unknown[1] in ("-h", "--help") else difflib.get_close_matches(unknown[1], known, 1)
            raise UsageError(
                f"unknown argument {unknown[1]} of {self.prog}",
                remedy=f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}.",
            )
        raise UsageError(message)


def _stage_options(name: str) -> _Parser:
    parser = _Parser(prog=name, add_help=False, allow_abbrev=False)
    parser.add_argument("--name", action="append", default=[])
    parser.add_argument("--changed", action="store_true")
    parser.add_argument("--base")
    parser.add_argument("--explain", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--jobs")
    parser.add_argument("-k", default="")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--format", default="auto")
    parser.add_argument("--report", action="append", default=[])
    parser.add_argument("--durations")
    parser.add_argument("--fail-slow", action="store_true")
    return parser


def _infra_options(name: str) -> _Parser:
    parser = _Parser(prog=name, add_help=False, allow_abbrev=False)
    parser.add_argument("--name", action="append", default=[])
    parser.add_argument("--env", default="test")
    parser.add_argument("--yes", action="store_true")
    return parser


def _infra_up(session: nox.Session) -> None:
    """Bring up the full stack, or `--name api`."""
    from tasklib.commands import infrastructure

    _quiet()
    with _failures(session):
        options = _infra_options(session.name).parse_args(session.posargs)
        infrastructure.up(options.name, environment=options.env, yes=options.yes)


def _infra_down(session: nox.Session) -> None:
    """Take down every stack of this instance, or `--name api`."""
    from tasklib.commands import infrastructure

    _quiet()
    with _failures(session):
        options = _infra_options(session.name).parse_args(session.posargs)
        infrastructure.down(options.name, environment=options.env)


def _clean(session: nox.Session) -> None:
    """Remove what this instance owns, nothing else."""
    from tasklib.commands import cleaning

    _quiet()
    with _failures(session):
        parser = _Parser(prog=session.name, add_help=False, allow_abbrev=False)
        parser.add_argument("--force", action="store_true")
        cleaning.clean(force=parser.parse_args(session.posargs).force)


def _release_tag(session: nox.Session) -> None:
    """Tag a version: shows what it would do, asks, and does all of it or nothing."""
    from tasklib.commands import releasing

    _quiet()
    with _failures(session):
        parser = _Parser(prog=session.name, add_help=False, allow_abbrev=False)
        parser.add_argument("--bump")
        parser.add_argument("--version")
        for flag in ("--dry-run", "--push", "--yes"):
            parser.add_argument(flag, action="store_true")
        options = parser.parse_args(session.posargs)
        releasing.tag(
            bump=options.bump,
            version=options.version,
            dry=options.dry_run,
            push=options.push,
            yes=options.yes,
        )


_SESSIONS: dict[str, Callable[[nox.Session], None]] = {
    "unit": _stage("unit"),
    "service": _stage("service"),
    "integration": _stage("integration"),
    "test": _all,
    "infra-up": _infra_up,
    "infra-down": _infra_down,
    "clean": _clean,
    "release-tag": _release_tag,
}
