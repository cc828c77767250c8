"""What containers write into the checkout: stacks that share a folder, and files that are somebody else's."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import NewProject
from .projects import PYTHON, compose
from .traces import Traces

CAPABILITIES = "+dac_override,+dac_read_search,+fowner,+chown"
AS_SOMEBODY = (
    *("setpriv", "--reuid", "1234", "--regid", "1234", "--clear-groups"),
    *("--inh-caps", CAPABILITIES, "--ambient-caps", CAPABILITIES),
)
"""Another user than root, who may read and write as root does: this interpreter, the engine's socket."""


def can_be_somebody() -> bool:
    if os.geteuid() or not shutil.which("setpriv"):
        return False
    return subprocess.run([*AS_SOMEBODY, "true"], check=False, capture_output=True).returncode == 0


STORE = """
    import fcntl, http.server, pathlib
    lock = open("/data/lock", "w")
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    http.server.test(port=8000, bind="0.0.0.0")
"""
"""A server that, like a database, does not start on a folder that another one uses."""


def store(data: str, script: str) -> str:
    return compose(
        store=f"""
        image: {PYTHON}
        command: python -u /store.py
        ports: ["8000"]
        volumes: ["{data}:/data", "{script}:/store.py:ro"]
        """
    )


def test_stacks_on_one_folder_run_one_after_another(project: NewProject, traces: Traces) -> None:
    """Of two services and the full stack, which would all be up at once; why they wait is said."""
    passing = "def test_x(): pass\n"
    own = store("../../../../data", "../../../../store.py")
    shop = project(
        {
            "pyproject.toml": "[tool.tasklib]\n",
            "store.py": STORE,
            "data/.gitkeep": "",
            "deploy/test/docker-compose.yml": store("../../data", "../../store.py"),
            **{f"services/{name}/deploy/test/docker-compose.yml": own for name in ("api", "web")},
            **{f"services/{name}/tests/integration/test_x.py": passing for name in ("api", "web")},
            "tests/integration/test_x.py": passing,
        }
    )
    ran = shop.run("tasklib", "test", "--jobs", "2")
    assert ran.code == 0, ran
    assert "the full stack waits for the stack of" in ran.text, ran
    assert "both write into data" in ran.text, ran
    assert traces.left() == []


@pytest.mark.skipif(not can_be_somebody(), reason="needs root and setpriv to be somebody else")
def test_files_that_a_container_left_as_root_are_said(
    project: NewProject, traces: Traces, tmp_path: Path
) -> None:
    """Once a run, however many stacks and files there are, and not when the next run leaves none."""
    job = compose(
        job=f"""
        image: {PYTHON}
        command: python -m http.server 8000
        ports: ["8000"]
        volumes: ["../../out:/out"]
        """
    )
    shop = project(
        {
            "pyproject.toml": "[tool.tasklib.services.api]\ncommand = ['sh', 'tests.sh']\n",
            "services/api/deploy/test/docker-compose.yml": job,
            "services/api/out/.gitignore": "*",
            "services/api/tests/integration/README": "",
            "services/api/tests.sh": "docker compose exec -T job touch /out/a /out/b",
        }
    )
    subprocess.run(["chown", "-R", "1234:1234", str(tmp_path)], check=True)
    ran = shop.run(*AS_SOMEBODY, "tasklib", "test.service")
    assert ran.code == 0, ran
    (said,) = (line for line in ran.text.splitlines() if "belongs to root" in line)
    assert said.startswith("warning: services/api/out/"), ran
    assert 'user: "1234:1234"' in said
    shop.write({"services/api/tests.sh": "true"})
    assert "belongs to root" not in shop.run(*AS_SOMEBODY, "tasklib", "test.service").text
