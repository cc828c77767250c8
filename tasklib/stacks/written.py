"""What containers write into the checkout: the folders that are mounted into them to be written."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from tasklib.checkout import git
from tasklib.errors import TasklibError
from tasklib.stacks.dollars import plain
from tasklib.stacks.engine.values import Users
from tasklib.stacks.rewrite import replica_count

__all__ = [
    "Foreign",
    "data_folders",
    "foreign_file",
    "ownership",
    "written_folders",
    "written_in_common",
    "written_mounts",
]

_MANY = 20_000
"""Files and folders after which nobody looks any further."""


def written_folders(config: Mapping[str, Any], root: Path) -> frozenset[Path]:
    """The folders and files below ``root``, links followed, that the containers of a config may write."""
    return frozenset(source for _, source, _ in written_mounts(config) if source.is_relative_to(root))


def written_mounts(config: Mapping[str, Any]) -> Iterator[tuple[str, Path, str]]:
    """Service, folder of this machine with its links followed, and where the service's containers write it.

    A volume may be such a folder.
    """
    folders = {key: _device(volume or {}) for key, volume in (config.get("volumes") or {}).items()}
    for name, service in config["services"].items():
        for mount in service.get("volumes") or () if replica_count(service) else ():
            source = str(mount.get("source") or "")
            if mount.get("type") == "volume":
                source = folders.get(source, "")
            elif mount.get("type") != "bind":
                continue
            if source and not mount.get("read_only"):
                yield name, Path(plain(source)).resolve(), plain(mount.get("target"))


def _device(volume: Mapping[str, Any]) -> str:
    """The folder that a volume is; "" where it is none, or one that is only read."""
    options = volume.get("driver_opts") or {}
    words = str(options.get("o") or "").split(",")
    read_only = [word for word in words if word in ("ro", "rw")][-1:] == ["ro"]
    return "" if read_only or not {"bind", "rbind"} & {*words} else str(options.get("device") or "")


def written_in_common(first: Iterable[Path], second: Collection[Path]) -> frozenset[Path]:
    """PURE: what both write: a folder of one that is, or is in, a folder of the other."""
    return frozenset(
        max(one, other, key=lambda path: len(path.parts))
        for one in first
        for other in second
        if one.is_relative_to(other) or other.is_relative_to(one)
    )


def data_folders(folders: Iterable[Path], root: Path) -> frozenset[Path]:
    """Those that hold data: git has no files in them but such as keep them there, or keep others out.

    The others are mounted for the sources in them, which several may do at once.
    """
    return frozenset(folder for folder in folders if folder != root and not _has_sources(folder, root))


class Foreign(Struct, frozen=True):
    """Something that belongs to another user: ``stays`` where we cannot even remove it."""

    path: Path
    owner: int
    stays: bool


def foreign_file(folders: Iterable[Path], user: int, since: float) -> Foreign | None:
    """Something in ``folders`` that has changed ``since`` (epoch seconds) and is not ``user``'s.

    What we can remove is named only where there is nothing worse.
    """
    left, looked = sorted(folders, reverse=True), 0
    found: Foreign | None = None
    while left and looked < _MANY:
        path = left.pop()
        looked += 1
        try:
            facts = path.lstat()
            folder = stat.S_ISDIR(facts.st_mode)
            if facts.st_uid != user and facts.st_ctime >= since:
                if _stays(path, folder=folder):
                    return Foreign(path, facts.st_uid, True)
                found = found or Foreign(path, facts.st_uid, False)
            if folder and path.name != ".git":
                left += path.iterdir()
        except OSError:
            continue
    return found


def _stays(path: Path, *, folder: bool) -> bool:
    """Whether a file or folder of somebody else's cannot be removed: its place is his, or what is in it."""
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return True
    try:
        return folder and any(path.iterdir()) and not os.access(path, os.W_OK | os.X_OK)
    except OSError:
        return True


def ownership(found: Foreign, name: str, user: str, users: Users) -> str:
    """PURE: what to tell ``user`` (``1000:1000``) of what a container wrote to ``name``, and its remedy."""
    whose = "root" if found.owner == 0 else f"user {found.owner}"
    cannot = "remove this checkout with it" if found.stays else "change it"
    match users:
        case Users.SAME:
            remedy = f'`user: "{user}"` in its service makes it yours'
        case Users.OURS:
            remedy = '`user: "0:0"` in its service makes it yours, as root in containers is you'
        case Users.SHIFTED:
            remedy = f'`user: "{user}"` and `userns_mode: host` in its service make it yours'
    return f"{name} belongs to {whose}: a container wrote it, and you cannot {cannot}; {remedy}"


def _has_sources(folder: Path, root: Path) -> bool:
    asked = ("--literal-pathspecs", "ls-files", "-z", "--", str(folder))
    try:
        listed = git(root, *asked, check=False).stdout
    except TasklibError:
        return False
    names = (path.rpartition("/")[2] for path in listed.rstrip("\n").split("\0"))
    return any(name and not name.startswith((".git", ".keep")) for name in names)
