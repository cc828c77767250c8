"""``[tool.tasklib]``: what it sets, and what it is refused for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tasklib.errors import ConfigError
from tasklib.project import Environment, Shared, StageTests, find_project
from tasklib.results import Stage

Tree = Callable[..., Path]

EVERYTHING = """
[project]
name = "shop"

[tool.tasklib]
prefix = "ci"
name = "store"
integration = "e2e"
profiles = ["full"]
jobs = 3
base-branch = "trunk"
compose.test = ["stack.yml", "stack.test.yml"]
compose.dev = "stack.yml"
slow = { unit = 0.5 }
timeout.integration = 60
images.name = "registry.example.com/store-{service}"

[tool.tasklib.services.backend]
path = "backend"
compose = "stack.yml"
unit = "test/fast"
service = "test/slow"
command = ["make", "test"]
env = { MODE = "test" }
depends = ["../common"]

[tool.tasklib.services.web]
path = "web"

[tool.tasklib.endpoints]
TEST_API_URL = "http://{backend:8000}/v1"

[tool.tasklib.shared]
volumes = ["cache"]
networks = ["proxy"]
mounts = ["/data"]
host-network = true
"""

TREE = (
    "stack.yml",
    "stack.test.yml",
    "e2e/",
    "backend/stack.yml",
    "backend/test/fast/",
    "backend/test/slow/",
    "common/",
    "web/",
)


def test_every_key(tree: Tree) -> None:
    """Each key does what the table of keys says, in a repository that no layout describes."""
    root = tree(*TREE, pyproject=EVERYTHING)
    project = find_project(root, {})
    assert (project.prefix, project.name, project.single) == ("ci", "store", False)
    assert (project.config, project.root) == (root / "pyproject.toml", root)
    assert project.integration == StageTests((root / "e2e",))
    assert (project.profiles, project.jobs, project.base_branch) == (("full",), 3, "trunk")
    assert project.compose[Environment.TEST] == (root / "stack.yml", root / "stack.test.yml")
    assert project.compose[Environment.DEV] == (root / "stack.yml",)
    assert project.slow == {Stage.UNIT: 0.5, Stage.SERVICE: 5.0, Stage.INTEGRATION: 5.0}
    assert project.timeout == {Stage.INTEGRATION: 60.0}
    assert project.image_name == "registry.example.com/store-{service}"
    assert project.endpoints == {"TEST_API_URL": "http://{backend:8000}/v1"}
    assert project.shared == Shared(frozenset({"cache"}), frozenset({"proxy"}), frozenset({"/data"}), True)
    backend, web = project.services
    assert (backend.name, backend.path) == ("backend", root / "backend")
    assert backend.compose == (root / "backend/stack.yml",)
    said = StageTests(command=("make", "test"), env={"MODE": "test"})
    assert backend.unit == replace(said, paths=(root / "backend/test/fast",))
    assert backend.tests == replace(said, paths=(root / "backend/test/slow",))
    assert backend.env == {"MODE": "test"}
    assert backend.depends == (root / "common",)
    assert (web.name, web.compose, web.unit) == ("web", (), None)


def test_settings_of_a_found_service(tree: Tree) -> None:
    """A service of the standard layout is configured by its name alone; the others stay."""
    root = tree(
        "services/api/Dockerfile",
        "services/web/Dockerfile",
        pyproject="[tool.tasklib]\nservices.api.command = ['x']\n",
    )
    api, web = find_project(root).services
    assert (api.unit, web.unit) == (StageTests((api.path,), ("x",)), None)


def test_another_name_for_a_folder(tree: Tree) -> None:
    """A path into services/ renames that service instead of adding one."""
    root = tree(
        "services/api/Dockerfile",
        "services/web/Dockerfile",
        pyproject="[tool.tasklib.services.backend]\npath = 'services/api'\n",
    )
    assert [service.name for service in find_project(root).services] == ["backend", "web"]


def test_settings_of_a_single_service(tree: Tree) -> None:
    """A single service is configured by the project's name."""
    root = tree("tests/unit/", pyproject="[tool.tasklib]\nname='x'\nservices.x.command = ['make']\n")
    project = find_project(root)
    assert project.single
    assert project.services[0].unit == StageTests((root / "tests/unit",), ("make",))


