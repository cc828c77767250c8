"""Tagging a release: survey, then a plan that someone approves, then all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from tasklib import process
from tasklib.checkout import find_checkout
from tasklib.errors import Interrupted, TasklibError
from tasklib.files.whole import write_whole
from tasklib.process import CommandError
from tasklib.project import Project
from tasklib.release.tag import elsewhere
from tasklib.release.tag.planning import Plan, typed
from tasklib.release.tag.refusals import own_words, refused_references
from tasklib.release.tag.repository import Remote, Repository
from tasklib.release.tag.survey import Survey
from tasklib.release.tag.versions import tagged_version

__all__ = ["Applied", "ReleaseError", "apply", "survey"]

_CHANGELOGS = ("CHANGELOG.md", "CHANGES.md", "HISTORY.md", "NEWS.md")
_OTHER_CHANGELOGS = tuple(
    f"{name}{suffix}"
    for suffix in (".rst", ".txt", ".adoc", "")
    for name in ("CHANGELOG", "CHANGES", "HISTORY", "NEWS")
) + tuple(f"{name}.md" for name in ("RELEASES", "RELEASE_NOTES", "RELEASE-NOTES", "RELEASENOTES"))
_FRAGMENTS = ("changelog.d", "changes.d", "newsfragments", "news.d", ".changeset", ".changes")
"""Where tools that put a changelog together keep what is to come."""


class ReleaseError(TasklibError):
    """A release was asked for rightly and could not be made, or not to its end."""

    exit_code: ClassVar[int] = 1


class Applied(Struct, frozen=True):
    """What a release made: the commit that is tagged, the tag, and whether both were pushed."""

    commit: str
    tag: str
    pushed: bool


def survey(project: Project, cancel: process.Cancel | None = None) -> Survey:
    """What there is: here, and on the branch's remote.

    Raises :class:`~tasklib.errors.UsageError` outside git, :class:`ReleaseError` when the remote does not
    answer.
    """
    checkout = find_checkout(project.root)
    repository = Repository(checkout, cancel)
    commit, branch = repository.head()
    name = repository.remote_name(branch) if branch else None
    remote = None
    if name and branch:
        try:
            remote = repository.ask_remote(name, branch)
        except CommandError as error:
            raise ReleaseError(
                f"the remote {name} does not answer: {_words(error)}", where=str(repository.root)
            ) from error
    folders = tuple(dict.fromkeys((project.root, repository.root)))
    docs = tuple(folder / "docs" for folder in folders)
    found = {
        "changelog": _first(repository, folders, _CHANGELOGS) or _first(repository, docs, _CHANGELOGS[:1]),
        "other_changelog": _first(repository, folders, _OTHER_CHANGELOGS),
        "pyproject": _first(repository, folders[:1], ("pyproject.toml",)),
        "lock": _first(repository, folders[:1], ("uv.lock",)),
    }
    files = {path: path.read_bytes().decode(errors="surrogateescape") for path in found.values() if path}
    return Survey(
        root=repository.root,
        name=project.name,
        commit=commit,
        branch=branch,
        left=checkout.left,
        dirty=repository.dirty(),
        tags=repository.tags(),
        merged=_merged(repository, commit, remote) if commit else (),
        shallow=repository.is_shallow,
        remote=remote,
        gone=bool(branch and remote and remote.branch is None and repository.followed(remote.name, branch)),
        behind=bool(commit and remote and remote.branch and not repository.contains(commit, remote.branch)),
        files=files,
        unwritten=tuple(_unwritten(repository, folders)) if found["changelog"] is None else (),
        mentions=elsewhere.mentions(repository.lines(elsewhere.PATTERN, elsewhere.FILES)),
        **found,
    )


def _merged(repository: Repository, commit: str, remote: Remote | None) -> tuple[str, ...]:
    """The tags that ``commit`` descends from, also those that only the remote has: a clone may have none."""
    here = repository.tags()
    theirs = {
        tag: target
        for tag, target in (remote.commits.items() if remote else ())
        if tag not in here and tagged_version(tag)
    }
    ancestors = repository.ancestors(commit, theirs.values())
    return (*repository.tags(merged=commit), *(tag for tag, at in theirs.items() if at in ancestors))


def _unwritten(repository: Repository, folders: tuple[Path, ...]) -> Iterator[str]:
    """What is like a changelog and is not read, with the reason."""
    for folder in folders:
        for name in _CHANGELOGS:
            path = folder / name
            if path.is_symlink() and repository.tracked(path):
                yield f"{name} as it is: the file that it leads to is not in git"
        for name in _FRAGMENTS:
            if (folder / name).is_dir() and repository.tracked(folder / name):
                yield f"{name}/ as it is: put a changelog together of it before, and it is the message"


def _first(repository: Repository, folders: tuple[Path, ...], names: tuple[str, ...]) -> Path | None:
    """The first of these files that is there, in capitals or not, and in git: others are not released.

    Where it is a link, what is written and committed is the file that it leads to.
    """
    there = ({path.name.lower(): path for path in folder.glob("*")} for folder in folders)
    paths = (found[name.lower()] for found in there for name in names if name.lower() in found)
    real = (path.resolve() for path in paths if path.is_file() and repository.tracked(path))
    return next((path for path in real if repository.tracked(path)), None)


def apply(plan: Plan, project: Project, cancel: process.Cancel | None = None) -> Applied:
    """Do what ``plan`` says. What fails in the middle leaves no tag and no commit behind.

    Raises :class:`ReleaseError` when what was surveyed is no longer so, or something refuses.
    """
    if survey(project, cancel) != plan.survey:
        raise ReleaseError(
            "something in the repository changed while the plan was shown; nothing was done",
            where=str(plan.survey.root),
            remedy="Type the same command again to see the new plan.",
        )
    repository = Repository(find_checkout(project.root), cancel)
    commit, tagging = plan.commit, False
    try:
        if plan.edits:
            for path, text in plan.edits.items():
                write_whole(path, text.encode(errors="surrogateescape"))
            commit = repository.commit(plan.edits, _subject(plan))
        tagging = True
        tag = repository.tag(plan.tag, commit, plan.message)
        if plan.push:
            _push(repository, plan, commit, tag)
    except BaseException as error:
        refused = isinstance(error, CommandError)
        # A tag that git refused to make is somebody else's.
        _undo(repository, plan, commit if tagging else None, may_be_tagged=tagging and not refused)
        if isinstance(error, CommandError):
            where = str(plan.survey.root)
            raise ReleaseError(f"{_words(error)}; {plan.tag} was not made", where=where) from error
        raise
    return Applied(commit, plan.tag, plan.push)


def _subject(plan: Plan) -> str:
    return f"Release {plan.version}"


def _undo(repository: Repository, plan: Plan, made: str | None, *, may_be_tagged: bool) -> None:
    """Take back the tag if it may be ours, and the commit (``made``, where that is known) if there is one."""
    if made and may_be_tagged:
        repository.untag(plan.tag, made)
    if plan.edits:
        repository.uncommit(made, _subject(plan), plan.commit)
        for path in plan.edits:  # Also where git cannot, since somebody holds its lock.
            write_whole(path, plan.survey.files[path].encode(errors="surrogateescape"))
        repository.restore(plan.edits)


def _push(repository: Repository, plan: Plan, commit: str, tag: str) -> None:
    """Push branch and tag. Where the answer was lost, what the remote has now decides."""
    assert plan.survey.remote is not None
    remote = plan.survey.remote.name
    try:
        repository.push(remote, plan.branch, commit, plan.tag)
    except TasklibError as error:
        try:
            # An interrupt ends the push, not the question what became of it.
            there = Repository(find_checkout(repository.root)).ask_remote(remote, plan.branch)
        except TasklibError:
            there = None
        if there and there.tags.get(plan.tag) == tag:
            return
        if there and isinstance(error, Interrupted):
            raise
        raise ReleaseError(
            f"{remote} did not take {plan.branch} and {plan.tag}: {_why(error, plan, there)}",
            where=str(plan.survey.root),
            remedy=f"Nothing was pushed, and {plan.tag} is not here any more."
            if there
            else f"It does not answer now; {plan.tag} is not here any more. "
            f"{typed('git', 'ls-remote', remote)} tells whether it is there.",
        ) from error


def _why(error: TasklibError, plan: Plan, there: Remote | None) -> str:
    """Why a push failed: by what the remote has now, else in its own words."""
    if there and plan.tag in there.tags:
        return f"somebody pushed {plan.tag} first"
    if there and plan.survey.remote and there.branch != plan.survey.remote.branch:
        return f"somebody pushed to {plan.branch} meanwhile"
    if not isinstance(error, CommandError):
        return str(error)
    refused, said = refused_references(error.completed.stdout), _words(error)
    return f"{refused}: {said}" if refused else said


def _words(error: CommandError) -> str:
    """Why git failed, in the words of whoever refused."""
    done = error.completed
    # Hooks write to either stream; rows with tabs are what git itself reports.
    rows = [line for line in done.stdout.splitlines() if "\t" not in line]
    return own_words("\n".join([*rows, done.stderr])) or f"git exited with code {done.code}"
