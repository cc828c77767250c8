"""Who a checkout is: the random id that tells it from every other, and the id of its branch.

The random id is kept in the checkout's own git directory together with the host and the inode of its top
folder: a renamed checkout keeps its inode and so its id, a copy (of a clone, or of a worktree that shares its
git directory with the original) has another inode and gets an id of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tasklib.checkout import Checkout, find_checkout
from tasklib.errors import ConfigError, UsageError
from tasklib.isolation import IdSource, Instance, instance_id
from tasklib.shown.cutting import shorten
from tasklib.state.liveness import host_id
from tasklib.state.store import State

__all__ = ["EXPORTED", "INSTANCE_ID", "Identity", "checkout_id", "exports", "known_id", "raw_identity"]

INSTANCE_ID = "TEST_INSTANCE_ID"
EXPORTED = "TASKLIB_INSTANCE_CHECKOUT"
"""Beside an INSTANCE_ID that tasklib itself exported: the checkout and the id that it belongs to."""

_BY_HAND = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_COMMIT_LENGTH = 12
_PLACES = "places"


class Identity(Struct, frozen=True):
    """The id that a checkout's branch asks for, before anyone looks whether it is free.

    ``whole`` is the name it was made from (the branch, the commit, …). ``ignored`` is an id that tasklib
    exported and that is not used here, ``foreign`` whether it was exported for another checkout.
    """

    id: str
    source: IdSource
    whole: str
    ignored: str = ""
    foreign: bool = False

    @property
    def shared(self) -> bool:
        """Whether other checkouts may have it too: an id set by hand is shared on purpose."""
        return self.source is IdSource.ENVIRONMENT


def raw_identity(checkout: Checkout, env: Mapping[str, str], mine: str) -> Identity:
    """The id of ``checkout`` (whose own id is ``mine``) in the environment ``env``.

    In this order: TEST_INSTANCE_ID set by hand; the branch, also one that is being rebased; on a detached
    HEAD the branch that the CI system checked out here, then the linked worktree's name, then the commit;
    outside git the folder. Raises
    :class:`~tasklib.errors.UsageError` for a TEST_INSTANCE_ID that cannot name a Compose project.
    """
    given = env.get(INSTANCE_ID, "")
    owner, _, kind = env.get(EXPORTED, "").partition("/")
    exported = bool(given) and kind in (f"derived/{given}", f"set/{given}")
    if given and (not exported or (owner == mine and kind.startswith("set/"))):
        return Identity(_checked(given), IdSource.ENVIRONMENT, given)
    found = _derived(checkout, env)
    return replace(found, ignored=given, foreign=owner != mine) if exported else found


def exports(instance: Instance, source: IdSource) -> dict[str, str]:
    """The variables that hand ``instance`` to a test process or shell, marked as tasklib's own."""
    kind = "set" if source is IdSource.ENVIRONMENT else "derived"
    return {INSTANCE_ID: instance.id, EXPORTED: f"{instance.checkout}/{kind}/{instance.id}"}


def checkout_id(checkout: Checkout, folder: Path | None = None) -> str:
    """The id of the project in ``folder`` (the checkout's top) of ``checkout``: 16 hexadecimal digits.

    Where nothing can be written beside git, or there is no git, it follows from host, path and inode.
    """
    own = _kept_id(checkout) or _new_id(checkout) or _fixed_id(checkout.root)
    return _within(own, checkout.root, folder)


def known_id(folder: Path) -> str | None:
    """The id of the project in ``folder`` if it has one yet; ``None`` where there is no such folder.

    Raises :class:`~tasklib.errors.ConfigError` for a worktree whose repository is not where it was: its id
    lies there, so nobody can tell until `git worktree repair`, or until that disk is back.
    """
    if not folder.is_dir():
        return None
    try:
        checkout = find_checkout(folder)
        if checkout.git_dir is None and (checkout.root / ".git").is_file():
            raise ConfigError("the repository of this worktree is not here", where=str(folder))
        own = _kept_id(checkout) or _fixed_id(checkout.root)
        return _within(own, checkout.root, folder)
    except OSError:
        return None


def _checked(given: str) -> str:
    if _BY_HAND.fullmatch(given):
        return given
    raise UsageError(
        f"{INSTANCE_ID}={shorten(repr(given), 80)} cannot be part of a Compose project's name",
        remedy="Use lower-case letters, digits and dashes between them, at most 63, or unset it.",
    )


def _derived(checkout: Checkout, env: Mapping[str, str]) -> Identity:
    if branch := checkout.branch or checkout.left:
        return Identity(instance_id(branch), IdSource.BRANCH, branch)
    if checkout.git_dir and (branch := _ci_branch(checkout.root, env)):
        return Identity(instance_id(branch), IdSource.CI, branch)
    if name := checkout.worktree:
        return Identity(instance_id(name), IdSource.WORKTREE, name)
    if checkout.commit:
        return Identity(instance_id(checkout.commit[:_COMMIT_LENGTH]), IdSource.COMMIT, checkout.commit)
    name = checkout.root.name
    return Identity(instance_id(name), IdSource.FOLDER, name)


