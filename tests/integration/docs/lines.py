"""The command lines of README.md and docs/, and which of them no test types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"

ALL_PAGES = (*(str(path.relative_to(DOCS)) for path in sorted(DOCS.rglob("*.md"))), "../README.md")
"""By their way from docs/."""

TYPED_ELSEWHERE: Mapping[str, str] = {
    "tasklib new.adopt": "adoption/test_adopt.py",
    "tasklib new.adopt --write": "adoption/test_adopt.py",
    "tasklib new.project shop --services api,worker": "new/conftest.py",
    "tasklib new.service billing --kind node": "new/test_projects.py",
    "tasklib new.update": "new/test_update.py",
    "tasklib new.update --write": "new/test_update.py",
    "tasklib test.service --name api --watch": "suites/test_watch.py",
    "python -m benchmarks.stress --worktrees 8 --rounds 10 --seed 20261125": "cleanup/test_stress.py",
    "python -m benchmarks.stress --users 2 --rounds 30 --seed 20261126": "cleanup/test_stress.py",
    "python -m benchmarks.study awesome-compose": "../unit/benchmarks/test_study.py",
}
"""Lines that another test types with names of its own, as they need a project or an end of their own."""

NOT_RUN: Mapping[str, str] = {
    "python3 dev demo --provide-engine": "installs an engine on the machine that runs the tests",
    "python3 dev test --provide-engine": "installs an engine, and runs these tests",
    "uv tool install tasklib-stages --with-executables-from nox,invoke": "installs what PyPI has",
    "uv tool install 'tasklib-stages[new]' --with-executables-from nox,invoke": "installs what PyPI has",
    "uv tool install tasklib-stages": "installs what PyPI has",
    "pipx install tasklib-stages --include-deps": "installs what PyPI has",
    "uv add --dev tasklib-stages": "installs what PyPI has",
    "uv add --dev tasklib-pytest": "installs what PyPI has",
    "uv remove pytest-docker": "undoes an installation from PyPI",
    "cd shop": "goes into the folder that the line before it makes",
    "git clone --depth 1 https://github.com/docker/awesome-compose": "fetches what GitHub has",
}
"""Every line that no test types, and why. What PyPI has is installed from wheels in `packaging/`."""


def command_blocks(page: str) -> Iterator[list[str]]:
    """The lines after a prompt in each console block of a page, and what a comment names as the same."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for block in re.findall(r"(?ms)^ *```console\n(.*?)^ *```$", text):
        yield [line for shown in block.splitlines() for line in _lines(shown.strip())]


def command_lines(page: str) -> Iterator[str]:
    """All of them, one by one."""
    for block in command_blocks(page):
        yield from block


def _lines(shown: str) -> Iterator[str]:
    if shown.startswith("$ "):
        command, _, comment = shown[2:].partition("  #")
        yield command.strip()
        if comment.strip().startswith("or: "):
            yield from (other.strip() for other in re.split(r",? *or: ", comment.strip()) if other.strip())
