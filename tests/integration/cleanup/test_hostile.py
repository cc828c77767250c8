"""Names and values that mean something to a shell, to Compose or to a terminal are data all the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..conftest import NewProject
from ..projects import PYTHON, compose
from ..traces import Traces
from .support import gone_within

BRANCHES = {
    "substitution": '{token}$(touch${{IFS}}pwned)\'"`id`"',
    "separators": "{token};touch${{IFS}}pwned;&&|>pwned",
    "unicode": "{token}/größe/日本-é",
    "dashes": "---{token}",
    "long": "{token}/" + 190 * "x",
}
VALUES = {
    "DOLLARS": "a$$b$$$$c$${NOT}$$(id)",
    "QUOTES": "'\\\"`id`",
    "PERCENT": "%s%(x)s%%",
    "BRACES": "{x} {{y}}",
}
EXPECTED = {
    "DOLLARS": "a$b$$c${NOT}$(id)",
    "QUOTES": "'\"`id`",
    "PERCENT": "%s%(x)s%%",
    "BRACES": "{x} {{y}}",
}

SERVER = """
    import http.server, json, os

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(dict(os.environ)).encode())

        def log_message(self, *args):
            pass

    http.server.HTTPServer(("", 8000), Handler).serve_forever()
"""

CHECK = f"""
    import json
    import os
    import urllib.request

    with urllib.request.urlopen(os.environ["TEST_MY_API_URL"]) as answer:
        found = json.load(answer)
    assert {{name: found[name] for name in {sorted(EXPECTED)}}} == {EXPECTED!r}, found
"""

SERVICE = "services/My Api (v2)"


def files() -> dict[str, str]:
    """A service in a folder of capitals, spaces and parentheses, whose stack's values are full of dollars."""
    environment = "\n".join(f'  {name}: "{value}"' for name, value in VALUES.items())
    stack = compose(
        my_api=f"""
image: {PYTHON}
command: ["python", "-u", "/server.py"]
ports: ["8000"]
volumes: ["../../server.py:/server.py:ro"]
environment:
{environment}
"""
    )
    return {
        "pyproject.toml": f"""
            [tool.tasklib.services."{SERVICE.rpartition("/")[2]}"]
            command = ["python", "check it.py", "$(touch pwned)", "; touch pwned"]
        """,
        f"{SERVICE}/deploy/test/docker-compose.yml": stack,
        f"{SERVICE}/server.py": SERVER,
        f"{SERVICE}/check it.py": CHECK,
        f"{SERVICE}/tests/integration/README": "check it.py does it\n",
        "noxfile.py": "from tasklib.sessions import register\nregister()\n",
    }


NAME = SERVICE.rpartition("/")[2]
FOLDER = "a b'c $(touch pwned)"


def test_every_command_takes_names_as_data(project: NewProject, traces: Traces, state: Path) -> None:
    """Every command works, nothing is carried out that stands in a name, and nothing is left."""
    shop = project(files(), branch=BRANCHES["substitution"], name=FOLDER)
    named = ("--name", NAME)
    for argv, said in {
        ("tasklib", "infra.up", *named): "is up",
        ("tasklib", "infra.status"): "my-api: running",
        ("tasklib", "infra.env", *named): "TEST_MY_API_URL=http://127.0.0.1:",
        ("tasklib", "infra.config", *named): '"services"',
        ("tasklib", "infra.logs"): "",
        ("tasklib", "test.service", *named): "PASSED",
        ("nox", "-s", "service", "--", *named): "PASSED",
        ("tasklib", "infra.down"): "took down",
        ("tasklib", "clean"): "nothing to clean",
        ("tasklib", "clean.stale"): "nothing is stale",
    }.items():
        ran = shop.run(*argv)
        assert ran.code == 0, ran
        assert said in ran.text, ran
    assert not list(shop.root.parent.rglob("pwned"))
    assert not gone_within(traces, state)


@pytest.mark.parametrize("kind", sorted(set(BRANCHES) - {"substitution"}))
def test_a_hostile_branch_gets_a_plain_id(
    project: NewProject, traces: Traces, state: Path, kind: str
) -> None:
    """The tests of the branch pass in a stack of its own, and nothing is left."""
    shop = project(files(), branch=BRANCHES[kind], name=FOLDER)
    instance = shop.run("tasklib", "infra.id").out.strip()
    assert instance.replace("-", "").isalnum()
    assert len(instance) <= 20
    ran = shop.run("tasklib", "test.service")
    assert ran.code == 0, ran
    assert not list(shop.root.parent.rglob("pwned"))
    assert not gone_within(traces, state)


def test_a_shell_reads_back_what_infra_env_prints(project: NewProject) -> None:
    """`eval "$(tasklib infra.env)"` sets variables and does no more, whatever things are called."""
    shop = project(files(), branch=BRANCHES["substitution"], name=FOLDER)
    script = 'eval "$(tasklib infra.env --name "$1")"; echo "$TEST_INSTANCE_ID"'
    ran = shop.run("sh", "-c", script, "sh", NAME)
    assert ran.code == 0, ran
    assert ran.out == shop.run("tasklib", "infra.id").out
    assert not list(shop.root.parent.rglob("pwned"))
    assert shop.run("tasklib", "clean").code == 0
