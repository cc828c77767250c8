"""PURE: the fixed host ports of a Compose file, the variables that change them, and who has them already."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml
from msgspec import Struct

from tasklib.stacks.engine.values import Publisher

__all__ = ["FixedPort", "conflicts", "fixed_ports", "port_variables"]

_VARIABLE = re.compile(r"\$(?:\{(?P<braced>[A-Za-z_]\w*)[^}]*\}|(?P<plain>[A-Za-z_]\w*))")
_ANY = ("", "0.0.0.0", "::")


class FixedPort(Struct, frozen=True):
    """A host port that a service publishes, and the variable that changes it ("": none does)."""

    service: str
    target: int
    port: int
    host: str = ""
    protocol: str = "tcp"
    variable: str = ""

    def meets(self, host: str, port: int, protocol: str) -> bool:
        """Whether that address is, or includes, this one."""
        return (port, protocol) == (self.port, self.protocol) and (
            host == self.host or host in _ANY or self.host in _ANY
        )


def fixed_ports(config: Mapping[str, Any], variables: Mapping[tuple[str, int], str]) -> tuple[FixedPort, ...]:
    """The fixed ports of a rendered config; ``variables`` as :func:`port_variables` finds them."""
    return tuple(
        FixedPort(
            service,
            int(port["target"]),
            int(port["published"]),
            str(port.get("host_ip") or ""),
            str(port.get("protocol") or "tcp"),
            variables.get((service, int(port["target"])), ""),
        )
        for service, row in (config.get("services") or {}).items()
        for port in row.get("ports") or ()
        # A range is any free port of it, an empty one any at all.
        if str(port.get("published") or "").isdigit() and int(port["published"])
    )


def conflicts(
    ports: Iterable[FixedPort], publishers: Iterable[Publisher], own: str
) -> tuple[tuple[FixedPort, Publisher], ...]:
    """The ports that containers of other projects than ``own`` publish, each with one that does."""
    others = [publisher for publisher in publishers if publisher.project != own]
    found = []
    for port in ports:
        taken = (p for p in others if port.meets(p.host, p.port, p.protocol))
        if first := next(taken, None):
            found.append((port, first))
    return tuple(found)


def port_variables(texts: Iterable[str]) -> dict[tuple[str, int], str]:
    """Which variable sets the host port of (service, container port), as Compose files are written.

    What cannot be parsed says nothing: Compose itself complains.
    """
    return {key: name for text in texts for key, name in _of_file(text)}


def _of_file(text: str) -> Iterator[tuple[tuple[str, int], str]]:
    try:
        data = yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return
    services = data.get("services") if isinstance(data, dict) else None
    for service, row in services.items() if isinstance(services, dict) else ():
        ports = row.get("ports") if isinstance(row, dict) else None
        for port in ports if isinstance(ports, list) else ():
            published, target = _halves(port)
            found = _VARIABLE.search(published)
            if found and target.isdigit():
                yield (str(service), int(target)), found["braced"] or found["plain"]


def _halves(port: object) -> tuple[str, str]:
    """The host port and the container port of one entry, as written: variables may hold colons too."""
    if isinstance(port, dict):
        return str(port.get("published") or ""), str(port.get("target") or "")
    names: list[str] = []

    def hold(found: re.Match[str]) -> str:
        names.append(found[0])
        return f"\0{len(names) - 1}\0"

    parts = _VARIABLE.sub(hold, str(port).partition("/")[0]).split(":")
    if len(parts) < 2:
        return "", ""
    host, target = (re.sub(r"\0(\d+)\0", lambda m: names[int(m[1])], part) for part in parts[-2:])
    default = re.fullmatch(r"\$\{\w+:?-(\d+)\}", target)
    return host, default[1] if default else target


class _Loader(yaml.SafeLoader):
    """Compose's own tags (``!reset``, ``!override``) are taken for the values that they stand before."""


def _plain(loader: _Loader, _: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return node.value


_Loader.add_multi_constructor("!", _plain)
