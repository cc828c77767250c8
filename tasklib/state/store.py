"""What tasklib remembers between runs: small JSON records in the user's state folder, and locks beside them.

The folder is ``$XDG_STATE_HOME/tasklib`` (``~/.local/state/tasklib``), mode 0700, never inside a checkout.
A record appears whole or not at all (written under a temporary name, then renamed). One that cannot be read
is set aside under another name and counts as missing: what is on the engine still tells the truth by label.
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
from tasklib.files.lock import Lock, this_process
from tasklib.files.whole import PRIVATE, write_whole

__all__ = ["State", "default_state"]

T = TypeVar("T")

_SUFFIX = ".json"
_MODE = 0o700
_MAX_PART = 120


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
        with self._usable():
            self._folder(self.root / folder)
        return self.root / folder

    def read(self, name: str, kind: type[T]) -> T | None:
        """The record ``name`` as a ``kind`` (a dataclass); ``None`` where there is none that can be read."""
        return self._load(self._path(name), kind)

    def write(self, name: str, record: object) -> None:
        """Put ``record`` (a dataclass) in place of what ``name`` held."""
        path = self._path(name)
        with self._usable():
            self._folder(path.parent)
            write_whole(path, _encode(record), mode=PRIVATE)

    def remove(self, name: str) -> None:
        """Forget ``name``; nothing happens where there is no such record."""
        with self._usable():
            self._path(name).unlink(missing_ok=True)

    def records(self, folder: str, kind: type[T]) -> dict[str, T]:
        """Every readable record directly in ``folder``, by its name."""
        found: dict[str, T] = {}
        with contextlib.suppress(OSError):
            for path in sorted((self.root / folder).iterdir()):
                if path.suffix == _SUFFIX and (record := self._load(path, kind)) is not None:
                    found[f"{folder}/{path.name.removesuffix(_SUFFIX)}"] = record
        return found

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
        with self._usable():
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
        if stat.S_IMODE(self.root.stat().st_mode) != _MODE:
            self.root.chmod(_MODE)

    def _load(self, path: Path, kind: type[T]) -> T | None:
        try:
            return msgspec.convert(json.loads(path.read_bytes()), kind)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError):
            with contextlib.suppress(OSError):
                path.replace(path.with_suffix(".unreadable"))
            return None

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConfigError(
                f"the state folder cannot be used: {error.strerror or error}",
                where=str(error.filename or self.root),
                remedy="Make it writable, or set XDG_STATE_HOME to a folder of yours.",
            ) from error


def default_state(env: Mapping[str, str] | None = None) -> State:
    """The user's state folder as ``env`` (``os.environ``) names it.

    Where there is no home to write to, a private folder of the user in the system's temporary folder.
    """
    env = os.environ if env is None else env
    named = env.get("XDG_STATE_HOME", "")
    if Path(named).is_absolute():
        return State(Path(named) / "tasklib")
    home = env.get("HOME", "")
    folder = Path(home) / ".local" / "state" / "tasklib"
    if Path(home).is_absolute() and _can_hold(folder):
        return State(folder)
    return State(_temporary())


def _can_hold(folder: Path) -> bool:
    """Whether ``folder`` can be written, or made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


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
