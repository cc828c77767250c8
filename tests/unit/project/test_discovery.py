"""From a folder to its project, by the layout alone."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tasklib.errors import ConfigError
from tasklib.project import Environment, StageTests, find_project

Tree = Callable[..., Path]
Git = Callable[..., str]

API = ("services/api/Dockerfile", "services/api/tests/unit/", "services/api/tests/integration/")
API_STACK = "services/api/deploy/test/docker-compose.yml"


def test_multi_service(tree: Tree) -> None:
    """Each folder of services/ with a service's file is a service, with what it has."""
    root = tree(
        *API,
        API_STACK,
        "services/worker/pyproject.toml",
        "services/web/package.json",
        "services/notes/README.md",
        "services/.cache/Dockerfile",
        "deploy/test/compose.yaml",
        "deploy/dev/docker-compose.yml",
        "tests/integration/",
    )
    project = find_project(root)
    assert [service.name for service in project.services] == ["api", "web", "worker"]
    api, web, _ = project.services
    assert api.compose == (root / API_STACK,)
    assert api.unit == StageTests((api.path / "tests/unit",))
    assert api.tests == StageTests((api.path / "tests/integration",))
    assert (web.compose, web.unit, web.tests) == ((), StageTests((web.path,)), None)
    assert project.compose[Environment.TEST] == (root / "deploy/test/compose.yaml",)
    assert project.compose[Environment.DEV] == (root / "deploy/dev/docker-compose.yml",)
    assert project.compose[Environment.PROD] == ()
    assert project.integration == StageTests((root / "tests/integration",))
    assert (project.name, project.single, project.config) == ("project", False, None)


def test_single_service(tree: Tree) -> None:
    """Without services/ the project is its own only service, whose stack is the full one."""
    root = tree(
        "Dockerfile", "tests/unit/", "tests/integration/", "deploy/test/docker-compose.yml", "src/app.py"
    )
    project = find_project(root)
    (service,) = project.services
    assert project.single
    assert (service.name, service.path, service.compose) == (project.name, root, ())
    assert (service.unit, service.tests) == (StageTests((root / "tests/unit",)), None)
    assert project.integration == StageTests((root / "tests/integration",))
    assert project.compose[Environment.TEST] == (root / "deploy/test/docker-compose.yml",)


@pytest.mark.parametrize("start", [".", "services", "services/api", "services/api/tests/unit", "deploy/test"])
def test_from_any_folder(tree: Tree, start: str) -> None:
    """A service's folder, though laid out like a project, belongs to the project around it."""
    root = tree(*API, API_STACK, "services/api/pyproject.toml", "deploy/test/compose.yml")
    assert find_project(root / start).root == root


@pytest.mark.parametrize("start", ["src/pkg/tests/unit", "tests/unit", "."])
def test_single_from_any_folder(tree: Tree, start: str) -> None:
    """A folder of tests inside a package is not a project."""
    root = tree("Dockerfile", "tests/unit/", "src/pkg/tests/unit/")
    assert find_project(root / start).root == root


def test_service_with_its_own_table(tree: Tree) -> None:
    """A service that configures tasklib itself is a project of its own."""
    root = tree(*API)
    (root / "services/api/pyproject.toml").write_text("[tool.tasklib]\n")
    assert find_project(root / "services/api").root == root / "services/api"
    assert find_project(root).root == root


def test_nested_project(tree: Tree) -> None:
    """The nearest project counts: an example inside a configured one is its own."""
    root = tree(
        "tests/unit/", *(f"example/{name}" for name in API), pyproject="[tool.tasklib]\nprefix = 'outer'\n"
    )
    assert find_project(root / "example").root == root / "example"
    assert find_project(root / "tests").root == root


def test_configured_service_folder(tree: Tree) -> None:
    """A folder that the settings make a service belongs to them, however much it looks like a project."""
    root = tree(
        "backend/Dockerfile",
        "backend/tests/unit/",
        pyproject="[tool.tasklib.services.backend]\npath = 'backend'\n",
    )
    assert find_project(root / "backend" / "tests").root == root


def test_stops_at_the_checkout(tree: Tree, git: Git) -> None:
    """A checkout inside another project's folder does not belong to that project."""
    root = tree(*API, "vendor/other/README.md")
    git(root / "vendor/other", "init", "-q")
    with pytest.raises(ConfigError, match="no services and no tests"):
        find_project(root / "vendor/other")


def test_linked_folder(tree: Tree, tmp_path: Path) -> None:
    """A project reached through a link is the same project."""
    root = tree(*API)
    (tmp_path / "link").symlink_to(root)
    assert find_project(tmp_path / "link") == find_project(root)


@pytest.mark.parametrize("name", ["my service", "API", "-rf", "a.b", "ünï", "$(x)", "a;b", "x" * 100])
def test_hostile_names(tree: Tree, name: str) -> None:
    """A service may be called anything a folder may be called."""
    root = tree(f"services/{name}/Dockerfile", f"services/{name}/tests/unit/")
    (service,) = find_project(root).services
    assert (service.name, service.path) == (name, root / "services" / name)


def test_nothing(tree: Tree) -> None:
    """Where there is nothing, the error says what is looked for and from where."""
    root = tree("README.md", pyproject="[project]\nname = 'x'\n")
    with pytest.raises(ConfigError) as caught:
        find_project(root)
    assert str(root) in str(caught.value)
    assert "services/<name>/" in str(caught.value)
    assert caught.value.exit_code == 2
    assert len(str(caught.value).splitlines()) == 2


def test_table_but_nothing(tree: Tree) -> None:
    """A table alone makes no project."""
    root = tree(pyproject="[tool.tasklib]\n")
    with pytest.raises(ConfigError, match="no services and no tests"):
        find_project(root)


