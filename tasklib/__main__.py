"""Where the command ``tasklib`` starts.

Next to nothing is imported before :func:`main` runs: what goes wrong from then on, be it an import or Ctrl-C,
ends in a line and an exit code.
"""

from __future__ import annotations

import os
import signal
import sys

__all__ = ["main"]


def main() -> None:
    """Run ``sys.argv``; leaves by SystemExit when the code is not 0."""
    # Nothing has begun while we import, so there is nothing to clean up.
    usual = signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from tasklib.commands.boundary import boundary, open_streams
    from tasklib.errors import OutputClosed, TasklibError

    try:
        with boundary():
            open_streams()
            from tasklib.tasks.program import run

            signal.signal(signal.SIGINT, usual)
            try:
                run(sys.argv)
            finally:
                sys.stdout.flush()
    except OutputClosed as error:
        raise SystemExit(error.exit_code) from None
    except TasklibError as error:
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
