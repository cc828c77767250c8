"""The tables that the doctor is made for, row by row: the mistake is found, what is right is left alone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tasklib.commands.doctor import examine as command
from tasklib.doctor.examination import chosen, examine, repaired

ROOT = Path(__file__).parents[3]

TEST, DEV, PROD = (f"deploy/{name}/docker-compose.yml" for name in ("test", "dev", "prod"))


def stack(**service: object) -> str:
    """A Compose file in which nothing is wrong but what ``service`` says of its database."""
    check = {"test": ["CMD", "pg_isready"], "interval": "5s", "timeout": "3s", "retries": 5}
    made = {"image": "postgres:16", "healthcheck": check, **service}
    return yaml.safe_dump({"services": {"db": {k: v for k, v in made.items() if v is not None}}})


SLOW = {"test": ["CMD", "pg_isready"], "interval": "30s", "timeout": "3s", "retries": 5}
FAST = SLOW | {"interval": "5s"}
ROTATED = {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}
LIMITS = {"resources": {"limits": {"memory": "512M", "cpus": "1"}}}
IN_PRODUCTION = {"healthcheck": SLOW, "restart": "unless-stopped", "logging": ROTATED, "deploy": LIMITS}
KEPT = {"volumes": ["data:/var/lib/postgresql/data"]}
MOUNTED = {"volumes": ["/srv/db:/var/lib/postgresql/data"]}


def prod(**service: object) -> str:
    return stack(**{**IN_PRODUCTION, **MOUNTED, **service})


def volumes(text: str) -> str:
    return f"{text}volumes: {{data: {{}}}}\n"


MEMORY = {"tmpfs": ["/var/lib/postgresql/data"]}
ROWS = {
    "fixed ports in a test stack": (
        TEST,
        "TL101",
        stack(**MEMORY, ports=["5432:5432"]),
        stack(**MEMORY, ports=["5432"]),
    ),
    "persistent test volumes": (TEST, "TL102", volumes(stack(**KEPT)), stack(**MEMORY)),
    "no health check": (TEST, "TL201", stack(**MEMORY, healthcheck=None), stack(**MEMORY)),
    "verbose test output": ("scripts/x.sh", "TL603", "pytest -v tests\n", "pytest tests\n"),
    "no branch isolation": (TEST, "TL103", stack(**MEMORY, container_name="db"), stack(**MEMORY)),
    "no project name": (
        "scripts/test.sh",
        "TL602",
        "docker compose up -d\n",
        "export COMPOSE_PROJECT_NAME=test-$TEST_INSTANCE_ID\ndocker compose up -d\n",
    ),
    "global cleanup": ("scripts/x.sh", "TL601", "docker container prune -f\n", "tasklib clean\n"),
    "storage of dev": (
        DEV,
        "TL308",
        stack(**MEMORY, healthcheck=SLOW),
        volumes(stack(**KEPT, healthcheck=SLOW)),
    ),
    "storage of prod": (PROD, "TL306", volumes(prod(**KEPT)), prod()),
    "ports of dev": (
        DEV,
        "TL307",
        volumes(stack(**KEPT, healthcheck=SLOW, ports=["5432:5432"])),
        volumes(stack(**KEPT, healthcheck=SLOW, ports=["${DB_PORT:-5432}:5432"])),
    ),
    "health interval of test": (
        TEST,
        "TL203",
        stack(**MEMORY, healthcheck=SLOW),
        stack(**MEMORY, healthcheck=FAST),
    ),
    "health interval of prod": (PROD, "TL309", prod(healthcheck=FAST | {"interval": "1s"}), prod()),
    "restart of test": (TEST, "TL301", stack(**MEMORY, restart="always"), stack(**MEMORY)),
    "restart of prod": (PROD, "TL302", prod(restart=None), prod()),
    "limits of test": (TEST, "TL304", stack(**MEMORY, deploy=LIMITS), stack(**MEMORY)),
    "limits of prod": (PROD, "TL303", prod(deploy=None), prod()),
    "logging of prod": (PROD, "TL305", prod(logging=None), prod()),
}


SUITES = {
    f"services/{service}/{name}": ""
    for service in ("api", "worker")
    for name in ("pyproject.toml", "tests/unit/test_a.py", "tests/integration/test_b.py")
} | {f"services/{service}/{TEST}": stack(**MEMORY) for service in ("api", "worker")}
MATRIX = """on: [push]
jobs:
  build:
    strategy:
      matrix:
        service: {}
    steps: [{{run: docker build services/$SERVICE}}]
"""
OF_PROJECTS = {
    "a single test stage": (
        "pyproject.toml",
        "TL504",
        '[tool.tasklib.services.api]\nunit = "tests"\nservice = "tests"\n',
        "[project]\nname = 'shop'\n",
    ),
    "building all services on every change": (
        ".github/workflows/ci.yml",
        "TL604",
        MATRIX.format("[api, worker]"),
        MATRIX.format("${{ fromJSON(needs.changes.outputs.services) }}"),
    ),
}


def codes(root: Path) -> set[str]:
    return {finding.code for finding in examine(root, chosen([], []))}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_both_ways(row: str, tmp_path: Path) -> None:
    """The mistake is found, what is right is not; what edits repair is right afterwards."""
    name, code, bad, good = ROWS[row]
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(bad)
    assert code in codes(tmp_path)
    for repair in repaired(tmp_path, chosen([code], [])):
        repair.path.write_text(repair.text)
        assert code not in codes(tmp_path)
    path.write_text(good)
    assert codes(tmp_path) == set()


@pytest.mark.parametrize("row", OF_PROJECTS)
def test_a_row_about_a_project_both_ways(row: str, tmp_path: Path) -> None:
    """As the rows above, in a project of two services; people repair it, and then it is clean."""
    name, code, bad, good = OF_PROJECTS[row]
    for file, text in {**SUITES, name: bad}.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    assert codes(tmp_path) == {code}
    (tmp_path / name).write_text(good)
    assert codes(tmp_path) == set()


def test_a_hundred_clean_files_have_no_finding(tmp_path: Path) -> None:
    """Of each environment, in services of their own."""
    clean = {name: [good for path, _, _, good in ROWS.values() if path == name] for name in (TEST, DEV, PROD)}
    files = [(name, text) for name, texts in clean.items() for text in texts]
    for number in range(100):
        name, text = files[number % len(files)]
        path = tmp_path / f"group{number}" / name
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert [str(found) for found in examine(tmp_path, chosen([], []))] == []


def test_the_doctor_finds_nothing_in_its_own_repository(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is meant to be there says so, in its own line or in the settings."""
    if subprocess.run(["git", "-C", str(ROOT), "rev-parse"], capture_output=True, check=False).returncode:
        pytest.skip("not in a checkout")
    monkeypatch.chdir(ROOT)
    assert command(".", fix=False, select=(), ignore=(), format="text") == 0
    assert capsys.readouterr().out.strip() == "nothing found"
