"""Ports that tests reach: any free one of loopback alone, or the container's own where none is published."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from tasklib.reach import HERE, Way
from tasklib.stacks.labels import PORTS
from tasklib.stacks.rewrite.draft import Draft

__all__ = ["free_ports", "port_variable", "reserved_ports"]

_RULE = "ports"
_RESERVED = re.compile(r"TASKLIB_PORT_[A-Za-z0-9_]+_[0-9]+")


def reserved_ports(texts: Iterable[str]) -> frozenset[str]:
    """The ``TASKLIB_PORT_<SERVICE>_<PORT>`` variables that Compose files as written mention."""
    return frozenset(name for text in texts for name in _RESERVED.findall(text))


def port_variable(service: str, target: int | str) -> str:
    """``("price-db", 5432)`` → ``TASKLIB_PORT_PRICE_DB_5432``."""
    return f"TASKLIB_PORT_{re.sub('[^A-Z0-9]', '_', service.upper())}_{target}"


def free_ports(draft: Draft) -> None:
    """Every published port becomes a free one on 127.0.0.1; ports kept free beforehand are taken.

    Where tests reach the containers themselves, nothing is published, and the container says which ports.
    """
    taken: set[tuple[int, str]] = set()
    for name, service in draft.services():
        path = ("services", name, "ports")
        _note_published(draft, name, service)
        if service.get("network_mode") or "provider" in service:
            draft.drop(path, _RULE, "ports are published by containers with a network of their own")
            continue
        if not draft.facts.reach.publishes:
            _unpublish(draft, name, service)
            continue
        ports = service.get("ports") or []
        kept: dict[tuple[Any, str], dict[str, Any]] = {}
        for index, port in enumerate(ports):
            new = _free(draft, name, port, taken)
            protocol = str(port.get("protocol") or "tcp")
            first = kept.setdefault((new.get("target"), protocol), new)
            if new is not first:
                draft.record(
                    (*path, index), port, None, _RULE, "one free port reaches the same container port"
                )
            elif new != port:
                draft.record((*path, index), port, new, _RULE, _why(draft, new, port))
        for target, why in sorted(_further(draft, name).items()):
            if (target, "tcp") not in kept:
                new = {"mode": "ingress", "target": target, "protocol": "tcp"}
                kept[target, "tcp"] = new = _free(draft, name, new, taken)
                draft.record((*path, len(kept) - 1), None, new, _RULE, why)
        if kept:
            service["ports"] = list(kept.values())


def _unpublish(draft: Draft, name: str, service: dict[str, Any]) -> None:
    wanted = dict.fromkeys(str((service.get("labels") or {}).get(PORTS, "")).split())
    for port in service.get("ports") or []:
        wanted[f"{port.get('target')}/{port.get('protocol') or 'tcp'}"] = None
    wanted |= dict.fromkeys(f"{target}/tcp" for target in sorted(_further(draft, name)))
    path = ("services", name)
    draft.drop((*path, "ports"), _RULE, "tests reach the container itself: nothing is published")
    udp = [port for port in wanted if port.endswith("/udp")]
    if udp and draft.facts.reach.way is Way.FORWARDED:
        draft.hint(name, "ports", f"ssh forwards TCP alone: tests do not get to {', '.join(udp)}", loud=True)
    if wanted:
        exposed = dict.fromkeys(map(str, service.get("expose") or ()))
        exposed |= dict.fromkeys(port.removesuffix("/tcp") for port in wanted)
        draft.put((*path, "expose"), list(exposed), _RULE, "the container listens there as before")
        draft.put((*path, "labels", PORTS), " ".join(wanted), _RULE, "this is where tests find it")


def _free(draft: Draft, name: str, port: dict[str, Any], taken: set[tuple[int, str]]) -> dict[str, Any]:
    new = {**port, "host_ip": draft.facts.reach.address}
    published = new.pop("published", None)
    reserved = _reserved(draft, name)
    number = reserved.get(str(port.get("target")))
    if number is None and published in {str(n) for n in reserved.values()}:
        number = int(published)
    protocol = str(port.get("protocol") or "tcp")
    if number is not None and (number, protocol) not in taken:
        taken.add((number, protocol))
        new["published"] = str(number)
    return new


def _further(draft: Draft, name: str) -> dict[int, str]:
    """The container ports to publish although the file does not, and why."""
    asked = dict.fromkeys(map(int, _reserved(draft, name)), "its number is asked for in the file")
    needed = () if name in draft.copies else draft.facts.publish.get(name, ())
    return dict.fromkeys(needed, "`publish` in [tool.tasklib] names it") | asked


def _reserved(draft: Draft, name: str) -> dict[str, int]:
    """Container port → the host port kept free for it; one container alone can have it."""
    if name in draft.copies:
        return {}
    start = port_variable(name, "")
    ports = draft.facts.ports.items()
    found = {variable.removeprefix(start): number for variable, number in ports if variable.startswith(start)}
    return {target: number for target, number in found.items() if target.isdigit()}


def _note_published(draft: Draft, name: str, service: dict[str, Any]) -> None:
    for port in service.get("ports") or []:
        first, _, last = str(port.get("published") or "").partition("-")
        if first.isdigit() and int(first) and (last or first).isdigit():
            reserved = {str(number) for number in draft.facts.ports.values()}
            for number in range(int(first), min(int(last or first), int(first) + 100) + 1):
                if str(number) not in reserved:
                    draft.published.setdefault(number, (name, port.get("target", number)))


def _why(draft: Draft, new: dict[str, Any], port: dict[str, Any]) -> str:
    address = draft.facts.reach.address
    where = "on loopback alone" if address == HERE.address else f"on {address}"
    if new.get("published") == port.get("published"):
        return f"ports are published {where}"
    if "published" in new:
        return "this port was kept free for it"
    return f"a fixed host port can be used once per machine; ports are published {where}"