REFUSED = [
    ("pefix = 'x'", 3, ["unknown key `pefix`", "`prefix`"]),
    ("base_branch = 'x'", 3, ["unknown key `base_branch`", "`base-branch`"]),
    ("services.api.comand = ['x']", 3, ["`comand` in [tool.tasklib.services.api]", "`command`"]),
    ("[tool.tasklib.services.'api']\nunti = 'x'", 4, ["`unti`", "`unit`"]),
    ("jobs = 'three'", 3, ["`jobs", "integer", "string"]),
    ("jobs = 0", 3, ["`jobs", ">= 1"]),
    ("\n\nslow = { unit = 'x' }", 5, ["`slow.unit", "a number"]),
    ("timeout.unit = -1", 3, ["`timeout.unit", "> 0"]),
    ("slow = 3", 3, ["`slow", "table"]),
    ("services = ['api']", 3, ["`services", "table"]),
    ("services.api = 'x'", 3, ["`services.api", "table"]),
    ("services.api.command = 'make test'", 3, ["`services.api.command", "list", "string"]),
    ("services.api.command = []", 3, ["`services.api.command", "length"]),
    ("services.api.env = { A = 1 }", 3, ["`services.api.env.A`", "string", "integer"]),
    ("[tool.tasklib.services.api]\n[tool.tasklib.services.api.env]\nA = 1", 5, ["services.api.env.A"]),
    ("profiles = [1]", 3, ["`profiles", "string"]),
    ("compose.test = 3", 3, ["`compose.test", "a string or a list"]),
    ("compose.test = ['a.yml', 'gone.yml']", 3, ["compose.test", "gone.yml"]),
    ("integration = 'gone'", 3, ["integration", "no file or folder", "gone"]),
    ("services.api.unit = 'gone'", 3, ["services.api.unit", "no file or folder"]),
    ("services.api.compose = 'gone.yml'", 3, ["services.api.compose", "no file"]),
    ("services.api.depends = ['gone']", 3, ["services.api.depends", "gone"]),
    ("services.api.path = 'gone'", 3, ["services.api.path", "gone"]),
    ("services.api.path = '../..'", 3, ["`services.api.path`", "contains the project"]),
    ('services.api.path = "a\\u0000b"', 3, ["`services.api.path`", "NUL"]),
    ('services.api.command = ["x", "\\u0000"]', 3, ["`services.api.command`", "NUL"]),
    ('setup = [["ok"], { in = "db", run = ["\\u0000"] }]', 3, ["`setup`", "NUL"]),
    ('env."A\\u0000" = "x"', 3, ["`env`", "NUL"]),
    ("env.'A=B' = 'x'", 3, ["`env`", "'A=B'", "variable"]),
    ("services.api.unit.env.'' = 'x'", 3, ["`services.api.unit.env`", "''", "variable"]),
    ("services.apu.command = ['x']", 3, ["services.apu", "Did you mean `api`"]),
    ("prefix = 'Test'", 3, ["prefix", "'Test'"]),
    ("prefix = 'a_b'", 3, ["prefix"]),
    ("prefix = ''", 3, ["prefix"]),
    ("name = ''", 3, ["`name"]),
    ("endpoints.'A-B' = 'x'", 3, ["'A-B'", "variable"]),
    ("endpoints.A = 1", 3, ["`endpoints.A"]),
    ("endpoints.A = 'http://{api}/v1'", 3, ["`endpoints.A`", "{api:8000}"]),
    ("endpoints.A = 'http://{api:8000/v1'", 3, ["`endpoints.A`", "{service:port}"]),
    ("engines = ['tcp://build-1']", 3, ["`engines`", "'tcp://build-1'", "context:NAME"]),
    ("engines = ['ssh://me:secret@build-1']", 3, ["`engines`", "names no engine"]),
    ("engines = ['ssh://me@build-1:22/run/x', 'build-1']", 3, ["'build-1'", "ssh://user@host"]),
    ("publish = ['db']", 3, ["`publish`", "'db'", 'publish = ["db:5432"]']),
    ("publish = 'db:5432'", 3, ["`publish`", "list", 'publish = ["db:5432"]']),
    ("needs = 'db'", 3, ["`needs`", "list", 'needs = ["db"]']),
    ("command = 'make test'", 3, ["`command`", "list", 'command = ["make", "test"]']),
    ("services.api.unit = { path = 'x' }", 3, ["`path` in [tool.tasklib.services.api.unit]", "`paths`"]),
    ("services.api.unit = 3", 3, ["`services.api.unit`", "a string", "a table"]),
    ("services.api.unit = { timeout = 0 }", 3, ["`services.api.unit.timeout`", "> 0"]),
    ("env-files = ['gone.env']", 3, ["env-files", "gone.env"]),
    ("project-directory = 'gone'", 3, ["project-directory", "no folder"]),
    ("endpoints.A = '{api.name}'", 3, ["`endpoints.A`", "{db.host}"]),
    ("setup = ['make', 'seed']", 3, ["`setup", "a list", 'setup = [["alembic", "upgrade", "head"]]']),
    ("setup = [{ in = 'api' }]", 3, ["`setup", "run"]),
    ("in = ''", 3, ["`in`", "length"]),
    ("shared.host_network = true", 3, ["`host_network`", "`host-network`"]),
    ("x = [", 3, ["not valid TOML"]),
    ("x = = 1", 3, ["not valid TOML"]),
]


