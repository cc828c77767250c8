"""Which services a change touches."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.changes.choices import Selection, everything
from tasklib.changes.selection import ComposeService, Outside, StackFacts, select
from tasklib.project import Project, Service, StageTests
from tasklib.stacks.images.context import BuildContext

ROOT = Path("/project")
NAMES = ("api", "frontend", "worker")


def service(name: str, *depends: str) -> Service:
    return Service(name, ROOT / "services" / name, depends=tuple(ROOT / path for path in depends))


PROJECT = Project(
    ROOT,
    "shop",
    (service("api", "libs/common"), service("frontend"), service("worker", "libs/common")),
    integration=StageTests((ROOT / "tests/integration",)),
)


def built(name: str, *depends_on: str) -> ComposeService:
    dockerfile = ROOT / "services" / name / "Dockerfile"
    build = BuildContext(ROOT, dockerfile, (f"services/{name}", "shared"), ("**/tests",))
    return ComposeService(name, name, (build,), depends_on=depends_on)


FULL = StackFacts(
    None,
    (ROOT / "deploy/test/docker-compose.yml",),
    (
        built("api", "database"),
        built("frontend", "api"),
        built("worker", "database"),
        ComposeService("database", paths=(ROOT / "database/schema.sql",)),
    ),
)
WORKERS = StackFacts(
    "worker",
    (ROOT / "services/worker/deploy/test/docker-compose.yml", ROOT / "services/common.yml"),
    (built("worker"), built("api"), ComposeService("queue", paths=(ROOT / "queue",))),
)


def touched(
    *names: str, project: Project = PROJECT, stacks: tuple[StackFacts, ...] = (FULL, WORKERS)
) -> Selection:
    return select(project, stacks, [ROOT / name for name in names])


@pytest.mark.parametrize(
    ("name", "services"),
    [
        ("services/worker/app.py", ["worker"]),
        ("services/worker/tests/unit/test_app.py", ["worker"]),
        ("services/worker/README.md", ["worker"]),
        ("services/frontend/app.ts", ["frontend"]),
        # The frontend waits for the api, and the worker's own stack runs it.
        ("services/api/app.py", ["api", "frontend", "worker"]),
        ("libs/common/x.py", ["api", "frontend", "worker"]),
        ("shared/x", ["api", "frontend", "worker"]),
        ("database/schema.sql", ["api", "frontend", "worker"]),
        ("queue/config", ["worker"]),
        ("services/common.yml", ["worker"]),
        ("deploy/test/docker-compose.yml", list(NAMES)),
        ("pyproject.toml", list(NAMES)),
        ("uv.lock", list(NAMES)),
        ("requirements-dev.txt", list(NAMES)),
        (".github/workflows/test.yml", list(NAMES)),
        ("Makefile", list(NAMES)),
        ("scripts/generate", list(NAMES)),
        ("README.md", []),
        ("docs/guide/logo.svg", []),
        ("LICENSE", []),
        (".gitignore", []),
        ("tests/integration/test_orders.py", []),
        ("../elsewhere/README", []),
    ],
)
def test_one_file(name: str, services: list[str]) -> None:
    """One changed file selects exactly the services that are made from it or wait for one that is."""
    path = Path("/elsewhere/README") if name.startswith("..") else ROOT / name
    assert list(select(PROJECT, (FULL, WORKERS), [path]).names) == services


@pytest.mark.parametrize(
    "name",
    [
        "pyproject.toml",
        "conftest.py",
        "pytest.ini",
        "tox.ini",
        "uv.toml",
        ".python-version",
        ".npmrc",
        "pnpm-workspace.yaml",
        "tsconfig.base.json",
        "constraints-dev.txt",
        "go.work",
        "uv.lock",
        "package.json",
        ".nvmrc",
        "vitest.config.ts",
        "vitest.shared.ts",
        ".mocharc.yml",
        "poetry.toml",
        "sitecustomize.py",
        "pom.xml",
        "settings.gradle.kts",
        "gradle.properties",
        "Directory.Build.props",
        "Gemfile",
        "composer.json",
        "deno.json",
        "packages.lock.json",
        "gradle.lockfile",
        "Package.resolved",
        "Makefile",
        "justfile",
        "Taskfile.yml",
        "MODULE.bazel",
    ],
)
def test_set_up_that_one_image_copies(name: str) -> None:
    """Shared set-up touches every service, also where only one service's Dockerfile copies it."""
    context = BuildContext(ROOT, ROOT / "services/worker/Dockerfile", (name,))
    full = StackFacts(None, (), (ComposeService("worker", "worker", (context,)),))
    found = touched(name, stacks=(full,))
    assert found.tests == (*NAMES, "shop")


def test_set_up_of_some() -> None:
    """Set-up in a folder of services touches those below it, not the others."""
    project = Project(ROOT, "shop", (*PROJECT.services, Service("web", ROOT / "web")))
    context = BuildContext(ROOT, ROOT / "services/api/Dockerfile", ("services",))
    full = StackFacts(None, (), (ComposeService("api", "api", (context,)),))
    assert touched("services/conftest.py", project=project, stacks=(full,)).names == NAMES


def test_nothing_changed() -> None:
    """Without a change nothing is in, and each line says so."""
    found = touched()
    assert (found.names, found.tests) == ((), ())
    assert found.explanation[0] == "api: out: nothing changed"


def test_own_tests() -> None:
    """The project's own tests are in with any service, and alone when only they changed."""
    assert touched("services/worker/app.py").tests == ("worker", "shop")
    assert touched("tests/integration/test_a.py").tests == ("shop",)
    assert touched("README.md").tests == ()


