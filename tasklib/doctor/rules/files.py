"""Rules of files that a fresh checkout lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from tasklib.checkout import find_checkout, git
from tasklib.doctor.document import entries, items, text_of
from tasklib.doctor.findings import Finding, Severity
from tasklib.doctor.rules._rule import Rule, rule
from tasklib.doctor.rules.values import each_service
from tasklib.doctor.survey import Survey
from tasklib.errors import TasklibError

__all__: list[str] = []

_EXAMPLE = re.compile(r"[._-]?(?:example|sample|template|dist|defaults?)[._-]?")


@rule(
    "TL701",
    Severity.WARNING,
    "a file that git ignores and a stack needs",
    why="A fresh clone or worktree lacks it, and its stack cannot start.",
    fix="Commit an example, make the file optional (`required: false`), or list it in .worktreeinclude.",
)
def ignored_file(rule: Rule, survey: Survey) -> Iterator[Finding]:
    named = []
    for file, name, service in each_service(survey):
        entry = entries(service.value).get("env_file")
        nodes = [entry.value, *items(entry.value)] if entry else []
        for node in nodes:
            inner = entries(node)
            path = text_of(inner["path"].value) if "path" in inner else text_of(node)
            optional = "required" in inner and text_of(inner["required"].value) == "false"
            if path and "$" not in path and not optional:
                place = inner["path"].value if isinstance(node, yaml.MappingNode) else node
                named.append((file, name, place, (file.path.parent / path)))
    if not named:
        return
    checkout = find_checkout(survey.root)
    if checkout.git_dir is None:
        return
    paths = "\0".join(str(path) for _, _, _, path in named)
    try:
        found = git(checkout.root, "check-ignore", "-z", "--stdin", stdin=paths, check=False).stdout
    except TasklibError:
        return
    ignored = {part.strip("\n") for part in found.split("\0")}
    for file, name, node, wanted in named:
        if str(wanted) in ignored and not _has_example(wanted):
            what = f"{name} needs {text_of(node)}, which git ignores"
            yield rule.finding(file.document, node, what)


def _has_example(wanted: Path) -> bool:
    """Whether an example lies beside a file, or in its folder for all: ``.env.example``, ``example.env``."""
    try:
        names = [path.name for path in wanted.parent.iterdir()]
    except OSError:
        return False
    return any(
        (plain := _EXAMPLE.sub("", name)) != name and plain.strip(".") == wanted.name.strip(".")
        for name in names
    )
