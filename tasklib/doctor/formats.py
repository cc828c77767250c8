"""Findings as text, JSON, annotations of GitHub and Gitea, and SARIF."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import tasklib
from tasklib.doctor.findings import Finding, Severity
from tasklib.doctor.rules import RULES
from tasklib.errors import UsageError
from tasklib.reporting.lines.actions import command
from tasklib.shown.cleaning import clean_line, harmless_json

__all__ = ["FORMATS", "printed"]

FORMATS = ("text", "json", "github", "sarif")


def printed(findings: Sequence[Finding], format: str, base: Path) -> Iterator[str]:
    """The lines that show ``findings``, with paths relative to ``base`` where they lie below it.

    Raises :class:`~tasklib.errors.UsageError` for a format that there is not.
    """
    match format:
        case "text":
            yield from (_text(finding, base) for finding in findings)
        case "json":
            yield harmless_json(json.dumps([_object(finding, base) for finding in findings], indent=1))
        case "github":
            yield from (_annotation(finding, base) for finding in findings)
        case "sarif":
            yield harmless_json(json.dumps(_sarif(findings, base), indent=1))
        case _:
            raise UsageError(f"--format takes {', '.join(FORMATS)}, not {format!r}")


def _text(finding: Finding, base: Path) -> str:
    place = f"{_name(finding.file, base)}:{finding.line}:{finding.column}"
    return clean_line(f"{place}: {finding.severity} {finding.code} {finding.message}. {finding.fix}")


def _object(finding: Finding, base: Path) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "file": _name(finding.file, base),
        "line": finding.line,
        "column": finding.column,
        "message": finding.message,
        "fix": finding.fix,
    }


def _annotation(finding: Finding, base: Path) -> str:
    """A workflow command; what stands in it may not end it."""
    text = clean_line(f"{finding.message}. {finding.fix}")
    file = _name(finding.file, base)
    return command(
        finding.severity.value, text, file=file, line=finding.line, col=finding.column, title=finding.code
    )


def _sarif(findings: Sequence[Finding], base: Path) -> dict[str, Any]:
    """Version 2.1.0 of the format (docs.oasis-open.org/sarif)."""
    rules = [
        {
            "id": rule.code,
            "shortDescription": {"text": rule.title},
            "fullDescription": {"text": rule.why},
            "help": {"text": rule.fix},
            "defaultConfiguration": {"level": _level(rule.severity)},
        }
        for _, rule in sorted(RULES.items())
    ]
    results = [
        {
            "ruleId": finding.code,
            "level": _level(finding.severity),
            "message": {"text": f"{finding.message}. {finding.fix}"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": _uri(finding.file, base)},
                        "region": {"startLine": finding.line, "startColumn": finding.column},
                    }
                }
            ],
        }
        for finding in findings
    ]
    driver = {"name": "tasklib", "version": tasklib.__version__, "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}],
    }


def _level(severity: Severity) -> str:
    return {Severity.ERROR: "error", Severity.WARNING: "warning"}[severity]


def _uri(path: Path, base: Path) -> str:
    """The place as a reference of a URI, in which a space or a `#` would mean something else."""
    return quote(path.relative_to(base).as_posix()) if path.is_relative_to(base) else path.as_uri()


def _name(path: Path, base: Path) -> str:
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)
