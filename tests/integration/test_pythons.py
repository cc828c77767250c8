"""Sessions of other Pythons, by Nox, on two Pythons of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .projects import PYTHON, Checkout, command_environment, compose

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"

NOXFILE = "from tasklib.sessions import register\nregister(python={})\n"
PYPROJECT = """
[project]
name = "shop"
version = "1"
requires-python = ">=3.10"
[dependency-groups]
dev = ["pytest"]
[tool.uv]
package = false
"""
SAYS = """
import sys
def test_version():
    print("on", sys.version_info[:2], "in", sys.prefix)
    assert not open("fail").read().count("%d.%d" % sys.version_info[:2])
"""


def _other() -> tuple[str, Path]:
    """Another Python of this machine that can be started: its version and where it is."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    names = [f"python3.{minor}" for minor in range(11, 20)]
    places = [Path(found) for name in names if (found := shutil.which(name))]
    for place in (*places, *(path for name in names for path in root.glob(f"versions/*/bin/{name}"))):
        version = place.name.removeprefix("python")
        starts = subprocess.run([place, "-c", ""], capture_output=True).returncode == 0
        if starts and version != HERE and not place.is_relative_to(root / "shims"):
            return version, place
    pytest.skip(f"there is no other Python than {HERE} here")


@pytest.fixture
def other() -> str:
    return _other()[0]


@pytest.fixture
def shop(tmp_path: Path) -> Checkout:
    """A locked Python project whose test says what it runs on, and a noxfile with two versions of Python."""
    version, place = _other()
    root = tmp_path / "shop"
    root.mkdir()
    env = command_environment(tmp_path / "state")
    # uv stops at what pyenv puts on PATH for versions that are not chosen.
    kept = [folder for folder in env["PATH"].split(os.pathsep) if "shims" not in folder]
    env |= {"PATH": os.pathsep.join([str(place.parent), *kept])}
    env |= {"PATH": os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]])}
    checkout = Checkout(root, "main", env)
    checkout.git("init", "-q", "-b", "main")
    checkout.write(
        {
            "noxfile.py": NOXFILE.format(f"['{HERE}', '{version}']"),
            "pyproject.toml": PYPROJECT,
            ".gitignore": "uv.lock\n.venv\n__pycache__\n",
            "tests/unit/test_a.py": SAYS,
            "fail": "",
        }
    )
    checkout.commit()
    return checkout


def test_stages_run_on_each_python_apart(shop: Checkout, tmp_path: Path, other: str) -> None:
    """Each is the version that it is called after, kept in the state folder; the user's .venv is not made,
    and a pass there is no proof of the stage."""
    ran = shop.run("nox", "-s", f"unit-{HERE}", f"unit-{other}", "--", "--verbose", "--", "-s")
    assert ran.code == 0, ran
    for version in (HERE, other):
        assert f"on ({version.replace('.', ', ')}) in {tmp_path}/state/tasklib/environments/" in ran.text
    assert not (shop.root / ".venv").exists()
    proof = shop.run("tasklib", "test.proof", "--stages", "unit")
    assert proof.code == 1, proof
    assert shop.run("nox", "-l").text.count(f"unit-{other} -> ") == 1


def test_one_python_that_fails_does_not_stop_the_others(shop: Checkout, other: str) -> None:
    """What follows on the same version is skipped; the line to repeat it chooses the same Python."""
    shop.write({"fail": other, "tests/integration/test_b.py": "def test_b(): pass\n"})
    ran = shop.run("nox", "-s", f"unit-{other}", f"integration-{other}", f"unit-{HERE}")
    assert ran.code == 1, ran
    assert f"nox -s unit-{other} -- --name shop" in ran.text
    assert f"Session integration-{other} skipped: unit-{other} failed" in ran.text
    assert f"Session unit-{HERE} was successful" in ran.text


def test_what_no_other_python_can_run_is_skipped_with_a_line(shop: Checkout, other: str) -> None:
    """Tests of Node, and commands that choose their Python themselves."""
    shop.write(
        {
            "pyproject.toml": PYPROJECT
            + "[tool.tasklib.services.own]\ncommand = ['python', '-m', 'pytest']\n",
            "services/web/package.json": '{"scripts": {"test": "node --test"}}',
            "services/web/tests/unit/a.test.js": "require('node:test')('a', () => {})\n",
            "services/own/tests/unit/test_own.py": "def test_own(): raise SystemExit(9)\n",
        }
    )
    ran = shop.run("nox", "-s", f"unit-{other}", "--", "--format", "plain")
    assert ran.code == 0, ran
    assert "skipped: unit web: not run by pytest, so by no other Python" in ran.text
    assert "skipped: unit own: its command chooses its Python itself" in ran.text


def test_another_tools_environment_is_refused(shop: Checkout, tmp_path: Path, other: str) -> None:
    """Poetry chooses its Python itself: nothing is run, and one line says so."""
    poetry = tmp_path / "bin" / "poetry"
    poetry.parent.mkdir()
    poetry.write_text("#!/bin/sh\nexit 9\n")
    poetry.chmod(0o755)
    shop.write({"poetry.lock": "", "pyproject.toml": PYPROJECT + "[tool.poetry]\npackage-mode = false\n"})
    path = f"{poetry.parent}{os.pathsep}{shop.env['PATH']}"
    ran = shop.run("nox", "-s", f"unit-{other}", env={"PATH": path})
    assert ran.code == 1, ran
    assert f"poetry makes its environment, so that uv cannot make one of Python {other}" in ran.text


def test_what_is_no_version_is_refused(shop: Checkout) -> None:
    """In one line, as every mistake in a noxfile of ours."""
    shop.write({"noxfile.py": NOXFILE.format("['-x']")})
    ran = shop.run("nox", "-l")
    assert ran.code != 0
    assert "'-x' is no version of Python" in ran.text


def test_a_stack_is_tested_by_another_python(shop: Checkout, other: str, engine: object) -> None:
    """The service stage brings its stack up as ever; `clean` removes the environments, too."""
    server = f"""
        image: {PYTHON}
        command: [python, -m, http.server, "8000"]
        ports: ["8000"]
    """
    shop.write(
        {
            "services/api/pyproject.toml": PYPROJECT,
            "services/api/deploy/test/docker-compose.yml": compose(api=server),
            "services/api/tests/integration/test_api.py": "import os, sys, urllib.request\n"
            "def test_api():\n    urllib.request.urlopen(os.environ['TEST_API_URL'])\n"
            f"    assert sys.version_info[:2] == ({other.replace('.', ', ')})\n",
        }
    )
    ran = shop.run("nox", "-s", f"service-{other}")
    assert ran.code == 0, ran
    assert "removed its environments of other Pythons" in shop.run("tasklib", "clean").text
