"""The one lock, seen from processes that die with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tasklib.files.lock import Lock, User, this_process
from tasklib.process import Cancel

HOLD = """
import sys, time
from pathlib import Path
from tasklib.files.lock import Lock, User
lock = Lock(Path(sys.argv[1]), User(command="invoke test", pid=7, root="/shop"))
assert lock.try_acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_the_kernel_frees_it_with_its_holder(tmp_path: Path) -> None:
    """Who waits is told for whom, and has the lock as soon as that process was killed."""
    path = tmp_path / "locks" / "a.lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    with holder:
        assert holder.stdout.readline() == "held\n"
        lock, told = Lock(path, this_process()), list[User]()

        def on_wait(user: User) -> None:
            told.append(user)
            os.kill(holder.pid, signal.SIGKILL)

        lock.acquire(Cancel(), on_wait)
    assert [str(user) for user in told] == ["`invoke test` (pid 7) in /shop"]
    assert lock.holder() == this_process()
    lock.release()
    assert not path.exists()


def test_a_file_that_was_sent_holds_it(tmp_path: Path) -> None:
    """Handed over, the lock is its receiver's; what is released is free for everyone."""
    first, second = Lock(tmp_path / "a"), Lock(tmp_path / "a")
    assert first.try_acquire()
    sent = os.dup(first.fileno())
    first.hand_over()
    assert not second.try_acquire()
    os.close(sent)
    assert second.try_acquire()
    second.release()
