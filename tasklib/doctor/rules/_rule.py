"""What a rule is, and the list of all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import yaml
from msgspec import Struct

from tasklib.doctor.document import Document
from tasklib.doctor.findings import Edit, Finding, Severity
from tasklib.doctor.survey import Survey

__all__ = ["RULES", "Rule", "rule"]

Check = Callable[["Rule", Survey], Iterator[Finding]]


class Rule(Struct, frozen=True):
    """A rule: ``title`` says what is wrong in a few words, ``why`` what comes of it, ``fix`` what to do."""

    code: str
    severity: Severity
    title: str
    why: str
    fix: str
    check: Check
    fixable: bool = False

    def finding(
        self, document: Document, node: yaml.Node, message: str, *edits: Edit | None, fix: str = ""
    ) -> Finding:
        """A finding at ``node``; it is repaired by ``edits`` if none of them is ``None``."""
        done = tuple(edit for edit in edits if edit is not None)
        return self.at(
            document.path,
            *document.place(node),
            message,
            *(done if len(done) == len(edits) else ()),
            fix=fix,
        )

    def at(self, path: Path, line: int, column: int, message: str, *edits: Edit, fix: str = "") -> Finding:
        """A finding at a place of a file, both counted from 1."""
        return Finding(self.code, self.severity, path, line, column, message, fix or self.fix, edits)


RULES: dict[str, Rule] = {}
"""Every rule by its code."""


def rule(
    code: str, severity: Severity, title: str, *, why: str, fix: str, fixable: bool = False
) -> Callable[[Check], Rule]:
    """Register the function as what finds breaches of a rule."""

    def register(check: Check) -> Rule:
        if code in RULES:
            raise ValueError(f"two rules are called {code}")
        RULES[code] = Rule(code, severity, title, why, fix, check, fixable)
        return RULES[code]

    return register
