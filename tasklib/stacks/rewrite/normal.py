"""Short forms become long ones, so that every rule knows one form.

``docker compose config`` prints the long forms already; this makes the rules independent of what one release
of Compose happens to leave short.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from tasklib.stacks.dollars import plain

__all__ = ["long_form", "plain_keys"]


def long_form(config: Mapping[str, Any]) -> dict[str, Any]:
    """A deep copy of ``config`` with every short form that a rule reads spelled out."""
    copy: dict[str, Any] = deepcopy({key: value for key, value in config.items() if key != "version"})
    services = copy.get("services") or {}
    copy["services"] = {str(key): _service(dict(value or {})) for key, value in services.items()}
    for section in ("networks", "volumes", "configs", "secrets"):
        if copy.get(section) is not None:
            copy[section] = {str(key): _resource(value) for key, value in copy[section].items()}
    return copy


def plain_keys(value: Any) -> Any:
    """``value`` with ``$$`` as ``$`` in the keys of its mappings.

    Rendering doubles every ``$``, but only values are read with ``$$`` for ``$`` again.
    """
    if isinstance(value, dict):
        return {plain(key): plain_keys(part) for key, part in value.items()}
    return [plain_keys(part) for part in value] if isinstance(value, list) else value


def _resource(value: Any) -> dict[str, Any]:
    resource: dict[str, Any] = dict(value or {})
    if isinstance(resource.get("external"), dict):  # the form of the old file versions
        resource["name"] = resource["external"].get("name") or resource.get("name")
        resource["external"] = True
    if resource.get("labels") is not None:
        resource["labels"] = _mapping(resource["labels"])
    return resource


def _service(service: dict[str, Any]) -> dict[str, Any]:
    # `command: null` takes the image's; elsewhere nothing is as good as absent.
    service = {key: value for key, value in service.items() if value is not None or key in _NULLABLE}
    for key in ("environment", "labels"):
        if service.get(key) is not None:
            service[key] = _mapping(service[key])
    if service.get("ports") is not None:
        service["ports"] = [port for entry in service["ports"] for port in _ports(entry)]
    if service.get("volumes") is not None:
        service["volumes"] = [_volume(entry) for entry in service["volumes"]]
    if isinstance(service.get("networks"), list):
        service["networks"] = dict.fromkeys(service["networks"])
    if isinstance(service.get("depends_on"), list):
        condition = {"condition": "service_started", "required": True}
        service["depends_on"] = {key: dict(condition) for key in service["depends_on"]}
    if isinstance(service.get("build"), str):
        service["build"] = {"context": service["build"]}
    build = service.get("build")
    if isinstance(build, dict) and isinstance(build.get("args"), list):
        build["args"] = _mapping(build["args"])
    if isinstance(build, dict) and isinstance(build.get("additional_contexts"), list):
        build["additional_contexts"] = _mapping(build["additional_contexts"])
    for key in ("tmpfs", "dns"):
        if isinstance(service.get(key), str):
            service[key] = [service[key]]
    if isinstance(service.get("extra_hosts"), dict):
        hosts = service["extra_hosts"].items()
        service["extra_hosts"] = [
            f"{host}={address}"
            for host, found in hosts
            for address in ([found] if isinstance(found, str) else found)
        ]
    if not service.get("networks") and not service.get("network_mode"):
        # What Compose itself takes for granted. (A `provider` is no container and has no network.)
        service.pop("networks", None)
        if "provider" not in service:
            service["networks"] = {"default": None}
    return service


def _mapping(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    pairs = (str(entry).partition("=") for entry in value)
    return {key: (text if equals else None) for key, equals, text in pairs}


_NULLABLE = ("command", "entrypoint")

_PORT = re.compile(
    r"(?:(?P<ip>\[[^\]]*\]|[0-9.]+):)??(?:(?P<published>[0-9]*(?:-[0-9]+)?):)?"
    r"(?P<target>[0-9]+(?:-[0-9]+)?)(?:/(?P<protocol>[a-z]+))?",
    re.IGNORECASE,
)


def _ports(entry: Any) -> list[dict[str, Any]]:
    if isinstance(entry, Mapping):
        port = dict(entry)
        if port.get("published") is not None:
            port["published"] = str(port["published"])
        if isinstance(port.get("target"), str) and port["target"].isdigit():
            port["target"] = int(port["target"])
        return [port]
    found = _PORT.fullmatch(str(entry))
    if found is None:
        return [{"target": entry}]  # Compose will say what is wrong with it.
    targets, published = _range(found["target"]), found["published"]
    if published and len(_range(published)) == len(targets) > 1:
        hosts: list[str | None] = [str(port) for port in _range(published)]
    else:
        hosts = [published or None] * len(targets)
    ports = []
    for target, host in zip(targets, hosts, strict=True):
        port = {"mode": "ingress", "target": target, "protocol": (found["protocol"] or "tcp").lower()}
        if host:
            port["published"] = host
        if found["ip"]:
            port["host_ip"] = found["ip"].strip("[]")
        ports.append(port)
    return ports


def _range(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _volume(entry: Any) -> dict[str, Any]:
    if isinstance(entry, Mapping):
        return dict(entry)
    source, target, mode = [*str(entry).split(":"), "", ""][:3]
    if not target:
        return {"type": "volume", "target": source}
    bind = source.startswith((".", "/", "~"))
    volume: dict[str, Any] = {"type": "bind" if bind else "volume", "source": source, "target": target}
    if "ro" in mode.split(","):
        volume["read_only"] = True
    return volume
