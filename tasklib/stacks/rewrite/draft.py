"""The working copy that the rules change one after another, and the record of what they did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from tasklib.isolation import Instance, project_name, resource_name
from tasklib.stacks.dollars import plain
from tasklib.stacks.labels import labels
from tasklib.stacks.rewrite.model import Change, CopyIn, Facts, Hint, Problem

__all__ = ["Draft", "Path", "build_arguments", "dockerfile_of", "show"]

Path = tuple[str | int, ...]


class Draft:
    """One config on its way to being isolated.

    ``config`` is the working copy in long form. ``copies`` maps the key of every further replica to the key
    of its service, ``containers`` the container names the file uses to the keys of their services,
    ``default_containers`` those of them that Compose gives, ``moved`` old static addresses to new ones,
    ``moved_subnets`` old subnets as written to new ones, ``renamed`` old names of networks to new ones,
    ``renamed_volumes`` those that Compose gives to volumes, and ``published`` the file's fixed host ports to
    (service, container port).
    """

    def __init__(self, config: dict[str, Any], instance: Instance, stack: str | None, facts: Facts) -> None:
        self.config = config
        self.instance = instance
        self.stack = stack
        self.facts = facts
        self.project = project_name(instance, stack)
        self.labels = labels(instance, stack)
        self.copies: dict[str, str] = {}
        self.containers: dict[str, str] = {}
        self.default_containers: dict[str, str] = {}
        self.moved: dict[str, str] = {}
        self.moved_subnets: dict[str, str] = {}
        self.renamed: dict[str, str] = {}
        self.renamed_volumes: dict[str, str] = {}
        self.published: dict[int, tuple[str, int]] = {}
        self.changes: list[Change] = []
        self.problems: list[Problem] = []
        self.hints: list[Hint] = []
        self.copies_in: list[CopyIn] = []

    def services(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from list(self.config["services"].items())

    def section(self, name: str) -> dict[str, dict[str, Any]]:
        """A top-level section (``networks``, ``volumes``, …), created where missing only when filled."""
        found: dict[str, dict[str, Any]] = self.config.get(name) or {}
        return found

    def name(self, key: str) -> str:
        return resource_name(self.project, key)

    def owned(self, part: dict[str, Any]) -> bool:
        """Whether ``part`` (a service, network or volume) was isolated for this stack before."""
        have = part.get("labels")
        return isinstance(have, dict) and all(have.get(key) == value for key, value in self.labels.items())

    def is_isolated(self) -> bool:
        """Whether the whole config was isolated for this stack before."""
        services = list(self.config["services"].values())
        return bool(self.config.get("name") == self.project and any(map(self.owned, services)))

    def put(self, path: Path, value: Any, rule: str, why: str) -> None:
        """Set the value at ``path``, making the mappings on the way, and record it if it is another one."""
        *parents, last = path
        holder: Any = self.config
        for step in parents:
            if isinstance(step, str) and holder.get(step) is None:
                holder[step] = {}
            holder = holder[step]
        before = holder.get(last) if isinstance(holder, dict) else holder[last]
        holder[last] = value
        if before != value:
            self.record(path, before, value, rule, why)

    def drop(self, path: Path, rule: str, why: str) -> None:
        """Remove the key at ``path`` if it is there, and record it."""
        *parents, last = path
        holder: Any = self.config
        for step in parents:
            if isinstance(step, str) and holder.get(step) is None:
                return
            holder = holder[step]
        if last in holder:
            before = holder.pop(last)
            if before not in (None, {}, []):
                self.record(path, before, None, rule, why)

    def record(self, path: Path, before: Any, after: Any, rule: str, why: str) -> None:
        # Copies: rules go on changing the values that are recorded here.
        self.changes.append(Change(rule, show(path), deepcopy(before), deepcopy(after), why))

    def problem(self, path: Path, what: str, remedy: str) -> None:
        self.problems.append(Problem(show(path), what, remedy))

    def hint(self, service: str, variable: str, what: str, *, loud: bool = False) -> None:
        found = Hint(service, variable, what, loud)
        if found not in self.hints:
            self.hints.append(found)


def show(path: Path) -> str:
    """``("services", "api", "ports", 0)`` → ``services.api.ports[0]``."""
    shown = ""
    for step in path:
        if isinstance(step, int):
            shown += f"[{step}]"
        else:
            shown += f".{step}" if shown else step
    return shown


def dockerfile_of(draft: Draft, name: str) -> str:
    """The Dockerfile of a service as its builder reads it; "" where unknown."""
    inline = draft.config["services"][name]["build"].get("dockerfile_inline")
    return draft.facts.dockerfiles.get(name, "") if inline is None else plain(inline)


def build_arguments(build: Mapping[str, Any]) -> dict[str, str]:
    """The arguments of a build that have a value, as its builder reads them."""
    return {key: plain(value) for key, value in (build.get("args") or {}).items() if value is not None}
