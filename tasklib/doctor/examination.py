"""Examining a folder: every rule over what is there, less what is ignored, and the repairs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import yaml
from msgspec import Struct

from tasklib.doctor.findings import Edit, Finding, Severity
from tasklib.doctor.rules import RULES, Rule
from tasklib.doctor.survey import Survey, survey
from tasklib.errors import UsageError

__all__ = ["Repair", "chosen", "examine", "repaired"]

_IGNORE = re.compile(r"(?:#|//)\s*tasklib:\s*ignore(?:\[(?P<codes>[\w\s,]*)\])?")


_ROUNDS = 8
"""Times that a folder is looked at again after repairs."""


class Repair(Struct, frozen=True):
    """The new text of a file, and the findings that it mends."""

    path: Path
    text: str
    mended: tuple[Finding, ...]


def chosen(select: Sequence[str], ignore: Sequence[str]) -> tuple[Rule, ...]:
    """The rules whose codes begin with one of ``select`` (all without any) and with none of ``ignore``.

    Raises :class:`~tasklib.errors.UsageError` for what is the beginning of no code.
    """
    for option, words in (("--select", select), ("--ignore", ignore)):
        for word in words:
            if not word or not any(code.startswith(word.upper()) for code in RULES):
                known = ", ".join(sorted(RULES))
                raise UsageError(f"{option} {word}: there is no such rule", remedy=f"The rules are: {known}.")
    return tuple(
        rule
        for code, rule in sorted(RULES.items())
        if (not select or code.startswith(tuple(word.upper() for word in select)))
        and not (ignore and code.startswith(tuple(word.upper() for word in ignore)))
    )


def examine(
    root: Path, rules: Iterable[Rule], texts: Mapping[Path, str] | None = None
) -> tuple[Finding, ...]:
    """What ``rules`` find below ``root`` (absolute), by file and line; ``texts`` as in :func:`survey`."""
    there = survey(root, texts)
    found = {finding for rule in rules for finding in rule.check(rule, there)}
    kept = [finding for finding in found if not _is_ignored(there, finding)]
    return tuple(sorted(kept, key=lambda f: (str(f.file), f.line, f.column, f.code, f.message)))


def repaired(root: Path, rules: Sequence[Rule]) -> tuple[Repair, ...]:
    """What files below ``root`` would be with their findings mended; nothing is written.

    What a repair makes visible is repaired, too. A file has to be readable after each repair.
    """
    texts: dict[Path, str] = {}
    mended: dict[Path, list[Finding]] = {}
    for _ in range(_ROUNDS):
        by_file: dict[Path, list[Finding]] = {}
        for finding in examine(root, rules, texts):
            if finding.edits:
                by_file.setdefault(finding.file, []).append(finding)
        changed = False
        for path, findings in by_file.items():
            text = texts[path] if path in texts else path.read_bytes().decode("utf-8")
            taken, after = _mended(text, path, findings)
            if after != text:
                changed = True
                texts[path] = after
                mended.setdefault(path, []).extend(taken)
        if not changed:
            break
    return tuple(Repair(path, texts[path], tuple(findings)) for path, findings in mended.items())


def _mended(text: str, path: Path, findings: Sequence[Finding]) -> tuple[list[Finding], str]:
    """Those of ``findings`` that can be mended side by side, and the text with their edits."""
    taken: list[Finding] = []
    edits: set[Edit] = set()
    for finding in findings:
        more = edits | set(finding.edits)
        if not _overlap(more) and _is_readable(applied(text, more), path):
            taken.append(finding)
            edits = more
    return taken, applied(text, edits)


def applied(text: str, edits: Iterable[Edit]) -> str:
    """``text`` with ``edits``, which do not overlap."""
    for edit in sorted(edits, reverse=True):
        text = f"{text[: edit.start]}{edit.text}{text[edit.end :]}"
    return text


def _overlap(edits: Iterable[Edit]) -> bool:
    ordered = sorted(edits)
    return any(one.end > other.start for one, other in pairwise(ordered))


def _is_readable(text: str, path: Path) -> bool:
    if path.suffix not in (".yml", ".yaml"):
        return True
    try:
        return isinstance(yaml.compose(text, Loader=yaml.SafeLoader), yaml.MappingNode)
    except (yaml.YAMLError, RecursionError):
        return False


def _is_ignored(there: Survey, finding: Finding) -> bool:
    """Whether the line of a finding, or the one above it, says so."""
    lines = (there.text(finding.file) or "").splitlines() if finding.file.is_file() else []
    for number in (finding.line - 1, finding.line - 2):
        if 0 <= number < len(lines):
            found = _IGNORE.search(lines[number])
            alone = number == finding.line - 1 or lines[number].lstrip().startswith(("#", "//"))
            if found and alone:
                codes = [code.strip().upper() for code in (found["codes"] or "").split(",") if code.strip()]
                return not codes or finding.code in codes
    return False


def worst(findings: Iterable[Finding]) -> Severity | None:
    """The worst severity among ``findings``."""
    found = {finding.severity for finding in findings}
    return Severity.ERROR if Severity.ERROR in found else Severity.WARNING if found else None


def counted(findings: Iterable[Finding]) -> Mapping[Severity, int]:
    counts = dict.fromkeys(Severity, 0)
    for finding in findings:
        counts[finding.severity] += 1
    return counts
