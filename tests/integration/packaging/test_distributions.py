"""What is uploaded: both distributions, source and wheel, built as a release builds them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from email.message import Message
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
    """The tests that pytest finds below ``folder``. None is run: rewriting asserts would take most of it."""
    quick = ("--collect-only", "--assert=plain", "-q", "-p", "no:cacheprovider")
    argv = (sys.executable, "-m", "pytest", *quick, "tests")
    return {line for line in _output(*argv, folder=folder).splitlines() if "::" in line}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all four, the wheels made from the source distributions."""
    folder = tmp_path_factory.mktemp("dist")
    for source in (ROOT, ROOT / "stages"):
        build = ("-m", "build", "--installer", "uv")
        _output(sys.executable, *build, "--outdir", str(folder), str(source), folder=ROOT)
    return folder


def _wheel(built: Path, name: str = "tasklib_pytest") -> Path:
    (wheel,) = built.glob(f"{name}-*.whl")
    return wheel


def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as opened:
        (name,) = [name for name in opened.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(opened.read(name))


@pytest.fixture(scope="module")
def unpacked(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution's folder."""
    folder = tmp_path_factory.mktemp("source")
    (archive,) = built.glob("tasklib_pytest-*.tar.gz")
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
    (archive,) = built.glob("tasklib_pytest-*.tar.gz")
    with tarfile.open(archive) as opened:
        inside = {member.name.partition("/")[2] for member in opened.getmembers() if member.isfile()}
    assert inside - tracked == {"PKG-INFO"}
    left_out = {name for name in tracked - inside if not name.startswith(".")}
    assert left_out == set()


@pytest.mark.parametrize("name", ["tasklib_pytest", "tasklib_stages"])
def test_the_page_on_pypi(name: str, built: Path) -> None:
    """It renders, and no link or picture of it leads nowhere there."""
    files = sorted(map(str, built.glob(f"{name}-*")))
    _output(sys.executable, "-m", "twine", "check", "--strict", *files, folder=built)
    text = _metadata(_wheel(built, name)).get_payload()
    assert isinstance(text, str)
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links
    assert [link for link in links if not link.startswith("https://")] == []


def test_the_wheel_holds_the_package_alone(built: Path) -> None:
    """With its marker for type checkers and the schemas; no tests, no tools of the repository."""
    with zipfile.ZipFile(_wheel(built)) as opened:
        names = set(opened.namelist())
    schemas = {"project/pyproject", "reporting/schema/events", "reporting/schema/run"}
    assert {"tasklib/py.typed", *(f"tasklib/{name}.schema.json" for name in schemas)} <= names
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"tasklib"}


def test_the_wheel_makes_projects(built: Path, tmp_path: Path) -> None:
    """Its templates are all there, also those whose names begin with a dot or are none that a shell likes."""
    with zipfile.ZipFile(_wheel(built)) as opened:
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


def test_the_other_holds_no_code_and_is_bound_to_this_version(built: Path) -> None:
    """Two that shared files could not be taken away apart, and two versions were never tested together."""
    wheel = _wheel(built, "tasklib_stages")
    with zipfile.ZipFile(wheel) as opened:
        assert {name.partition("/")[0].partition(".")[2] for name in opened.namelist()} == {"1.0.dist-info"}
    code, other = _metadata(_wheel(built)), _metadata(wheel)
    version = code["Version"]
    extras = {"new", "reports", "watch"}
    assert other["Version"] == version
    assert set(other.get_all("Requires-Dist", ())) == {
        f"tasklib-pytest[stages]=={version}",
        *(f"tasklib-pytest[{extra}]=={version}; extra == '{extra}'" for extra in extras),
    }
    assert extras < set(code.get_all("Provides-Extra", ()))
    assert (ROOT / "stages/LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.fixture
def environment(built: Path, tmp_path: Path) -> _Environment:
    """A fresh one with the fixtures alone."""
    made = _Environment(tmp_path / "environment", built)
    made.uv("venv", "--seed", "--quiet", "--python", sys.executable, str(made.folder))
    made.install("tasklib-pytest")
    return made


class _Environment:
    """A virtual environment that finds what was ``built``."""

    def __init__(self, folder: Path, built: Path) -> None:
        self.folder = folder
        self._built = built

    def uv(self, *arguments: str) -> str:
        return _output(str(Path(sys.executable).with_name("uv")), *arguments, folder=self._built)

    def install(self, *words: str) -> None:
        to = ("--quiet", "--python", str(self.folder / "bin/python"), "--find-links", str(self._built))
        self.uv("pip", "install", *to, *words)

    def pip(self, *words: str) -> str:
        return self.run("python", "-m", "pip", "--disable-pip-version-check", *words)

    def run(self, program: str, *words: str) -> str:
        return _output(str(self.folder / "bin" / program), *words, folder=self._built)

    def fails(self, *words: str) -> tuple[int, str]:
        """The exit code of its Python and the last two lines that it says."""
        argv = [str(self.folder / "bin/python"), *words]
        done = subprocess.run(argv, cwd=self._built, capture_output=True, text=True, check=False)
        return done.returncode, "\n".join(done.stderr.splitlines()[-2:])

    @property
    def programs(self) -> set[str]:
        return {path.name for path in (self.folder / "bin").iterdir()} & {"tasklib", "nox", "invoke", "uv"}


def test_the_fixtures_alone(environment: _Environment) -> None:
    """None of the front ends comes along; who tries one is told in a line which distribution has them."""
    assert environment.programs == set()
    assert "--stack" in environment.run("pytest", "--help")
    environment.pip("check")
    remedy = "Install the rest beside it: pip install tasklib-stages"
    for code, missing in (("import tasklib.sessions", "Nox"), ("import tasklib.tasks", "Invoke")):
        failed, said = environment.fails("-c", code)
        assert failed
        assert f"{missing} is not installed here: tasklib-pytest is for fixtures alone\n{remedy}" in said
    failed, said = environment.fails("-m", "tasklib", "test.unit")
    assert failed == 2
    assert said == f"error: Invoke is not installed here: tasklib-pytest is for fixtures alone\n{remedy}"


def test_all_of_it_beside_them_and_away_again(environment: _Environment) -> None:
    """tasklib-stages adds the commands to what is there; without it the fixtures work on."""
    environment.install("tasklib-stages")
    environment.pip("check")
    assert environment.programs == {"tasklib", "nox", "invoke", "uv"}
    version = environment.run("python", "-c", "import tasklib; print(tasklib.__version__)").strip()
    assert environment.run("tasklib", "--version").strip() == f"tasklib {version}"
    environment.run("python", "-c", "import tasklib.sessions, tasklib.tasks")
    environment.pip("uninstall", "--yes", "--quiet", "tasklib-stages")
    assert "tasklib" not in environment.programs
    assert "--stack" in environment.run("pytest", "--help")


def test_editable_and_away_again(environment: _Environment) -> None:
    """A checkout takes the place of what was installed, and nothing of it stays."""
    where = ("python", "-c", "import tasklib; print(tasklib.__file__)")
    environment.install("--editable", str(ROOT), "--editable", str(ROOT / "stages"))
    assert Path(environment.run(*where).strip()) == ROOT / "tasklib/__init__.py"
    assert environment.run("tasklib", "--version").startswith("tasklib ")
    environment.pip("uninstall", "--yes", "--quiet", "tasklib-stages", "tasklib-pytest")
    code, said = environment.fails("-c", "import tasklib")
    assert (code, said.splitlines()[-1]) == (1, "ModuleNotFoundError: No module named 'tasklib'")
    assert "tasklib" not in environment.programs
