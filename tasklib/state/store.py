"""What tasklib remembers between runs: small JSON records in the user's state folder, and locks beside them.

The folder is ``$XDG_STATE_HOME/tasklib`` (``~/.local/state/tasklib``), mode 0700, never inside a checkout.
A record appears whole or not at all (written under a temporary name, then renamed). One that is no JSON is
set aside under another name and counts as missing, one of another version stays where it is: what is on the
engine still tells the truth by label. One that cannot be read now (too many open files) is an error.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import msgspec

from tasklib.errors import ConfigError
from tasklib.files.full import is_full, unless_full
from tasklib.files.lock import Lock, this_process
from tasklib.files.usable import usable
from tasklib.files.whole import PRIVATE, write_whole
from tasklib.state.unkept import note_unkept

__all__ = ["State", "default_state"]

T = TypeVar("T")

_SUFFIX = ".json"
_MODE = 0o700
_MAX_PART = 120
_UNUSABLE = "the state folder cannot be used"
_ABSENT = (FileNotFoundError, IsADirectoryError, NotADirectoryError)


class State:
    """A folder of records. Names of records are ``folder/…/name`` made with :meth:`name`.

    Every method raises :class:`~tasklib.errors.ConfigError` when the folder cannot be used.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def __repr__(self) -> str:
        return f"State({str(self.root)!r})"

    @staticmethod
    def name(*parts: str) -> str:
        """The name of a record from any strings; different parts never give one name."""
        return "/".join(_part(part) for part in parts)

    def made(self, folder: str = "") -> Path:
        """A folder of files that are no records, made where it is missing; without a name the root."""
        with usable(self.root, _UNUSABLE):
            self._folder(self.root / folder)
        return self.root / folder

    def read(self, name: str, kind: type[T]) -> T | None:
        """The record ``name`` as a ``kind`` (a dataclass); ``None`` where none is understood."""
        return self._load(self._path(name), kind)

    def write(self, name: str, record: object) -> None:
        """Put ``record`` (a dataclass) in place of what ``name`` held."""
        path = self._path(name)
        with usable(self.root, _UNUSABLE):
            self._folder(path.parent)
            write_whole(path, _encode(record), mode=PRIVATE)

    def keep(self, name: str, record: object) -> bool:
        """As :meth:`write` does, for what can be done without: where the disk is full it is left out.

        Returns whether it was kept; :func:`~tasklib.state.unkept.take_unkept` says what was not.
        """
        try:
            self.write(name, record)
        except ConfigError as error:
            if not is_full(error.__cause__):
                raise
            note_unkept(name, self.root)
            return False
        return True

    def remove(self, name: str) -> None:
        """Forget ``name``; nothing happens where there is no such record."""
        with usable(self.root, _UNUSABLE), unless_full():
            self._path(name).unlink(missing_ok=True)

    def records(self, folder: str, kind: type[T]) -> dict[str, T]:
        """Every readable record directly in ``folder``, by its name."""
        found: dict[str, T] = {}
        with usable(self.root, _UNUSABLE), contextlib.suppress(*_ABSENT):
            for path in sorted((self.root / folder).iterdir()):
                if path.suffix == _SUFFIX and (record := self._load(path, kind)) is not None:
                    found[f"{folder}/{path.name.removesuffix(_SUFFIX)}"] = record
        return found

    def holds(self, name: str) -> bool:
        """Whether there is a record ``name``, also one of another version that cannot be understood."""
        return os.path.lexists(self._path(name))

    def folders(self, folder: str) -> tuple[str, ...]:
        """The names of the folders directly in ``folder``."""
        with contextlib.suppress(OSError):
            return tuple(f"{folder}/{p.name}" for p in sorted((self.root / folder).iterdir()) if p.is_dir())
        return ()

    @contextlib.contextmanager
    def lock(self, name: str, *, timeout: float = 60.0) -> Iterator[None]:
        """Hold the lock ``name`` against every other process and thread that shares this folder.

        Who waits for longer than ``timeout`` seconds is told who has it.
        """
        path = self.root / "locks" / f"{name}.lock"
        with usable(self.root, _UNUSABLE), unless_full():
            self._folder(path.parent)
        lock = Lock(path, this_process())
        if not lock.try_acquire(timeout):
            raise ConfigError(
                f"{lock.holder()} has held {path} for more than {timeout:g} s",
                remedy="End that process and try again.",
            )
        try:
            yield
        finally:
            lock.release()

    def _path(self, name: str) -> Path:
        return self.root / f"{name}{_SUFFIX}"

    def _folder(self, folder: Path) -> None:
        folder.mkdir(mode=_MODE, parents=True, exist_ok=True)
        # What a link leads to was made for something else, too.
        if not self.root.is_symlink() and stat.S_IMODE(self.root.stat().st_mode) != _MODE:
            self.root.chmod(_MODE)

    def _load(self, path: Path, kind: type[T]) -> T | None:
        try:
            with usable(self.root, _UNUSABLE):
                content = json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            with contextlib.suppress(OSError):
                path.replace(path.with_suffix(".unreadable"))
            return None
        except ConfigError as error:
            if isinstance(error.__cause__, _ABSENT):
                return None
            raise  # That it cannot be read now says nothing of what it holds.
        with contextlib.suppress(msgspec.ValidationError):
            return msgspec.convert(content, kind)
        return None  # another version's


