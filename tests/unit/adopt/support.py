"""Proposals for repositories made of texts."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasklib.adopt.proposal import Proposal
from tasklib.adopt.propose import propose
from tasklib.adopt.rendering import rendered
from tasklib.adopt.survey import survey
from tests.integration.projects import write

__all__ = ["proposed", "settings_of", "shown"]


def proposed(folder: Path, files: Mapping[str, str], **options: Any) -> Proposal:
    """What is proposed for a repository of ``files``, written to ``folder``."""
    write(folder, files)
    return propose(survey(folder), **options)


def settings_of(proposal: Proposal) -> Mapping[str, Any]:
    """[tool.tasklib] as the proposal writes it."""
    text = proposal.files.get("pyproject.toml") or ""
    found = tomllib.loads(text).get("tool", {}).get("tasklib", {})
    assert isinstance(found, dict)
    return found


def shown(proposal: Proposal, files: Mapping[str, str]) -> str:
    return "\n".join(rendered(proposal, files))
