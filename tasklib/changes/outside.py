"""What lies outside a service's folder and is part of it, read from its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

from tasklib.changes.disk import sees
from tasklib.changes.links import linked
from tasklib.changes.mentioned import Mentions
from tasklib.changes.selection import Outside
from tasklib.changes.workspaces import needed_members
from tasklib.project import Project

__all__ = ["outside"]

_Reads = Callable[[Path], Sequence[Path]]


def outside(project: Project, changed: Sequence[Path]) -> Outside:
    """What services are made from outside of their folders, as far as files ``changed`` out there ask for it.

    What these need in turn counts too. Folders that hold the service itself (a workspace's root) are none.
    """
    needed: dict[str, tuple[Path, ...]] = {}
    mentioned: dict[str, tuple[Path, ...]] = {}
    texts: dict[str, Mentions] = {}
    readers = cache(_readers)
    for service in project.services:
        if all(path.is_relative_to(service.path) for path in changed):
            continue
        around = (place for place in (service.path, *service.path.parents) if sees((place / ".git").exists))
        top = next(around, service.path.parent)
        texts[service.name], needs, mentions = readers(top)
        needed[service.name] = tuple(_reached(service.path, top, needs))
        mentioned[service.name] = tuple(_reached(service.path, top, mentions))
    # What one needs is of known use: whoever means it in a form that is not read would be left out.
    known = dict.fromkeys(p for paths in needed.values() for p in paths if _holds(p, changed))
    for service in project.services:
        if service.name in texts:
            others = [path for path in known if path not in mentioned[service.name]]
            meant = tuple(path for path in others if texts[service.name].say(service.path, path.name))
            mentioned[service.name] += meant
    return Outside(needed, mentioned)


def _holds(path: Path, changed: Sequence[Path]) -> bool:
    return any(file.is_relative_to(path) for file in changed)


def _readers(top: Path) -> tuple[Mentions, _Reads, _Reads]:
    """The texts, what tells of a folder what it needs, and what in addition it mentions; once for each."""
    texts = Mentions(top)

    @cache
    def needs(folder: Path) -> tuple[Path, ...]:
        return (*texts.of_manifests(folder), *needed_members(folder), *linked(folder))

    return texts, needs, lambda folder: (*needs(folder), *texts.of(folder))


def _reached(start: Path, top: Path, reads: _Reads) -> Iterator[Path]:
    """What the folder ``start`` and what it needs lead to, outside of it."""
    found: set[Path] = set()
    waiting = [start]
    while waiting:
        for path in reads(waiting.pop()):
            if path in found or start.is_relative_to(path) or path.is_relative_to(start):
                continue
            found.add(path)
            yield path
            if path.is_relative_to(top) and sees(path.is_dir):
                waiting.append(path)
