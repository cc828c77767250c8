"""What is uploaded: the source distribution and the wheel, built as a release builds them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from tasklib.new.answers import Answers, Kind, NewService, written
from tasklib.new.rendering import rendered
from tasklib.release.workflows.files import Forge

ROOT = Path(__file__).resolve().parents[3]


def _output(*argv: str, folder: Path) -> str:
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _collected(folder: Path) -> set[str]:
    """The tests that pytest finds below ``folder``."""
    argv = (sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests")
    return {line for line in _output(*argv, folder=folder).splitlines() if "::" in line}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both, the wheel made from the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    _output(sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT), folder=ROOT)
    return folder


@pytest.fixture(scope="module")
def unpacked(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution's folder."""
    folder = tmp_path_factory.mktemp("source")
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    (inside,) = folder.iterdir()
    return inside


def test_the_source_distribution_has_all_tests_and_what_they_need(unpacked: Path) -> None:
    """Who packages it for a distribution finds the same tests as in the checkout, and all of them load."""
    assert _collected(unpacked) == _collected(ROOT)


def test_the_source_distribution_is_made_of_the_repository_alone(built: Path) -> None:
    """Nothing that this machine left in the checkout goes along, nothing tracked that matters is left out."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    tracked = set(_output("git", "ls-files", "-co", "--exclude-standard", folder=ROOT).splitlines())
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        inside = {member.name.partition("/")[2] for member in opened.getmembers() if member.isfile()}
    assert inside - tracked == {"PKG-INFO"}
    left_out = {name for name in tracked - inside if not name.startswith(".")}
    assert left_out == set()


def test_the_page_on_pypi(built: Path) -> None:
    """It renders, and no link or picture of it leads nowhere there."""
    files = sorted(map(str, built.iterdir()))
    _output(sys.executable, "-m", "twine", "check", "--strict", *files, folder=built)
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        (name,) = [name for name in opened.namelist() if name.endswith(".dist-info/METADATA")]
        text = message_from_bytes(opened.read(name)).get_payload()
    assert isinstance(text, str)
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links
    assert [link for link in links if not link.startswith("https://")] == []


def test_the_wheel_holds_the_package_alone(built: Path) -> None:
    """With its marker for type checkers and the schema for editors; no tests, no tools of the repository."""
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
    assert {"tasklib/py.typed", "tasklib/project/pyproject.schema.json"} <= names
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"tasklib"}


def test_the_wheel_makes_projects(built: Path, tmp_path: Path) -> None:
    """Its templates are all there, also those whose names begin with a dot or are none that a shell likes."""
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(tmp_path)
    services = tuple(NewService(f"of-{kind}", kind) for kind in Kind)
    answers = Answers("1.0.0", "shop", services, ci=Forge.GITHUB)
    done = subprocess.run(
        [sys.executable, "-m", "tasklib.new"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        input=written(answers),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == rendered(answers)
