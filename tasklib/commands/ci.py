"""What a CI system asks: which services a change touches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tasklib.commands.console import complain, say

if TYPE_CHECKING:
    from tasklib.project import Project
    from tasklib.release.selection import Selection

__all__ = ["choose", "matrix"]


def matrix(*, changed: bool = False, base: str | None = None, explain: bool = False) -> None:
    """Print the services as JSON for a dynamic matrix: ``{"include": [{"service": …, "path": …}]}``.

    All of them, or with ``changed`` those that differ from ``base``; ``explain`` says why on standard error.
    """
    from tasklib.project import find_project

    project = find_project(Path.cwd())
    names = choose(project, changed=changed, base=base, explain=explain).names
    rows = [
        {"service": service.name, "path": _relative(service.path, project.root)}
        for service in project.services
        if service.name in names
    ]
    say(json.dumps({"include": rows}))


def choose(project: Project, *, changed: bool, base: str | None, explain: bool) -> Selection:
    """The services that a command is about, all but with ``changed`` or a ``base`` to compare with.

    ``explain`` says why on standard error.
    """
    from tasklib.release.changes import touched
    from tasklib.release.selection import everything

    compared = changed or base is not None
    selection = touched(project, base) if compared else everything(project, "nothing is left out")
    if explain:
        for line in selection.explanation:
            complain(line)
    return selection


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
