"""PURE: the difference between a rendered and an isolated config, as a Compose override file.

For people who type ``docker compose`` themselves: their files plus this one are the isolated stack. Only what
the isolation changed is in it, so no environment and no secret of a service ever is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tasklib.stacks.rewrite.text import as_text

__all__ = ["override_file"]

_SECTIONS = ("services", "networks", "volumes", "configs", "secrets")


def override_file(rendered: Mapping[str, Any], isolated: Mapping[str, Any]) -> str:
    """A YAML file that turns ``rendered`` into ``isolated`` when Compose merges it last (2.24 and newer).

    Services that exist in ``isolated`` alone (the copies that stand for replicas) are left out: they would
    need a whole definition, environment included. Values keep Compose's ``$$``, which is read again.
    """
    lines = ["# Written by tasklib for plain `docker compose` in this instance; made anew by `infra.env`."]
    services = _known_services(rendered, isolated)
    mounted = {mount.get("source") for s in services.values() for mount in s.get("volumes") or ()}
    for section in _SECTIONS:
        before: Mapping[str, Any] = rendered.get(section) or {}
        after: Mapping[str, Any] = services if section == "services" else isolated.get(section) or {}
        known = {k: v for k, v in after.items() if k in before or section != "volumes" or k in mounted}
        entries = list(_changed({key: before.get(key) for key in known}, known, "  "))
        if entries:
            lines += [f"{section}:", *entries]
    return "\n".join(lines) + "\n"


def _known_services(rendered: Mapping[str, Any], isolated: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The services of both configs, with dependencies on each other alone."""
    names = set(rendered["services"])
    known = {}
    for name, service in isolated["services"].items():
        if name in names:
            known[name] = dict(service)
            if isinstance(needed := service.get("depends_on"), Mapping):
                known[name]["depends_on"] = {key: value for key, value in needed.items() if key in names}
    return known


def _changed(before: Mapping[str, Any], after: Mapping[str, Any], indent: str) -> Iterator[str]:
    """The keys of ``after`` that differ, down to the smallest mapping that does."""
    for key, new in after.items():
        old = before.get(key)
        name = f"{indent}{json.dumps(key)}:"
        if new == old:
            continue
        if new and isinstance(new, Mapping) and isinstance(old, Mapping | None):
            yield name
            yield from _changed(old or {}, new, indent + "  ")
        else:
            # JSON is YAML; the tag replaces what merging would append to.
            yield f"{name} {'!override ' if isinstance(new, list | dict) else ''}{as_text(new)}"
    for key in before:
        if key not in after and before[key] is not None:
            yield f"{indent}{json.dumps(key)}: !reset null"
