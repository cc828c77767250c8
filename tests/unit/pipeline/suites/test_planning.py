"""Which command a target gets, by what its folders hold."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tasklib.errors import ConfigError, UsageError
from tasklib.pipeline.suites import detect
from tasklib.pipeline.suites.detect import Language, fullstack_files, language, loads_plugins_first
from tasklib.pipeline.suites.node import where_installed
from tasklib.pipeline.suites.planning import plan_suite
from tasklib.pipeline.suites.python import uv
from tasklib.pipeline.suites.suite import PLUGIN, Suite, SuiteKind, SuiteOptions
from tasklib.project import Project, Service, StageTests
from tasklib.results import Stage, Target

Plan = Callable[..., Suite]
VITEST = json.dumps({"devDependencies": {"vitest": "^4"}, "scripts": {"test": "vitest run"}})


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Package managers are where PATH says, whatever this machine has."""
    monkeypatch.setattr(shutil, "which", lambda name, **_: f"/bin/{name}" if name != "poetry" else None)
    monkeypatch.setattr(uv, "program", lambda: "uv")
    monkeypatch.delenv("CI", raising=False)
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Mapping[str, str]], None]:
    def work(files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return work


@pytest.fixture
def plan(tmp_path: Path, write: Callable[[Mapping[str, str]], None]) -> Plan:
    """``plan(files, ...)`` writes a service ``api`` and plans its target of a stage."""

    def work(
        files: Mapping[str, str],
        stage: Stage = Stage.UNIT,
        service: str = "api",
        options: SuiteOptions = SuiteOptions(),  # noqa: B008
        **changes: Any,
    ) -> Suite:
        write(files)
        root = tmp_path / "services" / "api"
        said = StageTests(command=changes.pop("command", None), env=changes.pop("env", {}))
        unit, tests = root / "tests/unit", root / "tests/integration"
        api = Service(
            "api",
            root,
            unit=replace(said, paths=(unit if unit.is_dir() else root,)),
            tests=replace(said, paths=(tests,)) if tests.is_dir() else None,
            **changes,
        )
        own = tmp_path / "tests" / "integration"
        project = Project(
            root=tmp_path,
            name="shop",
            services=(api,),
            integration=StageTests((own,)) if own.is_dir() else None,
            timeout={Stage.UNIT: 60.0},
        )
        return plan_suite(project, Target(stage, service), options)

    return work


def test_where_python_may_not_keep_bytecode_the_environment_keeps_it(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Otherwise every run would compile all that it imports; nothing is kept where uv has no environment yet,
    and where the user says where."""
    files = {
        "services/api/pyproject.toml": "[project]\nname='api'",
        "services/api/uv.lock": "",
        "services/api/tests/unit/test_a.py": "",
    }
    environment = tmp_path / "services/api/.venv"
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert plan(files).env == {}
    environment.mkdir()
    (environment / "pyvenv.cfg").touch()
    kept = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(environment / "bytecode")}
    assert plan(files).env == kept
    assert plan(files, env={"PYTHONDONTWRITEBYTECODE": "1"}).env == {**kept, "PYTHONDONTWRITEBYTECODE": "1"}
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", "/elsewhere")
    assert plan(files).env == {}
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX")
    assert plan(files).env == {}


def test_a_service_with_a_pyproject_runs_in_its_own_environment(plan: Plan, tmp_path: Path) -> None:
    """`uv run pytest` in the service's folder, the plugin loaded, outside any other environment."""
    suite = plan(
        {
            "services/api/pyproject.toml": "[project]\nname='api'",
            "services/api/uv.lock": "",
            "services/api/tests/unit/test_a.py": "",
        }
    )
    assert suite.kind is SuiteKind.PYTEST
    assert suite.argv == ("uv", "run", "--with", "pytest", "pytest", "-p", PLUGIN, "tests/unit")
    assert (suite.cwd, suite.folder) == (tmp_path / "services/api",) * 2
    assert suite.unset == {"VIRTUAL_ENV"}
    assert suite.timeout == 60.0


def test_stages_with_containers_pass_integration_on(plan: Plan) -> None:
    """--integration is there in the service stage, and -k and what follows -- come as they are."""
    options = SuiteOptions(keyword="orders", extra=("-x", "--lf"), timeout=5.0, verbose=True)
    suite = plan({"services/api/tests/integration/test_a.py": ""}, Stage.SERVICE, options=options)
    tail = suite.argv[suite.argv.index("-p") :]
    assert tail == (
        *("-p", PLUGIN, "-v", "--integration", "-k", "orders"),
        *("tests/integration", "-x", "--lf"),
    )
    assert suite.timeout == 5.0


def test_a_keyword_is_never_an_option(plan: Plan) -> None:
    """A keyword that begins with a dash stays the keyword."""
    suite = plan({"services/api/tests/unit/test_a.py": ""}, options=SuiteOptions(keyword="-x"))
    assert "-k-x" in suite.argv


@pytest.mark.parametrize(
    ("keyword", "end"),
    [
        ("tests/unit/test_a.py::test_a[x y]", ("tests/unit/test_a.py::test_a[x y]",)),
        ("tests/unit/gone.py::test_a", ("-k", "tests/unit/gone.py::test_a", "tests/unit")),
        ("tests/other/test_b.py::test_b", ("-k", "tests/other/test_b.py::test_b", "tests/unit")),
        ("test_a::x", ("-k", "test_a::x", "tests/unit")),
    ],
)
def test_a_keyword_may_be_the_id_of_a_test(keyword: str, end: tuple[str, ...], plan: Plan) -> None:
    """Of one in the target's own folders: that is what rerun lines say where words would select more."""
    files = {"services/api/tests/unit/test_a.py": "", "services/api/tests/other/test_b.py": ""}
    assert plan(files, options=SuiteOptions(keyword=keyword)).argv[-len(end) :] == end


def test_groups_and_extras_of_tests_are_installed(plan: Plan) -> None:
    """What lists pytest, or is called tests, comes along; the dev group does so by itself."""
    pyproject = """
        [project]
        name = "api"
        [project.optional-dependencies]
        dev = ["pytest>=8", "httpx"]
        docs = ["sphinx"]
        [dependency-groups]
        dev = ["ruff", "pytest"]
        testing = [{ include-group = "dev" }]
        lint = ["mypy"]
    """
    files = {"services/api/pyproject.toml": pyproject, "services/api/uv.lock": ""}
    suite = plan({**files, "services/api/tests/unit/test_a.py": ""})
    assert suite.argv[2:6] == ("--extra", "dev", "--group", "testing")


def test_requirements_make_an_environment(plan: Plan, tmp_path: Path) -> None:
    """All of a folder's requirements files, and pytest if they lack it, isolated from folders above."""
    files = {
        "services/api/requirements.txt": "",
        "services/api/requirements-dev.txt": "",
        "services/api/pyproject.toml": "[tool.ruff]",
        "services/api/tests/unit/test_a.py": "",
    }
    suite = plan(files)
    folder = tmp_path / "services/api"
    assert suite.argv[:8] == (
        *("uv", "run", "--no-project", "--isolated"),
        *("--with-requirements", str(folder / "requirements.txt")),
        *("--with-requirements", str(folder / "requirements-dev.txt")),
    )
    (folder / ".venv").mkdir()
    assert "--isolated" not in plan(files).argv


def test_the_nearest_description_above_decides(plan: Plan, tmp_path: Path) -> None:
    """A service without one of its own uses the project's; without any, pytest alone."""
    test = {"services/api/tests/unit/test_a.py": ""}
    assert plan(test).argv[:6] == ("uv", "run", "--no-project", "--isolated", "--with", "pytest")
    suite = plan({"pyproject.toml": "[project]\nname='shop'", "uv.lock": ""})
    assert suite.argv[:4] == ("uv", "run", "--project", str(tmp_path))
    suite = plan({"pyproject.toml": "[tool.uv.workspace]\nmembers=[]"})
    assert "--project" in suite.argv
    suite = plan({"pyproject.toml": "[tool.tasklib]"})
    assert "--no-project" in suite.argv


def test_a_broken_pyproject_is_named(plan: Plan) -> None:
    """The file and what is wrong with it."""
    with pytest.raises(ConfigError, match=r"api/pyproject\.toml: cannot be read"):
        plan({"services/api/pyproject.toml": "[", "services/api/tests/unit/test_a.py": ""})


@pytest.mark.parametrize(
    ("command", "there", "installs"),
    [
        (("npm", "run", "test-unit"), "", True),
        (("npx", "jest"), "", True),
        (("node", "--test"), "", False),
        (("npm", "run", "test-unit"), "services/api/node_modules/a", False),
        (("npm", "run", "test-unit"), "node_modules/a", False),
        (("yarn", "test"), ".yarnrc.yml", False),
    ],
)
def test_a_command_of_a_package_finds_it_installed(
    plan: Plan, command: tuple[str, ...], there: str, installs: bool
) -> None:
    """In a fresh worktree nobody has; where anything is, it is whose who chose the command."""
    files = {
        "services/api/package.json": "{}",
        "services/api/package-lock.json": "{}",
        "services/api/tests/unit/a.test.js": "",
    } | ({there: ""} if there else {})
    assert bool(plan(files, command=command).prepare) is installs


def test_vitest_runs_what_is_below_the_folder(plan: Plan, tmp_path: Path) -> None:
    """The service's own vitest, an absolute path, and the installation that its lock file asks for."""
    files = {
        "services/api/package.json": VITEST,
        "services/api/package-lock.json": "{}",
        "services/api/tests/unit/a.test.tsx": "",
    }
    suite = plan(files, options=SuiteOptions(keyword="total"))
    folder = tmp_path / "services/api"
    assert suite.kind is SuiteKind.VITEST
    assert suite.argv == (
        *(str(folder / "node_modules/.bin/vitest"), "run"),
        *(f"{folder / 'tests/unit'}{os.sep}", "-t", "total"),
    )
    [install] = suite.prepare
    assert install.argv[:2] == ("/bin/npm", "ci")
    assert install.folder == folder
    assert install.needed()
    install.stamp.parent.mkdir()
    install.stamp.touch()
    os.utime(install.source, (1, 1))
    assert not install.needed()


@pytest.mark.parametrize(
    ("script", "argv", "env"),
    [
        ("vitest", ("{vitest}", "run", "{unit}"), {}),
        ("vitest run --config a.ts --coverage", ("{vitest}", "run", "{unit}", "--config", "a.ts"), {}),
        ("TZ=UTC npx vitest --watch -t x tests", ("{vitest}", "run", "{unit}"), {"TZ": "UTC"}),
        ("vitest run --dir tests/unit --mode test", ("{vitest}", "run", "{unit}", "--mode", "test"), {}),
        ("vitest run --reporter junit --outputFile a.xml", ("{vitest}", "run", "{unit}"), {}),
        ("vitest run --globals src && eslint .", ("{vitest}", "run", "{unit}", "--globals"), {}),
        (
            "node -C x node_modules/vitest/vitest.mjs",
            ("sh", "-c", '{path} && exec "$@"', "sh", "node", "-C"),
            {},
        ),
        (
            "node prep.js && vitest run",
            ("sh", "-c", '{path} && node prep.js && exec "$@"', "sh", "{vitest}"),
            {},
        ),
        ("npm run test:unit && vitest run", ("{vitest}", "run", "{unit}"), {}),
        ("vitest run a && vitest run -c b.ts", ("{vitest}", "run", "{unit}"), {}),
        ("rm -r .vitest && vitest run", ("sh", "-c", '{path} && rm -r .vitest && exec "$@"', "sh"), {}),
        ("vitest run -c b.ts > log", ("{vitest}", "run", "{unit}"), {}),
        ("vitest related --config b.ts", ("{vitest}", "run", "{unit}"), {}),
        ("concurrently 'vitest run'", ("{vitest}", "run", "{unit}"), {}),
    ],
)
def test_vitest_is_started_as_the_packages_script_does(
    script: str, argv: tuple[str, ...], env: Mapping[str, str], plan: Plan, tmp_path: Path
) -> None:
    """With its options and variables, after what comes before it; its files and reporters are ours to say."""
    package = {"devDependencies": {"vitest": "^4"}, "scripts": {"test": script}}
    files = {"services/api/package.json": json.dumps(package), "services/api/tests/unit/a.test.ts": ""}
    suite = plan(files)
    folder = tmp_path / "services/api"
    bins = os.pathsep.join(str(place / "node_modules" / ".bin") for place in (folder, *folder.parents))
    words = {
        "vitest": str(folder / "node_modules/.bin/vitest"),
        "unit": f"{folder / 'tests/unit'}{os.sep}",
        "path": f'PATH={bins}:"$PATH"',
    }
    wanted = tuple(word.format_map(words) for word in argv)
    assert suite.kind is SuiteKind.VITEST
    assert suite.argv == wanted if wanted[0] != "sh" else suite.argv[: len(wanted)] == wanted
    assert suite.env == env


def test_what_is_typed_comes_before_what_the_script_says(plan: Plan) -> None:
    """vitest takes an option once; a stage with a script of its own has its coverage measured."""
    script = "vitest run -t total --project a --coverage"
    package = {"devDependencies": {"vitest": "^4"}, "scripts": {"test:unit": script}}
    files = {"services/api/package.json": json.dumps(package), "services/api/tests/unit/a.test.ts": ""}
    suite = plan(files, options=SuiteOptions("orders", ("--project=b",)))
    assert suite.argv[3:] == ("--coverage", "-t", "orders", "--project=b")


@pytest.mark.parametrize(
    ("scripts", "start"),
    [
        (
            {"pretest": "build", "test": "vitest run"},
            ("sh", "-c", 'npm run --silent pretest && exec "$@"', "sh"),
        ),
        (
            {"pretest": "build", "test": "node --test"},
            ("sh", "-c", 'npm run --silent pretest && exec "$@"', "sh"),
        ),
        ({"pretest": "build", "test": "jest"}, ("npm", "test", "--silent")),
        (
            {"pretest": "build", "test": "npm run all", "preall": "x", "all": "jest"},
            ("sh", "-c", 'npm run --silent pretest && exec "$@"', "sh", "npm", "run", "all", "--silent"),
        ),
    ],
)
def test_what_npm_runs_ahead_of_a_script_is_run(
    scripts: dict[str, str], start: tuple[str, ...], plan: Plan
) -> None:
    """Also where the script's command is started without npm, or one that another script only starts."""
    package = {"devDependencies": {"vitest": "^4"}, "scripts": scripts}
    files = {"services/api/package.json": json.dumps(package), "services/api/tests/unit/a.test.ts": ""}
    assert plan(files).argv[: len(start)] == start


def test_tests_beside_the_code_leave_out_those_that_need_a_stack(plan: Plan, tmp_path: Path) -> None:
    """A frontend without tests/unit runs whatever its folder holds but tests/integration."""
    files = {
        "services/api/package.json": VITEST,
        "services/api/src/a.spec.ts": "",
        "services/api/tests/integration/test_served.py": "",
    }
    suite = plan(files)
    folder = tmp_path / "services/api"
    assert suite.kind is SuiteKind.VITEST
    assert suite.argv[1:] == ("run", "--exclude", f"{folder / 'tests/integration'}{os.sep}**")
    assert plan({}, Stage.SERVICE).kind is SuiteKind.PYTEST


@pytest.mark.parametrize(
    ("lock", "program"),
    [("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun"), ("package-lock.json", "npm")],
)
def test_the_lock_file_names_the_package_manager(lock: str, program: str, plan: Plan) -> None:
    """Also a lock file further up, as workspaces have it."""
    suite = plan({"services/api/package.json": VITEST, lock: "", "services/api/tests/unit/a.test.ts": ""})
    assert suite.prepare[0].argv[0] == f"/bin/{program}"


@pytest.mark.parametrize(
    ("lock", "remedy"),
    [
        ("pnpm-lock.yaml", "Install it (`npm install -g pnpm`), and run again."),
        ("bun.lock", "Install Bun, and run again."),
        ("package-lock.json", "Install Node.js, which brings it, and run again."),
    ],
)
def test_a_package_manager_that_is_missing_is_named(
    lock: str, remedy: str, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With where it comes from."""
    monkeypatch.setattr(shutil, "which", lambda name, **_: None)
    with pytest.raises(ConfigError, match="which is not installed") as raised:
        plan({"services/api/package.json": VITEST, lock: "", "services/api/tests/unit/a.test.ts": ""})
    assert raised.value.remedy == remedy


def test_another_test_script_runs_by_its_exit_code(plan: Plan) -> None:
    """A package that tests by something else is asked through npm, vitest above it or not."""
    files = {
        "package.json": VITEST,
        "services/api/package.json": json.dumps({"scripts": {"test": "mocha -r x"}}),
        "services/api/tests/unit/a.test.js": "",
    }
    suite = plan(files, options=SuiteOptions(extra=("--ci",)))
    assert (suite.kind, suite.argv) == (SuiteKind.COMMAND, ("npm", "test", "--silent", "--", "--ci"))
    assert plan(files, options=SuiteOptions(keyword="x")).skip == "its test command takes no -k"
    assert suite.env == {"CI": "true"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("environment.yml", "dependencies: [pytest]"),
        ("pixi.toml", ""),
        ("pylock.toml", ""),
        ("tox.ini", "[testenv]\ndeps =\n    pytest\n"),
        ("tox.toml", "[env_run_base]\ndeps = ['pytest']\n"),
    ],
)
def test_an_environment_that_nobody_here_reads_is_named(name: str, text: str, plan: Plan) -> None:
    """Unless something else lists what tests need."""
    suite = plan({f"services/api/{name}": text, "services/api/tests/unit/test_a.py": ""})
    assert suite.notes == (f"api: not read: {name}; `services.api.command` says it otherwise",)
    suite = plan({"services/api/pyproject.toml": "[project]\nname = 'api'\n"})
    assert f"api: not read: {name}" in "".join(suite.notes)
    rye = "[project]\nname = 'api'\n[tool.rye]\ndev-dependencies = ['pytest>=8']\n"
    suite = plan({"services/api/pyproject.toml": rye})
    assert (suite.notes, "pytest>=8" in suite.argv) == ((), True)
    (suite.cwd / "pyproject.toml").unlink()
    assert plan({"services/api/requirements-dev.txt": "pytest\n"}).notes == ()


def test_pipenv_makes_the_environment_of_its_lock(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is installed; else uv makes one, and what only Pipenv knows is named."""
    folder = tmp_path / "services/api"
    source = "[[source]]\nurl = 'https://packages.example.org/simple'\n[dev-packages]\npytest = '*'\n"
    lock = {"_meta": {"sources": [{"url": "https://packages.example.org"}]}, "develop": {"pytest": {}}}
    files = {
        "services/api/Pipfile": source,
        "services/api/Pipfile.lock": json.dumps(lock),
        "services/api/requirements-dev.txt": "pytest",
        "services/api/tests/unit/test_a.py": "",
    }
    suite = plan(files)
    assert suite.argv[:3] == ("/bin/pipenv", "run", "pytest")
    assert [one.argv for one in suite.prepare] == [("/bin/pipenv", "sync", "--dev")]
    assert suite.env["PIPENV_PIPFILE"] == str(folder / "Pipfile")
    left = "api: not used: requirements-dev.txt, since other files list what tests need"
    assert [note.partition(";")[0] for note in suite.notes] == [left]
    monkeypatch.setattr(shutil, "which", lambda name: None)
    suite = plan({})
    assert suite.argv[:6] == ("uv", "run", "--no-project", "--isolated", "--with", "pytest")
    asked = (
        "api: packages of packages.example.org are asked of uv's own index, since `pipenv` is not installed"
    )
    assert [note.partition(";")[0] for note in suite.notes] == [asked, left]
    suite = plan({"services/api/pyproject.toml": "[project]\nname = 'api'\n", "services/api/uv.lock": ""})
    assert "api: not used: requirements-dev.txt, Pipfile, since" in suite.notes[0]


@pytest.mark.parametrize("script", ["node --test", "node --test --test-only 'tests/**/*.js'"])
def test_nodes_own_runner_runs_the_files_of_the_stage(script: str, plan: Plan, tmp_path: Path) -> None:
    """Not those of the other stage, whatever the script says; a keyword is node's pattern."""
    files = {
        "services/api/package.json": json.dumps({"scripts": {"test": script}}),
        "services/api/tests/unit/a.test.js": "",
        "services/api/tests/integration/b.test.js": "",
    }
    suite = plan(files, options=SuiteOptions(keyword="x"))
    folder = tmp_path / "services/api"
    assert suite.kind is SuiteKind.COMMAND
    assert suite.argv[:2] == ("node", "--test")
    assert suite.argv[-2:] == ("--test-name-pattern=x", str(folder / "tests/unit/a.test.js"))
    assert "--test-reporter-destination={junit}" in suite.argv
    assert plan({}, Stage.SERVICE).argv[-1] == str(folder / "tests/integration/b.test.js")


def test_jest_is_given_the_folder_of_the_stage(plan: Plan, tmp_path: Path) -> None:
    """As a pattern after --, and a keyword as -t; a script of more than one command stays as it is."""
    files = {
        "services/api/package.json": json.dumps({"scripts": {"test": "jest --coverage"}}),
        "services/api/tests/unit/a.test.js": "",
    }
    suite = plan(files, options=SuiteOptions(keyword="x"))
    folder = re.escape(f"{tmp_path / 'services/api/tests/unit'}/")
    assert suite.argv == ("npm", "test", "--silent", "--", "--ci", folder, "-t", "x")
    more = {"services/api/package.json": json.dumps({"scripts": {"test": "tsc; jest"}})}
    assert plan(more).argv == ("npm", "test", "--silent")


@pytest.mark.parametrize(
    "script",
    [
        "tsc && jest",
        "NODE_ENV=test jest --silent",
        "cross-env TZ=UTC NODE_ENV=test jest",
        "npx jest",
        "./node_modules/.bin/jest",
        "node --experimental-vm-modules node_modules/jest/bin/jest.js",
        "react-scripts test",
        "jest --projects .",
        "jest --watch",
        "TZ=UTC jest --watchAll --silent",
    ],
)
def test_jest_is_known_however_it_is_started(script: str, plan: Plan, tmp_path: Path) -> None:
    """What npm hands on goes to the last command, whatever stands before it."""
    package = {"services/api/package.json": json.dumps({"scripts": {"test": script}})}
    suite = plan({**package, "services/api/tests/unit/a.test.js": ""})
    assert suite.argv[-2:] == ("--ci", re.escape(f"{tmp_path / 'services/api/tests/unit'}/"))
    assert not any("--watch" in word for word in suite.argv)


def test_jest_is_started_where_npm_finds_it(plan: Plan, tmp_path: Path) -> None:
    """A workspace has its programs at its top; without its watcher jest is started by itself."""
    package = {"services/api/package.json": json.dumps({"scripts": {"test": "jest --watch"}})}
    program = "node_modules/.bin/jest"
    suite = plan({**package, program: "", "services/api/tests/unit/a.test.js": ""})
    assert suite.argv[0] == str(tmp_path / program)


def test_a_program_is_looked_for_again_once_it_is_installed(
    tmp_path: Path, write: Callable[..., None]
) -> None:
    """A new checkout of a workspace has nothing yet: where it lies is known afterwards."""
    below = tmp_path / "services/web/node_modules/.bin/vitest"
    assert where_installed(["sh", str(below), "run"]) == ("sh", str(below), "run")
    write({"node_modules/.bin/vitest": ""})
    there = str(tmp_path / "node_modules/.bin/vitest")
    assert where_installed(["sh", str(below), "run"]) == ("sh", there, "run")
    write({"services/web/node_modules/.bin/vitest": ""})
    assert where_installed([str(below), "node_modules/a"]) == (str(below), "node_modules/a")


def test_a_script_that_waits_for_changes_is_run_without_that(plan: Plan, tmp_path: Path) -> None:
    """Where it is one command whose option it is: the rest of it stays."""
    package = json.dumps({"scripts": {"test": "NODE_ENV=test mocha --watch --recursive 'tests/**/*.js'"}})
    suite = plan({"services/api/package.json": package, "services/api/tests/unit/a.test.js": ""})
    program = tmp_path / "services/api/node_modules/.bin/mocha"
    assert suite.argv == (str(program), "--recursive", "tests/**/*.js")
    assert suite.env["NODE_ENV"] == "test"


@pytest.mark.parametrize(
    ("script", "start"),
    [
        ("./scripts/check.sh --watch", ("services/api/scripts/check.sh",)),
        ("yarn mocha --watch", ("yarn", "mocha")),
        ("./node_modules/.bin/mocha --watch", ("services/api/node_modules/.bin/mocha",)),
    ],
)
def test_what_no_package_brings_is_started_from_where_it_is(
    script: str, start: tuple[str, ...], plan: Plan
) -> None:
    """A script of the package's own, or a program of the machine's; without its watcher, too."""
    package = {"services/api/package.json": json.dumps({"scripts": {"test": script}})}
    suite = plan({**package, "services/api/tests/unit/a.test.js": ""})
    program = suite.argv[0].removeprefix(f"{suite.folder.parent.parent}/")
    assert (program, *suite.argv[1 : len(start)]) == start


@pytest.mark.parametrize(
    "script", ["nodemon --exec mocha", "tsc && jest --watch", "tsc; node --test --watch"]
)
def test_a_script_that_never_ends_is_refused(script: str, plan: Plan) -> None:
    """Nobody would learn why the run goes on for ever: the file, the script and what to do are named."""
    package = json.dumps({"scripts": {"test": script}})
    with pytest.raises(ConfigError, match="waits for changes and never ends") as raised:
        plan({"services/api/package.json": package, "services/api/tests/unit/a.test.js": ""})
    assert (raised.value.where or "").endswith("services/api/package.json")
    assert "services.api.command" in (raised.value.remedy or "")
    package = json.dumps({"scripts": {"test": "jest --watch"}})
    with pytest.raises(ConfigError, match="command` is `jest --watch`, which waits"):
        plan({"services/api/package.json": package}, command=("npm", "test"))
    with pytest.raises(ConfigError, match="`cargo watch`, which waits"):
        plan({"services/api/tests/unit/a.rs": ""}, command=("cargo", "watch", "-x", "test"))


def test_a_script_of_jest_that_names_folders(plan: Plan, tmp_path: Path) -> None:
    """Those of the other stage are left out, which it would run as well."""
    files = {
        "services/api/package.json": json.dumps({"scripts": {"test": "jest tests/unit tests/integration"}}),
        "services/api/tests/unit/a.test.js": "",
        "services/api/tests/integration/b.test.js": "",
    }
    other = re.escape(f"{tmp_path / 'services/api/tests/integration'}/")
    assert f"--testPathIgnorePatterns={other}" in plan(files).argv


@pytest.mark.parametrize(
    ("script", "argv", "env"),
    [
        ("node --import tsx --test tests", ("node", "--import", "tsx", "--test"), {}),
        ("NODE_ENV=test node --test", ("node", "--test"), {"NODE_ENV": "test"}),
        ("tsx --test 'tests/**/*.ts'", ("{bin}/tsx", "--test"), {}),
        ("npm run build && node --test", ("npm", "test", "--silent", "--"), {}),
        ("c8 --reporter=lcov node --test", ("npm", "test", "--silent", "--"), {}),
        ("node --test tests/**/*.test.js", ("node", "--test", "--test-reporter=spec"), {}),
        ("node --test --watch", ("node", "--test", "--test-reporter=spec"), {}),
        ("node --test --test-reporter dot", ("node", "--test", "--test-reporter=spec"), {}),
    ],
)
def test_nodes_own_runner_is_known_however_it_is_started(
    script: str, argv: tuple[str, ...], env: Mapping[str, str], plan: Plan, tmp_path: Path
) -> None:
    """With what it loads before, and what is set for it."""
    package = {"services/api/package.json": json.dumps({"scripts": {"test": script}})}
    suite = plan({**package, "services/api/tests/unit/a.test.js": ""})
    folder = tmp_path / "services/api"
    wanted = tuple(word.format(bin=folder / "node_modules/.bin") for word in argv)
    assert suite.argv[: len(wanted)] == wanted
    assert [word for word in suite.argv[len(wanted) :] if not word.startswith("-")] == [
        str(folder / "tests/unit/a.test.js")
    ]
    assert env.items() <= suite.env.items()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("tsc && node --test", ["spec", "stdout", "junit", "{junit}"]),
        ("tsc && node --test --test-reporter=dot", ["stdout", "junit", "{junit}"]),
        ("tsc && node --test --test-reporter=dot --test-reporter-destination=x", ["junit", "{junit}"]),
    ],
)
def test_reporters_of_a_script_get_a_destination(script: str, words: list[str], plan: Plan) -> None:
    """node pairs them with destinations in their order; one alone has none."""
    package = {"services/api/package.json": json.dumps({"scripts": {"test": script}})}
    argv = plan({**package, "services/api/tests/unit/a.test.js": ""}).argv
    assert [word.partition("=")[2] for word in argv if word.startswith("--test-reporter")] == words


@pytest.mark.parametrize(
    ("scripts", "unit", "service"),
    [
        (
            {"test": "npm run test:unit && npm run test:integration", "test:unit": "mocha a"},
            ("npm", "run", "test:unit", "--silent"),
            ("npm", "test", "--silent"),
        ),
        (
            {"test:unit": "mocha a", "test:integration": "mocha b"},
            ("npm", "run", "test:unit", "--silent"),
            ("npm", "run", "test:integration", "--silent"),
        ),
        (
            {"test": "npm run -s all", "all": "yarn all", "unit": "pnpm checks", "checks": "tap"},
            ("npm", "run", "checks", "--silent"),
            ("npm", "run", "all", "--silent"),
        ),
        (
            {"test": "yarn mocha", "mocha": "mocha"},
            ("npm", "run", "mocha", "--silent"),
            ("npm", "run", "mocha", "--silent"),
        ),
    ],
)
def test_a_stage_has_its_own_script(
    scripts: dict[str, str], unit: tuple[str, ...], service: tuple[str, ...], plan: Plan
) -> None:
    """What is called for the stage, else `test`; one that only starts another script is that one."""
    files = {
        "services/api/package.json": json.dumps({"scripts": scripts}),
        "services/api/tests/unit/a.test.js": "",
        "services/api/tests/integration/b.test.js": "",
    }
    assert plan(files).argv == unit
    assert plan({}, Stage.SERVICE).argv == service


@pytest.mark.parametrize("script", ["mocha --recursive tests", "ava", "node --unknown tests --test"])
def test_a_script_that_tests_every_stage_at_once_says_so(script: str, plan: Plan) -> None:
    """Where another stage has tests in the package; and what to write to keep them apart."""
    files = {
        "services/api/package.json": json.dumps({"scripts": {"test": script}}),
        "services/api/tests/unit/a.test.js": "",
    }
    assert plan(files).notes == ()
    [note] = plan({"services/api/tests/integration/b.test.js": ""}).notes
    assert "also those in tests/integration; `services.api.command`" in note


def test_playwrights_tests_are_run_by_playwright(plan: Plan, tmp_path: Path) -> None:
    """Beside a vitest of the same package: what the files import decides, stage by stage."""
    both = json.dumps({"devDependencies": {"vitest": "^4", "@playwright/test": "^1"}})
    files = {
        "services/api/package.json": both,
        "services/api/tests/unit/a.test.ts": "import { it } from 'vitest'",
        "services/api/tests/integration/b.spec.ts": "import { test } from '@playwright/test'",
    }
    assert plan(files).kind is SuiteKind.VITEST
    suite = plan({}, Stage.SERVICE)
    folder = tmp_path / "services/api"
    assert suite.kind is SuiteKind.COMMAND
    assert suite.argv[0] == str(folder / "node_modules/.bin/playwright")
    assert suite.argv[-1] == re.escape(str(folder / "tests/integration"))
    assert suite.env["PLAYWRIGHT_JUNIT_OUTPUT_NAME"] == "{junit}"


@pytest.mark.parametrize(
    "files",
    [
        {"tests/integration/fixtures.ts": "import { test as base } from '@playwright/test'"},
        {"playwright.config.ts": "export default defineConfig({ testDir: './tests/integration' })"},
    ],
)
def test_playwrights_tests_need_not_import_it_themselves(files: Mapping[str, str], plan: Plan) -> None:
    """Fixtures of the project's own do, or the configuration says whose the folder is."""
    both = json.dumps({"devDependencies": {"vitest": "^4", "@playwright/test": "^1"}})
    suite = plan(
        {
            "services/api/package.json": both,
            "services/api/tests/unit/a.test.ts": "import { it } from 'vitest'",
            "services/api/tests/integration/b.spec.ts": "import { test } from './fixtures'",
            **{f"services/api/{name}": text for name, text in files.items()},
        },
        Stage.SERVICE,
    )
    assert suite.argv[0].endswith("node_modules/.bin/playwright")
    assert plan({}).kind is SuiteKind.VITEST


def test_a_package_that_cannot_test_says_so(plan: Plan) -> None:
    """Neither vitest nor a script: the file and the remedy."""
    with pytest.raises(ConfigError, match='neither vitest nor a "test" script'):
        plan({"services/api/package.json": "{}", "services/api/tests/unit/a.test.js": ""})


def test_a_command_of_the_project_is_filled_in(plan: Plan) -> None:
    """Folders, stage and keyword where the command wants them."""
    command = ("make", "test-{stage}", "ARGS={keyword}", "{paths}", "REPORT={junit}")
    suite = plan(
        {"services/api/tests/unit/test_a.go": ""}, command=command, options=SuiteOptions("x", ("--more",))
    )
    assert suite.kind is SuiteKind.COMMAND
    assert suite.argv == ("make", "test-unit", "ARGS=x", "tests/unit", "REPORT={junit}", "--more")
    assert suite.skip == ""


@pytest.mark.parametrize("start", [("poetry", "run"), ("python3", "-m"), ("uv", "run", "--frozen"), ()])
def test_a_command_that_starts_pytest_is_a_pytest_suite(start: tuple[str, ...], plan: Plan) -> None:
    """Progress and counts come from pytest itself, however the project starts it. It may do something of its
    own first, so it is not started before its stack is there, as ours is."""
    suite = plan({"services/api/tests/unit/test_a.py": ""}, command=(*start, "pytest", "-q"))
    assert suite.kind is SuiteKind.PYTEST
    assert suite.argv == (*start, "pytest", "-q", "-p", PLUGIN, "tests/unit")
    assert not suite.waits
    assert plan({"services/api/tests/unit/test_a.py": ""}).waits


@pytest.mark.parametrize("rest", [("pytest", "-q"), ("manage.py", "test")])
def test_the_uv_of_a_command_is_tasklibs_own_where_path_has_none(
    rest: tuple[str, ...], plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """tasklib that pip or pipx installed brings a uv that is not on PATH; one that is there is the user's."""
    monkeypatch.setattr(uv, "program", lambda: "/own/uv")
    files = {"services/api/tests/unit/test_a.py": ""}
    command = ("uv", "run", *rest)
    assert plan(files, command=command).argv[: len(command)] == command
    monkeypatch.setattr(shutil, "which", lambda name, **_: None)
    found = plan(files, command=command)
    assert found.argv[: len(command)] == ("/own/uv", *command[1:])
    assert found.kind is (SuiteKind.PYTEST if "pytest" in rest else SuiteKind.COMMAND)
    assert plan(files, command=("uvx", "x")).argv == ("uvx", "x")


def test_without_any_uv_a_command_stays_as_it_is(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting it says then that it is not there."""

    def gone() -> str:
        raise ConfigError("uv is not installed")

    monkeypatch.setattr(uv, "program", gone)
    monkeypatch.setattr(shutil, "which", lambda name, **_: None)
    assert plan({"services/api/tests/unit/test_a.py": ""}, command=("uv", "run", "x")).argv == (
        "uv",
        "run",
        "x",
    )


def test_pytest_in_a_container_is_only_a_command(plan: Plan) -> None:
    """The plugin would not be there: nothing is added to the command."""
    command = ("docker", "compose", "run", "api", "pytest")
    suite = plan({"services/api/tests/unit/test_a.py": ""}, command=command)
    assert (suite.kind, suite.argv) == (SuiteKind.COMMAND, command)


def test_the_full_stack_has_the_projects_suite_and_marked_tests(plan: Plan, tmp_path: Path) -> None:
    """tests/integration from the root; of a service only the marked tests, in the files that have some."""
    files = {
        "tests/integration/test_all.py": "",
        "services/api/tests/integration/test_a.py": "@pytest.mark.fullstack\ndef test_a(): ...",
        "services/api/tests/integration/test_b.py": "def test_fullstacked(): ...",
    }
    own = plan(files, Stage.INTEGRATION, "shop")
    assert (own.cwd, own.paths, own.fullstack) == (tmp_path, ("tests/integration",), "")
    marked = plan(files, Stage.INTEGRATION)
    assert (marked.paths, marked.fullstack) == (("tests/integration/test_a.py",), "only")
    assert plan(files, Stage.SERVICE).fullstack == "exclude"


def test_nothing_to_run_is_an_error_with_a_remedy(plan: Plan) -> None:
    """Each kind of nothing in its own words."""
    with pytest.raises(UsageError, match="Did you mean `api`"):
        plan({}, service="apj")
    with pytest.raises(ConfigError, match="no tests for unit api"):
        plan({"services/api/tests/unit/readme.txt": ""})
    with pytest.raises(ConfigError, match="marked for the full stack"):
        plan({"services/api/tests/integration/test_a.py": ""}, Stage.INTEGRATION)
    with pytest.raises(ConfigError, match="both Python and JavaScript"):
        plan({"services/api/tests/unit/test_a.py": "", "services/api/tests/unit/a.test.ts": ""})


def test_what_a_folder_holds(tmp_path: Path, write: Callable[[Mapping[str, str]], None]) -> None:
    """Names of test files decide; installed packages and caches do not count."""
    write({"a/test_x.py": "", "b/x_test.py": "", "c/x.spec.mjs": "", "d/check.py": "", "e/notes.md": ""})
    write({"f/node_modules/p/a.test.js": "", "f/.venv/test_a.py": "", "g/a.test.ts": "", "g/h/test_a.py": ""})
    found = {name: language(tmp_path / name) for name in "abcdefg"}
    assert found == {
        **dict.fromkeys("abd", Language.PYTHON),
        **{"c": Language.SCRIPT, "e": Language.NONE, "f": Language.NONE, "g": Language.BOTH},
    }
    assert language(tmp_path / "g", without=(tmp_path / "g/h",)) is Language.SCRIPT


def test_a_noxfile_makes_no_tests_of_python(
    tmp_path: Path, write: Callable[[Mapping[str, str]], None]
) -> None:
    """Beside a package.json; what it tests may be called otherwise."""
    write({"a/package.json": "{}", "a/noxfile.py": "", "a/checks/user.js": "", "b/app.e2e-spec.ts": ""})
    write({"c/package.json": "{}", "c/noxfile.py": "", "c/test_a.py": ""})
    assert [language(tmp_path / name) for name in "abc"] == [Language.NONE, Language.SCRIPT, Language.PYTHON]


def test_a_package_of_node_may_hold_djangos_tests(
    tmp_path: Path, write: Callable[[Mapping[str, str]], None]
) -> None:
    """Its styles are built by Node; pytest's own settings say what its tests are called."""
    write({"a/package.json": "{}", "a/shop/tests.py": "", "b/package.json": "{}", "b/checks/conftest.py": ""})
    assert [language(tmp_path / name) for name in "ab"] == [Language.PYTHON] * 2


def test_scripts_of_other_tools_beside_tests_in_python_are_no_tests(
    tmp_path: Path, write: Callable[[Mapping[str, str]], None]
) -> None:
    """k6's are called like node's own tests, which they are where nothing else is."""
    write({"a/test_a.py": "", "a/load-test.js": "", "b/user-test.js": "", "c/smoke_test.js": ""})
    assert [language(tmp_path / name) for name in "abc"] == [Language.PYTHON, *[Language.SCRIPT] * 2]


def test_what_measures_load_is_no_test(tmp_path: Path, write: Callable[[Mapping[str, str]], None]) -> None:
    """k6 alone can import what it does; a test of that name is one."""
    k6 = "import http from 'k6/http';\n"
    write({"a/load-test.js": k6, "b/load-test.js": "require('node:test');", "c/stress_test.ts": k6})
    assert [language(tmp_path / name) for name in "abc"] == [Language.NONE, Language.SCRIPT, Language.NONE]
    assert [path.parent.name for path in detect.tests_of_any_kind(tmp_path)] == ["b"]


def test_a_conftest_that_marks_stands_for_its_folder(
    tmp_path: Path, write: Callable[[Mapping[str, str]], None]
) -> None:
    """Files below a marked folder are not named twice."""
    write(
        {"full/conftest.py": "fullstack", "full/test_a.py": "fullstack", "test_b.py": "pytest.mark.fullstack"}
    )
    write({"test_c.py": "fullstacks", "helper.py": "fullstack"})
    assert fullstack_files([tmp_path]) == (tmp_path / "full", tmp_path / "test_b.py")
    assert fullstack_files([]) == ()


def test_unit_tests_of_no_service_run_in_the_projects_root(tmp_path: Path) -> None:
    """`tests/unit` beside `services/` is run from the root, by what that says of its environment."""
    for name in ("services/api/tests/unit/test_a.py", "tests/unit/test_b.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    project = Project(
        root=tmp_path,
        name="shop",
        services=(Service("api", tmp_path / "services/api"),),
        unit=StageTests((tmp_path / "tests/unit",)),
    )
    suite = plan_suite(project, Target(Stage.UNIT, "shop"), SuiteOptions())
    assert (suite.cwd, suite.argv[-1]) == (tmp_path, "tests/unit")


@pytest.mark.parametrize(
    ("name", "text", "first"),
    [
        ("pytest.ini", "[pytest]\naddopts = -q -p no:cacheprovider\n", False),
        ("pytest.ini", "[pytest]\naddopts = -q -p tests.plugin\n", True),
        ("tox.ini", "[pytest]\naddopts = -ptests.plugin\n", True),
        ("pyproject.toml", '[tool.pytest.ini_options]\naddopts = ["-p", "tests.plugin"]\n', True),
        ("pyproject.toml", '[tool.pytest.ini_options]\naddopts = ["-p", "no:xdist", "--pdb-cls=x"]\n', False),
        ("setup.cfg", "[tool:pytest]\naddopts = --strict-markers\n", False),
    ],
)
def test_settings_that_name_plugins_are_seen(tmp_path: Path, name: str, text: str, first: bool) -> None:
    """What `-p` loads from settings comes before what we load; what it turns off loads nothing."""
    tests = tmp_path / "service" / "tests"
    tests.mkdir(parents=True)
    (tmp_path / "service" / name).write_text(text)
    assert loads_plugins_first(tests, ["-q"], "-x") is first
    assert loads_plugins_first(tests, ["-c", "other.ini"], "")
    assert loads_plugins_first(tests, [], "-p tests.plugin")


def test_tests_of_another_stage_inside_the_folder_are_left_out(tmp_path: Path) -> None:
    """`unit = "tests"` does not mean what lies in tests/integration as well, which needs a stack."""
    folder = tmp_path / "services/api"
    for name in ("tests/test_a.py", "tests/integration/test_b.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    api = Service(
        "api",
        folder,
        unit=StageTests((folder / "tests",)),
        tests=StageTests((folder / "tests/integration",), timeout=9),
    )
    project = Project(root=tmp_path, name="shop", services=(api,), timeout={Stage.SERVICE: 60})
    unit, service = (plan_suite(project, Target(s, "api"), SuiteOptions()) for s in list(Stage)[:2])
    assert unit.argv[-2:] == ("--ignore=tests/integration", "tests")
    assert (service.argv[-1], service.timeout) == ("tests/integration", 9)


@pytest.mark.parametrize(("name", "waits"), [("PYTEST_ADDOPTS", False), ("PYTHONPATH", False), ("DB", True)])
def test_pytest_waits_for_endpoints_only_where_they_may_come_late(
    name: str, waits: bool, tmp_path: Path, write: Callable[[Mapping[str, str]], None]
) -> None:
    """Options of its own, in a variable that names a port, have to be there when it starts."""
    write({"tests/integration/test_a.py": ""})
    tests = StageTests((tmp_path / "tests/integration",))
    project = Project(root=tmp_path, name="x", integration=tests, endpoints={name: "--url={db:5432}"})
    assert plan_suite(project, Target(Stage.INTEGRATION, "x"), SuiteOptions()).waits is waits
