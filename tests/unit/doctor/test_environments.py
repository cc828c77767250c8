"""Which environment the Compose file at a repository's top is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklib.doctor.examination import examine
from tasklib.doctor.rules import RULES
from tasklib.doctor.survey import survey
from tasklib.project import Environment


@pytest.mark.parametrize(
    ("file", "text", "environment"),
    [
        ("README.md", "", None),
        ("pyproject.toml", "[tool.tasklib]\nneeds = ['db']\n", None),
        ("pyproject.toml", "[tool.tasklib]\ncompose.test = 'compose.yml'\n", None),
        ("tests/integration/test_a.py", "def test_a(): ...\n", None),
    ],
)
def test_the_file_at_the_top(file: str, text: str, environment: Environment | None, tmp_path: Path) -> None:
    """It is what people start, too, also where settings say that tests use it."""
    (tmp_path / "compose.yml").write_text("services: {db: {image: 'postgres:16', restart: always}}\n")
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(text)
    assert [one.environment for one in survey(tmp_path).compose] == [environment]


@pytest.mark.parametrize(
    ("settings", "file", "environment"),
    [
        ("compose.test = 'docker/compose.yml'", "docker/compose.yml", None),
        ("compose.test = 'ci/compose.yml'", "ci/compose.yml", Environment.TEST),
        ("compose = {test = 'docker/compose.yml', dev = 'dev.yml'}", "docker/compose.yml", Environment.TEST),
        ("services.api = {path = 'src', compose = '../docker/compose.yml'}", "docker/compose.yml", None),
    ],
)
def test_a_stack_that_tests_use_is_not_theirs_alone(
    settings: str, file: str, environment: Environment | None, tmp_path: Path
) -> None:
    """Unless it is called so, or development has another one: a repair would take its ports and its data."""
    for name in (file, "dev.yml", "src/a.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("services: {db: {image: 'postgres:16'}}\n")
    (tmp_path / "pyproject.toml").write_text(f"[tool.tasklib]\n{settings}\n")
    found = {one.path.relative_to(tmp_path).as_posix(): one.environment for one in survey(tmp_path).compose}
    assert found[file] is environment


def test_what_two_checkouts_cannot_both_start_is_found_at_the_top(tmp_path: Path) -> None:
    """Fixed names and ports; a repair takes no data and no stack from whoever has it up."""
    (tmp_path / "compose.yml").write_text(
        "name: shop\n"
        "services:\n"
        "  db:\n"
        "    image: postgres:16\n"
        "    container_name: shop-db\n"
        '    ports: ["5432:5432"]\n'
        "    restart: always\n"
        "    volumes: ['data:/var/lib/postgresql/data']\n"
        "volumes: {data: {name: shop-data}}\n"
    )
    found = {
        (finding.code, finding.line): bool(finding.edits)
        for finding in examine(tmp_path, [rule for rule in RULES.values() if rule.code[:3] in ("TL1", "TL3")])
    }
    assert found == {("TL104", 1): False, ("TL103", 5): False, ("TL307", 6): True, ("TL103", 9): False}


@pytest.mark.parametrize(
    ("name", "url", "repaired"), [("shop-db", "shop-db", False), ("shop-db", "db", True), ("db", "db", True)]
)
def test_a_name_that_the_file_uses_as_a_host_is_not_taken_away(
    name: str, url: str, repaired: bool, tmp_path: Path
) -> None:
    """Nothing would answer under it any more, but where it is the service's own."""
    (tmp_path / "compose.test.yml").write_text(
        f"services:\n  db:\n    image: postgres:16\n    container_name: {name}\n"
        f"  api: {{image: api, environment: {{HOST: {url}}}}}\n"
    )
    (finding,) = examine(tmp_path, [RULES["TL103"]])
    assert bool(finding.edits) is repaired
