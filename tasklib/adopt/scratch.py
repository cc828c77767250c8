"""A copy of a repository, to try things in."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from tasklib.adopt.evidence import Evidence
from tasklib.checkout import git
from tasklib.errors import TasklibError

__all__ = ["copy_of"]


def copy_of(root: Path, copy: Path, evidence: Evidence) -> None:
    """The files that were listed, what git knows of them, and what lies beside: variables, packages."""
    with contextlib.suppress(TasklibError):
        git(root, "clone", "--quiet", "--shared", "--no-checkout", "--", str(root), str(copy), check=False)
    copy.mkdir(exist_ok=True)
    for name in {*evidence.files, *evidence.ignored}:
        path = copy / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy2(root / name, path, follow_symlinks=False)
        except OSError:
            continue
    for folder in evidence.manifests:
        modules = root / folder / "node_modules"
        if modules.is_dir():
            (copy / folder / "node_modules").symlink_to(modules.resolve())
