"""PURE: from what was found to what a release does, or to the reason why it must not be."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

from msgspec import Struct
from semver import Version

from tasklib.errors import UsageError
from tasklib.release.tag import changelog, manifest
from tasklib.release.tag.elsewhere import staying_behind
from tasklib.release.tag.survey import Survey
from tasklib.release.tag.versions import (
    Bump,
    from_pep440,
    highest,
    is_stable,
    next_version,
    parse,
    pep440,
    spellings,
    tag_name,
    tagged_version,
    unlike,
)
from tasklib.shown.cutting import several

__all__ = ["Plan", "plan", "typed"]

_RELEASE_BRANCH = re.compile(r"(release|releases|hotfix|maintenance|support)/.+|v?\d+(\.\d+)*\.x")
_SHOWN = 20
"""Lines of the tag's message that a plan shows."""


class Plan(Struct, frozen=True):
    """What a release does: write ``edits`` (new texts by path) and commit them, tag, push.

    ``notes`` are what the edits mean, ``last`` the version before, ``behind`` the places that state it still.
    """

    survey: Survey
    version: Version
    last: Version | None
    branch: str
    commit: str
    message: str
    edits: Mapping[Path, str]
    notes: tuple[str, ...]
    push: bool
    behind: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        return tag_name(self.version)

    def lines(self) -> Iterator[str]:
        """The plan as its reader approves it."""
        remote = self.survey.remote
        yield f"{self.survey.name} {self.version} (last: {self.last or 'none'})"
        if others := unlike(_tags(self.survey), above=self.last):
            yield f"  ignores {several(others)}: not of the form vX.Y.Z; --version continues from there"
        yield f"  on {self.branch} at {self.commit[:10]}"
        for note in self.notes:
            yield f"  writes {note}"
        if (other := self.survey.other_changelog) and not self.survey.changelog:
            yield f"  leaves {_relative(self.survey, other)} as it is: what is read is CHANGELOG.md"
        for place in self.survey.unwritten:
            yield f"  leaves {place}"
        if self.behind:
            yield f"  leaves {several(self.behind)} at the version before"
        if self.edits:
            yield f"  commits that as: Release {self.version}"
        yield f"  tags {self.tag}:"
        message = self.message.splitlines()
        for line in message[:_SHOWN]:
            yield f"    {line}".rstrip()
        if len(message) > _SHOWN:
            yield f"    … {len(message) - _SHOWN} more lines"
        if self.push and remote:
            yield f"  pushes {self.branch} and {self.tag} to {remote.name}, both or neither"
        else:
            yield "  pushes nothing"


def typed(*words: str) -> str:
    """A command that can be copied into a shell, whatever branches and remotes are called."""
    return f"`{shlex.join(words)}`"


def plan(
    survey: Survey,
    *,
    base_branch: str,
    bump: Bump | None,
    version: str | None,
    push: bool,
    today: date,
) -> Plan:
    """What the release of ``version``, or of the last one raised by ``bump``, does.

    Without either it is the version that the changelog or pyproject.toml names and that has no tag yet.
    Raises :class:`~tasklib.errors.UsageError` with the reason why there must not be such a release.
    """
    commit, branch = _ready(survey, base_branch, push)
    last = _last(survey, branch == base_branch)
    chosen = _version(survey, last, bump, version)
    _refuse_tagged(survey, chosen)
    if last is not None and chosen <= last:
        raise UsageError(
            f"{chosen} is not above {last}, the last version",
            where=str(survey.root),
            remedy=f"The next ones are {', '.join(str(next_version(last, b)) for b in Bump)}.",
        )
    lowest = _stated(survey)
    if lowest is not None and chosen < lowest:
        raise UsageError(
            f"{chosen} is below {lowest}, which {survey.pyproject and survey.pyproject.name} states",
            where=str(survey.root),
            remedy=f"Give a higher one with --version, {lowest} itself for instance.",
        )
    edits, notes = _edits(survey, chosen, today)
    before = [stated[1]] if (stated := _package(survey)) else []
    before += spellings(last) if last else []
    before = [stated for stated in before if stated not in spellings(chosen)]
    texts = {_relative(survey, path): text for path, text in edits.items()}
    behind = staying_behind(survey.mentions, before, texts) if before else ()
    return Plan(survey, chosen, last, branch, commit, _message(survey, chosen), edits, notes, push, behind)


def _ready(survey: Survey, base_branch: str, push: bool) -> tuple[str, str]:
    """HEAD's commit and branch, if a release can be made of them."""
    where = str(survey.root)
    if survey.commit is None:
        raise UsageError("there is no commit to release", where=where)
    if survey.left:
        raise UsageError(
            f"a rebase or bisection of {survey.left} is under way",
            where=where,
            remedy="End it first: `git status` says how.",
        )
    if survey.branch is None:
        raise UsageError(
            "HEAD is detached", where=where, remedy=f"{typed('git', 'switch', base_branch)} first."
        )
    if survey.branch != base_branch and not _RELEASE_BRANCH.fullmatch(survey.branch):
        raise UsageError(
            f"releases are made on {base_branch}, not on {survey.branch}",
            where=where,
            remedy=f"{typed('git', 'switch', base_branch)}, or a branch called release/…; base-branch in "
            "[tool.tasklib] names another.",
        )
    if survey.dirty:
        raise UsageError(
            f"the tree is dirty: {several(survey.dirty)}",
            where=where,
            remedy="Commit, ignore or remove what is not committed.",
        )
    if survey.gone and survey.remote:
        raise UsageError(
            f"{survey.remote.name} has no branch {survey.branch} any more",
            where=where,
            remedy=f"{typed('git', 'branch', '-m', survey.branch, 'NAME')} where it is called NAME now; "
            f"{typed('git', 'fetch', '--prune', survey.remote.name)} to have it there again.",
        )
    if survey.behind and survey.remote:
        raise UsageError(
            f"{survey.remote.name} has commits on {survey.branch} that are not here",
            where=where,
            remedy=f"{typed('git', 'pull', '--ff-only', survey.remote.name, survey.branch)} first.",
        )
    if push and survey.remote is None:
        raise UsageError(
            "there is no remote to push to", where=where, remedy="`git remote add origin URL` names one."
        )
    return survey.commit, survey.branch


