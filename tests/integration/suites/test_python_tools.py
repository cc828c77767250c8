"""The environments of Poetry, PDM, Hatch, workspaces, requirements files and setuptools, by real tools."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tasklib.pipeline.suites.planning import plan_suite
from tasklib.pipeline.suites.suite import SuiteOptions
from tasklib.project import Project, Service, StageTests
from tasklib.results import Outcome, Stage, Target
from tests.integration.suites.conftest import Ran, Run, write

USES = "def test_it():\n    import sortedcontainers\n"
"""A test that needs what only the environment under test lists: pytest itself does not bring it."""

PROJECT = "[project]\nname = 'service'\nversion = '1'\nrequires-python = '>=3.11'\n"
BUILT = "[build-system]\nrequires = ['hatchling']\nbuild-backend = 'hatchling.build'\n"
POETRY_GROUP = "[tool.poetry.group.dev.dependencies]\npytest = '^9.0'\nsortedcontainers = '~2.4'\n"
KEPT_APART = "2025-10-01"
"""Tools as they were on a day: what is released later cannot break a test of ours."""


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``tools(name)`` is a folder for PATH that holds that tool, installed apart from everything."""
    made: dict[str, Path] = {}

    def install(name: str) -> Path:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            _do(folder, "uv", "venv", "-q", "-p", sys.executable, "made")
            apart = ("-q", "-p", "made/bin/python", "--exclude-newer", KEPT_APART)
            _do(folder, "uv", "pip", "install", *apart, name)
            (folder / "bin").mkdir()
            (folder / "bin" / name).symlink_to(folder / "made" / "bin" / name)
            made[name] = folder / "bin"
        return made[name]

    return install


