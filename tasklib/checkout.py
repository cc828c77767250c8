"""Git facts about a checkout. The only caller of git.

Nothing here needs git to work: where it is missing or refuses (another owner's repository, a worktree whose
repository is not mounted here), the few files that hold the same facts are read instead.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from tasklib import process
from tasklib.errors import TasklibError

__all__ = [
    "Checkout",
    "existing_branch",
    "find_checkout",
    "former_names",
    "git",
    "git_environment",
    "moved_to",
    "remote_name",
]

_DEADLINE = 60.0
_QUESTIONS = ("rev-parse", "--show-toplevel", "--absolute-git-dir", "HEAD", "--symbolic-full-name", "HEAD")
"""All in one call, as every command asks. The last is left unanswered where HEAD names no commit, or a branch
has its name.
"""
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_RENAMED = re.compile(r"^Branch: renamed refs/heads/(\S+) to refs/heads/", re.MULTILINE)
_KEPT = re.compile(
    r"GIT_(?:CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)|SSH\w*|SSL_\w+|ASKPASS|EXEC_PATH"
    r"|(?:AUTHOR|COMMITTER)_\w+|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM)"
)
"""How git reaches and configures itself; the others (a hook's GIT_DIR) name another repository."""


class Checkout(Struct, frozen=True):
    """One working tree on disk.

    ``root`` is its top folder (absolute, links resolved) and ``git_dir`` its own git directory: a worktree's
    is the one below ``worktrees/``, a submodule's the one below ``modules/``. Outside git ``git_dir`` is
    ``None`` and ``root`` the folder that was asked about. ``branch`` is the short name (``feature/auth``),
    ``None`` on a detached HEAD. ``commit`` is the full hash of HEAD; ``None`` when ``unborn`` (a branch
    without commits) or when only git itself could tell. ``left`` is the branch that a rebase or a bisection
    has left for now and will come back to.
    """

    root: Path
    git_dir: Path | None = None
    branch: str | None = None
    commit: str | None = None
    unborn: bool = False
    left: str | None = None

    @property
    def worktree(self) -> str | None:
        """The name that git gave to a linked worktree, which stays the same wherever it is moved to."""
        linked = self.git_dir is not None and self.git_dir.parent.name == "worktrees"
        return self.git_dir.name if self.git_dir and linked else None


def find_checkout(start: Path) -> Checkout:
    """The checkout that holds the folder (or file) ``start``; never raises for want of git."""
    start = start.resolve()
    if start.is_file():
        start = start.parent
    try:
        asked = git(start, *_QUESTIONS, check=False)
    except TasklibError:
        return _read(start) or Checkout(start)
    if "must be run in a work tree" in asked.stderr:
        return Checkout(start)  # a bare repository, or the inside of a git directory
    return _answered(start, asked.stdout) or _read(start) or Checkout(start)


def former_names(checkout: Checkout) -> frozenset[str]:
    """What the branch was called before it was renamed, as far as git's log of the branch tells."""
    if checkout.git_dir is None or not checkout.branch:
        return frozenset()
    asked = (
        "log",
        "--walk-reflogs",
        "--max-count=1000",
        "--format=%gs",
        f"refs/heads/{checkout.branch}",
        "--",
    )
    try:
        told = git(checkout.root, *asked, check=False).stdout
    except TasklibError:
        return frozenset()
    return frozenset(_RENAMED.findall(told)) - {checkout.branch}


def moved_to(git_dir: Path) -> Path | None:
    """Where the linked worktree is now whose git directory is ``git_dir``; ``None`` where nobody can tell."""
    text = _text(git_dir / "gitdir")
    folder = Path(text.strip()).parent if text else None
    return folder if folder and folder.is_dir() else None


def existing_branch(checkout: Checkout, wanted: str) -> str:
    """``wanted``, which a project names; or what stands in for a ``main`` that there is none of.

    That (here and on the remote) is what the remote says, ``master``, or the only branch: ``main`` may be
    nobody's choice. Where only one was cloned it is no such branch: nothing would differ from it.
    """
    if checkout.git_dir is None or wanted != "main":
        return wanted
    remote = remote_name(checkout.root)
    names = ("refs/heads/", f"refs/remotes/{remote}/")
    asked = ("for-each-ref", "--format=%(refname)%09%(symref)", *names)
    try:
        rows = [line.partition("\t") for line in git(checkout.root, *asked).stdout.splitlines()]
    except TasklibError:
        return wanted
    there = {name: symref for name, _, symref in rows}
    default = there.pop(f"{names[1]}HEAD", "").removeprefix(names[1])
    known = {name.removeprefix(prefix) for name in there for prefix in names if name.startswith(prefix)}
    only = next(iter(known)) if len(known) == 1 else ""
    choices = (name for name in (wanted, default, "master") if name in known)
    return next(choices, None) or (only if only and _has_all_branches(checkout) else wanted)


def remote_name(root: Path) -> str:
    """``origin``, or the only remote where that is called otherwise (``git clone --origin``)."""
    try:
        names = git(root, "remote", check=False).stdout.split()
    except TasklibError:
        names = []
    return names[0] if len(names) == 1 else "origin"


def git_environment(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """``env`` (``os.environ``) without what makes git look at another repository than its folder's."""
    env = os.environ if env is None else env
    kept = {key: value for key, value in env.items() if not key.startswith("GIT_") or _KEPT.fullmatch(key)}
    return kept | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}


def git(
    folder: Path,
    *arguments: str,
    check: bool = True,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = _DEADLINE,
    cancel: process.Cancel | None = None,
) -> process.Completed:
    """Run git in ``folder``, with :func:`git_environment` and ``env`` on top of it.

    Raises as :func:`tasklib.process.run` does.
    """
    merged = git_environment() | dict(env or {})
    argv = ["git", *arguments]
    return process.run(argv, cwd=folder, env=merged, stdin=stdin, timeout=timeout, cancel=cancel, check=check)


def _answered(start: Path, stdout: str) -> Checkout | None:
    """The checkout that git named on three or four lines; ``None`` when it did not, or not readably."""
    lines = stdout.splitlines()
    if len(lines) not in (3, 4) or "\ufffd" in stdout:
        return None
    root, git_dir = Path(lines[0]), Path(lines[1])
    commit = lines[2] if _COMMIT.fullmatch(lines[2]) else None
    if len(lines) == 4:
        reference = "" if lines[3] == "HEAD" else lines[3]
    else:
        reference = git(start, "symbolic-ref", "-q", "HEAD", check=False).stdout.strip("\n")
    if "\ufffd" in reference:
        return None
    branch = _short(reference) if reference else None
    unborn = commit is None and branch is not None
    return Checkout(root, git_dir, branch, commit, unborn, None if branch else _left(git_dir))


def _short(reference: str) -> str:
    return reference.removeprefix("refs/heads/")


def _has_all_branches(checkout: Checkout) -> bool:
    """Whether a clone leaves out no branch of its remote, as those of CI systems and of one branch do."""
    setting = f"remote.{remote_name(checkout.root)}.fetch"
    fetched = git(checkout.root, "config", "--get-all", setting, check=False).stdout.split()
    shallow = git(checkout.root, "rev-parse", "--is-shallow-repository", check=False).stdout.strip()
    one = bool(fetched) and not any("*" in refspec for refspec in fetched)
    return checkout.branch is not None and shallow != "true" and not one


def _read(start: Path) -> Checkout | None:
    """The checkout as its ``.git`` and ``HEAD`` files tell, without git."""
    for folder in (start, *start.parents):
        entry = folder / ".git"
        git_dir: Path | None = entry
        if entry.is_file():
            git_dir = _linked(folder, entry)
        if git_dir is not None and (git_dir / "HEAD").is_file():
            return _head(folder, git_dir)
        if entry.is_file():
            return Checkout(folder)  # its repository is not on this machine
    return None


def _linked(folder: Path, entry: Path) -> Path | None:
    """Where the ``.git`` file of a worktree or submodule points."""
    text = _text(entry)
    if text is None or not text.startswith("gitdir:"):
        return None
    return (folder / text.removeprefix("gitdir:").strip()).resolve()


def _head(root: Path, git_dir: Path) -> Checkout:
    text = (_text(git_dir / "HEAD") or "").strip()
    if _COMMIT.fullmatch(text):
        return Checkout(root, git_dir, commit=text, left=_left(git_dir))
    reference = text.removeprefix("ref:").strip()
    if not text.startswith("ref:") or reference == "refs/heads/.invalid":
        return Checkout(root, git_dir)  # the reftable format keeps HEAD where only git can read it
    return Checkout(root, git_dir, _short(reference))


def _left(git_dir: Path) -> str | None:
    """The branch of a rebase, or of a bisection, that is under way; ``None`` where it began on no branch.

    Source: ``Documentation/gitrepository-layout`` and ``wt-status.c`` of git.
    """
    for name in ("rebase-merge/head-name", "rebase-apply/head-name"):
        if (text := (_text(git_dir / name) or "").strip()).startswith("refs/heads/"):
            return _short(text)
    start = (_text(git_dir / "BISECT_START") or "").strip()
    return _short(start) if start and not _COMMIT.fullmatch(start) else None


def _text(path: Path) -> str | None:
    try:
        return os.fsdecode(path.read_bytes())
    except OSError:
        return None
