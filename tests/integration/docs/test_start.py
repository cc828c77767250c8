"""The pages of `docs/start`: what each configures is a project that tasklib understands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ..conftest import NewProject
from ..projects import PYTHON

START = Path(__file__).resolve().parents[3] / "docs" / "start"
PAGES = [path for path in sorted(START.glob("*.md")) if 'title="pyproject.toml"' in path.read_text()]

FILES = {
    "one-service.md": ["tests/unit/test_a.py", "tests/integration/test_b.py"],
    "several-services.md": ["backend/tests/unit/test_a.py", "web/tests/unit/test_a.py", "packages/ui/a.py"],
    "django.md": ["tests/test_a.py", "manage.py"],
    "library.md": ["tests/test_a.py"],
    "node.md": ["apps/web/src/a.test.ts", "apps/web/package.json"],
    "no-python.md": ["billing/billing_test.go", "billing/docker-compose.yml"],
    "compose-in-ci.md": ["tests/integration/test_a.py"],
}
"""What stands around the settings of a page."""

COMPOSE = """\
services:
  web: {image: "%(python)s", ports: ["8000"]}
  api: {image: "%(python)s", ports: ["8000"]}
  db: {image: "postgres:16", environment: {POSTGRES_PASSWORD: x}, ports: ["5432"]}
  postgres: {image: "postgres:16", environment: {POSTGRES_PASSWORD: x}}
  mysql: {image: "mysql:9", environment: {MYSQL_ROOT_PASSWORD: x}}
  redis: {image: "redis:7"}
"""


def settings(page: Path) -> list[str]:
    """The pyproject.toml's of a page."""
    return re.findall(r'(?ms)^```toml title="pyproject.toml"\n(.*?)^```$', page.read_text(encoding="utf-8"))


def test_every_page_with_settings_is_looked_at() -> None:
    """A new page says here what its project holds."""
    assert {page.name for page in PAGES} == set(FILES)


@pytest.mark.parametrize(
    ("page", "text"),
    [
        pytest.param(page, text, id=f"{page.stem}-{n}")
        for page in PAGES
        for n, text in enumerate(settings(page))
    ],
)
def test_settings(project: NewProject, page: Path, text: str) -> None:
    """The plan of all stages can be made, and says what would run."""
    names = [*FILES[page.name], "docker-compose.yml", "docker-compose.ci.yml"]
    contents = {".yml": COMPOSE % {"python": PYTHON}, ".json": "{}"}
    files = {name: contents.get(Path(name).suffix, "") for name in names}
    made = project({**files, "pyproject.toml": text})
    ran = made.run("tasklib", "test", "--dry")
    assert ran.code == 0, ran
    assert ran.out.strip()
