"""PURE but for reading: all that a project's tests need, as its own files list it, whatever is locked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tasklib.pipeline.suites.folders import table
from tasklib.pipeline.suites.python import pipenv
from tasklib.pipeline.suites.python.manifest import Manifest, name_of, read_manifest
from tasklib.pipeline.suites.python.workspace import members

__all__ = ["listed"]


def listed(manifest: Manifest, root: Manifest | None) -> Iterator[str]:
    """The requirements, as pip takes them; one that begins with ``-e`` is a folder to install as it lies.

    ``root`` is the root of its uv workspace: other members are installed as they lie, and its groups are
    those of members that list nothing for tests themselves.
    """
    own = _Listing(manifest, root)
    hatch = manifest.hatch
    yield from own.itself({*manifest.test_extras, *(hatch.features if hatch else ())})
    for name in dict.fromkeys((*manifest.test_groups, *(hatch.groups if hatch else ()))):
        yield from own.lowered(manifest.groups.get(name, ()))
    if hatch:
        yield from own.lowered(hatch.requirements)
    if root and root.folder != manifest.folder and not manifest.says_what_tests_need:
        for name in root.test_groups:
            yield from _Listing(root, root).lowered(root.groups[name])
    elif root and not root.project:
        for member in members(root):
            yield from _Listing(read_manifest(member), root).itself(())


class _Listing:
    """A project's requirements with what only uv knows of them: where members and other sources are."""

    def __init__(self, manifest: Manifest, root: Manifest | None) -> None:
        self._manifest = manifest
        self._root = root
        self._sources = {
            name_of(name): (said.folder, source)
            for said in (root, manifest)
            if said
            for name, source in table(said.tool("uv"), "sources").items()
            if isinstance(source, dict)
        }

    def itself(self, extras: Iterable[str]) -> Iterator[str]:
        """The project with its extras: installed as it lies, or what it needs where it is not installed."""
        manifest, chosen = self._manifest, sorted(extras)
        if manifest.installable:
            yield f"-e {manifest.folder}{_bracketed(chosen)}"
            yield from self.lowered(pipenv.dependencies(manifest.pipfile))
            return
        yield from self.lowered(manifest.dependencies)
        for name in chosen:
            yield from self.lowered(manifest.extras.get(name, ()))

    def lowered(self, requirements: Iterable[str], seen: frozenset[str] = frozenset()) -> Iterator[str]:
        """``requirements`` with the places of what lies elsewhere; the project may be among them."""
        for one in requirements:
            name = name_of(one)
            if one.startswith("-e"):
                yield f"-e {self._manifest.folder / one[2:].strip()}"
            elif name and name == self._manifest.name:
                if one not in seen:
                    yield from self._of_itself(_extras(one), seen | {one})
            else:
                yield from self._sourced(one, *self._sources.get(name, (self._manifest.folder, {})))

    def _of_itself(self, extras: Iterable[str], seen: frozenset[str]) -> Iterator[str]:
        if self._manifest.installable:
            yield from self.itself(extras)
            return
        for extra in sorted(extras):
            yield from self.lowered(self._manifest.extras.get(extra, ()), seen)

    def _sourced(self, requirement: str, folder: Path, said: dict[str, Any]) -> Iterator[str]:
        """A requirement whose source ``said``, in the settings of ``folder``, tells where it is."""
        extras = _extras(requirement)
        name = f"{name_of(requirement)}{_bracketed(extras)}"
        _, _, where = requirement.partition(" @ ")
        if "path" in said:
            path = (folder / str(said["path"])).resolve()
            yield f"-e {path}" if said.get("editable") and path.is_dir() else f"{name} @ {path.as_uri()}"
        elif "git" in said:
            at = next((f"@{said[key]}" for key in ("rev", "tag", "branch") if said.get(key)), "")
            yield f"{name} @ git+{said['git']}{at}"
        elif "url" in said:
            yield f"{name} @ {said['url']}"
        elif said.get("workspace") and self._root:
            others = (read_manifest(member) for member in members(self._root))
            found = next((other for other in others if other.name == name_of(requirement)), None)
            yield from _Listing(found, self._root).itself(extras) if found else (requirement,)
        elif where and ":" not in where.partition(";")[0]:
            yield f"{name} @ {(folder / where.partition(';')[0].strip()).resolve().as_uri()}"
        else:
            yield requirement


def _bracketed(extras: Iterable[str]) -> str:
    listed = ",".join(sorted(extras))
    return f"[{listed}]" if listed else ""


def _extras(requirement: str) -> set[str]:
    _, found, rest = requirement.partition(";")[0].partition("[")
    return {part.strip() for part in rest.partition("]")[0].split(",") if part.strip()} if found else set()