def test_reasons() -> None:
    """Every service that is in says by which file, or for which other service."""
    lines = touched("services/api/app.py").explanation
    assert lines[0] == "api: in: services/api/app.py changed"
    assert lines[1] == "frontend: in: it waits for api in the full stack"
    assert lines[2] == "worker: in: services/api/app.py changed, which api of its stack uses"
    assert touched("README.md").explanation[0] == "api: out: the changed file is not its own"


def test_many_reasons() -> None:
    """A hundred changed files do not make a hundred reasons."""
    line = touched(*(f"services/worker/{number}.py" for number in range(100))).explanation[2]
    assert line.endswith("; and 97 more")
    assert len(line) < 200


@pytest.mark.parametrize("owner", [None, "worker"])
def test_unreadable_stack(owner: str | None) -> None:
    """A stack that cannot be read may be made from anything: whoever it belongs to is in."""
    broken = StackFacts(
        owner, (), unreadable="deploy/test/docker-compose.yml cannot be read: no such variable"
    )
    found = touched("docs/a.md", stacks=(broken,))
    assert found.names == (("worker",) if owner else NAMES)
    assert "no such variable" in found.explanation[2]


def test_changed_submodule() -> None:
    """A submodule is one changed path: whatever depends on a folder in it is touched."""
    assert "api" in touched("libs").names


@pytest.mark.parametrize("source", ["libs/common/src", "libs/*/src", "libs/common/"])
def test_submodule_that_an_image_copies_from(source: str) -> None:
    """A submodule touches the image that copies a part of it, whoever else is known to use it."""
    context = BuildContext(ROOT, ROOT / "services/frontend/Dockerfile", (source,))
    full = StackFacts(None, (), (ComposeService("frontend", "frontend", (context,)),))
    found = select(PROJECT, (full,), [ROOT / "libs/common"])
    assert found.names == NAMES


def test_another_checkout_below_this_one() -> None:
    """A worktree touches nobody, unless an image takes all that there is."""
    agent = ROOT / "agents/a"
    assert select(PROJECT, (FULL,), [agent], checkouts={agent}).tests == ()
    whole = StackFacts(None, (), (ComposeService("api", "api", (BuildContext(ROOT),)),))
    assert select(PROJECT, (whole,), [agent], checkouts={agent}).names == ("api",)


def test_needed_outside() -> None:
    """What a service's manifest names outside its folder counts as its own."""
    outside = Outside(needed={"frontend": [ROOT / "packages/ui"]})
    assert select(PROJECT, (), [ROOT / "packages/ui/x.ts"], outside).names == ("frontend",)


def test_mentioned_outside() -> None:
    """What a source names adds its service, and leaves nobody out who may name the same in another way."""
    outside = Outside(
        mentioned={"frontend": [ROOT / "shared"], "worker": [ROOT / "services/frontend/api.json"]}
    )
    assert select(PROJECT, (), [ROOT / "shared/x"], outside).names == NAMES
    context = BuildContext(ROOT, ROOT / "services/api/Dockerfile", ("shared",))
    full = StackFacts(None, (), (ComposeService("api", "api", (context,)),))
    assert select(PROJECT, (full,), [ROOT / "shared/x"], outside).names == ("api", "frontend")
    found = select(PROJECT, (), [ROOT / "services/frontend/api.json"], outside)
    assert found.names == ("frontend", "worker")


def test_single_service() -> None:
    """A single-service project is touched by anything but documentation."""
    project = Project(ROOT, "shop", (Service("shop", ROOT),), single=True)
    assert touched("src/app.py", project=project, stacks=()).tests == ("shop",)
    assert touched("deploy/test/docker-compose.yml", project=project, stacks=()).names == ("shop",)
    assert touched("docs/a.md", project=project, stacks=()).names == ()


def test_project_in_a_subfolder() -> None:
    """Lock files above the project count, other projects' files do not."""
    project = Project(ROOT / "sub", "shop", (Service("api", ROOT / "sub/services/api"),))
    assert touched("uv.lock", project=project, stacks=()).names == ("api",)
    assert touched("other/app.py", "Makefile", project=project, stacks=()).names == ()


def test_linked_service(tmp_path: Path) -> None:
    """A service's folder that is a link is touched by a change where it points."""
    (tmp_path / "backend").mkdir()
    (tmp_path / "services").mkdir()
    (tmp_path / "services/api").symlink_to("../backend")
    project = Project(tmp_path, "shop", (Service("api", tmp_path / "services/api"), service("worker")))
    assert select(project, (), [tmp_path / "backend/app.py"]).names == ("api",)


def test_everything() -> None:
    """All are in for one reason."""
    found = everything(PROJECT, "a new branch")
    assert found.names == NAMES
    assert found.explanation[3] == "shop: in: a new branch"


PATHS = st.lists(
    st.sampled_from(
        [
            "README.md",
            "Makefile",
            "services/api/a",
            "services/worker/a",
            "services/frontend/a",
            "queue/a",
            "libs/x",
        ]
    ),
    unique=True,
)


@given(PATHS, PATHS)
def test_more_changes_more_services(some: list[str], more: list[str]) -> None:
    """Changing further files never takes a service out."""
    assert set(touched(*some).tests) <= set(touched(*some, *more).tests)


@given(
    st.sampled_from(NAMES),
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1),
)
def test_own_folder(name: str, file: str) -> None:
    """Whatever a file in a service's folder is called, its service is in."""
    if file not in (".", ".."):
        assert name in touched(f"services/{name}/{file}").names
