"""PURE: ``docker exec`` in a container of a Compose file → the call of Compose that is the same."""

from __future__ import annotations

import re

from msgspec.structs import replace

from tasklib.adopt.composing import ComposeCall, compose_call
from tasklib.adopt.evidence import Command, ComposeService, Evidence

__all__ = ["exec_call"]


def exec_call(command: Command, evidence: Evidence) -> ComposeCall | None:
    """The call that ``command`` comes to, if it is a ``docker exec`` and the container is a service's."""
    words = command.words[2:] if command.words[:2] == ("docker", "container") else command.words[1:]
    if command.words[0] != "docker" or words[:1] != ("exec",):
        return None
    call = compose_call(replace(command, words=("docker", "compose", *words)))
    if call is None or not call.service:
        return None
    ordered = sorted(evidence.stacks, key=lambda file: (file not in evidence.standard, file.count("/"), file))
    for file in ordered:
        services = evidence.stacks[file].services.values()
        # Of `shop-auth-api-1` the end is another service's name, too.
        for service in sorted(services, key=lambda one: len(one.name), reverse=True):
            if _is_of(service, call.service):
                return replace(call, service=service.name, files=() if file in evidence.standard else (file,))
    return None


def _is_of(service: ComposeService, container: str) -> bool:
    """Whether a container of this name is the service's: by the file's own word, or by Compose's habit."""
    if service.container:
        return service.container == container
    return bool(re.fullmatch(rf"(?:[\w.-]+[-_])?{re.escape(service.name)}(?:[-_]\d+)?", container))