@pytest.fixture(autouse=True)
def only_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine has, none of the tools is on PATH unless a test puts it there."""
    tools = ("poetry", "pdm", "hatch", "pipenv")
    kept = [
        folder
        for folder in os.environ["PATH"].split(os.pathsep)
        if not any(os.access(Path(folder, tool), os.X_OK) for tool in tools)
    ]
    monkeypatch.setenv("PATH", os.pathsep.join(kept))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.delenv("UV_PYTHON", raising=False)


def _do(folder: Path, *argv: str) -> None:
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stdout}{done.stderr}"


def _notes(folder: Path) -> str:
    service = Service("service", folder, unit=StageTests((folder / "tests" / "unit",)))
    project = Project(root=folder.parent, name="project", services=(service,))
    return "\n".join(plan_suite(project, Target(Stage.UNIT, "service"), SuiteOptions()).notes)


def _passed(ran: Ran) -> None:
    assert ran.result.outcome is Outcome.PASSED, f"{ran.result.reason}\n{ran.output}"


LISTED: Mapping[str, Mapping[str, str]] = {
    "Poetry 2": {"pyproject.toml": PROJECT + POETRY_GROUP, "poetry.lock": "# locked\n"},
    "Poetry without a package": {
        "pyproject.toml": PROJECT + "[tool.poetry]\npackage-mode = false\n" + POETRY_GROUP,
        "poetry.lock": "",
    },
    "Poetry 1": {
        "pyproject.toml": "[tool.poetry]\nname = 'service'\nversion = '1'\ndescription = ''\nauthors = []\n"
        "[tool.poetry.dependencies]\npython = '^3.11'\n"
        "sortedcontainers = { version = '^2.4', optional = false }\n"
        "[tool.poetry.dev-dependencies]\npytest = '*'\n",
    },
    "PDM": {
        "pyproject.toml": PROJECT
        + "[tool.pdm.dev-dependencies]\ntest = ['pytest', 'sortedcontainers>=2,<3']\n",
        "pdm.lock": "",
    },
    "PDM with groups": {
        "pyproject.toml": PROJECT + "[tool.pdm]\n[dependency-groups]\n"
        "base = ['sortedcontainers']\ntest = ['pytest', { include-group = 'base' }]\n",
        "pdm.lock": "",
    },
    "Pipenv": {
        "Pipfile": "[packages]\nsortedcontainers = '*'\n[dev-packages]\npytest = '>=8'\n",
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-ra'\n",
    },
    "Pipenv, locked": {
        "Pipfile": "[packages]\nsortedcontainers = '*'\n[dev-packages]\npytest = '*'\n",
        "Pipfile.lock": json.dumps(
            {
                "_meta": {},
                "default": {"sortedcontainers": {"version": "==2.3.0"}},
                "develop": {"pytest": {"version": "==8.4.2", "extras": ["dev"], "index": "pypi"}},
            }
        ),
        "tests/unit/test_b.py": "def test_it():\n    from importlib.metadata import version\n"
        "    assert version('sortedcontainers') == '2.3.0'\n    assert version('pytest') == '8.4.2'\n",
    },
    "Hatch": {
        "pyproject.toml": PROJECT + BUILT + "[tool.hatch.envs.default]\nfeatures = ['fast']\n"
        "[tool.hatch.envs.test]\nextra-dependencies = ['pytest']\n"
        "[tool.hatch.envs.test.env-vars]\nMODE = 'test'\n"
        "[[tool.hatch.envs.test.matrix]]\npython = ['3.11', '3.12']\n"
        "[project.optional-dependencies]\nfast = ['sortedcontainers']\n",
        "service/__init__.py": "",
        "tests/unit/test_mode.py": "import os, service\ndef test_mode(): assert os.environ['MODE'] == 'test'",
    },
    "a project with requirements-dev.txt": {
        "pyproject.toml": PROJECT,
        "requirements-dev.txt": "pytest\nsortedcontainers\n",
    },
    "requirements/local.txt": {
        "requirements/base.txt": "sortedcontainers\n",
        "requirements/local.txt": "-r base.txt\npytest\n",
        "requirements/production.txt": "no-such-package-of-anyone\n",
    },
    "requirements/development.txt": {
        "requirements.txt": "sortedcontainers\n",
        "requirements/development.txt": "pytest\n",
    },
    "dev-requirements.txt with the tests' own": {
        "dev-requirements.txt": "pytest\n",
        "tests/requirements.txt": "sortedcontainers\n",
    },
    "setup.py with an extra": {
        "setup.py": "from setuptools import setup\nTESTS = ['pytest', 'sortedcontainers']\n"
        "MORE = {'tests': TESTS, 'docs': ['no-such']}\n"
        "setup(name='old', version='1', py_modules=[], extras_require=MORE)\n",
    },
    "setup.cfg with an extra": {
        "pyproject.toml": BUILT.replace("hatchling.build", "setuptools.build_meta").replace(
            "hatchling", "setuptools"
        ),
        "setup.cfg": "[metadata]\nname = old\nversion = 1\n[options]\npackages =\n[options.extras_require]\n"
        "dev =\n    pytest\n    sortedcontainers\n",
    },
    "an extra of itself": {
        "pyproject.toml": PROJECT + "[project.optional-dependencies]\nall = ['sortedcontainers']\n"
        "[dependency-groups]\ndev = ['pytest', 'Service[all]']\n",
    },
}


@pytest.mark.parametrize("files", LISTED.values(), ids=LISTED)
def test_what_a_project_lists_for_its_tests_is_there(
    files: Mapping[str, str], run: Run, folder: Path
) -> None:
    """Whichever tool's tables list it, also where that tool is missing; nothing is left behind."""
    files = {"tests/unit/test_a.py": USES, **files}
    _passed(run(files, needs=()))
    made = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    left = {name for name in made - set(files) if "__pycache__" not in name and ".pytest_cache" not in name}
    assert not {name for name in left if ".egg-info" not in name}


def test_a_lock_file_that_is_not_used_is_named(folder: Path) -> None:
    """With the tool that is missing, and the key by which a command of the project's own says it."""
    write(folder, {"tests/unit/test_a.py": "", "pyproject.toml": PROJECT + POETRY_GROUP, "poetry.lock": ""})
    assert _notes(folder) == (
        "service: poetry.lock is not used, since `poetry` is not installed: uv takes the newest "
        "versions that pyproject.toml admits; `services.service.command` says it otherwise"
    )


@pytest.fixture
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """pytest and what it needs, as files that Poetry can lock without asking anyone."""
    folder = tmp_path_factory.mktemp("wheels")
    _do(folder, sys.executable, "-m", "pip", "download", "-q", "pytest>=9", "sortedcontainers", "colorama")
    return {path.name.split("-")[0].lower(): path for path in folder.glob("*.whl")}


