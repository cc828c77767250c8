"""Findings that people who maintain such a project would call none."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tasklib.doctor.examination import examine
from tasklib.doctor.rules import RULES
from tests.integration.projects import write


def _places(root: Path, code: str) -> list[str]:
    found = examine(root, [RULES[code]])
    return [f"{finding.file.relative_to(root).as_posix()}:{finding.line}" for finding in found]


def test_a_pause_that_nobody_waits_out_is_none(tmp_path: Path) -> None:
    """An hour stands for work that hangs; a second is waited for."""
    write(tmp_path, {"tests/unit/test_a.py": "import time\ntime.sleep(3600)\ntime.sleep(1)\n"})
    assert _places(tmp_path, "TL501") == ["tests/unit/test_a.py:3"]


@pytest.mark.parametrize(
    ("example", "places"),
    [
        (".env.example", []),
        (".env.sample", []),
        ("example.env", []),
        (".env.prod.example", ["compose.yml:1"]),
        ("", ["compose.yml:1"]),
    ],
)
def test_an_ignored_file_that_an_example_stands_for(example: str, places: list[str], tmp_path: Path) -> None:
    """A fresh checkout has what to make it from."""
    files = {"compose.yml": "services: {a: {image: 'a:1', env_file: .env}}\n", ".gitignore": ".env\n"}
    write(tmp_path, files | ({example: ""} if example else {}))
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    assert _places(tmp_path, "TL701") == places


@pytest.mark.parametrize(
    ("file", "line", "found"),
    [
        ("tests/integration/test_a.py", 'API = "http://localhost:8000"', True),
        ("services/api/tests/service/a.test.ts", "fetch('http://localhost:5432')", True),
        ("tests/integration/test_a.py", 'API = "http://localhost:9999"', False),
        ("src/service/a.test.ts", "const url = 'http://localhost:8000'", False),
        ("shop/integration/test_a.py", 'API = "http://localhost:8000"', False),
    ],
)
def test_an_address_that_no_stack_has_is_text(file: str, line: str, found: bool, tmp_path: Path) -> None:
    """And so is one in tests of a part of the program that is called a service, or an integration."""
    compose = "services: {api: {build: ., ports: ['${PORT:-0}:8000']}, db: {image: 'postgres:16'}}\n"
    write(tmp_path, {"compose.test.yml": compose, file: f"{line}\n"})
    assert _places(tmp_path, "TL502") == ([f"{file}:1"] if found else [])
