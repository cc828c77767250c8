"""Every rule, by what it is about: isolation, readiness, environments, images, tests, scripts, files."""

from __future__ import annotations

from tasklib.doctor.rules import environments, files, images, isolation, readiness, scripts, tests
from tasklib.doctor.rules._rule import RULES, Rule

__all__ = ["RULES", "Rule", "environments", "files", "images", "isolation", "readiness", "scripts", "tests"]
