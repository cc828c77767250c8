"""Environments that uv makes: its own of a lock file, or one in its cache of what is listed."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from tasklib import checkout
from tasklib.errors import ConfigError, NotInstalled, TasklibError
from tasklib.pipeline.suites.folders import table
from tasklib.pipeline.suites.python.manifest import Manifest

__all__ = ["LOCK", "flat", "locked", "may_lock", "startable"]

LOCK = "uv.lock"

_LOOKING = threading.Lock()


def program() -> str:
    """The uv that tasklib came with. Raises ConfigError where it is gone, NotInstalled where it never was."""
    try:
        import uv
    except ModuleNotFoundError:
        raise NotInstalled("uv") from None
    try:
        # It reads Python's own configuration, whose first reading is not safe in several threads at once.
        with _LOOKING:
            return str(uv.find_uv_bin())
    except FileNotFoundError as error:
        raise ConfigError(
            f"uv is not installed: {error}", remedy="Reinstall tasklib: uv comes with it."
        ) from error


def startable(command: tuple[str, ...], env: Mapping[str, str]) -> tuple[str, ...]:
    """``command``, which a project's settings say, by the uv that tasklib came with where PATH has none.

    pipx puts no other program on PATH than tasklib's own. Where there is no uv at all the command stays.
    """
    if command[:1] == ("uv",) and not shutil.which("uv", path=env.get("PATH")):
        with contextlib.suppress(TasklibError):
            return (program(), *command[1:])
    return command


def may_lock(root: Path) -> bool:
    """Whether uv may keep its lock file in ``root``: one is there, or git ignores what it would write."""
    if (root / LOCK).is_file():
        return True
    try:
        return checkout.git(root, "check-ignore", "-q", "--", LOCK, check=False).code == 0
    except TasklibError:
        return False


def locked(manifest: Manifest, root: Manifest | None, cwd: Path) -> tuple[str, ...]:
    """``uv run`` in the project's own environment, kept by uv, with what its tests need.

    ``root`` is its workspace's: its groups are those of members that list nothing for tests themselves, and
    uv installs them along with all members.
    """
    where = () if manifest.folder == cwd else ("--project", str(manifest.folder))
    theirs = root if root and not manifest.says_what_tests_need else None
    everything = ("--all-packages",) if theirs and (theirs.test_groups or not theirs.project) else ()
    known = {name for said in (manifest, theirs) if said for name in table(said.data, "dependency-groups")}
    groups = {*manifest.test_groups, *(theirs.test_groups if theirs else ())} & known
    listed = table(manifest.project, "optional-dependencies")
    return (
        *(program(), "run", *where, *everything),
        *(part for name in manifest.test_extras if name in listed for part in ("--extra", name)),
        *(part for name in sorted(groups - {"dev"}) for part in ("--group", name)),
    )


def flat(
    requirements: Iterable[str], files: Iterable[Path], *, alone: bool, python: str = ""
) -> tuple[str, ...]:
    """``uv run`` in an environment in uv's cache that holds ``requirements`` and what ``files`` list.

    ``alone``: without what an environment around holds. Nothing is written to the project.
    """
    parts = [
        part
        for one in dict.fromkeys(requirements)
        for part in (("--with-editable", one[2:].strip()) if one.startswith("-e") else ("--with", one))
    ]
    parts += [part for path in files for part in ("--with-requirements", str(path))]
    isolated = ("--isolated",) if alone else ()
    version = ("--python", python) if python else ()
    return (program(), "run", "--no-project", *isolated, *version, *parts)