_CI_SYSTEMS = (
    ("GITHUB_WORKSPACE", ("GITHUB_HEAD_REF", "GITHUB_REF_NAME")),
    ("CI_PROJECT_DIR", ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME")),
    ("CI_WORKSPACE", ("CI_COMMIT_SOURCE_BRANCH", "CI_COMMIT_BRANCH")),
    ("DRONE_WORKSPACE", ("DRONE_SOURCE_BRANCH", "DRONE_BRANCH")),
    ("WORKSPACE", ("CHANGE_BRANCH", "BRANCH_NAME", "GIT_BRANCH")),
    ("BUILD_SOURCESDIRECTORY", ("SYSTEM_PULLREQUEST_SOURCEBRANCH", "BUILD_SOURCEBRANCH")),
    ("CIRCLE_WORKING_DIRECTORY", ("CIRCLE_BRANCH",)),
    ("BITBUCKET_CLONE_DIR", ("BITBUCKET_BRANCH",)),
    ("BUILDKITE_BUILD_CHECKOUT_PATH", ("BUILDKITE_BRANCH",)),
    ("TRAVIS_BUILD_DIR", ("TRAVIS_PULL_REQUEST_BRANCH", "TRAVIS_BRANCH")),
    ("APPVEYOR_BUILD_FOLDER", ("APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH", "APPVEYOR_REPO_BRANCH")),
)
"""Of each CI system the folder of its job, and the branch: a proposal's own, or that of the push.

The third is Woodpecker, the fifth Jenkins, the sixth Azure.
"""


def _ci_branch(root: Path, env: Mapping[str, str]) -> str:
    """The branch that a CI system runs this job for. Gitea and its like set GitHub's variables.

    It says nothing about other checkouts that the job makes: only about the one in the job's own folder.
    """
    for workspace, variables in _CI_SYSTEMS:
        if _same_folder(env.get(workspace, ""), root):
            branch = next((env[name] for name in variables if env.get(name)), "")
            return branch.removeprefix("refs/heads/").removeprefix("origin/")
    return ""


def _same_folder(path: str, root: Path) -> bool:
    with contextlib.suppress(OSError, RuntimeError):
        # CircleCI says `~/project`.
        return bool(path) and Path(path).expanduser().samefile(root)
    return False


class _Place(Struct, frozen=True):
    """Where a checkout's top folder was when it got its id."""

    id: str
    host: str
    device: int
    inode: int
    path: str


def _kept_id(checkout: Checkout) -> str | None:
    """The id in the checkout's git directory that was given to this very folder."""
    if checkout.git_dir is None or not os.access(_store(checkout.git_dir).root, os.R_OK | os.X_OK):
        return None  # Nothing is kept there, or by another user for himself.
    here = _place(checkout.root, "")
    for place in _store(checkout.git_dir).records(_PLACES, _Place).values():
        if place.host == here.host and place.inode == here.inode and _same_device(place, here):
            return place.id
    return None


def _same_device(place: _Place, here: _Place) -> bool:
    """A disk may have another number after a reboot, or when it is plugged in or mounted again.

    A folder with its inode is the same one then, where it lies where it lay, or nothing lies there any more:
    a disk may be mounted elsewhere, too. A snapshot of a disk has its inodes, and lies beside it.
    """
    return place.device == here.device or place.path == here.path or _is_gone(place.path)


def _is_gone(path: str) -> bool:
    """Whether certainly nothing lies there: what may not be looked at may well be the original."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        pass
    return False


def _new_id(checkout: Checkout) -> str | None:
    if checkout.git_dir is None or not os.access(checkout.git_dir, os.W_OK):
        return None
    if checkout.git_dir.stat().st_uid != os.geteuid():
        return None  # What we wrote there would be closed to its owner.
    store = _store(checkout.git_dir)
    try:
        with store.lock(_PLACES):
            place = _place(checkout.root, secrets.token_hex(8))
            kept = _kept_id(checkout)  # another process may have been here first
            if kept is None:
                store.write(State.name(_PLACES, place.id), place)
            return kept or place.id
    except ConfigError:
        return None  # read-only after all


def _store(git_dir: Path) -> State:
    return State(git_dir / "tasklib")


def _place(root: Path, new_id: str) -> _Place:
    facts = root.stat()
    return _Place(new_id, host_id(), facts.st_dev, facts.st_ino, os.fsdecode(root))


def _fixed_id(root: Path) -> str:
    return _digest(host_id(), os.fsdecode(root), str(root.stat().st_ino))


def _within(own: str, root: Path, folder: Path | None) -> str:
    """Two projects in one checkout must not share their stacks either: each folder is its own."""
    folder = root if folder is None else folder.resolve()
    return own if folder == root else _digest(own, os.fsdecode(folder.relative_to(root)))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
