"""PURE: changed files and the facts about a project decide which services a change touches, and why.

A file that nothing is known to be made from touches everything: better a build too many than one too few.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from tasklib.changes.choices import Choice, Selection
from tasklib.changes.filenames import is_harmless, is_setup, may_be_of_images
from tasklib.project import Project, Service
from tasklib.stacks.images.context import BuildContext

__all__ = ["ComposeService", "Outside", "StackFacts", "select"]


class ComposeService(Struct, frozen=True):
    """One service of a Compose file: what on disk it is made from, and which others it waits for or its image
    stands on.

    ``service`` is the project's service that its image is built from, if any.
    """

    name: str
    service: str | None = None
    contexts: tuple[BuildContext, ...] = ()
    paths: tuple[Path, ...] = ()
    depends_on: tuple[str, ...] = ()

    def holds(self, path: Path) -> bool:
        return any(context.holds(path) for context in self.contexts) or _any(path, self.paths)


class StackFacts(Struct, frozen=True):
    """What one stack is made from. ``owner`` is the service whose own it is, ``None`` for the full stack.

    ``files`` are all the Compose files read; ``unreadable`` says why nothing more is known.
    """

    owner: str | None
    files: tuple[Path, ...]
    services: tuple[ComposeService, ...] = ()
    unreadable: str = ""


class Outside(Struct, frozen=True):
    """What lies outside of each service's folder and is part of it.

    ``needed`` is what its manifests, the workspaces around it and its links lead to; ``mentioned`` what any
    of its texts names. The latter is found by its form, which another service may not use for the same
    folder: it tells that a service is in, never that others are not.
    """

    needed: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    mentioned: Mapping[str, Sequence[Path]] = field(default_factory=dict)


class _Places(Struct, frozen=True):
    """Where a service and what it depends on lie, as named and behind links."""

    own: tuple[Path, ...]
    depends: tuple[Path, ...]

    @classmethod
    def of(cls, service: Service) -> _Places:
        depends = (*service.depends, *(folder.resolve() for folder in service.depends))
        return cls((service.path, service.path.resolve()), depends)


class _Reasons(Struct):
    """Why each service is in, so far; ``all`` are reasons that every service shares."""

    by_service: dict[str, dict[str, None]] = field(default_factory=dict)
    all: dict[str, None] = field(default_factory=dict)
    suite: dict[str, None] = field(default_factory=dict)

    def add(self, service: str, why: str) -> None:
        self.by_service.setdefault(service, {})[why] = None


def select(
    project: Project,
    stacks: Sequence[StackFacts],
    changed: Sequence[Path],
    outside: Outside | None = None,
    *,
    checkouts: Collection[Path] = (),
) -> Selection:
    """Which services the files ``changed`` (absolute) touch; ``checkouts`` are those that are no files.

    A service is in when a changed file lies in its folder, in a folder it ``depends`` on, in what it is made
    from ``outside``, is built into or mounted by its own stack, or is built into or mounted by a Compose
    service of the full stack that it is or waits for. Shared set-up (lock files, pyproject.toml, conftest.py)
    touches all services below its folder, whoever else uses it; Compose files of the full stack and files of
    no known use touch all.
    """
    outside = outside or Outside()
    reasons = _Reasons()
    started: dict[tuple[int, str], str] = {}
    places = {service.name: _Places.of(service) for service in project.services}
    for path in changed:
        name = _name(project, path)
        known = _own(project, places, path, name, outside, reasons)
        for number, stack in enumerate(stacks):
            known |= _in_stack(project, stack, number, path, name, reasons, started)
        known |= _as_setup(project, path, name, reasons)
        if not known and path not in checkouts:
            _of_no_service(project, path, name, reasons)
    _spread(stacks, started, reasons)
    return _selection(project, reasons, len(changed))


def _own(
    project: Project,
    places: Mapping[str, _Places],
    path: Path,
    name: str,
    outside: Outside,
    reasons: _Reasons,
) -> bool:
    """Note services whose folder, ``depends`` or further paths hold ``path``; whether that is all."""
    known = False
    for service in project.services:
        if _any(path, places[service.name].own) and not _beside(project, service, name):
            reasons.add(service.name, f"{name} changed")
        elif _any(path, places[service.name].depends):
            reasons.add(service.name, f"{name} changed, which it depends on")
        elif _any(path, outside.needed.get(service.name, ())):
            reasons.add(service.name, f"{name} changed, which its own files name")
        else:
            if _any(path, outside.mentioned.get(service.name, ())):
                reasons.add(service.name, f"{name} changed, which its own files name")
            continue
        known = True
    return known


def _beside(project: Project, service: Service, name: str) -> bool:
    """Whether a file is harmless although it lies in the service's folder: that is the whole project."""
    return service.path == project.root and is_harmless(name)


