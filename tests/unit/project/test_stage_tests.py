"""Which tests a service, or the project itself, has in each stage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tasklib.errors import ConfigError
from tasklib.project import Environment, StageTests, Step, find_project, targets
from tasklib.results import Stage
from tasklib.stacks.plan import service_stack_plan

Tree = Callable[..., Path]


def planned(root: Path) -> list[str]:
    return [str(target) for target in targets(find_project(root, {}), Stage)]


def test_a_stage_that_differs_is_a_table(tree: Tree) -> None:
    """What it does not say is as the service has it, and its environment is added."""
    root = tree(
        "services/api/tests/a/",
        "services/api/tests/b/",
        "services/api/tests/db/",
        "services/api/deploy/test/compose.yml",
        pyproject="""
            [tool.tasklib.services.api]
            command = ["make"]
            env = { MODE = "test", LANG = "C" }
            unit = ["tests/a", "tests/b"]
            service = { paths = "tests/db", command = ["tox"], env = { MODE = "db" }, timeout = 60 }
        """,
    )
    (api,) = find_project(root).services
    assert api.unit == StageTests(
        (api.path / "tests/a", api.path / "tests/b"), ("make",), {"MODE": "test", "LANG": "C"}
    )
    assert api.tests == StageTests((api.path / "tests/db",), ("tox",), {"MODE": "db", "LANG": "C"}, 60)
    assert api.env == {"MODE": "test", "LANG": "C"}


@pytest.mark.parametrize("off", ["unit = []", "unit = { paths = [] }"])
def test_a_stage_can_be_off(tree: Tree, off: str) -> None:
    """Neither its standard folder, nor package.json, nor a command brings it back."""
    root = tree(
        "services/api/tests/unit/",
        "services/api/tests/integration/",
        "services/api/deploy/test/compose.yml",
        "services/api/package.json",
        pyproject=f"[tool.tasklib.services.api]\ncommand = ['make']\n{off}\n",
    )
    assert planned(root) == ["service api"]


def test_a_command_needs_no_folder(tree: Tree) -> None:
    """A stage's own command may know where its tests are."""
    root = tree(
        "services/api/deploy/test/compose.yml",
        pyproject="[tool.tasklib.services.api]\nservice = { command = ['npm', 'run', 'test:e2e'] }\n",
    )
    assert planned(root) == ["service api"]
    (api,) = find_project(root).services
    assert api.tests == StageTests((), ("npm", "run", "test:e2e"))


def test_several_services_in_one_folder(tree: Tree) -> None:
    """One suite against two databases: each is there, and what they share in the folder is planned once."""
    root = tree(
        "tests/unit/",
        "tests/integration/",
        "ci/postgres.yml",
        "ci/mysql.yml",
        pyproject="""
            [project]
            name = "queue"
            [tool.tasklib]
            services.postgres = { path = ".", compose = "ci/postgres.yml", env = { DB = "postgres" } }
            services.mysql = { path = ".", compose = "ci/mysql.yml", env = { DB = "mysql" } }
        """,
    )
    assert planned(root) == ["unit postgres", "service mysql", "service postgres"]
    mysql, postgres = find_project(root).services
    assert mysql.compose == (root / "ci/mysql.yml",)
    assert mysql.tests == StageTests((root / "tests/integration",), None, {"DB": "mysql"})
    assert postgres.tests == StageTests((root / "tests/integration",), None, {"DB": "postgres"})


def test_suites_of_one_folder_under_several_names(tree: Tree) -> None:
    """Services that share a folder and its stack have the tests that they name."""
    root = tree(
        "backend/deploy/test/compose.yml",
        "backend/api/",
        "backend/jobs/",
        pyproject="""
            [tool.tasklib.services]
            api = { path = "backend", service = "api" }
            jobs = { path = "backend", service = "jobs" }
        """,
    )
    assert planned(root) == ["service api", "service jobs"]


