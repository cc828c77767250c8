"""Which tests a repository runs, by what, and with what installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from .support import proposed, settings_of

REDIS = "jobs:\n  t:\n    services:\n      redis: {image: redis, ports: ['6379:6379']}\n    steps:\n"
SETUP = {"setup.py": "", "shop/__init__.py": ""}
COMPOSE = "services:\n  db: {image: postgres:16, ports: ['5432:5432']}\n"


def _ci(*lines: str) -> dict[str, str]:
    return {".github/workflows/t.yml": REDIS + "".join(f"      - run: {line}\n" for line in lines)}


def test_unittest_that_is_measured(tmp_path: Path) -> None:
    """It uses the containers of the job that calls it among other targets, with the extras of that job."""
    files = {
        "Makefile": "style:\n\truff check\n\ntest:\n\tpython -m coverage run -m unittest -v\n",
        **_ci("pip install -e .[dev,web]", "make style test"),
        **SETUP,
        "tests/test_a.py": "",
    }
    found = settings_of(proposed(tmp_path, files))
    command = (
        "uv run --no-project --isolated --with-editable .[dev,web] python -m coverage run -m unittest -v"
    )
    assert found == {"integration": {"command": command.split()}}


@pytest.mark.parametrize(
    ("line", "beside", "start"),
    [
        ("venv/bin/coverage run -m pytest", "", "coverage run -m pytest"),
        ("python -m coverage run -m pytest", "", "coverage run -m pytest"),
        ("python -m pytest", "", "python -m pytest"),
        ("python -m pytest", "conftest.py", ""),
        ("python -m pytest", "tests/__init__.py", ""),
        ("pytest", "", ""),
    ],
)
def test_pytest_as_a_module(line: str, beside: str, start: str, tmp_path: Path) -> None:
    """It finds what lies beside the tests, which pytest alone does in its own ways."""
    files = {**_ci(line), **SETUP, "tests/test_a.py": ""} | ({beside: ""} if beside else {})
    found = settings_of(proposed(tmp_path, files))["integration"]
    command = f"uv run --no-project --isolated --with-editable . --with pytest {start}"
    assert found == ({"paths": "tests", "command": command.split()} if start else "tests")


def test_what_ci_installs_for_a_project_that_says_something_else(tmp_path: Path) -> None:
    """Its own files of requirements, and extras by the names they have."""
    project = '[project]\nname = "a"\nversion = "1"\n'
    install = "pip install -r requirements/testing.txt -e .[web]"
    files = {**_ci(install, "coverage run -m pytest"), "pyproject.toml": project, "tests/test_a.py": ""}
    files["requirements/testing.txt"] = ""
    command = "uv run --extra web --with-requirements requirements/testing.txt coverage run -m pytest"
    assert settings_of(proposed(tmp_path, files))["integration"]["command"] == command.split()


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"a/pom.xml": "", "a/mvnw": "", "a/src/test/java/ATest.java": ""}, ["./mvnw", "test"]),
        ({"a/build.gradle.kts": "", "a/src/test/kotlin/ATest.kt": ""}, ["gradle", "test"]),
        ({"a/go.mod": "module a\n", "a/b/b_test.go": ""}, ["go", "test", "./b/..."]),
        ({"a/Cargo.toml": "", "a/tests/b.rs": ""}, ["cargo", "test"]),
        ({"a/Gemfile": "", "a/spec/b_spec.rb": ""}, ["bundle", "exec", "rspec"]),
    ],
)
def test_tests_of_other_languages_that_nothing_runs(
    files: dict[str, str], command: list[str], tmp_path: Path
) -> None:
    """Their own tool runs them: tasklib has no runner for them."""
    assert settings_of(proposed(tmp_path, files))["services"]["a"] == {"path": "a", "command": command}


def test_a_package_all_of_whose_tests_need_the_stack_has_no_unit_tests(tmp_path: Path) -> None:
    """`npm test` is not run once more without it, however a coverage tool starts the tests."""
    scripts = '{"scripts": {"test": "prisma db push && nyc --reporter=text mocha \\"test/*.test.js\\""}}'
    job = _ci("docker compose up -d db", "npm test")
    files = {"docker-compose.yml": COMPOSE, "package.json": scripts, "test/a.test.js": "", **job}
    found = settings_of(proposed(tmp_path, files))
    assert found["unit"] == []
    assert found["integration"] == {"command": ["npm", "test"]}


def test_a_suite_of_the_whole_that_ci_leaves_out_is_named(tmp_path: Path) -> None:
    """Nobody can say what it needs, and nobody should think that it is run."""
    scripts = '{"scripts": {"test": "jest", "test:e2e": "jest --config e2e.json"}}'
    files = {"package.json": scripts, "src/a.spec.ts": "", **_ci("npm test")}
    files[".github/workflows/t.yml"] = "jobs:\n  t:\n    steps:\n      - run: npm test\n"
    (note,) = proposed(tmp_path, files).notes
    assert note.text == "not taken over: jest --config e2e.json"


def test_a_script_that_prepares_is_a_step_as_a_whole(tmp_path: Path) -> None:
    """And not the one command in it whose name is known."""
    files = {
        "docker-compose.yml": COMPOSE,
        "scripts/db.sh": "#!/bin/sh\ndropdb --if-exists t\ncreatedb t\npsql -f schema.sql t\n",
        "Makefile": "test:\n\tdocker compose up -d\n\t./scripts/db.sh\n\tpytest tests\n",
        "tests/test_a.py": "",
    }
    assert settings_of(proposed(tmp_path, files))["setup"] == [["./scripts/db.sh"]]


def test_targets_that_run_a_part_of_the_suite_stay(tmp_path: Path) -> None:
    """The stage would run all of it."""
    run = "docker compose run --rm api pytest"
    files = {
        "docker-compose.yml": COMPOSE + "  api: {build: ., depends_on: [db]}\n",
        "Makefile": f"test:\n\t{run} /tests/unit /tests/e2e\n\nunit:\n\t{run} /tests/unit\n",
        "tests/unit/test_a.py": "",
        "tests/e2e/test_b.py": "",
    }
    text = proposed(tmp_path, files).files["Makefile"] or ""
    assert text == f"test:\n\ttasklib test.integration\n\nunit:\n\t{run} /tests/unit\n"


def test_a_host_without_a_port_is_named(tmp_path: Path) -> None:
    """The code connects to the usual port, which is another in each run; also where `or` has the default."""
    code = "import os\nHOST = os.getenv('REDIS_HOST') or 'localhost'\n"
    files = {**_ci("pytest tests"), "tests/test_a.py": code}
    proposal = proposed(tmp_path / "a", files)
    assert settings_of(proposal)["endpoints"] == {"REDIS_HOST": "{redis.host}"}
    (note,) = proposal.notes
    assert note.text.endswith("is in no variable: let the code read TEST_REDIS_PORT")
    files["tests/test_a.py"] += "PORT = os.environ['REDIS_PORT']\n"
    assert not proposed(tmp_path / "b", files).notes


def test_an_address_in_two_arguments_is_one(tmp_path: Path) -> None:
    """A host and its port, on a line each."""
    code = "connect(\n    host='localhost',\n    port=6379,\n)\n"
    (note,) = proposed(tmp_path, {**_ci("pytest tests"), "tests/test_a.py": code}).notes
    assert note.text.startswith("tests name 'localhost', port=6379, which is another port in each run")
    assert [place.line for place in note.places] == [2]


def test_an_address_without_a_port_is_one(tmp_path: Path) -> None:
    """It is that of its scheme; nobody's password is shown."""
    files = {**_ci("pytest tests"), "tests/test_a.py": "URL = 'redis://:geheim@localhost/1'\n"}
    (note,) = proposed(tmp_path, files).notes
    assert note.text.startswith("tests name redis://localhost, which is another port in each run")


