"""What a service is made from outside its own folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tasklib.changes import mentioned as texts
from tasklib.changes.outside import outside
from tasklib.changes.selection import Outside
from tasklib.checkout import git
from tasklib.project import Project, Service


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def read(root: Path, *names: str, changed: str = "libs/x") -> Outside:
    (root / ".git").mkdir(exist_ok=True)
    services = tuple(Service(name, root / "services" / name) for name in names)
    return outside(Project(root, "shop", services), [root / changed])


def needed(root: Path, name: str = "api") -> set[str]:
    return {path.relative_to(root).as_posix() for path in read(root, name).needed[name]}


def mentioned(root: Path, name: str = "api") -> set[str]:
    return {path.relative_to(root).as_posix() for path in read(root, name).mentioned[name]}


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
        ("tests/conftest.py", 'os.path.join(HERE, "..", "..", "..", "libs", "common")'),
        ("tests/conftest.py", 'sys.path.append(str(ROOT.joinpath("libs", "common")))'),
        ("tests/conftest.py", 'COMMON = find("libs/common")'),
        ("run.sh", 'PYTHONPATH="$ROOT/libs/common" pytest'),
        ("src/page.css", '@import "../../../libs/common/money";'),
        ("tsconfig.json", '{"paths": {"@common/*": ["libs/common/*"]}}'),
    ],
)
def test_named_in_a_text(tmp_path: Path, name: str, text: str) -> None:
    """What settings, manifests of any tool and sources name outside of a service is a part of it."""
    common = {"libs/common/money.ts": "", "libs/common/common.csproj": "", "libs/other/x.py": ""}
    write(tmp_path, {**common, f"services/api/{name}": text, "services/web/app.py": ""})
    found = mentioned(tmp_path)
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
        ("src/pages/x.ts", 'import { get } from "../web"; import "../jobs"'),
        ("src/pages/x.css", '@import "../web"; @import "../jobs"'),
        ("src/pages/x.py", 'open("../web")'),
    ],
)
def test_what_a_text_does_not_name(tmp_path: Path, name: str, text: str) -> None:
    """Prose, what is not there, what the service itself has and what tools installed count for nothing."""
    data = {
        "services/api/src/web.ts": "",
        "services/jobs/app.py": "",
        "services/api/tests/data": "",
        "tests/data": "",
        "libs/common/a.py": "",
        "services/web/app.py": "",
    }
    write(tmp_path, {**data, f"services/api/{name}": text})
    assert mentioned(tmp_path) == set()


def test_a_single_folder_of_a_constant(tmp_path: Path) -> None:
    """A folder named by one word below a constant or a variable of the shell is a part of the service."""
    write(tmp_path, {"libs/a.py": "", "tools/b": "", "services/api/a.py": 'LIBS = ROOT / "libs"'})
    write(tmp_path, {"services/api/run.sh": "$ROOT/tools"})
    assert mentioned(tmp_path) == {"libs", "tools"}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"words": ["word"] * 700}),
        json.dumps(["a", "b" * 300, "c"]),
        f"../{'b' * 300}/x ../../{'/'.join(['b'] * 3000)}",
        'Path(__file__).parent.parent / "data" / "**" / "[" / "*"',
        "../../[ ../../**/x ../../lib*",
        f'Path(__file__).parents[{"9" * 5000}] / "a"',
    ],
)
def test_texts_of_any_kind(tmp_path: Path, text: str) -> None:
    """Lists of words, long words and patterns are no paths, and nothing breaks."""
    write(tmp_path, {"services/api/a.py": text, "services/api/cspell.json": text, "libs/x.py": ""})
    assert mentioned(tmp_path) == set()


def test_names_are_no_patterns(tmp_path: Path) -> None:
    """What a source leaves out is an ending, also where the name looks like a pattern."""
    text = 'Path(__file__).parents[2] / "li[bc]s" / "x"'
    write(tmp_path, {"services/api/a.py": text, "li[bc]s/x.py": "", "libs/x.py": ""})
    assert mentioned(tmp_path) == {"li[bc]s/x.py"}


def test_what_cannot_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that cannot be read holds nothing."""
    write(tmp_path, {"services/api/a.py": '"../../closed/x", "../../libs/x"', "closed/x": "", "libs/x": ""})
    scandir, stat = os.scandir, Path.stat

    def scanned(path: str) -> Any:
        return scandir(opened(Path(path)))

    def opened(path: Path) -> Path:
        if path in (tmp_path / "closed", tmp_path / "closed/x"):
            raise PermissionError(13, "Permission denied", str(path))
        return path

    def seen(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        return stat(opened(path), follow_symlinks=follow_symlinks)

    monkeypatch.setattr(os, "scandir", scanned)
    monkeypatch.setattr(Path, "stat", seen)
    assert mentioned(tmp_path) == {"libs/x"}


def test_each_folder_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders that many name are read once, and a service that holds all that changed is not read at all."""
    for name in ("api", "web", "jobs"):
        write(tmp_path, {f"services/{name}/a.py": '"../../libs/common"'})
    write(tmp_path, {"libs/common/b.py": '"../base"', "libs/base/c.py": ""})
    seen: list[str] = []
    text = texts._text

    def noted(path: Path) -> str:
        seen.append(path.name)
        return text(path)

    monkeypatch.setattr(texts, "_text", noted)
    found = read(tmp_path, "api", "web", "jobs", changed="services/web/a.py").mentioned
    assert {path.name for path in found["api"]} == {"common", "base"}
    assert sorted(found) == ["api", "jobs"]
    assert sorted(seen) == ["a.py", "a.py", "b.py", "c.py"]


def test_own_imports_ask_nothing_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Imports from the service itself are known by their names alone."""
    write(
        tmp_path, {f"services/web/src/f/{n}.ts": 'import "../lib/n1"; import "../lib/n2"' for n in range(9)}
    )
    listed: list[str] = []
    listing = texts._listing

    def noted(folder: str) -> Any:
        listed.append(folder)
        return listing(folder)

    monkeypatch.setattr(texts, "_listing", noted)
    assert mentioned(tmp_path, "web") == set()
    assert str(tmp_path / "services/web/src/lib") not in listed


def test_a_project_of_one_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing lies outside of a service that is the whole checkout: its texts are not read."""
    write(tmp_path, {"a.py": '"../x"', "data/x": ""})
    (tmp_path / ".git").mkdir()
    monkeypatch.setattr(texts, "_files", None)
    project = Project(tmp_path, "shop", (Service("shop", tmp_path),), single=True)
    assert outside(project, [tmp_path.parent / "x"]).mentioned == {"shop": ()}


def test_ignored_texts(tmp_path: Path) -> None:
    """What git ignores names nothing, file or folder."""
    git(tmp_path, "init", "-q")
    files = {"out/a.py": '"../../../libs/a"', "b.txt": "../../libs/b", "c.txt": "../../libs/c"}
    write(tmp_path, {f"services/api/{name}": text for name, text in files.items()})
    write(tmp_path, {".gitignore": "out/\nb.txt\n", **{f"libs/{name}/x": "" for name in "abc"}})
    assert mentioned(tmp_path) == {"libs/c"}


def test_only_manifests_are_needs(tmp_path: Path) -> None:
    """What a manifest names is needed, what other texts name is mentioned only."""
    write(tmp_path, {"services/api/requirements.txt": "-e ../../libs/a", "libs/a/x.py": '"../b"'})
    write(tmp_path, {"services/api/tox.ini": "deps = ../../libs/c", "libs/b/x": "", "libs/c/x": ""})
    assert needed(tmp_path) == {"libs/a"}
    assert mentioned(tmp_path) == {"libs/a", "libs/b", "libs/c"}


@pytest.mark.parametrize(
    ("name", "text", "meant"),
    [
        ("Makefile", "LIBS = common\n\tcp -r $(TOP)/libs/$(LIBS) .\n", True),
        ("sync.sh", 'for lib in auth common; do cp -r "$LIBS/$lib" .; done\n', True),
        ("conftest.py", "import common.models\n", True),
        ("conftest.py", "from libs.common import x\n", True),
        ("conftest.py", 'sys.path.insert(0, f"{LIBS}/common")\n', True),
        ("dirs.json", '{"libs": ["common"]}\n', True),
        ("app.py", "common = 1  # in common use\n", False),
        ("Makefile", "common-name = uncommon\n", False),
        ("README.md", "It is like common.\n", False),
    ],
)
def test_what_another_needs_is_meant_in_any_form(tmp_path: Path, name: str, text: str, meant: bool) -> None:
    """A manifest makes a folder one of known use: whoever names it otherwise is not left out for that."""
    write(tmp_path, {"services/api/requirements.txt": "-e ../../libs/common\n", "libs/common/x.py": ""})
    write(tmp_path, {f"services/web/{name}": text})
    found = read(tmp_path, "api", "web", changed="libs/common/x.py").mentioned["web"]
    assert found == ((tmp_path / "libs/common",) if meant else ())
    assert read(tmp_path, "api", "web", changed="libs/other.py").mentioned["web"] == ()
