"""The data flow, read from the imports: each part may import what stands above it, never below."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import tasklib

ROOT = Path(tasklib.__file__).parent


def _section(document: Path, heading: str) -> str:
    """What stands under ``heading``, up to the next one."""
    return document.read_text(encoding="utf-8").partition(heading)[2].partition("\n## ")[0]


MAP = ROOT.parent / "ARCHITECTURE.md"
LAYERS = tuple(
    row.rstrip("/").replace("/", ".")
    for row in re.findall(r"(?m)^\| `([\w/]+)` \| ", _section(MAP, "## The map"))
)
"""The map's rows, from top to bottom."""

ENGINE = {"stacks.engine"}

OWNERS = {
    "subprocess": {"process"},
    "fcntl": {"flock"},
    "docker": ENGINE | {"release"},  # the logins of registries, as the engine's own client keeps them
    "requests": ENGINE | {"release"},
    "rich": {"reporting"},
    "nox": {"sessions"},
    "invoke": {"tasks"},
    "pytest": {"pytest_plugin"},
    "copier": {"new"},
}
"""Which parts alone use a module that is not ours."""


@cache
def modules() -> dict[str, Path]:
    """Every module of the package; the plugin that runs in other interpreters imports nothing of it."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if "inject" not in parts:
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def known() -> frozenset[str]:
    return frozenset(modules())


IMPORT = re.compile(r"(?m)^[ \t]*((?:from [\w.]+ )?import (?:\([^)]*\)|.*))$")
"""Each has its line: ruff forbids what else could stand there. Parsing whole modules takes seconds."""


@cache
def graph() -> dict[str, tuple[str, ...]]:
    """What each module imports, in functions and for type checkers too."""
    return {name: tuple(imports(path.read_text(encoding="utf-8"))) for name, path in modules().items()}


def imports(text: str) -> Iterator[str]:
    for node in ast.parse("\n".join(IMPORT.findall(text))).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole.removeprefix("tasklib.") in known() else str(node.module)


def part(module: str) -> str:
    """The layer that a module of ours belongs to: ``stacks.rewrite.ports`` → ``stacks.rewrite``."""
    found = max((layer for layer in LAYERS if f"{module}.".startswith(f"{layer}.")), key=len, default="")
    return found or module


def test_every_module_has_its_place() -> None:
    """The map and the tree agree: a new part has to be put into it, and what is gone taken out."""
    found = {part(name) for name in modules()} - {"", "stacks"}
    assert found == set(LAYERS)


def test_every_room_says_what_it_is_for() -> None:
    """A folder's first line, on one line, is what a newcomer reads in its listing."""
    rooms = [path for path in ROOT.rglob("__init__.py") if "inject" not in path.parts]
    said = {
        path.parent.name: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) for path in rooms
    }
    assert [name for name, text in said.items() if not text or not text.splitlines()[0].endswith(".")] == []


def test_a_newcomers_questions_are_answered_by_files_that_are_there() -> None:
    """CONTRIBUTING.md's table: each answer is one module of the package, which says what it is for."""
    table = _section(ROOT.parent / "CONTRIBUTING.md", "## Where is …?")
    answers = re.findall(r"(?m)^\| .+\? \| `tasklib/(.+\.py)` \|$", table)
    assert len(answers) == len(set(answers)) == table.count("?")
    said = {path: ast.get_docstring(ast.parse((ROOT / path).read_text("utf-8"))) for path in answers}
    assert all(said.values())


def test_imports_go_upwards_only() -> None:
    """Nothing imports what stands below it in the map."""
    wrong = []
    for name, imported_names in graph().items():
        for imported in imported_names:
            target = imported.removeprefix("tasklib.")
            ours = imported.startswith("tasklib.") and {part(target), part(name)} <= set(LAYERS)
            if ours and LAYERS.index(part(target)) > LAYERS.index(part(name)):
                wrong.append(f"{name} imports {target}")
    assert wrong == []


def test_no_two_modules_import_each_other() -> None:
    """Within a part, too, imports go one way, be they late or for type checkers alone."""
    ours = {
        name: {target.removeprefix("tasklib.") for target in imported} & known()
        for name, imported in graph().items()
    }
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, f"an import cycle: {' → '.join((*way[way.index(name) :], name))}"
        if name not in done:
            for target in sorted(ours[name]):
                visit(target, (*way, name))
            done.add(name)

    for name in ours:
        visit(name, ())


def test_no_two_folders_import_each_other() -> None:
    """What two rooms of the house need of each other belongs into a third one, or into one of them."""
    folder = {name: name.partition(".")[0] for name in modules()}
    ties = {
        (folder[name], folder[target])
        for name, imported_names in graph().items()
        for imported in imported_names
        if (target := imported.removeprefix("tasklib.")) in folder
    }
    assert [(one, other) for one, other in sorted(ties) if one < other and (other, one) in ties] == []


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_has_its_own_users(library: str) -> None:
    """The only user of subprocess, the only user of the Docker SDK, …: everyone else asks that part."""
    users = {
        part(name)
        for name, imported in graph().items()
        if any(target.partition(".")[0] == library for target in imported)
    }
    assert users == OWNERS[library]


@pytest.mark.parametrize(
    ("module", "host", "free_of"),
    [
        ("tasklib", "", ("docker", "rich", "nox", "invoke", "pytest", "msgspec", "typing")),
        ("tasklib.isolation", "", ("docker", "rich", "nox", "invoke", "subprocess")),
        ("tasklib.stacks.rewrite", "", ("docker", "rich", "nox", "invoke")),
        ("tasklib.stacks.reaper.process", "", ("docker", "msgspec", "pathlib", "shutil", "typing")),
        ("tasklib.tasks", "invoke", ("docker", "rich", "nox", "msgspec")),
        ("tasklib.sessions", "nox", ("docker", "rich", "invoke", "msgspec")),
        ("tasklib.pytest_plugin", "pytest", ("docker", "rich", "nox", "invoke")),
    ],
)
def test_importing_loads_and_does_nothing_more(
    module: str, host: str, free_of: tuple[str, ...], tmp_path: Path
) -> None:
    """No slow library beyond the host's own, no process, no connection, no file written: definitions only."""
    script = f"""
import sys
acts = []
def watch(event, arguments):
    if event in ("subprocess.Popen", "socket.connect", "os.mkdir", "os.remove", "os.rename", "os.system"):
        acts.append((event, arguments))
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        acts.append((event, arguments))
sys.dont_write_bytecode = True
{f"import {host}" if host else ""}
own = set(sys.modules)
sys.addaudithook(watch)
import {module}
assert not acts, acts
print(*{{name.partition(".")[0] for name in set(sys.modules) - own}})
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert not set(ran.stdout.split()) & set(free_of)
    assert list(tmp_path.iterdir()) == []
