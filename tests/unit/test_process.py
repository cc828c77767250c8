"""Running commands: their output, their deadlines, and that nothing of them outlives us."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasklib import process
from tasklib.errors import Interrupted


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_both_streams_and_the_code_are_kept_apart() -> None:
    """Exit code, standard output and standard error as the command left them."""
    done = process.run(
        python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"), check=False
    )
    assert (done.code, done.stdout, done.stderr) == (3, "out\n", "err\n")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=5))
def test_any_bytes_are_text_in_the_end(chunks: list[bytes]) -> None:
    """Garbage, missing newlines and carriage returns never raise; no line holds a newline."""
    data = b"".join(chunks)
    lines: list[str] = []
    code = f"import sys; sys.stdout.buffer.write({data!r})"
    assert process.stream(python(code), on_line=lambda _, line: lines.append(line)) == 0
    *whole, rest = data.split(b"\n")
    assert len(lines) == len(whole) + bool(rest)
    assert not any("\n" in line for line in lines)


def test_a_line_without_an_end_is_told_when_the_command_ends() -> None:
    """The last line need not end in a newline, and a Windows ending is none of the text."""
    assert process.run(python(r"import sys; sys.stdout.write('one\r\ntwo')")).stdout == "one\ntwo\n"


def test_input_larger_than_any_pipe_is_read_while_output_is_written() -> None:
    """Neither side waits for the other for ever."""
    text = "0123456789abcde\n" * 200_000
    done = process.run(python("import sys; sys.stdout.write(sys.stdin.read())"), stdin=text, timeout=60)
    assert done.stdout == text


def test_a_command_that_reads_no_input_is_no_error() -> None:
    """What it leaves unread is dropped."""
    assert process.run(python("print('done')"), stdin="x" * 5_000_000, timeout=60).stdout == "done\n"


def test_without_input_a_command_reads_nothing() -> None:
    """It sees the end of its input, never our terminal."""
    assert process.run(python("import sys; print(repr(sys.stdin.read()))")).stdout == "''\n"


def test_the_environment_is_exactly_what_was_given() -> None:
    """Nothing of ours is added to ``env``."""
    code = "import os; print(sorted(name for name in os.environ if name != 'LC_CTYPE'))"
    assert process.run(python(code), env={"ONLY": "this"}).stdout == "['ONLY']\n"


def test_arguments_are_data() -> None:
    """Nothing is expanded, split or interpreted."""
    words = ["$HOME", "a b", "*", "; exit 1", "", "\n", "--"]
    done = process.run([*python("import sys; print(sys.argv[1:])"), *words])
    assert done.stdout == f"{words!r}\n"


def test_a_missing_program_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    """Whichever it was that is not there."""
    with pytest.raises(process.CommandError, match="no-such-program: No such file"):
        process.run(["no-such-program"])
    with pytest.raises(process.CommandError, match="gone: No such file"):
        process.run(python("pass"), cwd=tmp_path / "gone")


def test_a_failed_command_is_told_with_its_last_words() -> None:
    """The error carries code and output, its text the last line that was written."""
    with pytest.raises(process.CommandError, match="no space left") as caught:
        process.run(python("import sys; print('no space left', file=sys.stderr); sys.exit(9)"))
    assert caught.value.completed.code == 9


def test_a_deadline_ends_the_command_and_its_children(tmp_path: Path) -> None:
    """After its time nothing of its process group runs."""
    code = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
print("up", flush=True)
time.sleep(600)
"""
    with pytest.raises(process.TimedOut, match="more than 1 s"):
        process.run(python(code), timeout=1)
    assert until(lambda: not is_running(int((tmp_path / "pid").read_text())))


def test_a_command_that_ignores_the_request_to_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """TERM first, KILL after the grace period."""
    monkeypatch.setattr(process, "GRACE", 0.2)
    code = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(600)
"""
    cancel = process.Cancel()
    with pytest.raises(Interrupted):
        process.stream(python(code), on_line=lambda *_: cancel.set(), cancel=cancel)


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


def test_a_grandchild_that_keeps_the_pipes_is_not_waited_for() -> None:
    """The command has ended; what it left behind in its group is ended with it."""
    code = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid)
"""
    done = process.run(python(code), timeout=30)
    assert until(lambda: not is_running(int(done.stdout)))


def test_a_cancelled_request_starts_nothing(tmp_path: Path) -> None:
    """A command that begins after the request to stop never runs."""
    cancel = process.Cancel()
    cancel.set("SIGINT")
    with pytest.raises(Interrupted, match="SIGINT"):
        process.run(python(f"open({str(tmp_path / 'ran')!r}, 'w')"), cancel=cancel)
    assert not (tmp_path / "ran").exists()


def test_a_request_reaches_downwards_only() -> None:
    """One made from a parent is set by it, with its reason, and never sets it."""
    parent = process.Cancel()
    first, second = process.Cancel(parent), process.Cancel(parent)
    first.set("the stack is lost")
    assert (first.is_set(), second.is_set(), parent.is_set()) == (True, False, False)
    parent.set("SIGTERM")
    assert (second.is_set(), second.reason, first.reason) == (True, "SIGTERM", "the stack is lost")


def test_a_request_ends_a_silent_command_soon() -> None:
    """It need not write anything for us to look."""
    cancel = process.Cancel()
    threading.Timer(0.1, cancel.set).start()
    with pytest.raises(Interrupted):
        process.run(python("import time; time.sleep(600)"), cancel=cancel, timeout=60)


def test_who_listens_hears_of_every_start_and_end() -> None:
    """What lives already included; nobody is told twice."""
    children, heard = process.Children(), []
    children.add(1)
    children.listen(lambda sign, pid: heard.append(f"{sign}{pid}"))
    children.add(2)
    children.discard(1)
    children.listen(None)
    children.discard(2)
    assert heard == ["+1", "+2", "-1"]


def test_live_children_can_be_killed_at_once() -> None:
    """Every process group that runs now ends, and so do those who wait for it."""
    results: list[int] = []

    def work() -> None:
        results.append(process.stream(python("import time; time.sleep(600)"), on_line=lambda *_: None))

    threads = [threading.Thread(target=work) for _ in range(2)]
    before = len(process.CHILDREN._pids)
    for thread in threads:
        thread.start()
    assert until(lambda: len(process.CHILDREN._pids) == before + 2)
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


def test_a_child_never_shares_our_process_group() -> None:
    """Ctrl-C on the terminal reaches us alone."""
    done = process.run(python("import os; print(os.getpgid(0) == os.getpid())"))
    assert done.stdout == "True\n"
