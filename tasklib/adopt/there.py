"""PURE: where the tests are that a run names."""

from __future__ import annotations

import itertools
import posixpath
from collections.abc import Iterable

from msgspec.structs import replace

from tasklib.adopt.evidence import Evidence, Kind, Recipe
from tasklib.adopt.shell import joined
from tasklib.adopt.testing import TestRun

__all__ = ["placed"]


def placed(run: TestRun, recipe: Recipe, evidence: Evidence) -> TestRun:
    """``run`` where the tests are that it names, and with those of its words that are."""
    return _real(_moved(run, recipe, evidence), evidence)


def _moved(run: TestRun, recipe: Recipe, evidence: Evidence) -> TestRun:
    """A run whose script may be started elsewhere than at the top: where the tests that it names are."""
    told = [word.removesuffix("/...") for word in run.words if word.startswith("./") and word != "./..."]
    paths = run.paths or told
    if recipe.kind is Kind.README and not paths and not run.folder and "" not in evidence.manifests:
        # Who is told to test is thought to be where the tests are.
        homes = {home for home in evidence.manifests if any(f.startswith(f"{home}/") for f in evidence.tests)}
        return replace(run, folder=homes.pop()) if len(homes) == 1 else run
    if recipe.kind is not Kind.SCRIPT or not paths or _there(run.folder, paths, evidence):
        return run
    own = posixpath.dirname(recipe.file)
    for folder in (own, posixpath.dirname(own)):
        if _there(folder, paths, evidence):
            return replace(run, folder=folder)
    return run


def _real(run: TestRun, evidence: Evidence) -> TestRun:
    """A run whose paths are there: what is not may be the value of an option that nobody here knows."""
    gone = [path for path in run.paths if not _there(run.folder, (path,), evidence)]
    if not gone:
        return run
    options = list(run.options)
    for option, value in itertools.pairwise(run.words):
        if value in gone and option in options:
            options.insert(options.index(option) + 1, value)
    return replace(run, paths=tuple(path for path in run.paths if path not in gone), options=tuple(options))


def _there(folder: str, paths: Iterable[str], evidence: Evidence) -> bool:
    wanted = [joined(folder, path.split("::")[0]) for path in paths]
    files = evidence.files
    return all(not path or any(f == path or f.startswith(f"{path}/") for f in files) for path in wanted)
