"""What a service is made from outside its own folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasklib.changes.inputs import named_paths
from tasklib.project import Service


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def needed(root: Path, name: str = "api") -> set[str]:
    (root / ".git").mkdir(exist_ok=True)
    return {
        path.relative_to(root).as_posix() for path in named_paths(Service(name, root / "services" / name))
    }


def package(name: str, *requires: str) -> str:
    return f'[project]\nname = "{name}"\ndependencies = {json.dumps(requires)}\n'


def test_linked_folder(tmp_path: Path) -> None:
    """A link's target is a part of the service, and so is what it leads through."""
    write(tmp_path, {"libs/common/x.py": "", "services/api/src/app.py": "", "data/schema.sql": ""})
    (tmp_path / "shared").symlink_to("libs/common")
    (tmp_path / "services/api/src/common").symlink_to("../../../shared")
    (tmp_path / "services/api/schema.sql").symlink_to("../../data/schema.sql")
    (tmp_path / "services/api/own.py").symlink_to("src/app.py")
    (tmp_path / "services/api/loop").symlink_to("loop")
    assert needed(tmp_path) == {"shared", "libs/common", "data/schema.sql"}


def test_uv_workspace(tmp_path: Path) -> None:
    """A member that a service needs by name is a part of it, with what that needs; others are none."""
    workspace = '[tool.uv.workspace]\nmembers = ["libs/*", "services/*"]\n'
    sources = "[tool.uv.sources]\nshop-common = { workspace = true }\n"
    write(
        tmp_path,
        {
            "pyproject.toml": workspace,
            "libs/common/pyproject.toml": package("shop_common", "shop.base>=1; python_version > '3'"),
            "libs/base/pyproject.toml": package("shop-base"),
            "libs/other/pyproject.toml": package("other"),
            "services/api/pyproject.toml": package("api", "Shop-Common[fast]") + sources,
            "services/web/pyproject.toml": package("web"),
        },
    )
    assert needed(tmp_path) == {"libs/common", "libs/base"}
    assert needed(tmp_path, "web") == set()


@pytest.mark.parametrize(
    "files",
    [
        {"pnpm-workspace.yaml": 'packages: ["packages/*", "services/*", "!**/test/**"]\n'},
        {"package.json": '{"workspaces": ["./packages/ui"]}'},
        {"package.json": '{"workspaces": {"packages": ["packages/*"]}}'},
        {"package.json": '{"workspaces": ["a**b", "/**", "//", "../*", "", "\\u0000", "packages/*"]}'},
    ],
)
def test_node_workspace(tmp_path: Path, files: dict[str, str]) -> None:
    """Workspaces of pnpm, npm and yarn, by the packages' names."""
    write(
        tmp_path,
        {
            **files,
            "packages/ui/package.json": '{"name": "@shop/ui"}',
            "packages/other/package.json": '{"name": "@shop/other"}',
            "services/api/package.json": '{"name": "api", "devDependencies": {"@shop/ui": "workspace:*"}}',
        },
    )
    assert needed(tmp_path) == {"packages/ui"}


def test_cargo_and_go(tmp_path: Path) -> None:
    """Workspaces of Cargo and Go."""
    write(
        tmp_path,
        {
            "Cargo.toml": '[workspace.dependencies]\ncommon = { path = "libs/common" }\n',
            "libs/common/Cargo.toml": '[package]\nname = "common"\n',
            "services/api/Cargo.toml": "[dependencies]\ncommon.workspace = true\n",
            "go.work": "go 1.24\nuse (\n\t./libs/log\n\t./services/web\n)\n",
            "libs/log/go.mod": "module example.com/log\n",
            "services/web/go.mod": "module example.com/web\n\nrequire (\n\texample.com/log v0.0.0\n)\n",
        },
    )
    assert needed(tmp_path) == {"libs/common"}
    assert needed(tmp_path, "web") == {"libs/log"}


@pytest.mark.parametrize(
    "text", ["[", "[1]", '{"dependencies": [1], "workspaces": 3}', "[project]\nname = 3\n"]
)
def test_unreadable_manifests(tmp_path: Path, text: str) -> None:
    """What cannot be read names nothing, and nothing breaks."""
    names = ("pyproject.toml", "package.json", "pnpm-workspace.yaml", "Cargo.toml", "go.mod", "go.work")
    write(tmp_path, {f"{folder}{name}": text for name in names for folder in ("", "services/api/")})
    assert needed(tmp_path) == set()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("conftest.py", 'sys.path.insert(0, "../../libs/common")'),
        ("tests/unit/conftest.py", 'sys.path.insert(0, str(Path(__file__).parents[4] / "libs" / "common"))'),
        ("conftest.py", 'LIBS = Path(__file__).resolve().parent.parent.parent / "libs/common"'),
        ("tests/conftest.py", 'sys.path += [str(ROOT / "libs" / "common"), os.path.join(ROOT, "x")]'),
        ("tests/paths.py", 'os.path.join(ROOT, "libs", "common")'),
        ("pytest.ini", "[pytest]\npythonpath = ../../libs/common\n"),
        ("tox.ini", "[testenv]\ndeps = ../../libs/common\n"),
        ("requirements/test.txt", "-e ../../libs/common\n"),
        ("dev-requirements.txt", "-e ../../libs/common\n"),
        ("setup.py", 'setup(install_requires=["common @ file:../../libs/common"])'),
        ("Pipfile", '[packages]\ncommon = {path = "../../libs/common"}\n'),
        ("pyproject.toml", 'dependencies = ["common @ {root:parent:parent:uri}/libs/common"]\n'),
        ("Makefile", "test:\n\tPYTHONPATH=$(TOP)/libs/common pytest\n"),
        ("vitest.config.ts", 'new URL("../../libs/common", import.meta.url)'),
        ("src/app.ts", 'import { money } from "../../../libs/common/money"'),
        ("build.gradle", 'implementation project(":libs:common")'),
        ("api.csproj", '<ProjectReference Include="..\\..\\libs\\common\\common.csproj" />'),
        ("Gemfile", 'gem "common", path: "../../libs/common"'),
        ("openapi.json", '{"$ref": "../../libs/common/money.ts"}'),
    ],
)
def test_named_in_a_text(tmp_path: Path, name: str, text: str) -> None:
    """What settings, manifests of any tool and sources name outside of a service is a part of it."""
    common = {"libs/common/money.ts": "", "libs/common/common.csproj": "", "libs/other/x.py": ""}
    write(tmp_path, {**common, f"services/api/{name}": text, "services/web/app.py": ""})
    found = needed(tmp_path)
    assert found & {"libs/common", "libs/common/money.ts"}
    assert all(path.startswith("libs/common") for path in found)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("README.md", "See ../../libs/common and ../web."),
        ("Dockerfile", "# built like ../web/Dockerfile"),
        ("src/app.py", 'REASONS = ["libs", "none"], f"{base}/web", Path("/") / "web", "../../nowhere"'),
        ("tests/test_a.py", 'Path(__file__).parent / "data"; tmp_path / "web"; ROOT / "tests" / "data"'),
        ("node_modules/x/index.js", 'require("../../../../libs/common")'),
    ],
)
def test_what_a_text_does_not_name(tmp_path: Path, name: str, text: str) -> None:
    """Prose, what is not there, what the service itself has and what tools installed count for nothing."""
    data = {
        "services/api/tests/data": "",
        "tests/data": "",
        "libs/common/a.py": "",
        "services/web/app.py": "",
    }
    write(tmp_path, {**data, f"services/api/{name}": text})
    assert needed(tmp_path) == set()
