"""Where the command ``tasklib`` starts.

Next to nothing is imported before :func:`main` runs: what goes wrong from then on, be it an import or Ctrl-C,
ends in a line and an exit code.
"""

from __future__ import annotations

# What `signal` imports besides takes longer than all of this module.
import _signal as signal  # type: ignore[import-not-found]
import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run ``sys.argv``; leaves by SystemExit when the code is not 0."""
    # Nothing has begun while we import, so there is nothing to clean up.
    usual = signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from tasklib.garbage import look_seldom

    look_seldom()
    from tasklib.commands.boundary import boundary, open_streams, spoken
    from tasklib.errors import TasklibError

    try:
        with boundary():
            open_streams()
            from tasklib.commands.console import flush

            _import_tasks()
            from tasklib.tasks.program import run

            signal.signal(signal.SIGINT, usual)
            try:
                run(sys.argv)
            finally:
                flush()
    except TasklibError as error:
        if said := spoken(error):
            sys.stderr.write(f"{said}\n")
        raise SystemExit(error.exit_code) from None


def _import_tasks() -> None:
    """Import Invoke, for our tasks, without `unittest.mock`, which brings asyncio: a fifth of
    the command's start.

    One class of Invoke's needs it, for the tests of tasks; should anyone use that here, it gets the real one.
    """
    name = "unittest.mock"
    if name in sys.modules:
        return

    def mock(*positional: object, **named: object) -> object:
        from unittest.mock import Mock

        return Mock(*positional, **named)

    stand_in = type(sys)(name)
    stand_in.__dict__["Mock"] = mock
    sys.modules[name] = stand_in
    try:
        import tasklib.tasks  # noqa: F401
    finally:
        del sys.modules[name]


if __name__ == "__main__":
    main()