def _in_stack(
    project: Project,
    stack: StackFacts,
    number: int,
    path: Path,
    name: str,
    reasons: _Reasons,
    started: dict[tuple[int, str], str],
) -> bool:
    """Note what ``path`` means to a stack; whether it means anything."""
    if path in stack.files:
        if stack.owner is None:
            reasons.all[f"{name} changed, which the full stack is made from"] = None
        elif f"{name} changed" not in reasons.by_service.get(stack.owner, {}):
            reasons.add(stack.owner, f"{name} changed, which its stack is made from")
        return True
    if stack.unreadable:
        why = f"{name} changed, and {stack.unreadable}"
        if stack.owner is None:
            reasons.all[why] = None
        else:
            reasons.add(stack.owner, why)
        return False
    known = False
    for compose in stack.services:
        if not compose.holds(path):
            continue
        known = True
        if stack.owner is not None:
            used = (
                "it is built from" if compose.service == stack.owner else f"{compose.name} of its stack uses"
            )
            if not any(why.startswith(f"{name} changed") for why in reasons.by_service.get(stack.owner, {})):
                reasons.add(stack.owner, f"{name} changed, which {used}")
        else:
            started.setdefault((number, compose.name), f"{name} changed")
            reasons.suite[f"{name} changed, which {compose.name} of the full stack uses"] = None
    return known


def _as_setup(project: Project, path: Path, name: str, reasons: _Reasons) -> bool:
    """Note the services below the folder of a set-up file; all where the whole project is below it."""
    if not is_setup(path, project.root):
        return False
    why = f"{name} changed, which every service below it depends on"
    if project.root.is_relative_to(path.parent):
        reasons.all[f"{name} changed, which every service depends on"] = None
        return True
    below = [s for s in project.services if s.path != path.parent and s.path.is_relative_to(path.parent)]
    for service in below:
        reasons.add(service.name, why)
    return bool(below)


def _of_no_service(project: Project, path: Path, name: str, reasons: _Reasons) -> None:
    """Judge a file that nothing is known to be made from."""
    own = [place for tests in (project.unit, project.integration) if tests for place in tests.paths]
    if any(path.is_relative_to(place) for place in own):
        reasons.suite[f"{name} changed"] = None
    elif is_harmless(name) and not may_be_of_images(path, project.root):
        return
    elif may_be_of_images(path, project.root):
        reasons.all[f"{name} changed, which every service depends on"] = None
    elif path.is_relative_to(project.root):
        reasons.all[f"{name} changed, and nothing says who uses it"] = None


def _spread(stacks: Sequence[StackFacts], started: dict[tuple[int, str], str], reasons: _Reasons) -> None:
    """Follow what is touched to what waits for it, through ``depends_on`` of the full stack, and to the
    services whose own stacks run it."""
    while True:
        before = len(reasons.by_service)
        for number, stack in enumerate(stacks):
            if stack.owner is None:
                _wait_for(stack, {name: why for (of, name), why in started.items() if of == number}, reasons)
            elif stack.owner not in reasons.by_service:
                for compose in stack.services:
                    if compose.service in reasons.by_service:
                        reasons.add(stack.owner, f"{compose.service} is in, which its stack runs")
                        break
        if len(reasons.by_service) == before:
            return


def _wait_for(stack: StackFacts, why: dict[str, str], reasons: _Reasons) -> None:
    """Note the services of the full stack that are touched (``why``), are in, or wait for such a one."""
    for compose in stack.services:
        if compose.service in reasons.by_service:
            why.setdefault(compose.name, f"{compose.service} is in")
    before = -1
    while before != len(why):
        before = len(why)
        for compose in stack.services:
            for needed in compose.depends_on:
                if needed in why and compose.name not in why:
                    why[compose.name] = f"it waits for {needed} in the full stack"
    for compose in stack.services:
        if compose.service and compose.name in why and compose.service not in reasons.by_service:
            reasons.add(compose.service, why[compose.name])


def _selection(project: Project, reasons: _Reasons, count: int) -> Selection:
    nothing = f"none of {count} changed files is its own" if count > 1 else "the changed file is not its own"
    out = (nothing if count else "nothing changed",)
    services = []
    for service in project.services:
        found = (*reasons.by_service.get(service.name, {}), *reasons.all)
        services.append(Choice(service.name, bool(found), found or out))
    touched = [choice.name for choice in services if choice.selected]
    suite = (*reasons.all, *reasons.suite, *([f"{', '.join(touched)} changed"] if touched else []))
    own = Choice(project.suite, bool(suite), suite or out) if project.unit or project.integration else None
    return Selection(tuple(services), own)


def _any(path: Path, folders: Iterable[Path]) -> bool:
    """Whether ``path`` is one of ``folders`` or in one, or holds one (a changed submodule is one path)."""
    # As text: a change may be of many thousand files.
    name = f"{path}/"
    return any(name.startswith(folder := f"{f}/") or folder.startswith(name) for f in folders)


def _name(project: Project, path: Path) -> str:
    """``path`` as a reader of the project calls it."""
    try:
        return path.relative_to(project.root).as_posix()
    except ValueError:
        return str(path)
