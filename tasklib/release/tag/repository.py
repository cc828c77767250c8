"""The git side of a release: what is there here and on the remote, and the few changes that are made."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct, field

from tasklib import process
from tasklib.changes.overlooked import seeing_all
from tasklib.checkout import Checkout, git
from tasklib.errors import TasklibError, UsageError
from tasklib.process import CommandError, Completed

__all__ = ["Remote", "Repository"]

_NETWORK = 300.0
"""Seconds a remote may take."""
_PEELED = "^{}"
"""What follows a tag's name where a remote tells the commit behind it."""


class Remote(Struct, frozen=True):
    """A remote as it answered: the commit of the branch there (``None``: no such branch) and its tags.

    ``tags`` are the ids of the tag objects by name, ``commits`` what they are tags of.
    """

    name: str
    branch: str | None
    tags: Mapping[str, str]
    commits: Mapping[str, str] = field(default_factory=dict)


class Repository:
    """A checkout's repository. Where git refuses, :class:`~tasklib.process.CommandError` has its words."""

    def __init__(self, checkout: Checkout, cancel: process.Cancel | None = None) -> None:
        if checkout.git_dir is None:
            raise UsageError("a release needs a git checkout", where=str(checkout.root))
        self.root = checkout.root
        self._checkout = checkout
        self._cancel = cancel

    def _git(
        self,
        *arguments: str,
        check: bool = True,
        stdin: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        return git(self.root, *arguments, check=check, stdin=stdin, env=env, cancel=self._cancel)

    def _ask(self, *arguments: str) -> str:
        """What a command prints, "" where it fails: a setting, a reference that may not exist."""
        done = self._git(*arguments, check=False)
        return done.stdout.strip() if done.code == 0 else ""

    # -- facts -------------------------------------------------------------------------------------------

    def head(self) -> tuple[str | None, str | None]:
        """The commit and the branch (short name) of HEAD."""
        # git's own short name is `heads/main` where a tag is called main too.
        branch = self._ask("symbolic-ref", "-q", "HEAD").removeprefix("refs/heads/")
        return self._ask("rev-parse", "-q", "--verify", "HEAD^{commit}") or None, branch or None

    @property
    def is_shallow(self) -> bool:
        """Whether the history here ends before its beginning."""
        return self._ask("rev-parse", "--is-shallow-repository") == "true"

    def dirty(self, *, overlooked: bool = False) -> tuple[str, ...]:
        """What was changed, added or never added, relative to the top folder; with ``overlooked`` also what
        git is set or told to overlook: files and submodules."""
        asked = ["status", "--porcelain", "-z", "--untracked-files=all", "--no-renames"]
        if not overlooked:
            out = self._git(*asked).stdout
        else:
            with seeing_all(self._checkout) as env:
                out = self._git(*asked, "--ignore-submodules=none", env=env).stdout
        return tuple(entry[3:] for entry in out.rstrip("\n").split("\0") if entry)

    def tags(self, *, merged: str | None = None, at: str | None = None) -> dict[str, str]:
        """The ids of the objects that local tags name; only those that ``merged`` descends from, or of the
        commit ``at``."""
        only = [*(["--merged", merged] if merged else []), *(["--points-at", at] if at else [])]
        out = self._git(
            "for-each-ref", *only, "--format=%(objectname) %(refname:strip=2)", "refs/tags"
        ).stdout
        return {name: oid for oid, _, name in (line.partition(" ") for line in out.splitlines())}

    def commit_of(self, reference: str) -> str | None:
        """The commit behind a reference; ``None`` where it is not here."""
        name = f"{reference}^{{commit}}"
        return self._ask("rev-parse", "-q", "--verify", "--end-of-options", name) or None

    def remote_name(self, branch: str) -> str | None:
        """The remote that the branch follows, else ``origin``, else the only one; ``None`` without any."""
        names = self._ask("remote").splitlines()
        followed = self._ask("config", f"branch.{branch}.remote")
        if followed in names:
            return followed
        return "origin" if "origin" in names else names[0] if len(names) == 1 else None

    def followed(self, remote: str, branch: str) -> bool:
        """Whether the remote had the branch when it was last fetched from or pushed to."""
        return self.commit_of(f"refs/remotes/{remote}/{branch}") is not None

    def remote_url(self) -> str | None:
        """Where the branch's remote is, as git is told."""
        name = self.remote_name(self.head()[1] or "")
        return self._ask("remote", "get-url", "--", name) or None if name else None

    def ask_remote(self, name: str, branch: str) -> Remote:
        """What the remote has now; nothing here changes."""
        out = self._reach("ls-remote", "--", name, f"refs/heads/{branch}", "refs/tags/*").stdout
        found = {ref: oid for oid, _, ref in (line.partition("\t") for line in out.splitlines())}
        named = {
            ref.removeprefix("refs/tags/"): oid for ref, oid in found.items() if ref.startswith("refs/tags/")
        }
        tags = {tag: oid for tag, oid in named.items() if not tag.endswith(_PEELED)}
        commits = {tag: named.get(f"{tag}{_PEELED}", oid) for tag, oid in tags.items()}
        return Remote(name, found.get(f"refs/heads/{branch}"), tags, commits)

    def ancestors(self, commit: str, among: Iterable[str]) -> frozenset[str]:
        """Those of the commits ``among`` that ``commit`` descends from, itself included."""
        wanted = frozenset(among)
        return wanted & frozenset(self._git("rev-list", commit, "--").stdout.split()) if wanted else wanted

    def contains(self, commit: str, ancestor: str) -> bool:
        """Whether ``commit`` descends from ``ancestor``; an ancestor that is not here counts as no."""
        return self._git("merge-base", "--is-ancestor", ancestor, commit, check=False).code == 0

    def lines(self, pattern: str, names: Iterable[str]) -> str:
        """The lines of tracked files called one of ``names`` that ``pattern`` finds, behind their places."""
        places = (f":(top,glob,icase)**/{name}" for name in names)
        return self._ask("grep", "-zniIE", "--full-name", "-e", pattern, "--", *places)

    def tracked(self, path: Path) -> bool:
        return bool(self._ask("ls-files", "--", str(path)))

    # -- changes -----------------------------------------------------------------------------------------

    def commit(self, paths: Iterable[Path], message: str) -> str:
        """Commit the files ``paths`` as they are; returns the new commit."""
        self._git("commit", "--quiet", "--file", "-", "--", *map(str, paths), stdin=message)
        return self._git("rev-parse", "HEAD").stdout.strip()

    def restore(self, paths: Iterable[Path]) -> None:
        """Give the files ``paths`` back as HEAD has them."""
        self._quietly("restore", "--staged", "--worktree", "--", *map(str, paths))

    def tag(self, name: str, commit: str, message: str) -> str:
        """Make an annotated tag, signed where git is set to; returns the id of the tag object."""
        # A message makes it annotated; to say --annotate takes precedence over tag.forceSignAnnotated.
        done = self._git("tag", "--cleanup=whitespace", "--file", "-", "--", name, commit, stdin=message)
        settings = ("tag.gpgSign", "tag.forceSignAnnotated")
        signs = "true" in (self._ask("config", "--type=bool", name) for name in settings)
        if signs and "\n-----BEGIN " not in self._git("cat-file", "tag", f"refs/tags/{name}").stdout:
            # Some versions of git make it without a signature where ssh-keygen fails.
            self.untag(name, commit)
            raise CommandError(done)
        return self._git("rev-parse", f"refs/tags/{name}").stdout.strip()

    def untag(self, name: str, commit: str) -> None:
        """Remove the tag ``name`` if it is of ``commit``."""
        tag = self._quietly("rev-parse", "-q", "--verify", f"refs/tags/{name}").stdout.strip()
        if (
            self._quietly("rev-parse", "-q", "--verify", f"refs/tags/{name}^{{commit}}").stdout.strip()
            == commit
        ):
            self._quietly("update-ref", "-d", f"refs/tags/{name}", tag)

    def uncommit(self, made: str | None, subject: str, parent: str) -> None:
        """Take the branch back to ``parent`` if only ``made`` came since; other changes are kept.

        Where that is not known, the commit with ``subject``: a hook may have put something around it.
        """
        # `git log` would also show what it is set to: signatures, notes.
        header, _, message = self._quietly("cat-file", "commit", "HEAD").stdout.partition("\n\n")
        parents = [line for line in header.splitlines() if line.startswith("parent ")]
        is_ours = (
            made == self._quietly("rev-parse", "HEAD").stdout.strip()
            if made
            else subject in message.partition("\n")[0]
        )
        if parents == [f"parent {parent}"] and is_ours:
            self._quietly("reset", "--quiet", "--keep", parent)

    def push(self, remote: str, branch: str, commit: str, tag: str) -> None:
        """Push the branch and the tag, both or neither."""
        references = (f"{commit}:refs/heads/{branch}", f"refs/tags/{tag}:refs/tags/{tag}")
        self._reach("push", "--quiet", "--atomic", "--porcelain", "--", remote, *references)

    def _quietly(self, *arguments: str) -> Completed:
        """Run what undoes something: an interrupt must not stop it, a failure not hide the first one."""
        try:
            return git(self.root, *arguments, check=False)
        except TasklibError as error:
            return Completed(arguments, 1, "", str(error))

    def _reach(self, *arguments: str) -> Completed:
        """Run what talks to a remote. Nobody can type a password or passphrase into it."""
        env = {}
        if "GIT_SSH_COMMAND" not in os.environ and not self._ask("config", "core.sshCommand"):
            env["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes"
        return git(self.root, *arguments, env=env, timeout=_NETWORK, cancel=self._cancel)
