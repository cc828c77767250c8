"""The doctor as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Type

COMPOSE = """\
services:
  api:
    image: api:1
    ports: ["8000:8000"]   # for curl
"""


@pytest.fixture
def ill(shop: Path) -> Path:
    """A test stack with a fixed port."""
    file = shop / "deploy/test/docker-compose.yml"
    file.parent.mkdir(parents=True)
    file.write_text(COMPOSE)
    return file


def test_a_healthy_project(shop: Path, typed: Type) -> None:
    assert typed("doctor").lines == ["nothing found"]


def test_findings_have_a_place_and_a_code_of_their_own(ill: Path, typed: Type) -> None:
    """Errors make the exit code 1; rules can be chosen, and a choice that is none is refused."""
    ran = typed("doctor --select TL101")
    assert ran.code == 1
    assert ran.lines[0].startswith("deploy/test/docker-compose.yml:4:")
    assert "TL101" in ran.out
    assert typed("doctor --select TL101 --ignore TL101").code == 0
    refused = typed("doctor --select TL999")
    assert (refused.code, "TL999" in refused.err) == (2, True)
    assert typed("doctor no/such/folder").code == 2


def test_findings_as_json(ill: Path, typed: Type) -> None:
    """One array, its fields those of the contract."""
    [found] = json.loads(typed("doctor --select TL101 --format json").out)
    assert {"code", "severity", "file", "line", "column", "message", "fix"} <= set(found)


def test_a_repair_keeps_what_stands_beside_it(ill: Path, typed: Type) -> None:
    """What was repaired is told, and looked at again."""
    ran = typed("doctor --select TL101 --fix")
    assert (ran.code, ran.err) == (0, "repaired deploy/test/docker-compose.yml: TL101\n")
    assert ill.read_text() == COMPOSE.replace('"8000:8000"', '"8000"')


def test_a_rule_explains_itself(shop: Path, typed: Type) -> None:
    """With a bad and a good example."""
    said = typed("doctor --explain TL101").out
    assert "Bad," in said
    assert "Good," in said
    assert typed("doctor --explain TL999").code == 2
