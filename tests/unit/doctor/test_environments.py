"""Which environment the Compose file at a repository's top is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklib.doctor.survey import survey
from tasklib.project import Environment


@pytest.mark.parametrize(
    ("file", "text", "environment"),
    [
        ("README.md", "", None),
        ("pyproject.toml", "[tool.tasklib]\nneeds = ['db']\n", None),
        ("pyproject.toml", "[tool.tasklib]\ncompose.test = 'compose.yml'\n", Environment.TEST),
        ("tests/integration/test_a.py", "def test_a(): ...\n", None),
    ],
)
def test_the_file_at_the_top(file: str, text: str, environment: Environment | None, tmp_path: Path) -> None:
    """It is the test stack alone where settings name it; else it is what people start, too."""
    (tmp_path / "compose.yml").write_text("services: {db: {image: 'postgres:16', restart: always}}\n")
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text)
    assert [one.environment for one in survey(tmp_path).compose] == [environment]
