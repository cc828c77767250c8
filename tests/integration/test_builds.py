"""An image is built again when something that it is made from changes, and only then."""

from __future__ import annotations

from typing import Any

from .conftest import NewProject
from .projects import PYTHON, Checkout, compose
from .traces import Traces

UNCHANGED = "its image is built from just these files already"

SHOP = {
    "services/api/Dockerfile": """
        ARG BASE
        FROM ${BASE}
        COPY services/api/site /site
    """,
    "services/api/site/index.html": "tea",
    "services/api/tests/integration/test_site.py": """
        import os, urllib.request

        def test_serves_what_the_checkout_holds():
            served = urllib.request.urlopen(os.environ["TEST_API_URL"]).read().decode()
            assert served == open("site/index.html").read()
    """,
}


def stack(base: str) -> str:
    return compose(
        api=f"""
            build:
              context: ../../../..
              dockerfile: services/api/Dockerfile
              args: {{BASE: "{base}"}}
            command: python -u -m http.server --directory /site 8000
            ports: ["8000"]
        """
    )


def builds(shop: Checkout) -> bool:
    """Run the service stage; whether it built the image."""
    ran = shop.run("tasklib", "test.service", "--verbose")
    assert ran.code == 0, ran
    assert (UNCHANGED in ran.text) != ("exporting to image" in ran.text), ran
    return UNCHANGED not in ran.text


def test_what_has_not_changed_is_not_built(project: NewProject, traces: Traces) -> None:
    """Neither tests nor other files that no image copies build anything; a file that one copies does, and
    so does an image that is gone."""
    shop = project({**SHOP, "services/api/deploy/test/docker-compose.yml": stack(PYTHON)})
    assert builds(shop)
    shop.write(
        {"services/api/README.md": "read me", "services/api/tests/unit/test_a.py": "def test(): pass\n"}
    )
    assert not builds(shop)
    shop.write({"services/api/site/index.html": "egg"})
    assert builds(shop)
    assert not builds(shop)
    assert shop.run("tasklib", "clean").code == 0
    assert builds(shop)


def test_another_base_image_is_built_on(project: NewProject, engine: Any, token: str, traces: Traces) -> None:
    """A tag that names another image now is seen, although no file and no argument changed."""
    base = f"base-{token}"
    shop = project({**SHOP, "services/api/deploy/test/docker-compose.yml": stack(base)})
    python = shop.env.get("PYTHON_IMAGE", "python:3.12-slim")
    engine.tag(python, base, "latest")
    assert builds(shop)
    assert not builds(shop)
    container = engine.create_container(python, name=f"base-{token}")["Id"]
    try:
        made = engine.commit(container, repository=base, tag="latest")["Id"]
        assert builds(shop)
    finally:
        engine.remove_container(container)
        assert shop.run("tasklib", "clean").code == 0
        engine.remove_image(made, force=True)
