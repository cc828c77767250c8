"""The one place where what nobody foresaw becomes an error like any other: a line or two and an exit code."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from tasklib.errors import InternalError, Interrupted, OutputClosed, TasklibError
from tasklib.shown.masking import mask
from tasklib.shown.people import for_people
from tasklib.state.unkept import take_unkept

__all__ = ["boundary", "open_streams", "spoken"]

_PACKAGE = Path(__file__).parents[1]


@contextlib.contextmanager
def boundary() -> Iterator[None]:
    """Everything that is raised inside, as a :class:`~tasklib.errors.TasklibError` that may be shown.

    Ctrl-C is :class:`Interrupted`, a reader of our output who has gone :class:`OutputClosed`, and what is
    left a mistake of ours: an :class:`InternalError` that says where its traceback is.
    """
    try:
        yield
    except TasklibError as error:
        _make_presentable(error)
        raise
    except KeyboardInterrupt:
        raise Interrupted from None
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _reader_gone():
            raise OutputClosed from None
        raise _mistake(error) from None
    finally:
        _tell_unkept()


def _tell_unkept() -> None:
    """Say what a full disk did not keep."""
    if lost := take_unkept():
        with contextlib.suppress(OSError):
            sys.stderr.write(f"warning: {for_people(lost)}\n")


def _make_presentable(error: TasklibError) -> None:
    """No secret in it, and names that others chose cannot make lines of their own or steer a terminal."""
    error.what = _presentable(error.what)
    error.where = error.where and _presentable(error.where)
    error.remedy = error.remedy and _presentable(error.remedy)
    error.args = (error.what,)


def _presentable(text: str) -> str:
    return for_people(text).replace("\n", " ")


def spoken(error: TasklibError) -> str:
    """What the user is told of it: an interrupt is no error; empty where nobody listens."""
    if isinstance(error, OutputClosed):
        return ""
    return str(error) if isinstance(error, Interrupted) else f"error: {error}"


def open_streams() -> None:
    """Put something in the place of standard streams that were closed (``>&-``).

    The next file to be opened would get their number, and whatever is printed with it.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            with contextlib.suppress(OSError):
                os.fstat(number)
                continue
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def _reader_gone() -> bool:
    """Whether nobody reads our output any more; what is left of it goes nowhere then, in silence."""
    gone = False
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            waiting = select.poll()
            waiting.register(stream.fileno(), select.POLLOUT)
            if any(events & (select.POLLERR | select.POLLHUP) for _, events in waiting.poll(0)):
                gone = True
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return gone


def _mistake(error: Exception) -> InternalError:
    from tasklib.reporting.words.text import one_line

    said = one_line(mask(f"{type(error).__name__}: {error}".removesuffix(": ")), 200)
    path = _kept(error)
    return InternalError(
        f"tasklib itself failed: {said}{_place(error)}",
        remedy=f"Please report it, with its traceback in {path}." if path else "Please report it.",
    )


def _place(error: Exception) -> str:
    """`` (stacks/kept.py:12)``: the last line of ours that was running."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    if not ours:
        return ""
    return f" ({Path(ours[-1].filename).relative_to(_PACKAGE)}:{ours[-1].lineno})"


def _kept(error: Exception) -> str:
    """The file that the traceback was written to, for the user alone; empty where none can be."""
    text = mask("".join(traceback.format_exception(error)))
    with contextlib.suppress(OSError, TasklibError):
        return _written(text, _log_folder())
    with contextlib.suppress(OSError):
        return _written(text, Path(tempfile.gettempdir()))
    return ""


def _log_folder() -> Path:
    from tasklib.state.store import default_state

    return default_state().made("logs")


def _written(text: str, folder: Path) -> str:
    began = time.strftime("%Y%m%d-%H%M%S")
    descriptor, path = tempfile.mkstemp(".log", f"{began}-{os.getpid()}-traceback-", folder)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)
    return path
