"""tasklib's own version stands once, in pyproject.toml."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import tasklib

ROOT = Path(tasklib.__file__).parents[1]


def _printed(code: str, path: Path) -> str:
    argv = [sys.executable, "-c", f"import sys; sys.path[:0] = {[str(path), str(ROOT)]!r}; {code}"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def test_it_is_the_installed_one(tmp_path: Path) -> None:
    """What pip wrote is what is told: it cannot stay behind what was released."""
    folder = tmp_path / "tasklib_pytest-7.8.9.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.4\nName: tasklib-pytest\nVersion: 7.8.9\n")
    assert _printed("import tasklib; print(tasklib.__version__)", tmp_path) == "7.8.9"
    told = "import tasklib.tasks.program as program; program.run(['tasklib', '--version'])"
    assert _printed(told, tmp_path) == "tasklib 7.8.9"


def test_importing_tasklib_does_not_read_it() -> None:
    """Who does not ask does not wait for the reader of metadata."""
    code = "import tasklib; print('importlib.metadata' in sys.modules, hasattr(tasklib, 'version'))"
    argv = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == "False False\n"


def test_it_is_stated_once() -> None:
    """No module of the package states a version of its own, and pyproject.toml states one."""
    stating = re.compile(r"(?m)^__version__\s*=|tasklib-(?:stages|pytest)==\d")
    assert [path for path in ROOT.glob("tasklib/**/*.py") if stating.search(path.read_text())] == []
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