def test_the_only_service_may_be_the_whole_project(tree: Tree) -> None:
    """Its settings reach all of its stages, under the name that it was given, and nothing runs twice."""
    root = tree(
        "tests/unit/",
        "tests/integration/",
        "docker-compose.yml",
        pyproject="[tool.tasklib.services.app]\npath = '.'\nenv = { MODE = 'test' }\nneeds = ['db']\n",
    )
    assert planned(root) == ["unit app", "integration app"]
    project = find_project(root, {})
    assert project.services[0].unit == StageTests((root / "tests/unit",), None, {"MODE": "test"})
    assert project.integration == StageTests((root / "tests/integration",), None, {"MODE": "test"})
    assert (project.env, project.needs) == ({"MODE": "test"}, ("db",))


def test_what_is_said_at_the_top_is_for_the_projects_own_suites(tree: Tree) -> None:
    """Beside services it reaches the tests that are no service's, and no service."""
    root = tree(
        "services/api/tests/unit/",
        "tests/quick/",
        "tests/integration/",
        pyproject="[tool.tasklib]\nunit = 'tests/quick'\ncommand = ['make', '{stage}']\nenv = { A = '1' }\n",
    )
    project = find_project(root, {})
    said = (("make", "{stage}"), {"A": "1"})
    assert project.unit == StageTests((root / "tests/quick",), *said)
    assert project.integration == StageTests((root / "tests/integration",), *said)
    assert project.services[0].unit == StageTests((root / "services/api/tests/unit",))


def test_a_command_beside_a_compose_file_is_for_the_stack(tree: Tree) -> None:
    """A project of one service without folders of tests: unit tests would run against nothing."""
    root = tree("compose.yml", "Dockerfile", pyproject="[tool.tasklib]\ncommand = ['make', 'test']\n")
    assert planned(root) == ["integration project"]
    (root / "compose.yml").unlink()
    assert planned(root) == ["unit project"]


def test_a_test_script_runs_once(tree: Tree) -> None:
    """`npm test` runs all there is: where its tests are said to need the stack, it is no unit test too."""
    root = tree("test/", "compose.yml", pyproject="[tool.tasklib]\nintegration = 'test'\n")
    (root / "package.json").write_text('{"scripts": {"test": "jest"}}')
    assert planned(root) == ["integration project"]


def test_tests_in_a_folder_of_no_kind_are_asked_for(tree: Tree) -> None:
    """What tests/ holds cannot be known: the message says the two ways to say it."""
    with pytest.raises(ConfigError) as caught:
        find_project(tree("tests/test_a.py", pyproject="[tool.tasklib]\n"), {})
    assert 'unit = "tests"' in str(caught.value)
    assert 'integration = "tests"' in str(caught.value)


def test_what_compose_reads(tree: Tree) -> None:
    """Files of variables and the project's directory, as plain Compose is told them by options."""
    root = tree(
        "docker/compose.yml",
        ".env.test",
        pyproject="[tool.tasklib]\ncompose.test = 'docker/compose.yml'\nproject-directory = '.'\n"
        "env-files = '.env.test'\npublish = ['db:5432', 'db:5433']\n",
    )
    project = find_project(root, {})
    assert project.compose[Environment.TEST] == (root / "docker/compose.yml",)
    assert (project.project_directory, project.env_files) == (root, (root / ".env.test",))
    assert project.publish == {"db": (5432, 5433)}


def test_where_paths_of_a_service_s_own_stack_start(tree: Tree) -> None:
    """A service's Compose file may lie elsewhere than its paths start; in the project's folder they start
    where the project's own do."""
    pyproject = "[tool.tasklib]\nproject-directory = 'app'\n"
    for name, path, key in (
        ("api", "api", "project-directory = '..'"),
        ("whole", ".", "compose = 'own.yml'"),
    ):
        pyproject += f"[tool.tasklib.services.{name}]\npath = '{path}'\n{key}\n"
    pyproject += "[tool.tasklib.services.web]\npath = 'web'\n"
    root = tree("app/x", "own.yml", "api/deploy/test/docker-compose.yml", "web/x", pyproject=pyproject)
    project = find_project(root, {})
    folders = {service.name: service.project_directory for service in project.services}
    assert folders == {"api": root, "web": None, "whole": root / "app"}
    assert service_stack_plan(project, project.services[0]).source.directory == root


