"""PURE: Compose files for what has none: containers of CI alone, tests that start by another entry point."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Sequence

from tasklib.adopt.evidence import ServiceContainer
from tasklib.adopt.proposal import Reason
from tasklib.adopt.usages import Usage
from tasklib.stacks.servers import known_server

__all__ = ["tests_service", "written_stack"]


def written_stack(containers: Sequence[ServiceContainer]) -> tuple[str, tuple[Reason, ...]]:
    """A Compose file of the containers that a CI job starts beside itself."""
    lines = ["services:"]
    reasons = []
    for container in containers:
        lines += [f"  {container.name}:", f"    image: {container.image}"]
        if container.env:
            lines.append("    environment:")
            lines += [f"      {name}: {json.dumps(value)}" for name, value in container.env.items()]
        ports = [port.split("/")[0].rpartition(":")[2] for port in container.ports]
        server = known_server(container.image)
        ports = ports or ([str(server.port)] if server else [])
        if ports:
            lines.append(f"    ports: [{', '.join(json.dumps(port) for port in ports)}]")
        if container.health:
            lines += ["    healthcheck:", f"      test: {json.dumps(container.health)}", "      interval: 5s"]
        reasons.append(
            Reason(
                f"  {container.name}:",
                "CI starts it beside the job, and nobody else does",
                (container.place,),
            )
        )
    return "\n".join(lines) + "\n", tuple(reasons)


def tests_service(usage: Usage) -> tuple[str, tuple[Reason, ...]]:
    """A Compose file, beside those of ``usage``, with a service that starts by its tests' program."""
    base = posixpath.basename(usage.stack.files[0]) if usage.stack else "docker-compose.yml"
    lines = [
        "services:",
        "  tests:",
        "    extends:",
        f"      file: {base}",
        f"      service: {usage.inside}",
        "    entrypoint: []",
        "    ports: !reset []",
    ]
    why = f"{usage.inside} starts by its own entry point, the tests by `{usage.words[0]}`"
    return "\n".join(lines) + "\n", (Reason(lines[5], why, (usage.place,)),)
