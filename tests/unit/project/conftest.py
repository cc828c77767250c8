"""Projects written down as a list of files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Tree = Callable[..., Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """``tree("a/b.txt", "c/", pyproject="…")`` makes empty files, folders and a pyproject.toml."""

    def make(*names: str, pyproject: str | None = None, **texts: str) -> Path:
        root = tmp_path / "project"
        root.mkdir(exist_ok=True)
        for name in names:
            path = root / name
            if name.endswith("/"):
                path.mkdir(parents=True, exist_ok=True)
                if name.endswith(("tests/unit/", "tests/integration/")):
                    (path / "test_it.py").touch()  # An empty one is as good as none.
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        if pyproject is not None:
            (root / "pyproject.toml").write_text(pyproject)
        for name, text in texts.items():
            (root / name).write_text(text)
        return root

    return make