def test_poetry_keeps_its_environment(
    run: Run,
    folder: Path,
    tools: Callable[[str], Path],
    wheels: Mapping[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where poetry is installed it installs what is locked, once, and the tests run in its environment."""
    monkeypatch.setenv("PATH", str(tools("poetry")), prepend=os.pathsep)
    monkeypatch.setenv("POETRY_VIRTUALENVS_IN_PROJECT", "true")
    listed = "".join(f"{name} = {{ path = '{path}' }}\n" for name, path in wheels.items())
    pyproject = (
        f"{PROJECT}[tool.poetry]\npackage-mode = false\n[tool.poetry.group.dev]\noptional = true\n"
        f"[tool.poetry.group.dev.dependencies]\n{listed}"
    )
    write(folder, {"pyproject.toml": pyproject})
    _do(folder, "poetry", "lock", "--no-interaction")
    where = f"def test_prefix():\n    import sys\n    assert sys.prefix == {str(folder / '.venv')!r}\n"
    files = {"tests/unit/test_a.py": USES, "tests/unit/test_b.py": where}
    first = run(files, needs=())
    _passed(first)
    assert "Installing" in first.output
    again = run(files, needs=())
    _passed(again)
    assert "Installing" not in again.output
    assert not (folder / "uv.lock").exists()


def test_pdm_keeps_its_environment(
    run: Run, folder: Path, tools: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pdm is installed it installs what is locked, and the tests run in its environment."""
    monkeypatch.setenv("PATH", str(tools("pdm")), prepend=os.pathsep)
    monkeypatch.setenv("PDM_CHECK_UPDATE", "false")
    pyproject = PROJECT + "[tool.pdm.dev-dependencies]\ntest = ['pytest', 'sortedcontainers']\n"
    write(folder, {"pyproject.toml": pyproject})
    _do(folder, "pdm", "lock")
    lock = (folder / "pdm.lock").read_text()
    where = f"def test_prefix():\n    import sys\n    assert sys.prefix == {str(folder / '.venv')!r}\n"
    _passed(run({"tests/unit/test_a.py": USES, "tests/unit/test_b.py": where}, needs=()))
    assert (folder / "pdm.lock").read_text() == lock
    assert not (folder / "uv.lock").exists()


def test_pipenv_keeps_its_environment(
    run: Run, folder: Path, tools: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pipenv is installed it installs what is locked, once, and the tests run in its environment."""
    monkeypatch.setenv("PATH", str(tools("pipenv")), prepend=os.pathsep)
    monkeypatch.setenv("PIPENV_VENV_IN_PROJECT", "1")
    pipfile = "[packages]\nsortedcontainers = '*'\n[dev-packages]\npytest = '*'\n"
    write(folder, {"Pipfile": pipfile})
    _do(folder, "pipenv", "lock", "--python", sys.executable)
    lock = (folder / "Pipfile.lock").read_text()
    where = f"def test_prefix():\n    import sys\n    assert sys.prefix == {str(folder / '.venv')!r}\n"
    _passed(run({"tests/unit/test_a.py": USES, "tests/unit/test_b.py": where}, needs=()))
    assert (folder / "Pipfile.lock").read_text() == lock


WORKSPACE = {
    "../pyproject.toml": "[tool.uv.workspace]\nmembers = ['service', 'shared']\n"
    "[dependency-groups]\ndev = ['pytest', 'sortedcontainers']\n",
    "../shared/pyproject.toml": PROJECT.replace("service", "shared") + BUILT,
    "../shared/shared/__init__.py": "",
    "pyproject.toml": PROJECT + "dependencies = ['shared']\n[tool.uv]\npackage = false\n"
    "[tool.uv.sources]\nshared = { workspace = true }\n",
    "tests/unit/test_a.py": USES + "    import shared\n",
}


@pytest.mark.parametrize("locked", [False, True])
def test_members_of_a_workspace_have_the_groups_of_its_root(locked: bool, run: Run, folder: Path) -> None:
    """A member that lists nothing for tests gets the root's dev group, and the members it needs."""
    write(folder, WORKSPACE)
    if locked:
        _do(folder, "uv", "lock", "-q")
    _passed(run({}, needs=()))
    assert (folder.parent / "uv.lock").exists() is locked
    assert (folder.parent / ".venv").exists() is locked


def test_uv_locks_where_git_ignores_what_it_writes(run: Run, folder: Path) -> None:
    """Its own environment is made then, as by uv alone."""
    pyproject = PROJECT + "[dependency-groups]\ntest = ['sortedcontainers']\n"
    files = {"pyproject.toml": pyproject, "tests/unit/test_a.py": USES, ".gitignore": "uv.lock\n.venv\n"}
    folder.mkdir()
    _do(folder, "git", "init", "-q")
    _passed(run(files, needs=()))
    assert (folder / "uv.lock").is_file()
    assert (folder / ".venv").is_dir()


def test_requirements_that_others_make_needless_are_named(folder: Path) -> None:
    """What pyproject.toml says is enough; files for tests beside it are said to be left out."""
    pyproject = PROJECT + "[dependency-groups]\ndev = ['pytest']\n"
    write(folder, {"tests/unit/test_a.py": "", "pyproject.toml": pyproject, "requirements-dev.txt": "pytest"})
    assert _notes(folder) == (
        "service: not used: requirements-dev.txt, since other files list what tests need; "
        "`services.service.command` says it otherwise"
    )