def _last(survey: Survey, on_base: bool) -> Version | None:
    """The version to be above: the highest that HEAD descends from, on the base branch the highest stable one
    of all if that is above it. A pre-release on a branch that is not merged holds nobody up.

    Raises :class:`~tasklib.errors.UsageError` where the history that would decide is not here.
    """
    merged = highest(_versions(survey.merged))
    known = list(_versions(_tags(survey)))
    last = highest([*filter(is_stable, known), *([merged] if merged else [])]) if on_base else merged
    if survey.shallow and any(last is None or version > last for version in known):
        name = survey.remote.name if survey.remote else "REMOTE"
        raise UsageError(
            "this clone is shallow: which versions the branch descends from is not known here",
            where=str(survey.root),
            remedy=f"{typed('git', 'fetch', '--unshallow', '--tags', name)} first.",
        )
    return last


def _tags(survey: Survey) -> tuple[str, ...]:
    """The tags that there are, here or on the remote."""
    return tuple(dict.fromkeys([*survey.tags, *(survey.remote.tags if survey.remote else ())]))


def _versions(tags: Iterable[str]) -> Iterator[Version]:
    return (version for tag in tags if (version := tagged_version(tag)))


def _version(survey: Survey, last: Version | None, bump: Bump | None, version: str | None) -> Version:
    if version is not None and bump is not None:
        raise UsageError("--version and --bump each say what the next version is", remedy="Give one of them.")
    if version is not None:
        return parse(version)
    if bump is not None:
        following, stated = next_version(last, bump), _stated(survey)
        # Without any tag, what the project calls itself already is where its versions go on.
        return next_version(stated, bump) if last is None and stated and following < stated else following
    written = changelog.newest(survey.files[survey.changelog]) if survey.changelog else None
    if written and (last is None or written > last):
        return written
    others = unlike(_tags(survey)) if last is None else ()
    passed_over = f": {several(others)} not of the form vX.Y.Z" if others else ""
    raise UsageError(
        "no version is given",
        where=str(survey.root),
        remedy=f"Give --bump {'|'.join(Bump)} or --version X.Y.Z. The last is {last or 'none'}{passed_over}.",
    )


def _stated(survey: Survey) -> Version | None:
    """The version that pyproject.toml states, where it states one that a release can have."""
    stated = _package(survey)
    return from_pep440(stated[1]) if stated else None


def _package(survey: Survey) -> tuple[str, str] | None:
    """The name and the version of the package that pyproject.toml states."""
    return manifest.package_version(survey.files[survey.pyproject]) if survey.pyproject else None


def _relative(survey: Survey, path: Path) -> Path:
    return path.relative_to(survey.root) if path.is_relative_to(survey.root) else path


def _refuse_tagged(survey: Survey, version: Version) -> None:
    tag, remote = tag_name(version), survey.remote
    if remote and tag in remote.tags:
        raise UsageError(f"{version} is tagged already: {remote.name} has {tag}", where=str(survey.root))
    if tag in survey.tags:
        push = ("git", "push", "--atomic", remote.name, survey.branch or "HEAD", tag) if remote else ()
        both = f"{typed(*push)} publishes it, " if push else ""
        raise UsageError(
            f"{version} is tagged already: {tag} exists here",
            where=str(survey.root),
            remedy=f"{both}`git tag -d {tag}` deletes it here.",
        )


def _edits(survey: Survey, version: Version, today: date) -> tuple[dict[Path, str], tuple[str, ...]]:
    """The new texts of the files that state the version, and what each change means."""
    edits: dict[Path, str] = {}
    notes = []
    if path := survey.pyproject:
        text = survey.files[path]
        stated = manifest.package_version(text)
        if stated and stated[1] != (spelled := pep440(version)):
            edits[path] = manifest.with_version(text, spelled, where=str(path))
            notes.append(f"{path.name}: version {stated[1]} → {spelled}")
            if lock := survey.lock:
                old = survey.files[lock]
                edits[lock] = manifest.lock_with_version(old, stated[0], spelled, where=str(lock))
                notes += [f"{lock.name}: the same"] if edits[lock] != old else []
    if (
        (path := survey.changelog)
        and is_stable(version)
        and not changelog.section(survey.files[path], version)
    ):
        edits[path] = changelog.released(survey.files[path], version, today)
        notes.append(f"{_relative(survey, path)}: what is unreleased becomes {version}")
    changed = {path: text for path, text in edits.items() if text != survey.files[path]}
    return changed, tuple(notes) if changed else ()


def _message(survey: Survey, version: Version) -> str:
    """The tag's message: the changelog's part about the version, or what is unreleased so far."""
    title = f"{survey.name} {version}"
    if survey.changelog is None:
        return title
    text = survey.files[survey.changelog]
    found = changelog.section(text, version) or changelog.section(text, None)
    if found is None or found.is_empty:
        raise UsageError(
            f"the changelog has no entry for {version}",
            where=str(survey.changelog),
            remedy=f"Write it below `## [Unreleased]` (or `## [{version}]`).",
        )
    return f"{title}\n\n{found.body}"
