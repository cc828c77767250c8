"""PURE: why git, a hook or a remote refused something, in their own words."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["own_words", "refused_references"]

_LINES = 3
"""Lines of somebody's own words that are told."""

_OVERVIEW = re.compile(
    r"(?:error|fatal): failed to push some refs|hint: |To \S+$|remote: .*: +\d+% |Everything up-to-date$"
    r"|remote: error: hook declined to update |\[(?:INFO|WARNING)\] "
)
"""What git and pre-commit say around the reason."""

_UNREACHED = "Could not read from remote repository"
"""git's words for whatever ended the program that speaks to a remote: that has said why."""

_LEVEL = re.compile(r"(?i:error|fatal): ")
_TELLING = re.compile(r"(?i)error|fail|denied|✖|✗|❌")

_PLAIN = re.compile(r"\w.*\w")
_HOOK = re.compile(r"(?P<name>.*?)\.{3,}(?:\(.*\))?Failed")
"""A line of pre-commit: the hook's name, dots up to the margin, the verdict."""

_ABOUT_HOOK = re.compile(r"- (?:hook id|exit code|duration|files were)")
_NEXT_HOOK = re.compile(r".*?\.{3,}.*(?:Passed|Failed|Skipped)$")


def own_words(text: str) -> str:
    """What a refused git command wrote, without what only surrounds the reason; empty where it said nothing.

    The remote's words come first, then the hooks of pre-commit that failed, then git's own reason, else a
    hook's lines: those that tell of an error, or its last ones.
    """
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not _OVERVIEW.match(line)]
    remote = [line.removeprefix("remote:").strip() for line in lines if line.startswith("remote:")]
    if remote := [line for line in remote if _PLAIN.search(line)]:
        return _together([_LEVEL.sub("", line, count=1) for line in remote[:_LINES]])
    if hooks := list(_failed_hooks(lines)):
        return _together(hooks[:_LINES])
    if git := [line for line in lines if _LEVEL.match(line)]:
        before = [line for line in lines[: lines.index(git[0])] if _PLAIN.search(line)]
        unreached = _UNREACHED in git[0] and before
        return _together(before[-1:] if unreached else [_LEVEL.sub("", git[0], count=1)])
    lines = [line for line in lines if _PLAIN.search(line)]
    return _together([line for line in lines if _TELLING.search(line)][:_LINES] or lines[-_LINES:])


def refused_references(porcelain: str) -> str:
    """What ``git push --porcelain`` says was refused, without what was held back only as it goes together."""
    rows = [line.split("\t") for line in porcelain.splitlines() if line.startswith("!\t")]
    said = [(row[1].rpartition(":")[2], row[2]) for row in rows if len(row) > 2]
    own = [(name, why) for name, why in said if "atomic" not in why] or said
    return ", ".join(f"{name.split('/', 2)[-1]} {why}" for name, why in own)


def _failed_hooks(lines: Sequence[str]) -> list[str]:
    """``mypy failed: a.py:1: error: …`` for each."""
    found = []
    for number, line in enumerate(lines):
        if hook := _HOOK.fullmatch(line):
            rest = lines[number + 1 :]
            end = next((at for at, row in enumerate(rest) if _NEXT_HOOK.fullmatch(row)), len(rest))
            said = [row for row in rest[:end] if not _ABOUT_HOOK.match(row)]
            found.append(f"{hook['name']} failed" + (f": {said[0]}" if said else ""))
    return found


def _together(lines: Sequence[str]) -> str:
    return "; ".join(line.rstrip(".") for line in lines)
