"""What a CI system asks: which services a change touches."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tasklib.commands.console import complain, give, say, show_difference
from tasklib.errors import UsageError
from tasklib.options.catalog import FORGE
from tasklib.shown.cleaning import harmless_json

if TYPE_CHECKING:
    from tasklib.changes.choices import Selection
    from tasklib.project import Project

__all__ = ["choose", "matrix", "merge", "workflow"]


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
    give(harmless_json(json.dumps({"include": rows})))


def merge(folder: str, *, reports: Sequence[str] = (), format: str = "auto") -> int:
    """Show the runs below ``folder``, each one machine's share, as the one that they are; its exit code.

    Raises :class:`~tasklib.errors.UsageError` where a share is missing.
    """
    from tasklib.reporting.files.merging import merged
    from tasklib.reporting.replay import read
    from tasklib.reporting.sinks import open_sinks

    paths = sorted(Path(folder).rglob("*.jsonl"))
    if not paths:
        raise UsageError("holds no run", where=folder, remedy="`--report FILE.jsonl` writes them.")
    runs = {}
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            runs[str(path)] = tuple(read(lines, str(path)))
    events, finished = merged(runs)
    names = [Path(report) for report in reports]
    with open_sinks(format, reports=names, stream=sys.stdout, env=os.environ, base=str(Path.cwd())) as sink:
        for event in (*events, finished):
            sink.emit(event)
    return finished.result.exit_code


def choose(project: Project, *, changed: bool, base: str | None, explain: bool) -> Selection:
    """The services that a command is about, all but with ``changed`` or a ``base`` to compare with.

    ``explain`` says why on standard error.
    """
    from tasklib.changes.choices import everything
    from tasklib.changes.touched import touched

    compared = changed or base is not None
    selection = touched(project, base) if compared else everything(project, "nothing is left out")
    if explain:
        for line in selection.explanation:
            complain(line)
    return selection


def workflow(forge: str, *, shards: int = 1, engine: str = "", force: bool = False, dry: bool = False) -> int:
    """Write the workflow files of a forge (``github``, ``gitea``, ``gitlab``), for so many ``shards``.

    ``engine`` is that of GitLab's jobs: ``dind``, one of their own beside them, or ``socket``, the runner's.
    A file that is there and differs is kept, its difference shown, unless ``force``; the code is 2 then.
    """
    from tasklib import __version__
    from tasklib.checkout import existing_branch, find_checkout
    from tasklib.files.whole import write_whole
    from tasklib.project import find_project
    from tasklib.release.images.names import split_name
    from tasklib.release.workflows.files import Facts, Forge, workflows

    if not forge:
        raise UsageError(f"--for takes {', '.join(FORGE.choices[:-1])} or {FORGE.choices[-1]}")
    if engine and forge != Forge.GITLAB:
        raise UsageError(
            f"--engine is for GitLab: {forge}'s jobs use the engine of the machine that they run on",
            remedy="Leave it out.",
        )
    project = find_project(Path.cwd())
    checkout = find_checkout(project.root)
    root = checkout.root
    folders = [project.root, *(service.path for service in project.services)]
    facts = Facts(
        tuple(service.name for service in project.services),
        base_branch=existing_branch(checkout, project.base_branch),
        single=project.single,
        node=any((folder / "package.json").is_file() for folder in folders),
        registry=split_name(project.image_name.replace("{service}", "x"))[0] if project.image_name else None,
        requirement=f"tasklib-stages=={__version__}",
        suite=project.suite if project.unit else None,
        folder="" if project.root == root else project.root.relative_to(root).as_posix(),
        shards=shards,
        dind=engine != "socket",
    )
    kept = []
    for name, text in workflows(facts, Forge(forge)).items():
        path = root / name
        before = path.read_text(errors="replace") if path.is_file() else None
        if before == text:
            say(f"{name} is up to date")
            continue
        if before is not None:
            show_difference(name, before, text)
            if not force:
                kept.append(name)
                continue
        if not dry:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text.encode())
        say(f"{'would write' if dry else 'wrote'} {name}")
    if project.image_name is None:
        complain('note: nothing names the images yet: [tool.tasklib.images] name = "registry/…-{service}"')
    if kept:
        complain(f"kept as they are: {', '.join(kept)}; --force overwrites them")
    return 2 if kept else 0


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
