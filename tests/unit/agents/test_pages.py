"""What coding agents are told is what there is."""

from __future__ import annotations

import re

import pytest
import yaml

from tasklib.agents.pages import section, skill, written_skill
from tasklib.errors import EXIT_CODES
from tasklib.options.catalog import COMMANDS


def test_the_skill_that_ships_is_up_to_date() -> None:
    """``python -m tasklib.agents > tasklib/agents/SKILL.md`` writes it."""
    assert skill() == written_skill()


def test_the_skill_can_be_loaded() -> None:
    """Its front matter has the name of a folder and a description short enough to be always in mind."""
    _, front, body = skill().split("---\n", 2)
    said = yaml.safe_load(front)
    assert re.fullmatch(r"[a-z0-9-]{1,64}", said["name"])
    assert 0 < len(said["description"]) <= 1024
    assert body.lstrip().startswith("# ")


def test_the_skill_names_every_command_and_exit_code() -> None:
    """Nothing that can be typed is left out, and no code has to be guessed."""
    for command in COMMANDS:
        assert command.doc in skill()
    for code, said in EXIT_CODES.items():
        assert f"| {code} | {said} |" in skill()


@pytest.mark.parametrize("page", [section(), skill()], ids=["section", "skill"])
def test_no_line_names_an_option_or_a_command_that_is_not_there(page: str) -> None:
    """What stands after ``tasklib`` is a command, and its options are that command's own."""
    names = {command.collection if command.default else command.name: command for command in COMMANDS}
    for typed in re.findall(r"^\$ tasklib (.*)$", page, re.MULTILINE):
        name, *words = typed.partition("  #")[0].split()
        known = {"--dry", *(option.flag for option in names[name].options)}
        assert {word for word in words if word.startswith("-")} <= known


def test_the_section_is_short() -> None:
    """It is read at the start of every conversation."""
    assert len(section().splitlines()) < 30
