"""PURE: which of several runs of tests is that of the tests as such, and which is a special one."""

from __future__ import annotations

import re

from tasklib.adopt.evidence import Evidence, Kind
from tasklib.adopt.usages import Usage

__all__ = ["BROWSERS", "drives_a_browser", "is_narrowed", "rank", "script_of"]

_NARROWED = re.compile(
    r"--testPathPatterns?|--testNamePattern|(^| )-[kt] |(^| )(-g|--grep)( |=|$)"
    r"|benchmark(?!-(?:skip|disable))"
)
"""Options of a run that is about a few tests alone."""

BROWSERS = ("playwright", "cypress", "protractor", "testcafe", "wdio", "nightwatch")
"""What drives a browser needs something to look at."""


def rank(usage: Usage, evidence: Evidence) -> tuple[bool, int, int]:
    """What is the tests as such comes first, what is a special kind of them later."""
    script = script_of(usage, evidence)
    special = re.search(
        r"e2e|accept|smoke|compat|migrat|perf|bench|upgrade|nightly|generator|a11y|visual|fuzz|coverage",
        usage.recipe.name + usage.recipe.file + script,
    )
    usual = ["test", "test:unit", "unit", "test:ci"]
    return bool(special), usual.index(script) if script in usual else len(usual), len(usage.options)


def script_of(usage: Usage, evidence: Evidence) -> str:
    """The name of the script of a package.json that a run stands in, whoever calls it."""
    if usage.recipe.kind is Kind.PACKAGE or not usage.place.file.endswith("package.json"):
        return usage.recipe.name if usage.recipe.kind is Kind.PACKAGE else ""
    own = (r for r in evidence.recipes if r.file == usage.place.file and r.first == usage.place.line)
    return next((recipe.name for recipe in own), "")


def is_narrowed(usage: Usage) -> bool:
    """Whether it is about a few tests alone."""
    return bool(_NARROWED.search(" ".join(usage.options)))


def drives_a_browser(usage: Usage) -> bool:
    """Whether it needs something to look at."""
    return usage.runner in BROWSERS or "--browser" in usage.options
