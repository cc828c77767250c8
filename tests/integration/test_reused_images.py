"""Images that tests need come from a real registry, where somebody has built just these."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import NewProject
from .projects import PYTHON, Checkout, compose
from .release.registry import Registry

pytestmark = pytest.mark.engine

BUILT = f"""
    build:
      context: ../..
      dockerfile_inline: |
        FROM {PYTHON}
        COPY page /served/page
    command: python -u -m http.server 8000 --directory /served
    ports: ["8000"]
"""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    made = Registry(tmp_path / "registry")
    yield made
    made.kill()


def shop_of(project: NewProject, registry: Registry, reuse: str, name: str = "shop") -> Checkout:
    """A checkout of a project whose image holds a file of its service's; ``name`` is its folder's."""
    return project(
        {
            "pyproject.toml": f"""
                [project]
                name = "shop"

                [tool.tasklib.images]
                name = "{registry.host}/shop-{{service}}"
                reuse = "{reuse}"
            """,
            "services/api/page": "hello",
            "services/api/deploy/test/docker-compose.yml": compose(web=BUILT),
            "services/api/tests/integration/test_api.py": """
                import os, pathlib, urllib.request

                def test_it():
                    page = urllib.request.urlopen(os.environ["TEST_WEB_URL"] + "/page", timeout=10).read()
                    assert page == pathlib.Path("page").read_bytes()
            """,
        },
        name=name,
        branch=f"{name}-{{token}}",
    )


def log_of(shop: Checkout, **env: str) -> str:
    """All that a run said that passed."""
    ran = shop.run("tasklib", "test.service", env=env)
    assert ran.code == 0, ran
    return ran.text + Path(ran.text.rpartition("Full log: ")[2].strip()).read_text()


def test_an_image_that_another_checkout_built_is_pulled(project: NewProject, registry: Registry) -> None:
    """In CI the first one gives it away; a changed file makes another one. Its registry's name goes again."""
    first, other = (shop_of(project, registry, "ci", name) for name in ("first", "other"))
    assert "is in the registry" not in log_of(first, CI="")
    assert registry.tags("shop-web") == []
    assert first.run("tasklib", "clean").code == 0
    assert "is in the registry" not in log_of(first, CI="true")
    (tag,) = registry.tags("shop-web")
    pulled = log_of(other, CI="")
    assert (
        f"its image is in the registry, built from just these files: {registry.host}/shop-web:{tag}" in pulled
    )
    images = other.run("docker", "images", "--format", "{{.Repository}}:{{.Tag}}")
    assert registry.host not in images.text
    (other.root / "services/api/page").write_text("another")
    assert "is in the registry" not in log_of(other, CI="true")
    assert len(registry.tags("shop-web")) == 2


def test_a_registry_that_is_gone_is_told_and_ends_nothing(project: NewProject, registry: Registry) -> None:
    """One line; the image is built."""
    shop = shop_of(project, registry, "push")
    registry.kill()
    said = log_of(shop)
    assert said.count("does not let us") == 2, said  # on the screen, and in the log
    assert f"{registry.host} does not let us pull images" in said
