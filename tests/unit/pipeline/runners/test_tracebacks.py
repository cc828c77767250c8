"""What the stacks of a process tell."""

from __future__ import annotations

import pytest

from tasklib.pipeline.runners.tracebacks import awaits, what_stays

LIB = "/usr/lib/python3.11"
MAIN = f'Thread 0x7f (most recent call first):\n  File "{LIB}/threading.py", line 1590 in _shutdown\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f'{MAIN}Thread 0x8 (most recent call first):\n  File "/shop/tests/t.py", line 7 in serve\n',
            "a thread that is no daemon still ran at tests/t.py:7",
        ),
        (
            f'{MAIN}  File "{LIB}/concurrent/futures/thread.py", line 58 in run',
            "a thread that is no daemon still ran",
        ),
        (
            f'  File "{LIB}/multiprocessing/util.py", line 360 in _exit_function',
            "a process that multiprocessing started still ran",
        ),
        (f'  File "{LIB}/selectors.py", line 1 in select', ""),
        ("", ""),
    ],
)
def test_what_keeps_a_process_is_told(text: str, said: str) -> None:
    """The project's own line where there is one, else what kind of thing it is."""
    assert what_stays(text, "/shop") == said


def test_what_is_awaited_stands_on_no_stack() -> None:
    """A loop that waits and a line of the project's that blocks it are told apart."""
    loop = f'  File "{LIB}/selectors.py", line 4 in x\n  File "{LIB}/asyncio/base_events.py", line 1 in y\n'
    assert awaits(loop, "/shop")
    assert not awaits(f'  File "/shop/tests/t.py", line 7 in work\n{loop}', "/shop")
    assert not awaits(MAIN, "/shop")
