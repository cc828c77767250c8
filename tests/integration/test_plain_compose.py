"""`eval "$(tasklib infra.env)"` gives plain Compose the same instance."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from .conftest import NewProject
from .projects import PYTHON, Checkout, compose

_FILES = {
    "deploy/test/docker-compose.yml": compose(
        web=f"""
        image: {PYTHON}
        command: python -m http.server 8000
        ports: ["18999:8000"]
        environment: {{ANSWER: "4$$2", API_TOKEN: not-for-the-disk}}
        healthcheck:
          test: ["CMD", "python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000')"]
          interval: 5s
        """
    ),
    "tests/integration/test_nothing.py": "def test_nothing(): ...\n",
}


def _compose(checkout: Checkout, env: dict[str, str], *argv: str) -> str:
    done = subprocess.run(
        ["docker", "compose", *argv], cwd=checkout.root, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_plain_compose_speaks_to_this_instance(project: NewProject, engine: Any) -> None:
    """ps, exec and up find the running stack; up neither recreates a container nor takes the fixed port."""
    shop = project(_FILES)
    assert shop.run("tasklib", "infra.up").code == 0
    try:
        variables = json.loads(shop.run("tasklib", "infra.env", "--format", "json").out)
        env = {**shop.env, **variables}
        before = _compose(shop, env, "ps", "--quiet")
        _compose(shop, env, "up", "--detach")
        assert before
        assert _compose(shop, env, "ps", "--quiet") == before
        assert _compose(shop, env, "exec", "-T", "web", "printenv", "ANSWER").strip() == "4$2"
        assert "18999" not in _compose(shop, env, "ps", "--format", "{{.Ports}}")
        override = Path(variables["COMPOSE_FILE"].split(":")[-1])
        assert "not-for-the-disk" not in override.read_text()
        assert override.stat().st_mode & 0o077 == 0
        # Our own commands are not misled by what we exported.
        assert (
            "web: running"
            in subprocess.run(
                ["tasklib", "infra.status"],
                cwd=shop.root,
                env=env,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
    finally:
        assert shop.run("tasklib", "infra.down").code == 0
