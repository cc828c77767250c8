"""What became of the sessions of this Nox run: the stages that follow a failed one skip themselves.

Under ``nox -j`` every session is a process of its own, so it is kept in the user's state folder, under the
process that is the whole run.
"""

from __future__ import annotations

import os

import nox
from msgspec import Struct

from tasklib.state.liveness import ProcessIdentity

__all__ = ["Outcomes", "outcomes_of", "remember"]

_FOLDER = "nox"


class Outcomes(Struct, frozen=True):
    """The sessions that ``failed``, and those in which some test ``ran``; ``run`` is Nox's process."""

    run: ProcessIdentity
    failed: tuple[str, ...] = ()
    ran: tuple[str, ...] = ()


def outcomes_of(session: nox.Session) -> Outcomes:
    """What is known of the sessions before this one."""
    from tasklib.state.store import default_state

    run = _run_of(session)
    return default_state().read(_name(run), Outcomes) or Outcomes(run)


def remember(session: nox.Session, *, failed: bool) -> None:
    """Tell the sessions that follow how this one ended; what runs that are over told theirs is forgotten."""
    from tasklib.state.liveness import is_alive
    from tasklib.state.store import default_state

    state = default_state()
    for name, found in state.records(_FOLDER, Outcomes).items():
        if is_alive(found.run) is False:
            state.remove(name)
    known = outcomes_of(session)
    new = (session.name,)
    failures = known.failed + (new if failed else ())
    state.keep(_name(known.run), Outcomes(known.run, failures, known.ran + (() if failed else new)))


def _run_of(session: nox.Session) -> ProcessIdentity:
    from tasklib.state.liveness import current, identify

    config = session._runner.global_config
    found = identify(os.getppid()) if getattr(config, "parallel_worker", False) else None
    return found or current()


def _name(run: ProcessIdentity) -> str:
    from tasklib.state.store import State

    return State.name(_FOLDER, f"{run.pid} {run.start_time} {run.boot_id}")
