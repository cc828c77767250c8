"""What a command in a container wrote, brought to where the checkout expects it, as the user's own."""

from __future__ import annotations

import contextlib
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tasklib import process
from tasklib.stacks.inside import Inside

__all__ = ["harvest"]

_CACHES = frozenset(
    {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".cache", ".git", ".venv", "node_modules"}
)
"""What nobody looks for after a run."""


def harvest(inside: Inside, folder: Path, since: float) -> str:
    """Bring what the last command of ``inside`` wrote to ``folder``; what could not be done, if anything.

    Files that it wrote beside mounts come to the place that they would have if ``folder`` were the one that
    it started in; those in mounts of the checkout, made after ``since``, become the user's.
    """
    for container, path in inside.written():
        if not _CACHES.intersection(path.parts):
            _bring(inside, container, path, folder)
    return _own(inside, since)


def _bring(inside: Inside, container: str, path: PurePosixPath, folder: Path) -> None:
    """Copy one file or folder out. Links and devices stay: only what holds content is wanted."""
    with tempfile.TemporaryFile() as file:
        inside.copy_out(container, str(path), file)
        if not file.tell():
            return
        file.seek(0)
        place = path.parent.relative_to(inside.folder)
        with tarfile.open(fileobj=file) as archive:
            for member in archive:
                name = PurePosixPath(os.path.normpath(place / member.name))
                if not member.isfile() or name.parts[0] == ".." or _CACHES.intersection(name.parts):
                    continue
                content = archive.extractfile(member)
                target = folder / name
                if content and not _leads_out(target, folder):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content.read())
                    target.chmod(stat.S_IMODE(member.mode) & 0o777 | stat.S_IRUSR | stat.S_IWUSR)


def _leads_out(target: Path, folder: Path) -> bool:
    """Whether a link on the way to ``target`` leaves ``folder``, or ``target`` is one or a folder."""
    resolved = target.parent.resolve()
    return not resolved.is_relative_to(folder.resolve()) or target.is_symlink() or target.is_dir()


def _own(inside: Inside, since: float) -> str:
    """Make what others wrote into mounts of the checkout the user's; why that failed, if it did."""
    me, mine = os.getuid(), os.getgid()
    left: list[tuple[Path, PurePosixPath]] = []
    for source, target in inside.mounted():
        for path in _foreign(source, since):
            try:
                os.chown(path, me, mine, follow_symlinks=False)
            except OSError:
                left.append((path, target / path.relative_to(source).as_posix()))
    if not left:
        return ""
    # Only root may give files away: the image's own, since the user is somebody else.
    words = ["chown", "-h", f"{me}:{mine}", "--", *(str(path) for _, path in left)]
    with contextlib.suppress(process.CommandError):
        call = inside.call(words, {}, {}, as_root=True)
        process.run(call.argv, cwd=call.cwd, env=call.env, stdin=call.stdin, timeout=60, check=False)
    inside.remove()
    still = [path for path, _ in left if os.path.lexists(path) and path.lstat().st_uid != me]
    if not still:
        return ""
    return (
        f"the tests in {inside.service} left files that are not yours, {still[0]} for one: "
        "let the container run as you (`user:` in its Compose file)"
    )


def _foreign(folder: Path, since: float) -> Iterator[Path]:
    """What in ``folder`` is not ours and was made after ``since`` (seconds since the epoch)."""
    me = os.getuid()
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in (".git", "node_modules", ".venv")]
        for path in (Path(parent, name) for name in (*folders, *names)):
            with contextlib.suppress(OSError):
                status = path.lstat()
                if status.st_uid != me and status.st_ctime >= since:
                    yield path