@pytest.mark.parametrize(("text", "line", "parts"), REFUSED, ids=[text for text, _, _ in REFUSED])
def test_refused(tree: Tree, text: str, line: int, parts: list[str]) -> None:
    """Each mistake is named with its file, its line and what was meant, in at most two lines."""
    root = tree("services/api/Dockerfile", "a.yml", pyproject=f"# a comment\n[tool.tasklib]\n{text}\n")
    with pytest.raises(ConfigError) as caught:
        find_project(root)
    message = str(caught.value)
    assert message.startswith(f"{root / 'pyproject.toml'}:{line}: ")
    assert all(part in message for part in parts)
    assert len(message.splitlines()) <= 2
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("key", ["compose", "service"])
def test_stack_of_a_single_service(tree: Tree, key: str) -> None:
    """A single service has no stack of its own to configure."""
    root = tree("tests/unit/", "x/", pyproject=f"[tool.tasklib]\nname = 's'\nservices.s.{key} = 'x'\n")
    with pytest.raises(ConfigError, match=r"pyproject.toml:3: .*single-service"):
        find_project(root)


def test_not_utf8(tree: Tree) -> None:
    """A file in another encoding is named with the line."""
    root = tree("services/api/Dockerfile")
    (root / "pyproject.toml").write_bytes(b"[project]\nname = '\xff'\n")
    with pytest.raises(ConfigError, match=r"pyproject.toml:2: is not UTF-8"):
        find_project(root)


def test_broken_file_of_a_service(tree: Tree) -> None:
    """A service's broken pyproject.toml is its own affair until its tests run."""
    root = tree("services/api/Dockerfile")
    (root / "services/api/pyproject.toml").write_text("[[[")
    assert find_project(root / "services/api").root == root


@pytest.mark.parametrize(
    ("reuse", "ci", "pushes"),
    [("pull", "true", False), ("ci", "true", True), ("ci", "", False), ("push", "", True)],
)
def test_reused_images(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, reuse: str, ci: str, pushes: bool
) -> None:
    """Who takes images of tests from the registry gives it some in CI, always, or never."""
    monkeypatch.setenv("CI", ci)
    settings = f'[tool.tasklib.images]\nname = "registry.test/shop"\nreuse = "{reuse}"\n'
    found = find_project(tree("tests/unit/", pyproject=settings))
    assert (found.reuses_images, found.pushes_images) == (True, pushes)


def test_reused_images_need_a_name(tree: Tree) -> None:
    """Else nobody would know the registry."""
    with pytest.raises(ConfigError, match="says nothing without"):
        find_project(tree("tests/unit/", pyproject='[tool.tasklib.images]\nreuse = "ci"\n'))