def test_groups_that_ci_installs(tmp_path: Path) -> None:
    """Of a pyproject.toml that describes no package uv takes them, too; the usual ones are always there."""
    groups = '[dependency-groups]\nmain = ["django"]\ndev = ["pytest"]\n'
    files = {
        "pyproject.toml": groups,
        **_ci("pip install --group main --group pyproject.toml:dev", "pytest tests"),
        "tests/test_a.py": "",
    }
    found = settings_of(proposed(tmp_path / "bare", files))
    command = "uv run --isolated --group main --group dev pytest"
    assert found["integration"] == {"paths": "tests", "command": command.split()}

    files["pyproject.toml"] = '[project]\nname = "a"\nversion = "1"\n' + groups
    found = settings_of(proposed(tmp_path / "project", files))
    assert found["integration"]["command"] == ["uv", "run", "--group", "main", "--group", "dev", "pytest"]

    files |= _ci("uv pip install --group dev", "pytest tests")
    assert settings_of(proposed(tmp_path / "usual", files))["integration"] == "tests"


def test_an_option_goes_with_the_value_that_a_variable_gives(tmp_path: Path) -> None:
    """Alone it would take the next word, or be an error."""
    line = "./node_modules/.bin/cypress run --env KEY=$KEY,OTHER=$OTHER --config a=b $MORE"
    files = {
        "test.sh": f"#!/bin/sh\ndocker compose up -d\n{line}\n",
        "docker-compose.yml": COMPOSE,
        "package.json": "{}",
        "cypress/a.cy.js": "",
    }
    found = settings_of(proposed(tmp_path, files))["integration"]["command"]
    assert found == ["./node_modules/.bin/cypress", "run", "--config", "a=b"]


def test_what_knows_all_projects_below_it_runs_their_tests(tmp_path: Path) -> None:
    """And it builds them, which CI did in a step of its own."""
    files = {
        **_ci("dotnet build", "dotnet test --configuration Release --no-build"),
        "shop.sln": "",
        "shop/Shop.Tests/Shop.Tests.csproj": "",
        "shop/Shop.Tests/OrderTests.cs": "",
    }
    found = settings_of(proposed(tmp_path, files))
    assert found == {"integration": {"command": ["dotnet", "test", "--configuration", "Release"]}}


