"""Nox sessions: ``from tasklib.sessions import register`` and ``register()`` make a noxfile.py.

Options follow ``--``, pytest's own a second ``--``: ``nox -s service -- --name api -- -k orders``.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace  # noqa: TID251 - a caller is one
from pathlib import Path
from typing import Any

from tasklib.commands.console import say
from tasklib.errors import EXIT_CODES, NothingRan, NotInstalled, TasklibError, UsageError
from tasklib.options.caller import Caller, typed_program
from tasklib.options.catalog import COMMANDS
from tasklib.options.command import Command
from tasklib.options.help import command_help
from tasklib.options.likeness import meant

try:
    import nox
except ModuleNotFoundError as error:
    if error.name != "nox":
        raise
    raise NotInstalled("Nox") from error

__all__ = ["register"]

_SESSIONS = {command.session: command for command in COMMANDS if command.session}
_VERSION = re.compile(r"(?:[a-z]+)?\d[\w.+]*")
_DEFAULT = ("unit", "service", "integration")
_registered: dict[str, str] = {}
"""Our commands by the sessions of this noxfile that run them."""


def register(*names: str, python: str | Sequence[str] = ()) -> None:
    """Define the sessions called ``names``, all of them without names.

    ``python`` are versions, as uv knows them: for each of them, ``unit``, ``service`` and ``integration``
    have a session of their own beside the usual one, ``unit-3.13``, whose Python tests run on that version in
    environments apart. Only unit, service and integration run when ``nox`` is called without ``-s``.

    Raises :class:`~tasklib.errors.UsageError` for a name that is none of ours, and for what is no version.
    """
    versions = [python] if isinstance(python, str) else list(python)
    if wrong := [version for version in versions if not _VERSION.fullmatch(version)]:
        raise UsageError(f"{wrong[0]!r} is no version of Python", remedy='Write python=["3.12", "3.13"].')
    for name in names or _SESSIONS:
        if name not in _SESSIONS:
            known = f"Known: {', '.join(_SESSIONS)}."
            raise UsageError(
                f"tasklib has no session {name!r}", remedy=f"{meant(name, _SESSIONS)} {known}".lstrip()
            )
        command = _SESSIONS[name]
        _registered[command.name] = name
        nox.session(name=name, python=False, default=name in _DEFAULT, **_one_by_one())(_session(command))
        for version in versions if name in _DEFAULT else ():
            session = _session(command, version)
            nox.session(name=f"{name}-{version}", python=False, default=False, **_one_by_one())(session)


def _one_by_one() -> dict[str, Any]:
    """What keeps ``nox -j`` from running stages at once: a stage is for those that the one before passed.

    Noxes that cannot run sessions at once do not know the word.
    """
    known = inspect.signature(nox.session).parameters
    return {"allow_parallel": False} if "allow_parallel" in known else {}


def _session(command: Command, version: str = "") -> Callable[[nox.Session], None]:
    def session(session: nox.Session) -> None:
        for name in ("docker", "urllib3"):
            # Nox shows every library's debugging lines; those of the Docker SDK are hundreds a stack.
            logging.getLogger(name).setLevel(logging.WARNING)
        ending = _ended(session, command, version)
        # Nox ends these with a full stop of its own.
        if ending.skipped:
            session.skip(ending.skipped.rstrip(".?"))
        if ending.failed:
            session.error(ending.failed.rstrip(".?"))

    session.__doc__ = f"{command.doc[:-1]}, on Python {version}." if version else command.doc
    return session


@dataclass(frozen=True)
class _Ending:
    """Why a session was ``skipped`` or has ``failed``; neither: it passed."""

    skipped: str = ""
    failed: str = ""


def _ended(session: nox.Session, command: Command, version: str) -> _Ending:
    """Run the session; a traceback helps nobody, and SystemExit would end every session."""
    from tasklib.commands.boundary import boundary, open_streams
    from tasklib.sessions.outcomes import outcomes_of, remember

    open_streams()
    try:
        with boundary():
            return _run(session, command, version)
    except NothingRan as error:
        if outcomes_of(session).ran or _stages_follow(session):
            return _Ending(skipped=error.what)  # what was asked for was or may be in another session
        return _Ending(failed=error.line)
    except TasklibError as error:
        if error.exit_code == 130:
            raise KeyboardInterrupt from None
        if command.runs_tests:
            with contextlib.suppress(TasklibError):
                remember(session, failed=True)
        return _Ending(failed=error.line)


def _run(session: nox.Session, command: Command, version: str) -> _Ending:
    from msgspec import structs

    from tasklib.commands.table import run
    from tasklib.sessions.outcomes import outcomes_of, remember
    from tasklib.sessions.parser import read

    caller = _caller(session)
    if version:
        # What is typed to repeat a test has to choose this Python again.
        names = {**caller.names, **{_SESSIONS[stage].name: f"{stage}-{version}" for stage in _DEFAULT}}
        caller = replace(caller, names=names)
    values = read(command, session.posargs, caller)
    if values is None:
        for line in command_help(command, caller.line(command.name), dashes="--"):
            say(line)
        return _Ending()
    if session._runner.global_config.install_only:
        session.log("nothing to install: environments are made when their tests run")
        return _Ending()
    if not command.runs_tests:
        code = run(command, values)
        return _Ending(failed=EXIT_CODES.get(code, f"exit code {code}") if code else "")
    failed = [name for name in outcomes_of(session).failed if name.partition("-")[2] == version]
    if command.session in _DEFAULT and failed:
        return _Ending(skipped=f"{failed[0]} failed")
    code = run(command, structs.replace(values, python=version))
    if code == 130:
        raise KeyboardInterrupt
    remember(session, failed=bool(code))
    return _Ending(failed=EXIT_CODES.get(code, f"exit code {code}") if code else "")


def _stages_follow(session: nox.Session) -> bool:
    """Whether Nox has sessions of tests in its queue; it tells no session of the others by itself."""
    queue = getattr(getattr(session._runner, "manifest", None), "_queue", ())
    return any(runner.name.partition("-")[0] in (*_DEFAULT, "test") for runner in queue)


def _caller(session: nox.Session) -> Caller:
    """Nox as it was typed: with the noxfile where that is not the usual one."""
    config = session._runner.global_config
    # Under `nox -j` this process is one that Nox started, in words of its own.
    worker = getattr(config, "parallel_worker", False)
    program = ("nox",) if worker else typed_program(sys.argv[0] if sys.argv else "")
    noxfile = Path(config.noxfile)
    if noxfile.name != "noxfile.py" or not noxfile.parent.samefile(config.invoked_from):
        program = (*program, "-f", os.path.relpath(config.noxfile, config.invoked_from))
    return Caller(program, dict(_registered), sessions=True)
