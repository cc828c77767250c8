"""Templates and answers → the files of a project. The only user of copier."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from tasklib.errors import UsageError
from tasklib.new.answers import ANSWERS, Answers, Kind, written
from tasklib.release.workflows.files import Facts, workflows

__all__ = ["rendered"]

REGISTRY = "registry.example.com"
"""Where the images of a new project go until its pyproject.toml names a real place."""


def rendered(answers: Answers) -> Mapping[str, str]:
    """The text of every file by its path below the project.

    Raises :class:`~tasklib.errors.UsageError` where copier is not installed.
    """
    if importlib.util.find_spec("copier") is None:
        raise UsageError(
            "new projects are made by copier, which is not installed",
            remedy="Install it with the extra: pip install 'tasklib-stages[new]'",
        )
    from copier import run_copy

    with tempfile.TemporaryDirectory(prefix="tasklib-new-") as folder:
        made = Path(folder, "project")
        run_copy(str(files(__package__) / "templates"), made, data=answers.data(), defaults=True, quiet=True)
        paths = sorted(path for path in made.rglob("*") if path.is_file())
        text = {path.relative_to(made).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    return {**text, ANSWERS: written(answers), **_workflows(answers)}


def _workflows(answers: Answers) -> Mapping[str, str]:
    """What `ci.workflow` would write for such a project."""
    if answers.ci is None:
        return {}
    facts = Facts(
        tuple(service.name for service in answers.services),
        single=answers.single,
        node=any(service.kind is Kind.NODE for service in answers.services),
        registry=REGISTRY,
        requirement=f"tasklib-stages=={answers.version}",
    )
    return workflows(facts, answers.ci)
