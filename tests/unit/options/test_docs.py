"""The documentation of options is what is declared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasklib.errors import EXIT_CODES
from tasklib.options.catalog import COMMANDS, STAGE_OPTIONS, command
from tasklib.options.command import Command
from tasklib.options.help import command_help, page

ROOT = Path(__file__).parents[3]


def test_the_page_of_commands_is_up_to_date() -> None:
    """``python -m tasklib.options > docs/commands.md`` writes it."""
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == page()


def test_the_readme_names_the_options_of_the_stages() -> None:
    """All of them, and none that is not there."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"(?s)Options are the same everywhere: (.*?)\. Under Nox", text)
    named = {flag.split()[0] for flag in re.findall(r"`(.+?)`", listed)}
    assert named == {option.flag for option in STAGE_OPTIONS}


@pytest.mark.parametrize("found", COMMANDS, ids=lambda found: found.name)
def test_help_names_each_option_before_what_is_common_and_ends_with_an_example(found: Command) -> None:
    """Values are shown, and where the test runner's own options go."""
    lines = command_help(found, "nox -s x", dashes="--")
    required = tuple(f"  {option.flag} " for option in found.options if option.required)
    flags = [line.split()[0].rstrip(",") for line in lines if line.startswith(("  -", "  [", *required))]
    assert flags == [*(option.flag for option in found.options), "--dry", "-h"]
    assert lines[-1].startswith("Example: nox -s x")
    assert any("second `--`" in line for line in lines) == found.runs_tests


def test_values_are_named_in_help() -> None:
    """`--name SERVICE`, not `--name`."""
    lines = command_help(command("test.unit"), "tasklib test.unit")
    assert any(line.startswith("  --name SERVICE ") for line in lines)
    assert any(line.startswith("  --format auto|live|plain|json ") for line in lines)
    assert lines[-1] == "Example: tasklib test.unit --name api -- -x"


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _typed(text: str) -> Iterator[list[str]]:
    """What follows ``tasklib`` or ``invoke`` in console blocks, in code and in steps of CI, up to ``--``."""
    console = re.findall(r"(?m)^\$ (.*)$", text)
    inline = re.findall(r"`([^`]+)`", re.sub(r"(?ms)^ *```.*?^ *```$", "", text))
    steps = re.findall(r"(?ms)^```ya?ml.*?^```", text)
    for line in (*console, *inline, *steps):
        for program in re.finditer(r"\b(?:tasklib|invoke) (?=[a-z])([^#`|&;)]*)", line):
            words = program[1].split()
            yield words[: words.index("--")] if "--" in words else words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_names_a_command_or_option_that_is_not_there(page: Path) -> None:
    """Whatever stands after ``tasklib`` and ``invoke``, in a block or within a sentence."""
    known = {name: found for found in COMMANDS for name in (found.name, found.collection)}
    known |= {"release-tag": command("release.tag")}
    defaults = {found.collection: found for found in COMMANDS if found.default}
    for words in _typed(page.read_text(encoding="utf-8")):
        name = words[0].rstrip("*,.")
        found = defaults.get(name) or known.get(name)
        assert found is not None, words
        options = {option.flag for option in found.options} | {option.inverse for option in found.options}
        assert {word.rstrip(",.") for word in words if word.startswith("--")} <= options | {
            "--dry",
            "--help",
        }, words


def test_the_page_of_exit_codes_has_them_all() -> None:
    """As they are declared, and so has the README."""
    rows = re.findall(r"(?m)^\| (\d+) \| (.+) \|$", (ROOT / "docs/reference.md").read_text(encoding="utf-8"))
    assert {int(code): said for code, said in rows} == dict(EXIT_CODES)
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert ", ".join(f"{code} {said}" for code, said in EXIT_CODES.items()) in readme
