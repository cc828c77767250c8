"""Workflow files as text: tests of every change, images of every version tag.

The templates beside this module are whole workflows, so that whatever checks workflows can read them. In them
``"{word}"`` is replaced by a value, and the lines between ``# if word`` and ``# end`` are kept or left out.

Gitea makes a matrix before any job has run, so there each service has its row and a row that the change does
not touch passes at once. GitHub's rows come from ``ci.matrix``. The rows of shares are known beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from importlib.resources import files

from msgspec import Struct

from tasklib.stacks.rewrite import as_text

__all__ = ["Facts", "Forge", "filled", "workflows"]

_UNNAMED = "registry.example.com"

_VALUE = re.compile(r'"\{([a-z-]+)\}"')
_IF = re.compile(r" *# if ([a-z-]+)\n")
_END = re.compile(r" *# end\n")


class Forge(StrEnum):
    """Where workflows run."""

    GITHUB = "github"
    GITEA = "gitea"
    GITLAB = "gitlab"


_OWN_REGISTRY = "ghcr.io"
"""Where GitHub itself gives its jobs a login."""


class Facts(Struct, frozen=True):
    """What of a project its workflows depend on.

    ``services`` are all, ``node`` whether any of them needs Node, ``registry`` the host its images go to
    (``None`` while nothing names them), ``requirement`` what pip installs tasklib by, ``folder`` where the
    project is in its checkout ("" at the top), ``suite`` the name of its own unit tests, ``shards`` how many
    machines share the tests, ``dind`` whether GitLab's jobs have an engine of their own beside them, else
    they use the one that they run on.
    """

    services: Sequence[str]
    base_branch: str = "main"
    single: bool = False
    node: bool = False
    registry: str | None = None
    requirement: str = "tasklib-stages"
    folder: str = ""
    suite: str | None = None
    shards: int = 1
    dind: bool = True


def workflows(facts: Facts, forge: Forge) -> Mapping[str, str]:
    """The files by path below the checkout."""
    values = {
        "base-branch": as_text(facts.base_branch if forge is Forge.GITLAB else _as_filter(facts.base_branch)),
        "folder": as_text(facts.folder),
        "folder-or-here": as_text(facts.folder or "."),
        "numbers": ", ".join(map(str, range(1, facts.shards + 1))),
        "registry": as_text(facts.registry or _UNNAMED),
        "requirement": as_text(facts.requirement),
        "services": ", ".join(map(as_text, facts.services)),
        "shards": str(facts.shards),
        "suite": as_text(facts.suite or ""),
    }
    own_registry = forge is Forge.GITHUB and facts.registry == _OWN_REGISTRY
    conditions = {
        "dind": facts.dind,
        "folder": bool(facts.folder),
        "many": not facts.single,
        "node": facts.node,
        "own-registry": own_registry,
        "other-registry": not own_registry,
        "shards": facts.shards > 1,
        "single": facts.single,
        "socket": not facts.dind,
        "suite": facts.suite is not None and not facts.single,
        "whole": facts.shards == 1,
    }
    templates = files(__package__) / forge.value
    return {
        name: filled((templates / template).read_text(), values, conditions)
        for name, template in _names(facts, forge).items()
    }


def _as_filter(branch: str) -> str:
    """A branch as a pattern that fits it alone: else those of `c++` would never be tested."""
    return re.sub(r"[+!?*\[\]\\]", r"\\\g<0>", branch)


def _names(facts: Facts, forge: Forge) -> Mapping[str, str]:
    """The files by path, and the template of each."""
    if forge is Forge.GITLAB:
        return {".gitlab-ci.yml": ".gitlab-ci.yml"}
    folder = f".{forge}/workflows"
    tests = "shards.yml" if facts.shards > 1 else "test.yml"
    return {f"{folder}/test.yml": tests, f"{folder}/release.yml": "release.yml"}


def filled(template: str, values: Mapping[str, str], conditions: Mapping[str, bool]) -> str:
    """``template`` with its blocks decided by ``conditions`` and its words replaced by ``values`` (YAML)."""
    lines, open_blocks = [], [True]
    for line in template.splitlines(keepends=True):
        if block := _IF.fullmatch(line):
            open_blocks.append(open_blocks[-1] and conditions[block[1]])
        elif _END.fullmatch(line):
            open_blocks.pop()
        elif open_blocks[-1]:
            lines.append(line)
    return _VALUE.sub(lambda word: values[word[1]], "".join(lines))
