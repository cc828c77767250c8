"""Every command line of the pages about environments, CI and releases, run in the order of the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from ..conftest import NewProject
from ..environments.conftest import FreePort, free_port, lasting
from ..projects import PYTHON, Checkout, Ran, compose
from ..release.conftest import registry
from ..release.registry import Registry
from .lines import DOCS, command_lines

__all__ = ["free_port", "lasting", "registry"]  # fixtures of neighbours

RUN_WHOLE = ("environments.md", "ci.md", "releases.md")
"""The pages that these tests run from their first line to their last."""

FRONT_ENDS = {
    "tasks.py": "from tasklib.tasks import namespace as ns\n",
    "noxfile.py": "from tasklib.sessions import register\n\nregister()\n",
    ".gitignore": "__pycache__\n.nox\n",
}


def run_page(
    page: str, checkout: Checkout, env: Mapping[str, str], codes: Mapping[str, int], **changes: str
) -> dict[str, Ran]:
    """Run a page's lines; each has to exit with 0, or as ``codes`` says."""
    found: dict[str, Ran] = {}
    for line in command_lines(page):
        typed = line
        for old, new in changes.items():
            typed = typed.replace(old, new)
        ran = checkout.run("bash", "-c", typed, env=env)
        assert ran.code == codes.get(line, 0), ran
        found[line] = ran
    assert len(found) >= 5
    return found


def server(port: str) -> str:
    command = '["python3", "-m", "http.server", "8000"]'
    ports = f'["127.0.0.1:{port}:8000"]' if port else '["8000"]'
    return compose(api=f"image: {PYTHON}\ncommand: {command}\nstop_signal: SIGINT\nports: {ports}")


def test_environments(project: NewProject, token: str, free_port: FreePort, lasting: object) -> None:
    """docs/environments.md: dev, prod and test are brought up, looked at and taken down."""
    orders = project(
        {
            **FRONT_ENDS,
            "pyproject.toml": f'[tool.tasklib]\nname = "orders{token}"\n',
            "services/api/tests/unit/test_a.py": "",
            "deploy/dev/docker-compose.yml": server(f"${{API_PORT:-{free_port()}}}"),
            "deploy/test/docker-compose.yml": server(""),
            "deploy/prod/docker-compose.yml": server(str(free_port())),
        }
    )
    other = str(free_port())
    changes = {"API_PORT=8001": f"API_PORT={other}"}
    found = run_page(
        "environments.md",
        orders,
        {},
        {"invoke infra.up --env prod": 2, "invoke infra.down --env prod": 2},
        **changes,
    )
    assert "orders" in found['eval "$(invoke infra.env --env dev)" && docker compose ps'].out
    moved = found["API_PORT=8001 invoke infra.up --env dev"]
    assert f"api: http://127.0.0.1:{other}" in moved.out


def test_ci(project: NewProject) -> None:
    """docs/ci.md: workflow files are written, and the matrix and the stages follow the change."""
    services = {
        f"services/{name}/{file}": text
        for name in ("api", "web")
        for file, text in {"Dockerfile": "FROM scratch\n", "app.py": ""}.items()
    }
    commands = "\n".join(f'[tool.tasklib.services.{name}]\ncommand = ["true"]' for name in ("api", "web"))
    shop = project({**FRONT_ENDS, **services, "pyproject.toml": commands}, branch="main")
    shop.git("switch", "-q", "-c", "feature/a")
    (shop.root / "services/api/app.py").write_text("changed = True\n")
    shop.commit()
    found = run_page("ci.md", shop, {}, {})
    assert (shop.root / ".gitea/workflows/release.yml").is_file()
    assert "api: in: services/api/app.py changed" in found["invoke ci.matrix --changed --explain"].err


def test_releases(project: NewProject, registry: Registry, token: str, tmp_path: Path) -> None:
    """docs/releases.md: a version is planned, tagged, pushed, built and published."""
    made = project(
        {
            **FRONT_ENDS,
            "services/api/Dockerfile": "FROM scratch\nCOPY services/api/app /app\n",
            "services/api/app": "",
            "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- Orders can be cancelled.\n",
            "pyproject.toml": f"""
                [project]
                name = "orders"
                version = "1.1.0"

                [tool.tasklib.images]
                name = "{registry.host}/{token}-{{service}}"
                """,
        },
        branch="main",
    )
    made.git("tag", "-a", "-m", "1.1.0", "v1.1.0")
    made.git("init", "-q", "--bare", str(tmp_path / "remote.git"))
    made.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    made.git("push", "-q", "--follow-tags", "origin", "main")
    names = [f"GIT_{role}_{part}" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")]
    found = run_page("releases.md", made, dict.fromkeys(names, "a@example.com"), {})
    dry = found["invoke release.tag --bump minor --dry-run"].out
    assert dry.splitlines()[0] == "orders 1.2.0 (last: 1.1.0)"
    assert f"{registry.host}/{token}-api:1.2.0@sha256:" in found["invoke release.images"].out
    assert registry.tags(f"{token}-api") == ["1.2.0", "1.2.1", "1.2.4", "latest"]


@pytest.mark.parametrize("page", RUN_WHOLE)
def test_every_block_is_a_known_one(page: str) -> None:
    """No command hides in a block that is not run: what is no console block is configuration."""
    kinds = re.findall(r"^```(\w*)$", (DOCS / page).read_text(), re.MULTILINE)
    assert set(kinds) <= {"console", "toml", ""}
    assert kinds.count("") == len(kinds) / 2
