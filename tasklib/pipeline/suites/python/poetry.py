"""PURE: what Poetry's own tables say, as pip takes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tasklib.pipeline.suites.folders import table

__all__ = ["dependencies", "extras", "groups", "optional_groups", "python", "versions"]

_PART = re.compile(r"(\^|~=|~|===?|!=|>=|<=|>|<)?\s*v?([0-9][^\s,]*|\*)")


def dependencies(data: Mapping[str, Any]) -> tuple[str, ...]:
    """What the project needs to run, but for what is optional."""
    return tuple(_requirements(table(_own(data), "dependencies"), optional=False))


def python(data: Mapping[str, Any]) -> str:
    """The Python versions that it admits, as pip writes them."""
    return versions(str(table(_own(data), "dependencies").get("python", "")))


def extras(data: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """The extras, each as the requirements that it adds."""
    listed = table(_own(data), "dependencies")
    return {
        name: tuple(_requirements({entry: listed[entry] for entry in entries if entry in listed}))
        for name, entries in table(_own(data), "extras").items()
        if isinstance(entries, list)
    }


def groups(data: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """The groups, the old way of writing that of development included."""
    listed = {name: table(group, "dependencies") for name, group in _groups(data).items()}
    found = {name: tuple(_requirements(entries)) for name, entries in listed.items()}
    old = tuple(_requirements(table(_own(data), "dev-dependencies")))
    return {**found, "dev": (*found.get("dev", ()), *old)} if old else found


def optional_groups(data: Mapping[str, Any]) -> frozenset[str]:
    """The groups that Poetry installs only where it is told to."""
    return frozenset(name for name, group in _groups(data).items() if group.get("optional"))


def versions(constraint: str) -> str:
    """Poetry's way of saying which versions, as pip says it: ``^1.2`` is ``>=1.2,<2``.

    >>> versions("^0.3.1"), versions("~2.1"), versions("1.4.*"), versions("*"), versions("2.0")
    ('>=0.3.1,<0.4', '>=2.1,<2.2', '==1.4.*', '', '==2.0')
    """
    if "|" in constraint:
        return ""  # pip has no way of saying "one or the other": the newest is as good a guess as any.
    return ",".join(filter(None, (_range(*found.groups()) for found in _PART.finditer(constraint))))


def _range(sign: str | None, version: str) -> str:
    if version == "*":
        return ""
    if sign not in ("^", "~"):
        return f"{sign or '=='}{version}"
    release = re.match(r"[0-9]+(\.[0-9]+)*", version)
    numbers = [int(part) for part in release[0].split(".")] if release else [0]
    if sign == "~":
        fixed = min(2, len(numbers))
    else:  # The first number that is not zero may not change, or the last of them.
        fixed = next((at + 1 for at, number in enumerate(numbers) if number), len(numbers))
    upper = [*numbers[: fixed - 1], numbers[fixed - 1] + 1]
    return f">={version},<{'.'.join(map(str, upper))}"


def _requirements(listed: Mapping[str, Any], *, optional: bool = True) -> Iterator[str]:
    for name, said in listed.items():
        if name.lower() == "python":
            continue
        for one in said if isinstance(said, list) else [said]:
            entry = {"version": one} if isinstance(one, str) else one
            if isinstance(entry, dict) and (optional or not entry.get("optional")):
                yield _requirement(name, entry)


def _requirement(name: str, said: Mapping[str, Any]) -> str:
    if path := said.get("path"):
        return f"-e {path}" if said.get("develop") else f"{name} @ {path}"
    listed = said.get("extras")
    chosen = f"[{','.join(map(str, listed))}]" if isinstance(listed, list) and listed else ""
    markers = [str(said["markers"])] if said.get("markers") else []
    for part in filter(None, versions(str(said.get("python", ""))).split(",")):
        sign, number = part.rstrip("0123456789.*"), part.lstrip("<>=!~")
        markers.append(f"python_version {sign} '{number}'")
    only = f" ; {' and '.join(f'({marker})' for marker in markers)}" if markers else ""
    if git := said.get("git"):
        at = next((f"@{said[key]}" for key in ("rev", "tag", "branch") if said.get(key)), "")
        below = f"#subdirectory={said['subdirectory']}" if said.get("subdirectory") else ""
        return f"{name}{chosen} @ git+{git}{at}{below}{only}"
    if url := said.get("url"):
        return f"{name}{chosen} @ {url}{only}"
    return f"{name}{chosen}{versions(str(said.get('version', '')))}{only}"


def _groups(data: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    listed = table(_own(data), "group")
    return {name: table(listed, name) for name in listed}


def _own(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return table(table(data, "tool"), "poetry")