def test_a_file_of_requirements_that_is_not_there(tmp_path: Path) -> None:
    """CI asks for it first."""
    install = "if [ -f requirements.txt ]; then pip install -r requirements.txt; fi"
    files = {**_ci(f'"{install}"', "pytest tests"), **SETUP, "tests/test_a.py": ""}
    assert settings_of(proposed(tmp_path, files)) == {"integration": "tests"}


@pytest.mark.parametrize(
    "line", ["cypress install", "cypress verify", "playwright install", "jest --version"]
)
def test_what_gets_a_runner_ready_is_no_test(line: str, tmp_path: Path) -> None:
    """Though the runner does it."""
    files = {**_ci(f"npx {line}", "npx vitest"), "package.json": "{}", "a.test.ts": ""}
    found = settings_of(proposed(tmp_path, files))["integration"]
    assert found == "." or "vitest" in str(found)


@pytest.mark.parametrize("script", ["playwright test", "protractor conf.js"])
def test_browsers_are_no_unit_tests(script: str, tmp_path: Path) -> None:
    """Though they are all that a package has: they need something to look at."""
    files = {
        "web/package.json": f'{{"scripts": {{"test": "{script}"}}}}',
        "web/tests/a.spec.ts": "",
        "api/package.json": '{"scripts": {"test": "jest"}}',
        "api/a.test.js": "",
    }
    proposal = proposed(tmp_path, files)
    assert [*settings_of(proposal)["services"]] == ["api"]
    assert any(f"not taken over: {script}" in note.text for note in proposal.notes)


@pytest.mark.parametrize(
    ("files", "unit"),
    [
        ({"go.mod": "module a", "a_test.go": ""}, {"command": ["go", "test", "./..."]}),
        (
            {"package.json": '{"scripts": {"test": "jest"}}', "a.test.js": "", "yarn.lock": ""},
            {"command": ["yarn", "test"]},
        ),
        ({"pyproject.toml": "", "tests/test_a.py": ""}, "tests"),
    ],
)
def test_a_project_with_tests_of_its_own_beside_those_of_services(
    files: dict[str, str], unit: object, tmp_path: Path
) -> None:
    """Where there are services, it runs as unit tests what it is told to, and nothing by itself."""
    beside = {"cmd/tool/go.mod": "module b", "cmd/tool/tool_test.go": ""}
    found = settings_of(proposed(tmp_path, {**files, **beside}))
    assert found["unit"] == unit
    assert found["services"]["tool"]["path"] == "cmd/tool"


def test_services_are_called_as_what_they_are(tmp_path: Path) -> None:
    """A folder that only says that there is code is called as the one around it."""
    folders = ["shop/app", "cart/tests", "a/src", "b/src/app", "x/web/src", "y/web/src"]
    files = {f"{folder}/{name}": "" for folder in folders for name in ("go.mod", "a_test.go")}
    found = settings_of(proposed(tmp_path, files))["services"]
    assert [*found] == ["a", "b", "cart", "shop", "x-web-src", "y-web-src"]


@pytest.mark.parametrize("name", ["test:integration", "test:e2e", "test-stack"])
def test_a_script_that_brings_up_the_stack_itself_is_not_what_tests(name: str, tmp_path: Path) -> None:
    """What it runs once the stack is up is: tasklib would take the script by its name."""
    files = {
        "package.json": f'{{"scripts": {{"test": "vitest",\n "{name}": "./scripts/run.sh"}}}}',
        "package-lock.json": "{}",
        "scripts/run.sh": "docker-compose up -d\nnpx prisma migrate dev\nnpm run test\ndocker-compose down",
        "docker-compose.yml": COMPOSE,
        "src/a.test.ts": "",
    }
    found = settings_of(proposed(tmp_path, files))
    assert found["integration"] == {"command": ["npm", "test"]}
    assert found["unit"] == []


def test_what_only_asks_a_runner_something_is_no_test(tmp_path: Path) -> None:
    """Nor does apt install what Python needs."""
    readme = "```sh\napt-get install python3-pip python3-pytest\npytest --version\n```\n"
    files = {"README.md": readme, "tests/test_a.py": "", "requirements.txt": ""}
    assert settings_of(proposed(tmp_path / "a", files)) == {"unit": "tests"}
    files["README.md"] += "```sh\napt-get install python3-pip python3-pytest\npytest tests\n```\n"
    assert settings_of(proposed(tmp_path / "b", files)) == {"unit": "tests"}


def test_the_end_of_a_pattern_is_no_variable(tmp_path: Path) -> None:
    """It says which tests are meant."""
    line = r"npx jest --testRegex='int\.test\.ts$' -w 1 $@"
    files = {
        "scripts/integration_tests.sh": f"docker-compose up -d\ndocker-compose exec -T api {line}\n",
        "docker-compose.yml": "services: {api: {build: .}}",
        "package.json": "{}",
    }
    command = settings_of(proposed(tmp_path, files))["command"]
    assert command == ["npx", "jest", r"--testRegex=int\.test\.ts$", "-w", "1"]
