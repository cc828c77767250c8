"""Folders for what children leave: they go whatever ends us, and no other ones do."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tasklib.process import SCRATCH, scratch_folder, sweep_scratch

_HOLD = """
import sys, time
from tasklib.process import scratch_folder
with scratch_folder() as folder:
    (folder / "events").write_text("unmasked")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def folder_for_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def holder() -> tuple[subprocess.Popen[str], Path]:
    """A process that uses a folder, and the folder."""
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    return child, Path(child.stdout.readline().strip())


def test_the_folder_of_a_killed_process_is_swept_and_that_of_a_living_one_is_not() -> None:
    """The kernel knows which is which."""
    (dead, left), (alive, used) = holder(), holder()
    with dead, alive:
        dead.kill()
        dead.wait()
        assert left.exists()
        sweep_scratch()
        assert not left.exists()
        assert used.exists()
        alive.communicate("")
    assert not used.exists()


def test_what_only_looks_like_one_stays(tmp_path: Path) -> None:
    """Links, files and folders of other names are nobody's scratch."""
    (tmp_path / "tasklib-0").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"{SCRATCH}link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / f"{SCRATCH}file").touch()
    sweep_scratch()
    assert len(list(tmp_path.iterdir())) == 4


def test_a_folder_that_was_swept_before_it_was_opened_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another run may start at any moment, and takes what nobody has locked for left over."""
    make, made = tempfile.mkdtemp, list[str]()

    def swept(prefix: str) -> str:
        made.append(make(prefix=prefix))
        if len(made) == 1:
            sweep_scratch()
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", swept)
    with scratch_folder() as folder:
        assert folder.is_dir()
    assert len(made) == 2


def test_a_folder_that_was_swept_before_it_was_locked_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for a folder gets one that is there."""
    make, made = tempfile.mkdtemp, list[str]()

    def swept(prefix: str) -> str:
        made.append(make(prefix=prefix))
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", swept)
    sweeps = iter([sweep_scratch])
    import fcntl

    lock = fcntl.flock

    def late(descriptor: int, how: int) -> None:
        for sweep in sweeps:
            sweep()
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with scratch_folder() as folder:
        assert folder.is_dir()
    assert len(made) == 2
    assert not folder.exists()
