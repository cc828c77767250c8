"""PURE: what Hatch's environments say, as pip takes it.

Hatch locks nothing, and an environment of a matrix is many: tests run once, in one that uv makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from tasklib.pipeline.suites.folders import table

__all__ = ["Environment", "test_environment"]

_NAMES = ("hatch-test", "test", "tests", "testing", "dev", "default")

_BUILT_IN = ("pytest", "pytest-mock", "pytest-randomly", "pytest-rerunfailures", "pytest-xdist[psutil]")
"""What Hatch puts into ``hatch-test`` by itself."""


class Environment(Struct, frozen=True):
    """One environment: what it needs, the project's extras (``features``) and groups, its variables."""

    name: str
    requirements: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    python: str = ""


def test_environment(data: Mapping[str, Any], folder: Path) -> Environment | None:
    """The environment for tests in the pyproject.toml of ``folder``: one called so, or one with pytest."""
    envs = table(table(table(data, "tool"), "hatch"), "envs")
    known = [*(name for name in _NAMES if name in envs), *(name for name in envs if name not in _NAMES)]
    found = [_environment(envs, name, folder) for name in known if isinstance(envs[name], dict)]
    called = [one for one in found if one.name in _NAMES[:4]]
    holding = [
        one
        for one in found
        if any(entry.lower().startswith("pytest") for entry in one.requirements)
        or "pytest" in str(envs[one.name].get("scripts", ""))
    ]
    return next(iter((*called, *holding)), None)


def _environment(envs: Mapping[str, Any], name: str, folder: Path) -> Environment:
    said = _inherited(envs, name, frozenset())
    requirements = [*_texts(said, "dependencies"), *_texts(said, "extra-dependencies")]
    if name == "hatch-test" and "dependencies" not in said:
        requirements = [*_BUILT_IN, *requirements]
    variables = {str(key): str(value) for key, value in table(said, "env-vars").items()}
    root = folder.as_posix()
    return Environment(
        name,
        tuple(entry.replace("{root:uri}", folder.as_uri()).replace("{root}", root) for entry in requirements),
        tuple(_texts(said, "features")),
        tuple(_texts(said, "dependency-groups")),
        {key: value.replace("{root}", root) for key, value in variables.items() if "{env:" not in value},
        str(said.get("python", "")),
    )


def _inherited(envs: Mapping[str, Any], name: str, seen: frozenset[str]) -> Mapping[str, Any]:
    """The options of an environment on top of those of its template."""
    own = table(envs, name)
    template = str(own.get("template", name if own.get("detached") else "default"))
    above = {} if template in seen | {name} else _inherited(envs, template, seen | {name})
    return {**above, **own}


def _texts(said: Mapping[str, Any], key: str) -> Iterator[str]:
    entries = said.get(key)
    return (entry for entry in entries if isinstance(entry, str)) if isinstance(entries, list) else iter(())