def default_state(env: Mapping[str, str] | None = None) -> State:
    """The user's state folder as ``env`` (``os.environ``) names it.

    Where there is no home of one's own to write to, a private folder of the user in the system's temporary
    folder. Raises :class:`~tasklib.errors.ConfigError` for a folder that belongs to somebody else.
    """
    env = os.environ if env is None else env
    named = env.get("XDG_STATE_HOME", "")
    if Path(named).is_absolute():
        return State(_own(Path(named) / "tasklib"))
    home = env.get("HOME", "")
    folder = Path(home) / ".local" / "state" / "tasklib"
    if Path(home).is_absolute() and _can_hold(folder):
        return State(folder)
    return State(_temporary())


def _can_hold(folder: Path) -> bool:
    """Whether ``folder`` is ours and can be written, or can be made in one that is."""
    while not _is_there(folder) and folder != folder.parent:
        folder = folder.parent
    ours = folder.is_dir() and folder.stat().st_uid == os.geteuid()
    return ours and os.access(folder, os.W_OK | os.X_OK)


def _is_there(path: Path) -> bool:
    """Whether it is, as far as we may know."""
    try:
        return path.exists()
    except OSError:
        return False


def _own(folder: Path) -> Path:
    """``folder``, once it is sure that nobody else has made it, or a link to it, or could replace it.

    What it stands in may be the system's, such as the temporary folder.
    """
    for path, owners in ((folder.parent, {0, os.geteuid()}), (folder, {os.geteuid()})):
        with contextlib.suppress(OSError):
            for facts in (path.lstat(), path.stat()):
                if facts.st_uid not in owners:
                    whose = path if facts.st_ino == path.lstat().st_ino else path.resolve()
                    raise ConfigError(
                        f"the state folder belongs to another user (id {facts.st_uid})",
                        where=str(whose),
                        remedy="Set XDG_STATE_HOME to a folder of yours.",
                    )
    return folder


def _temporary() -> Path:
    """A folder that other users could have made before us is refused, not used."""
    folder = Path(tempfile.gettempdir()) / f"tasklib-{os.getuid()}"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=_MODE, exist_ok=True)
        facts = folder.lstat()
        if stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid():
            return folder
    raise ConfigError(
        "there is no folder for tasklib's state: the home folder cannot be written",
        where=str(folder),
        remedy="Set XDG_STATE_HOME to a folder of yours.",
    )


def _encode(record: object) -> bytes:
    """JSON in ASCII: names of files and branches need not be valid Unicode."""
    return json.dumps(msgspec.to_builtins(record)).encode()


def _part(text: str) -> str:
    """``text`` as one part of a path that is neither hidden nor too long."""
    quoted = quote(text.encode("utf-8", "surrogatepass"), safe="@")
    if not quoted:
        return "%"
    if quoted.startswith("."):
        quoted = f"%2E{quoted[1:]}"
    if len(quoted) <= _MAX_PART:
        return quoted
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{quoted[: _MAX_PART - 33]}~~{digest[:31]}"
