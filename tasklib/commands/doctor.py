"""``doctor``: what breaks the patterns, and its repair."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tasklib.commands.console import complain, give, say
from tasklib.errors import ConfigError, UsageError

__all__ = ["examine", "explain"]


def explain(code: str) -> int:
    """Show the section of one rule. Raises :class:`~tasklib.errors.UsageError` where there is none."""
    from tasklib.doctor.page import explained

    say(explained(code).rstrip())
    return 0


def examine(path: str, *, fix: bool, select: Sequence[str], ignore: Sequence[str], format: str) -> int:
    """Show what is found at or below ``path``, after repairing it with ``fix``; 1 where an error is left.

    Raises :class:`~tasklib.errors.UsageError` for a path or a rule that is not there.
    """
    from tasklib.doctor.examination import chosen, repaired
    from tasklib.doctor.examination import examine as look
    from tasklib.doctor.findings import Severity
    from tasklib.doctor.formats import printed
    from tasklib.files.whole import write_whole

    root = Path(path).absolute()
    if not root.exists():
        raise UsageError(f"there is no {path}")
    chosen_by_project, ignored_by_project = _settings(root)
    rules = chosen(select or chosen_by_project, [*ignored_by_project, *ignore])
    if fix:
        for repair in repaired(root, rules):
            write_whole(repair.path, repair.text.encode())
            codes = ", ".join(sorted({finding.code for finding in repair.mended}))
            complain(f"repaired {os.path.relpath(repair.path)}: {codes}")
    found = look(root, rules)
    for line in printed(found, format, Path.cwd()):
        say(line) if format == "text" else give(line)
    errors = sum(finding.severity is Severity.ERROR for finding in found)
    if format == "text":
        say(_summary(errors, len(found) - errors, sum(bool(finding.edits) for finding in found)))
    return 1 if errors else 0


def _summary(errors: int, warnings: int, repairable: int) -> str:
    if not errors and not warnings:
        return "nothing found"
    counts = [(errors, "error"), (warnings, "warning")]
    text = " and ".join(f"{number} {word}{'s' if number > 1 else ''}" for number, word in counts if number)
    return f"{text}; --fix repairs {repairable} of them" if repairable else text


def _settings(root: Path) -> tuple[list[str], list[str]]:
    """What [tool.tasklib.doctor] of the project around ``root`` selects and ignores."""
    from tasklib.project import find_project
    from tasklib.project.configuration import load
    from tasklib.project.toml import read

    try:
        config = find_project(root if root.is_dir() else root.parent).config
    except ConfigError:
        return [], []
    doctor = load(read(config)).doctor if config else None
    return (doctor.select, doctor.ignore) if doctor else ([], [])