def test_compose_env_files(tree: Tree) -> None:
    """The variable is what it is for plain Compose, and what Compose itself reads in its files counts."""
    root = tree("ci.yml", "a.env", pyproject="[tool.tasklib]\n")
    (root / "b.env").write_text("COMPOSE_FILE=ci.yml\nCOMPOSE_PROFILES=full\n")
    project = find_project(root, {"COMPOSE_ENV_FILES": "a.env,b.env"})
    assert project.env_files == (root / "a.env", root / "b.env")
    assert (project.compose[Environment.TEST], project.profiles) == ((root / "ci.yml",), ("full",))
    with pytest.raises(ConfigError, match=r"COMPOSE_ENV_FILES: there is no file .*gone.env"):
        find_project(root, {"COMPOSE_ENV_FILES": "gone.env"})


def test_an_example_beside_a_missing_file_is_named(tree: Tree) -> None:
    """An ignored .env is missing in every new worktree: the message says what to copy."""
    root = tree("compose.yml", ".env.example", pyproject="[tool.tasklib]\nenv-files = ['.env']\n")
    with pytest.raises(ConfigError, match=r"cp \.env\.example \.env"):
        find_project(root, {})


def test_tests_in_a_container(tree: Tree) -> None:
    """They need neither a folder nor a command; what is said at the top reaches no unit test."""
    root = tree(
        "compose.yml",
        "tests/unit/test_a.py",
        pyproject="""
            [tool.tasklib]
            in = "sut"
            setup = [["make", "seed"], { in = "api", run = ["migrate"] }]
        """,
    )
    assert planned(root) == ["unit project", "integration project"]
    project = find_project(root, {})
    steps = (Step(("make", "seed")), Step(("migrate",), "api"))
    assert project.integration == StageTests((), None, {}, None, "sut", steps)
    assert project.services[0].unit == StageTests((root / "tests/unit",))


def test_a_command_for_a_container_is_not_run_on_this_machine(tree: Tree) -> None:
    """Neither as the unit tests that package.json has, nor as the command of those in tests/unit."""
    root = tree("compose.yml", pyproject="[tool.tasklib]\nin = 'api'\ncommand = ['npm', 'test']\n")
    (root / "package.json").write_text('{"scripts": {"test": "jest"}}')
    assert planned(root) == ["integration project"]
    (root / "tests/unit").mkdir(parents=True)
    (root / "tests/unit/test_a.py").touch()
    assert find_project(root, {}).services[0].unit == StageTests((root / "tests/unit",))


def test_a_stage_has_its_own_container_and_setup(tree: Tree) -> None:
    """A table says where its stage runs, and that nothing has to be done before."""
    root = tree(
        "services/api/deploy/test/compose.yml",
        pyproject="""
            [tool.tasklib.services.api]
            in = "api"
            setup = [["make", "seed"]]
            service = { in = "ci", command = ["pytest"], setup = [] }
        """,
    )
    (api,) = find_project(root).services
    assert api.tests == StageTests((), ("pytest",), {}, None, "ci")


@pytest.mark.parametrize("key", ["in = 'api'", "setup = [['x']]"])
def test_unit_tests_have_no_container(tree: Tree, key: str) -> None:
    """They run without an engine: the message says where such tests belong."""
    root = tree("services/api/tests/unit/test_a.py", pyproject=f"[tool.tasklib.services.api]\nunit.{key}\n")
    with pytest.raises(ConfigError, match=r"pyproject.toml:2: .*without an engine"):
        find_project(root)
