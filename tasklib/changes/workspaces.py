"""Members of workspaces (uv, npm and its like, Cargo, Go) that a folder needs by name, without a path."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

from tasklib.changes.disk import sees
from tasklib.stacks.images.context import read_text

__all__ = ["needed_members"]

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_GO_REQUIRED = re.compile(r"(?m)^\s*(?:require\s+)?(\S+)\s+v\d")
_GO_MODULE = re.compile(r"(?m)^\s*module\s+(\S+)")
_GO_USED = re.compile(r"(?m)^\s*(?:use\s+)?(\.\.?(?:/\S*)?)\s*$")
_NAMED_LIKE = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")


class _Kind(Struct, frozen=True):
    """One kind of workspace.

    ``manifest`` is the file of a member, ``root`` that of the whole; ``members`` reads the patterns of the
    members' folders from the latter, ``reads`` a member's name and the names it needs from the former.
    """

    manifest: str
    root: str
    members: Callable[[str], Iterable[str]]
    reads: Callable[[str], tuple[str, set[str]]]


def needed_members(folder: Path) -> Iterator[Path]:
    """The members of the workspaces around ``folder`` that its own manifests need by name.

    A manifest that cannot be read names nothing: whatever installs from it says so.
    """
    for kind in _KINDS:
        text = read_text(folder / kind.manifest)
        if text is None:
            continue
        _, needed = kind.reads(text)
        for root in _around(folder):
            for member in _members(root, kind):
                if member != folder and kind.reads(read_text(member / kind.manifest) or "")[0] in needed:
                    yield member


def _around(folder: Path) -> Iterator[Path]:
    """``folder`` and those above it up to the checkout's."""
    for place in (folder, *folder.parents):
        yield place
        if sees((place / ".git").exists):
            return


def _members(root: Path, kind: _Kind) -> Iterator[Path]:
    for pattern in kind.members(read_text(root / kind.root) or ""):
        plain = pattern.removeprefix("./").strip("/")
        if not plain or plain.startswith(("!", "..")) or Path(plain).is_absolute():
            continue
        try:
            found = sorted(root.glob(plain))
        except ValueError:  # A pattern of a kind that this Python does not know: `a**b` before 3.13.
            continue
        yield from (path for path in found if "node_modules" not in path.parts and sees(path.is_dir))


def _toml(text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def _json(text: str) -> Mapping[str, Any]:
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _table(data: object, *keys: str) -> Mapping[str, Any]:
    """The table behind ``keys``, empty where there is none."""
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _python_name(name: object) -> str:
    return re.sub(r"[-_.]+", "-", str(name)).lower()


def _python(text: str) -> tuple[str, set[str]]:
    data = _toml(text)
    project = _table(data, "project")
    listed = _texts(project.get("dependencies"))
    for table in (_table(project, "optional-dependencies"), _table(data, "dependency-groups")):
        listed += [requirement for value in table.values() for requirement in _texts(value)]
    listed += [*_texts(_table(data, "build-system").get("requires")), *_table(data, "tool", "uv", "sources")]
    names = {_python_name(found[1]) for requirement in listed if (found := _REQUIREMENT.match(requirement))}
    return _python_name(project.get("name", "")), names


def _node(text: str) -> tuple[str, set[str]]:
    data = _json(text)
    return str(data.get("name", "")), {name for key in _NAMED_LIKE for name in _table(data, key)}


def _node_members(text: str) -> list[str]:
    listed = _json(text).get("workspaces")
    return _texts(listed.get("packages") if isinstance(listed, dict) else listed)


def _pnpm_members(text: str) -> list[str]:
    try:
        return _texts(_table(yaml.safe_load(text)).get("packages"))
    except (yaml.YAMLError, RecursionError):
        return []


def _cargo(text: str) -> tuple[str, set[str]]:
    data = _toml(text)
    tables = [data, *(table for table in _table(data, "target").values() if isinstance(table, Mapping))]
    kinds = ("dependencies", "dev-dependencies", "build-dependencies")
    names = set()
    for table in tables:
        for kind in kinds:
            for name, entry in _table(table, kind).items():
                names.add(str(_table(entry).get("package", name)))
    return str(_table(data, "package").get("name", "")), names


def _go(text: str) -> tuple[str, set[str]]:
    found = _GO_MODULE.search(text)
    return found[1] if found else "", set(_GO_REQUIRED.findall(text))


def _uv_members(text: str) -> list[str]:
    return _texts(_table(_toml(text), "tool", "uv", "workspace").get("members"))


def _cargo_members(text: str) -> list[str]:
    workspace = _table(_toml(text), "workspace")
    paths = [_table(entry).get("path") for entry in _table(workspace, "dependencies").values()]
    return [*_texts(workspace.get("members")), *_texts(paths)]


_KINDS = (
    _Kind("pyproject.toml", "pyproject.toml", _uv_members, _python),
    _Kind("package.json", "package.json", _node_members, _node),
    _Kind("package.json", "pnpm-workspace.yaml", _pnpm_members, _node),
    _Kind("Cargo.toml", "Cargo.toml", _cargo_members, _cargo),
    _Kind("go.mod", "go.work", _GO_USED.findall, _go),
)
