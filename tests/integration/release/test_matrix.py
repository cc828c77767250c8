"""Which services a change touches, asked as a CI system does, of a real repository with a history."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasklib.changes.touched import touched
from tasklib.project import find_project

from ..projects import Checkout, write

pytestmark = pytest.mark.engine  # rendering Compose files takes Docker's client

ALL = ["api", "frontend", "worker"]


def change(checkout: Checkout, *names: str) -> None:
    """Commit a line more in each of the files."""
    for name in names:
        path = checkout.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            file.write("\n")
    checkout.commit()


def matrix(checkout: Checkout, *options: str) -> list[str]:
    ran = checkout.run("tasklib", "ci.matrix", *options)
    assert ran.code == 0, ran
    return [row["service"] for row in json.loads(ran.out)["include"]]


def test_whole(history: Checkout) -> None:
    """Without --changed the matrix has every service and its folder, on one line."""
    ran = history.run("tasklib", "ci.matrix")
    assert json.loads(ran.out)["include"][0] == {"service": "api", "path": "services/api"}
    assert (matrix(history), ran.out.count("\n"), ran.err) == (ALL, 1, "")


def test_history(history: Checkout) -> None:
    """Each commit of a history selects what it touches, and the branch as a whole all of it together."""
    steps = {
        "README.md": [],
        "docs/guide.md": [],
        "services/worker/orders_worker/queue.py": ["worker"],
        "services/frontend/deploy/test/stub-api.conf": ["frontend"],
        # The frontend waits for the api in the full stack.
        "services/api/orders_api/app.py": ["api", "frontend"],
        "tests/integration/test_orders.py": [],
        "database/schema.sql": ALL,
        "deploy/test/docker-compose.yml": ALL,
        "pyproject.toml": ALL,
    }
    for name, services in steps.items():
        change(history, name)
        assert list(touched(find_project(history.root), "HEAD~1").names) == services, name
    assert matrix(history, "--changed") == ALL
    assert matrix(history, "--base", "HEAD") == []


def test_uncommitted(history: Checkout) -> None:
    """Changed and untracked files count before they are committed, on the base branch too."""
    history.git("switch", "-q", "main")
    assert matrix(history, "--changed") == []
    (history.root / "services/worker/orders_worker/new.py").touch()
    assert matrix(history, "--changed") == ["worker"]


def test_declared_folder(history: Checkout) -> None:
    """A shared folder touches the services that depend on it, and all of them while none says so."""
    change(history, "libs/pricing/rules.py")
    assert matrix(history, "--changed") == ALL
    with (history.root / "pyproject.toml").open("a") as file:
        file.write('[tool.tasklib.services.worker]\ndepends = ["../../libs/pricing"]\n')
    history.commit()
    change(history, "libs/pricing/rules.py")
    assert matrix(history, "--changed", "--base", "HEAD~1") == ["worker"]


def test_included_file(history: Checkout) -> None:
    """A Compose file that a service's stack extends belongs to that stack, wherever it lies."""
    stack = history.root / "services/worker/deploy/test/docker-compose.yml"
    text = stack.read_text()
    marker = "  worker:\n"
    assert marker in text
    extends = f"{marker}    extends:\n      file: ../../../frontend/limits.yml\n      service: base\n"
    stack.write_text(text.replace(marker, extends))
    write(history.root, {"services/frontend/limits.yml": "services:\n  base:\n    mem_limit: 1g\n"})
    history.commit()
    change(history, "services/frontend/limits.yml")
    assert matrix(history, "--changed", "--base", "HEAD~1") == ["frontend", "worker"]


def test_explain(history: Checkout) -> None:
    """--explain says for every service why, on standard error: standard output stays JSON."""
    change(history, "services/api/orders_api/app.py")
    ran = history.run("tasklib", "ci.matrix", "--changed", "--explain")
    assert len(json.loads(ran.out)["include"]) == 2
    assert ran.err.splitlines()[:3] == [
        "api: in: services/api/orders_api/app.py changed",
        "frontend: in: it waits for api in the full stack",
        "worker: out: the changed file is not its own",
    ]


def test_unreadable_compose_file(history: Checkout) -> None:
    """Where a stack cannot be read, what it may be made from counts as changed."""
    (history.root / "services/frontend/deploy/test/docker-compose.yml").write_text("services: [")
    history.commit()
    change(history, "services/worker/orders_worker/queue.py")
    ran = history.run("tasklib", "ci.matrix", "--base", "HEAD~1", "--explain")
    assert [row["service"] for row in json.loads(ran.out)["include"]] == ["frontend", "worker"]
    assert "frontend: in: services/worker/orders_worker/queue.py changed, and" in ran.err


@pytest.mark.parametrize("base", ["0" * 40, "1234567890" * 4])
def test_nothing_to_compare_with(history: Checkout, base: str) -> None:
    """A CI system's "before" that is not here (a new branch, a forced push) selects everything."""
    assert matrix(history, "--changed", "--base", base) == ALL


def test_wrong_base(history: Checkout) -> None:
    """A branch that does not exist is refused: a typing error must not select everything."""
    ran = history.run("tasklib", "ci.matrix", "--changed", "--base", "mian")
    assert (ran.code, ran.out) == (2, "")
    assert "no branch or commit mian" in ran.err


def test_stages(history: Checkout) -> None:
    """The test stages narrow themselves by the same selection, and pass when nothing is touched."""
    change(history, "services/worker/orders_worker/queue.py")
    dry = history.run("invoke", "--dry", "test", "--changed")
    assert dry.out.splitlines() == [
        "would run unit worker",
        "would run service worker",
        "would run integration orders",
    ]
    other = history.run("invoke", "test", "--changed", "--name", "frontend")
    assert (other.code, other.lines) == (
        0,
        ["nothing to test: the change touches no unit or service or integration tests"],
    )
    nothing = history.run("nox", "-s", "unit", "--", "--changed", "--base", "HEAD", "--explain")
    assert nothing.code == 0
    assert "api: out: nothing changed" in nothing.lines
    assert "nothing to test" in nothing.out


def test_a_report_of_nothing(history: Checkout, tmp_path: Path) -> None:
    """Where nothing is touched, reports are written all the same: they say so, and no older run's stay."""
    report, events = tmp_path / "run.json", ["run_started", "run_finished"]
    report.write_text("of the run before")
    ran = history.run("tasklib", "test.unit", "--changed", "--base", "HEAD", "--report", str(report))
    assert (ran.code, json.loads(report.read_text())["targets"]) == (0, [])
    lines = history.run("tasklib", "test.unit", "--changed", "--base", "HEAD", "--format", "json").out
    assert [json.loads(line)["event"] for line in lines.splitlines()] == events


def test_single_service(history: Checkout) -> None:
    """A single-service project has one row, for itself."""
    root = history.root.with_name("single")
    single = Checkout(root, "main", history.env)
    root.mkdir()
    write(root, {"pyproject.toml": '[project]\nname = "shop"\n', "tests/unit/test_a.py": "", "src/a.py": ""})
    single.git("init", "-q", "-b", "main")
    single.commit()
    assert json.loads(single.run("tasklib", "ci.matrix").out) == {
        "include": [{"service": "shop", "path": "."}]
    }
    (root / "src/a.py").write_text("x")
    assert matrix(single, "--changed") == ["shop"]
