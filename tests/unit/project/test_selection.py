"""The targets of a project and the choice among them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tasklib.errors import UsageError
from tasklib.project import Project, find_project, select_services, targets
from tasklib.results import Stage, Target

Tree = Callable[..., Path]


@pytest.fixture
def project(tree: Tree) -> Project:
    return find_project(
        tree(
            "services/api/tests/unit/",
            "services/api/tests/integration/",
            "services/api/deploy/test/compose.yml",
            "services/lib/tests/unit/",
            "services/stackless/tests/integration/",
            "services/untested/deploy/test/compose.yml",
            "tests/integration/",
            pyproject="[project]\nname = 'shop'\n",
        )
    )


def names(found: tuple[Target, ...]) -> list[str]:
    return [str(target) for target in found]


def test_all(project: Project) -> None:
    """Every stage has the targets that have both tests and what the tests need."""
    assert names(targets(project, Stage)) == ["unit api", "unit lib", "service api", "integration shop"]


def test_stages(project: Project) -> None:
    """Only the stages asked for, in their own order."""
    found = targets(project, [Stage.SERVICE, Stage.UNIT])
    assert names(found) == ["unit api", "unit lib", "service api"]


def test_full_stack_tests_of_a_service(project: Project) -> None:
    """A service with tests for the full stack has a target behind the project's own."""
    found = targets(project, [Stage.INTEGRATION], full_stack=lambda service: service.name == "api")
    assert names(found) == ["integration shop", "integration api"]


def test_names(project: Project) -> None:
    """Names keep the targets of those services."""
    full = {"full_stack": lambda service: service.name == "api"}
    assert names(targets(project, Stage, ["api"], **full)) == ["unit api", "service api", "integration api"]
    assert names(targets(project, Stage, ["shop"])) == ["integration shop"]
    assert names(targets(project, Stage, ["lib", "api"])) == ["unit api", "unit lib", "service api"]


def test_select_services(project: Project) -> None:
    """No names mean all services; names are found in the project's order."""
    assert len(select_services(project, ())) == 4
    assert [service.name for service in select_services(project, ["lib", "api"])] == ["api", "lib"]


@pytest.mark.parametrize(
    ("name", "near"), [("apj", "api"), ("LIB", "lib"), ("", None), ("--all", None), ("nope", None)]
)
def test_unknown_name(project: Project, name: str, near: str | None) -> None:
    """A name that no service has is refused with the one that looks like it, if any does."""
    with pytest.raises(UsageError) as caught:
        select_services(project, ["api", name])
    assert repr(name) in str(caught.value)
    assert (f"Did you mean {near!r}?" in str(caught.value)) == (near is not None)
    assert ("Did you mean" in str(caught.value)) == (near is not None)
    assert "Known: api, lib, stackless, untested" in str(caught.value)
    with pytest.raises(UsageError):
        targets(project, Stage, [name])


def test_single(tree: Tree) -> None:
    """A single-service project has two stages, both called as the project."""
    project = find_project(tree("tests/unit/", "tests/integration/", "deploy/test/compose.yml"))
    assert names(targets(project, Stage)) == ["unit project", "integration project"]
    assert targets(project, [Stage.SERVICE], full_stack=lambda service: True) == ()


def test_service_called_like_the_project(tree: Tree) -> None:
    """A service that has the project's name does not hide the project's own tests."""
    project = find_project(
        tree("services/shop/tests/integration/", "tests/integration/", pyproject="[project]\nname = 'shop'\n")
    )
    found = targets(project, Stage, full_stack=lambda service: True)
    assert names(found) == ["integration shop (project)", "integration shop"]


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ('{"devDependencies": {"vitest": "1"}}', True),
        ('{"scripts": {"test": "jest"}}', True),
        ('{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}', False),
        ('{"scripts": {"build": "tsc"}}', False),
        ('{"scripts": "x", "dependencies": []}', False),
        ("{}", False),
        ("{broken", True),
        ("[]", True),
    ],
)
def test_script_tests(tree: Tree, package: str, expected: bool) -> None:
    """package.json makes a unit target when it tells how to test, or cannot be read."""
    root = tree("services/web/Dockerfile")
    (root / "services/web/package.json").write_text(package)
    assert bool(find_project(root).services[0].unit) is expected


@pytest.mark.parametrize(("files", "expected"), [((), True), (("services/go/tests/integration/",), False)])
def test_command(tree: Tree, files: tuple[str, ...], expected: bool) -> None:
    """A command of its own is the unit test, unless the service keeps tests only for its stack."""
    root = tree(
        "services/go/Dockerfile", *files, pyproject="[tool.tasklib]\nservices.go.command = ['go', 'test']\n"
    )
    assert bool(find_project(root).services[0].unit) is expected


def test_unit_tests_of_no_service(tree: Tree) -> None:
    """`tests/unit` beside `services/` is a unit target of the project's own, before the services'."""
    project = find_project(
        tree("services/api/tests/unit/", "tests/unit/", pyproject="[project]\nname = 'shop'\n")
    )
    assert names(targets(project, Stage)) == ["unit shop", "unit api"]
    assert names(targets(project, Stage, ["shop"])) == ["unit shop"]
