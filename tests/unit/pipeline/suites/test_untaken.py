"""Tests that no stage takes are found and named with the key that takes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklib.errors import UsageError
from tasklib.pipeline.options import Options
from tasklib.pipeline.plan import plan
from tasklib.pipeline.suites.untaken import explain, untaken
from tasklib.project import find_project
from tasklib.results import Stage

API = ("services/api/Dockerfile", "services/api/tests/unit/test_a.py")


def write(root: Path, *names: str, **texts: str) -> Path:
    for name in (".git/HEAD", *names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts.get(path.name.partition(".")[0], ""))
    return root


@pytest.mark.parametrize(
    ("file", "folder", "key"),
    [
        ("tests/test_billing.py", "services/billing/tests", "services.billing.unit"),
        ("test/billing.test.js", "services/billing/test", "services.billing.unit"),
        ("src/__tests__/sum.js", "services/billing/src", "services.billing.unit"),
        ("billing_test.go", "services/billing", "services.billing.command"),
        ("pkg/src/BillingTest.java", "services/billing/pkg", "services.billing.command"),
        ("shop/tests.py", "services/billing/shop", "services.billing.command"),
        ("tests/invoices.rs", "services/billing/tests", "services.billing.command"),
        ("features/pay.feature", "services/billing/features", "services.billing.command"),
        ("t/basic.t", "services/billing/t", "services.billing.command"),
    ],
)
def test_a_service_whose_tests_lie_elsewhere_is_named(
    tmp_path: Path, file: str, folder: str, key: str
) -> None:
    """Wherever its language puts them; asking for it by name names the folder as well."""
    root = write(tmp_path, *API, "services/billing/Dockerfile", f"services/billing/{file}")
    project = find_project(root, {})
    [found] = untaken(project)
    assert (found.service, found.folder, found.number) == ("billing", folder, 1)
    assert found.keys[0] == key
    assert f"{folder} (1 test file)" in explain([found])
    with pytest.raises(UsageError) as caught:
        plan(project, tuple(Stage), Options(names=("billing",)))
    remedy = caught.value.remedy or ""
    assert folder in remedy
    assert key in remedy


def test_tests_within_the_code_are_named(tmp_path: Path) -> None:
    """Rust's: what has none beside them is no test."""
    root = write(
        tmp_path,
        *(*API, "services/cart/Cargo.toml", "services/cart/src/lib.rs", "services/cart/src/main.rs"),
        lib="fn a() {}\n#[cfg(test)]\nmod tests {}\n",
        main="fn main() {}\n",
    )
    [found] = untaken(find_project(root, {}))
    assert (found.folder, found.number, found.keys[0]) == ("services/cart/src", 1, "services.cart.command")


def test_tests_of_services_in_src_are_theirs(tmp_path: Path) -> None:
    """And not the project's own, whose tests may be there."""
    settings = '[tool.tasklib.services.api]\npath = "src/api"\nunit = "tests"\n'
    root = write(tmp_path, "pyproject.toml", "src/api/tests/test_a.py", pyproject=settings)
    assert untaken(find_project(root, {})) == ()


def test_what_is_taken_is_not_named(tmp_path: Path) -> None:
    """Folders of the stages, what a test script runs, and services with a command of their own."""
    root = write(
        tmp_path,
        *API,
        "services/api/deploy/test/compose.yml",
        "services/api/tests/integration/test_b.py",
        "services/web/package.json",
        "services/web/src/a.test.ts",
        "services/go/Dockerfile",
        "services/go/a_test.go",
        "services/api/node_modules/x/a.test.js",
        "tests/unit/test_c.py",
        "pyproject.toml",
        package='{"devDependencies": {"vitest": "4"}}',
        pyproject='[tool.tasklib.services.go]\ncommand = ["go", "test"]\n',
    )
    assert untaken(find_project(root, {})) == ()
    assert explain(()) == ""


def test_tests_beside_the_folders_of_the_stages_are_named(tmp_path: Path) -> None:
    """What lies loose in tests/, another folder in it, and tests for a stack that is not there."""
    root = write(
        tmp_path,
        *API,
        "services/api/tests/test_loose.py",
        "services/api/tests/e2e/test_e.py",
        "services/stackless/Dockerfile",
        "services/stackless/tests/integration/test_s.py",
        "tests/smoke/test_all.py",
    )
    found = untaken(find_project(root, {}))
    assert [one.folder for one in found] == [
        *("services/api/tests", "services/api/tests/e2e"),
        *("services/stackless/tests", "tests"),
    ]
    assert [one.folder for one in untaken(find_project(root, {}), ["api"])] == [
        "services/api/tests",
        "services/api/tests/e2e",
    ]


def test_a_single_service_is_looked_at_in_its_own_folders(tmp_path: Path) -> None:
    """What else a repository holds (examples, benchmarks) is not its suite."""
    root = write(tmp_path, "Dockerfile", "tests/unit/test_a.py", "tests/test_b.py", "examples/test_c.py")
    assert [one.folder for one in untaken(find_project(root, {}))] == ["tests"]


@pytest.mark.parametrize(
    "placeholder",
    [".gitkeep", "__init__.py", "conftest.py", "fixtures/cart.json", "__snapshots__/a.test.js.snap"],
)
def test_an_empty_folder_of_tests_is_as_good_as_none(tmp_path: Path, placeholder: str) -> None:
    """It stops nothing: the other services' tests run."""
    root = write(tmp_path, *API, "services/new/Dockerfile", f"services/new/tests/unit/{placeholder}")
    wanted = plan(find_project(root, {}), tuple(Stage), Options())
    assert [target.service for target in wanted] == ["api"]
