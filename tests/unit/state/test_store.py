"""The state folder: whole records, private, never a traceback."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tasklib.errors import ConfigError
from tasklib.state import store
from tasklib.state.store import State, default_state
from tasklib.state.unkept import take_unkept

from ...examples import examples


@dataclass(frozen=True)
class Record:
    text: str
    numbers: tuple[int, ...] = ()


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state" / "tasklib")


@pytest.mark.parametrize("text", ["", "ü\n\0", "\udcff", "x" * 100_000])
def test_round_trip(state: State, text: str) -> None:
    """A record comes back as it was written, whatever strings it holds."""
    state.write("a/b", Record(text, (1, 2)))
    assert state.read("a/b", Record) == Record(text, (1, 2))
    assert state.records("a", Record) == {"a/b": Record(text, (1, 2))}
    assert state.folders("") == ("/a",)
    state.remove("a/b")
    state.remove("a/b")
    assert state.read("a/b", Record) is None


def test_private(state: State) -> None:
    """Nobody else can look into the folder, also when it was open before."""
    state.root.mkdir(parents=True, mode=0o755)
    state.write("a", Record("x"))
    assert stat.S_IMODE(state.root.stat().st_mode) == 0o700
    assert stat.S_IMODE((state.root / "a.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b'{"text": 3}', b"[]", b'{"version": 9, "words": ["x"]}', b"null"])
def test_a_record_of_another_version(state: State, content: bytes) -> None:
    """It counts as missing, and stays where it is for whoever understands it."""
    state.write("a/b", Record("x"))
    (state.root / "a" / "b.json").write_bytes(content)
    assert state.read("a/b", Record) is None
    assert state.records("a", Record) == {}
    assert state.holds("a/b")
    assert (state.root / "a" / "b.json").read_bytes() == content


_WITHOUT_FILES = """
import os, resource, sys
from pathlib import Path
from dataclasses import dataclass
from tasklib.errors import ConfigError
from tasklib.state.store import State
@dataclass
class Record: text: str
state = State(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
held = []
try:
    while True: held.append(os.open(os.devnull, os.O_RDONLY))
except OSError: pass
for look in (lambda: state.read("a/b", Record), lambda: state.records("a", Record)):
    try: print(look())
    except ConfigError as error: print(error.what)
"""


def test_a_record_that_cannot_be_read_now(state: State) -> None:
    """Too many open files say nothing of a record: it is neither missing nor moved."""
    state.write("a/b", Record("x"))
    found = subprocess.run(
        [sys.executable, "-c", _WITHOUT_FILES, str(state.root)], capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines() == ["the state folder cannot be used: Too many open files"] * 2
    assert state.read("a/b", Record) == Record("x")


def test_what_a_full_disk_does_not_keep(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records that can be done without are left out, and said once."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    state.write("runs/b", Record("x"))
    monkeypatch.setattr(store, "write_whole", full)
    assert not state.keep("runs/b", Record("y"))
    with pytest.raises(ConfigError, match="Make room there"):
        state.write("kept/b", Record("y"))
    assert take_unkept().endswith(
        "is full or read-only; not kept: what a later run would clean up after this one"
    )
    assert take_unkept() == ""
    assert state.read("runs/b", Record) == Record("x")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_unreadable_record(state: State, content: bytes) -> None:
    """What is no record at all counts as missing and is kept beside its place."""
    state.write("a/b", Record("x"))
    (state.root / "a" / "b.json").write_bytes(content)
    assert state.read("a/b", Record) is None
    assert (state.root / "a" / "b.unreadable").read_bytes() == content
    state.write("a/b", Record("y"))
    assert state.records("a", Record) == {"a/b": Record("y")}


def test_foreign_things(state: State) -> None:
    """Folders and links that lead nowhere in place of records disturb nobody."""
    (state.root / "a" / "folder.json").mkdir(parents=True)
    (state.root / "a" / "link.json").symlink_to("nowhere")
    assert state.records("a", Record) == {}
    assert state.records("absent", Record) == {}


def test_a_failed_write_leaves_the_old_record(state: State) -> None:
    """A record that cannot be encoded replaces nothing and leaves nothing."""
    state.write("a/b", Record("x"))
    with pytest.raises(TypeError):
        state.write("a/b", object())
    assert state.read("a/b", Record) == Record("x")
    assert [path.name for path in (state.root / "a").iterdir()] == ["b.json"]


def test_folder_in_the_way(tmp_path: Path) -> None:
    """A state folder that cannot be made is an error that says so, not a traceback."""
    (tmp_path / "file").touch()
    state = State(tmp_path / "file" / "tasklib")
    with pytest.raises(ConfigError, match="XDG_STATE_HOME") as caught:
        state.write("a", Record("x"))
    assert str(tmp_path / "file") in str(caught.value)
    with pytest.raises(ConfigError), state.lock("a"):
        pass


@examples(0.5, HealthCheck.function_scoped_fixture)
@given(
    st.lists(st.text(max_size=40) | st.sampled_from(["..", ".", "", "/", "a" * 500]), min_size=1, max_size=3)
)
def test_any_name(state: State, parts: list[str]) -> None:
    """Any strings make a name that stays inside the folder and holds one record."""
    name = State.name(*parts)
    state.write(name, Record("x"))
    assert (state.root / f"{name}.json").resolve().is_relative_to(state.root.resolve())
    assert state.read(name, Record) == Record("x")


@given(st.lists(st.text(alphabet="a/.%@", max_size=4), min_size=1, max_size=3, unique=True))
def test_different_names(parts: list[str]) -> None:
    """Different parts give different names."""
    assert len({State.name(part) for part in parts}) == len(parts)


def test_lock_excludes(state: State) -> None:
    """While one holds a lock, another waits for it, and says who has it when it waits too long."""
    waited = []

    def second() -> None:
        with (
            pytest.raises(ConfigError, match=rf"\(pid {os.getpid()}\) has held"),
            state.lock("x/y", timeout=0.01),
        ):
            pass
        waited.append(True)

    with state.lock("x/y"), state.lock("other"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    with state.lock("x/y", timeout=0.01):
        assert waited == [True]


def test_default_folder(tmp_path: Path) -> None:
    """XDG_STATE_HOME names the folder if it is absolute, else the home folder does."""
    home = {"HOME": str(tmp_path)}
    assert default_state({"XDG_STATE_HOME": "/x", **home}).root == Path("/x/tasklib")
    for env in (home, {"XDG_STATE_HOME": "", **home}, {"XDG_STATE_HOME": "relative", **home}):
        assert default_state(env).root == tmp_path / ".local" / "state" / "tasklib"


@pytest.mark.parametrize("home", ["", "/proc/none", "relative", "/proc/" + "x" * 300])
def test_no_home(home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a home that can be written, the user's own folder among the temporary ones is used."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).startswith("/proc"))
    state = default_state({"HOME": home})
    assert state.root == tmp_path / f"tasklib-{os.getuid()}"
    assert stat.S_IMODE(state.root.stat().st_mode) == 0o700


def test_a_link_in_place_of_the_folder(tmp_path: Path) -> None:
    """One's own may lead to another disk; what it leads to keeps its mode."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    (tmp_path / "tasklib").symlink_to(elsewhere)
    default_state({"XDG_STATE_HOME": str(tmp_path)}).write("a", Record("x"))
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what belongs to somebody else")
@pytest.mark.parametrize("of", ["folder", "link", "target", "parent"])
def test_what_belongs_to_another_user(of: str, tmp_path: Path) -> None:
    """It is refused, be it the folder, a link to it or what it stands in; root may write anywhere, and ought
    not to."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    folder = home / "tasklib"
    home.mkdir()
    elsewhere.mkdir(mode=0o755)
    if of in ("link", "target"):
        folder.symlink_to(elsewhere)
    elif of == "folder":
        folder.mkdir()
    owned = {"folder": folder, "link": folder, "target": elsewhere, "parent": home}[of]
    os.chown(owned, 12345, 12345, follow_symlinks=False)
    with pytest.raises(ConfigError, match="belongs to another user") as caught:
        default_state({"XDG_STATE_HOME": str(home)})
    assert str(owned) in str(caught.value)
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write to somebody else's home")
def test_the_home_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `sudo` leaves in HOME is not written to: the user would be locked out of their own folder."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    home = tmp_path / "ana"
    home.mkdir()
    os.chown(home, 12345, 12345)
    assert default_state({"HOME": str(home)}).root == tmp_path / "tasklib-0"
    assert list(home.iterdir()) == []


def test_no_home_and_a_trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary folder that someone else prepared is refused."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / f"tasklib-{os.getuid()}").symlink_to(tmp_path)
    with pytest.raises(ConfigError, match="XDG_STATE_HOME"):
        default_state({})