def test_services_without_tests(tree: Tree) -> None:
    """Services that have no tests yet are a project: their images can be built."""
    assert find_project(tree("services/api/Dockerfile")).services[0].name == "api"


@pytest.mark.parametrize(
    ("pyproject", "expected"),
    [
        (None, "project"),
        ("[project]\nname = 'shop'\n", "shop"),
        ("[project]\nname = 'shop'\n[tool.tasklib]\nname = 'store'\n", "store"),
        ("[project]\nname = 3\n", "project"),
        ("project = 3\n", "project"),
    ],
)
def test_name(tree: Tree, pyproject: str | None, expected: str) -> None:
    """The project is called as configured, else as packaged, else as its folder."""
    assert find_project(tree(*API, pyproject=pyproject)).name == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("shop", "shop-dev"), ("a" * 30, f"{'a' * 30}-dev"), ("My Shop", "my-shop-")]
)
def test_fixed_project(tree: Tree, name: str, expected: str) -> None:
    """The dev stack's project is the project's name, made valid where Compose would refuse it."""
    project = find_project(tree(*API, pyproject=f"[tool.tasklib]\nname = '{name}'\n"))
    found = project.fixed_project(Environment.DEV)
    assert found.startswith(expected)
    assert found.endswith("-dev")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["compose.yaml", "docker-compose.yml"], ["compose.yaml"]),
        (["docker-compose.yaml"], ["docker-compose.yaml"]),
        (
            ["docker-compose.yml", "docker-compose.override.yml"],
            ["docker-compose.yml", "docker-compose.override.yml"],
        ),
        (["compose.yml", "compose.override.yaml"], ["compose.yml", "compose.override.yaml"]),
        (["compose.override.yml"], []),
    ],
)
def test_compose_names(tree: Tree, files: list[str], expected: list[str]) -> None:
    """Every name that plain Compose looks for is found, with its override file."""
    root = tree(*API, *(f"deploy/test/{name}" for name in files))
    assert find_project(root).compose[Environment.TEST] == tuple(root / "deploy/test" / n for n in expected)


def test_compose_file_at_the_root(tree: Tree) -> None:
    """Without deploy/test the root's own Compose file is the full stack."""
    root = tree(*API, "compose.yml")
    assert find_project(root).compose[Environment.TEST] == (root / "compose.yml",)
    root = tree("deploy/test/compose.yml")
    assert find_project(root).compose[Environment.TEST] == (root / "deploy/test/compose.yml",)


@pytest.mark.parametrize(
    "name", ["compose.yaml", "docker-compose.yml", "docker-compose.test.yml", "compose.test.yaml"]
)
def test_a_compose_file_and_nothing_else(tree: Tree, name: str) -> None:
    """Isolated infrastructure needs no tests: the file is the full test stack, from folders below too."""
    root = tree(name, "docs/")
    project = find_project(root / "docs")
    assert (project.root, project.compose[Environment.TEST]) == (root, (root / name,))


@pytest.mark.parametrize("said_in", [".env", "environment"])
def test_a_compose_file_that_a_variable_names_and_nothing_else(tree: Tree, said_in: str) -> None:
    """As plain Compose finds it; one that is not there is told as such."""
    root = tree("docker/infra.yaml", "docs/")
    env = {"COMPOSE_FILE": "docker/infra.yaml"} if said_in == "environment" else {}
    if not env:
        (root / ".env").write_text("COMPOSE_FILE=docker/infra.yaml\n")
    project = find_project(root / "docs", env)
    assert (project.root, project.compose[Environment.TEST]) == (root, (root / "docker/infra.yaml",))
    (root / "docker/infra.yaml").unlink()
    with pytest.raises(ConfigError, match=r"no Compose file .*docker/infra.yaml"):
        find_project(root / "docs", env)


@pytest.mark.parametrize("name", ["compose.yml", "docker/infra.yaml"])
def test_an_exported_absolute_path_means_the_folder_around_the_file(tree: Tree, name: str) -> None:
    """It leads to the file from anywhere, so it does not make a project of the folder one is in."""
    root = tree(name, "src/pkg/")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    project = find_project(root / "src/pkg", {"COMPOSE_FILE": str(root / name)})
    assert (project.root, project.compose[Environment.TEST]) == (root, (root / name,))


def test_a_compose_file_comes_before_an_exported_variable(tree: Tree) -> None:
    """What lies above is the project's; the variable says which files it has."""
    root = tree("compose.yml", "src/pkg/", "src/other.yml")
    for value in ("src/other.yml", str(root / "src/other.yml")):
        project = find_project(root / "src/pkg", {"COMPOSE_FILE": value})
        assert (project.root, project.compose[Environment.TEST]) == (root, (root / "src/other.yml",))


def test_an_exported_file_outside_of_the_checkout_is_of_the_folder_one_is_in(
    tree: Tree, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No folder of the checkout is nearer to it than another."""
    root = tree("src/")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "infra.yml"
    elsewhere.touch()
    assert find_project(root / "src", {"COMPOSE_FILE": str(elsewhere)}).root == root / "src"


def test_a_compose_file_below_a_project_is_the_projects(tree: Tree) -> None:
    """Only where nothing else is found does a folder with one count."""
    root = tree(*API, "infra/compose.yml")
    assert find_project(root / "infra").root == root


def test_the_compose_file_for_tests_comes_last(tree: Tree) -> None:
    """Beside another one it may be anything, such as an override of it."""
    root = tree("compose.yml", "docker-compose.test.yml")
    assert find_project(root).compose[Environment.TEST] == (root / "compose.yml",)
