"""The page of the rules, which is shipped: what a rule is about, with a bad and a good example."""

from __future__ import annotations

import re
from importlib.resources import files

from tasklib.doctor.rules import RULES
from tasklib.errors import UsageError

__all__ = ["explained", "sections"]


def sections() -> dict[str, str]:
    """Each rule's section of the page, by its code."""
    page = files("tasklib.doctor").joinpath("rules.md").read_text(encoding="utf-8")
    found = re.split(r"(?m)^## (?=TL\d+: )", page)[1:]
    return {section.partition(":")[0]: f"{section.rstrip()}\n" for section in found}


def explained(code: str) -> str:
    """The section of one rule. Raises :class:`~tasklib.errors.UsageError` where there is none."""
    section = sections().get(code.upper())
    if section is None:
        raise UsageError(f"there is no rule {code}", remedy=f"The rules are: {', '.join(sorted(RULES))}.")
    return section
