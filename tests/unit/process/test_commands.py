"""What goes into a command and comes out of it, and how it can be ended."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib import process
from tasklib.errors import Interrupted

from ...examples import examples


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_both_streams_and_the_code_are_kept_apart() -> None:
    """Exit code, standard output and standard error as the command left them."""
    done = process.run(
        python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"), check=False
    )
    assert (done.code, done.stdout, done.stderr) == (3, "out\n", "err\n")


@examples(0.3)
@given(st.lists(st.binary(max_size=40), max_size=5))
def test_any_bytes_are_text_in_the_end(chunks: list[bytes]) -> None:
    """Garbage, missing newlines and carriage returns never raise; no line holds a newline."""
    data = b"".join(chunks)
    lines: list[str] = []
    words = "".join(f"\\{byte:03o}" for byte in data)
    assert process.stream(["printf", words], on_line=lambda _, line: lines.append(line)) == 0
    *whole, rest = data.split(b"\n")
    assert len(lines) == len(whole) + bool(rest)
    assert not any("\n" in line for line in lines)


def test_a_line_without_an_end_is_told_when_the_command_ends() -> None:
    """The last line need not end in a newline, and a Windows ending is none of the text."""
    assert process.run(python(r"import sys; sys.stdout.write('one\r\ntwo')")).stdout == "one\ntwo\n"


def test_without_input_a_command_reads_nothing() -> None:
    """It sees the end of its input, never our terminal."""
    assert process.run(python("import sys; print(repr(sys.stdin.read()))")).stdout == "''\n"


def test_the_environment_is_what_was_given_and_whose_child_it_is() -> None:
    """Nothing of our own environment comes through; the mark is what the reaper finds lost children by."""
    code = "import os; print(sorted(name for name in os.environ if name != 'LC_CTYPE'))"
    assert process.run(python(code), env={"ONLY": "this"}).stdout == f"{sorted(['ONLY', process.CHILD_OF])}\n"


def test_arguments_are_data() -> None:
    """Nothing is expanded, split or interpreted."""
    words = ["$HOME", "a b", "*", "; exit 1", "", "\n", "--"]
    done = process.run([*python("import sys; print(sys.argv[1:])"), *words])
    assert done.stdout == f"{words!r}\n"


def test_a_failed_command_is_told_with_its_last_words() -> None:
    """The error carries code and output, its text the last line that was written."""
    with pytest.raises(process.CommandError, match="no space left") as caught:
        process.run(python("import sys; print('no space left', file=sys.stderr); sys.exit(9)"))
    assert caught.value.completed.code == 9


def test_a_command_may_clean_up_when_it_is_asked_to_end(tmp_path: Path) -> None:
    """Within the grace period it ends by itself."""
    code = f"""
import signal, sys, time
def end(*_):
    open({str(tmp_path / "cleaned")!r}, "w").close()
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
time.sleep(600)
"""
    cancel = process.Cancel()
    with pytest.raises(Interrupted):
        process.stream(python(code), on_line=lambda *_: cancel.set("enough"), cancel=cancel)
    assert (tmp_path / "cleaned").exists()


def test_a_request_ends_a_silent_command_soon() -> None:
    """It need not write anything for us to look."""
    cancel = process.Cancel()
    threading.Timer(0.1, cancel.set).start()
    with pytest.raises(Interrupted):
        process.run(python("import time; time.sleep(600)"), cancel=cancel, timeout=60)


def test_live_children_can_be_killed_at_once() -> None:
    """Every process group that runs now ends, and so do those who wait for it."""
    results: list[int] = []

    def work() -> None:
        results.append(process.stream(python("import time; time.sleep(600)"), on_line=lambda *_: None))

    threads = [threading.Thread(target=work) for _ in range(2)]
    before = len(process.CHILDREN._held)
    for thread in threads:
        thread.start()
    assert until(lambda: len(process.CHILDREN._held) == before + 2)
    process.CHILDREN.kill()
    for thread in threads:
        thread.join(10)
    assert results == [-9, -9]


def test_a_detached_process_outlives_its_parents_group(tmp_path: Path) -> None:
    """It has a session of its own and writes to its log."""
    read, write = os.pipe()
    code = "import os, sys; print(os.getsid(0), flush=True); sys.stdin.read(); print('ended')"
    pid = process.detach(python(code), stdin=read, log=tmp_path / "log")
    os.close(read)
    assert until(lambda: (tmp_path / "log").read_text() == f"{pid}\n")
    os.close(write)
    assert until(lambda: (tmp_path / "log").read_text() == f"{pid}\nended\n")


def test_a_word_that_no_program_can_be_given_is_a_failed_command() -> None:
    """A NUL in a word or in a variable's value: the command is named, as where it is missing."""
    for argv, env in ((["true", "a\0b"], {}), (["true"], {"A": "\0"})):
        with pytest.raises(process.CommandError, match=r"true: .*null byte"):
            process.run(argv, env={**os.environ, **env})
