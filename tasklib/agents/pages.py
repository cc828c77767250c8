"""The section and the skill, written from what is declared; ``python -m tasklib.agents`` writes SKILL.md."""

from __future__ import annotations

from importlib.resources import files

from tasklib.errors import EXIT_CODES
from tasklib.options.catalog import COMMANDS

__all__ = ["SKILL", "section", "skill", "written_skill"]

SKILL = "SKILL.md"
"""The file in this folder, as it ships: what :func:`written_skill` gives."""


def section() -> str:
    """What an AGENTS.md may hold: a heading and some twenty lines of Markdown."""
    return _text("section.md")


def skill() -> str:
    """SKILL.md as it ships, front matter first."""
    return _text(SKILL)


def written_skill() -> str:
    """SKILL.md, made from the commands and exit codes as they are declared now."""
    commands = [
        f"| `tasklib {command.collection if command.default else command.name}` | {command.doc} |"
        for command in COMMANDS
    ]
    codes = [f"| {code} | {said} |" for code, said in EXIT_CODES.items()]
    return (
        _text("skill.template.md")
        .replace("{{ commands }}", "\n".join(commands))
        .replace("{{ codes }}", "\n".join(codes))
    )


def _text(name: str) -> str:
    return files("tasklib.agents").joinpath(name).read_text(encoding="utf-8")
