"""PURE: the containers that CI starts beside tests: servers of a Compose file, or a file to be written."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from msgspec.structs import replace

from tasklib.adopt.evidence import ComposeService, Evidence, Place, ServiceContainer, StackFile
from tasklib.adopt.readers.stacks import interpolated
from tasklib.adopt.shell import joined
from tasklib.adopt.stack import Stack
from tasklib.adopt.usages import StackUse, Usage
from tasklib.stacks.servers import known_server

__all__ = ["GENERATED_STACK", "beside_compose", "with_new_stack"]

GENERATED_STACK = "deploy/test/docker-compose.yml"
"""Where containers that only CI knew become a Compose file: tasklib finds it there by itself."""


def beside_compose(usage: Usage, evidence: Evidence) -> Usage:
    """A run beside CI's own containers, where the Compose file has the same servers with these."""
    if evidence.standard and usage.containers and usage.stack is None:
        use = StackUse(Place(evidence.standard[0], 1), evidence.standard)
        stack = Stack(use, evidence)
        needs: list[str] = []
        for container in usage.containers:
            server = known_server(container.image)
            same = [
                n
                for n in stack.services
                if (s := stack.server(n)) and server and s.kind == server.kind
                if _opens(stack, n) and _is_whole(stack, n)
            ]
            needs += same[:1]
        if len(needs) == len(usage.containers):
            return replace(usage, stack=replace(use, needs=tuple(needs)))
    return usage


def _opens(stack: Stack, name: str) -> bool:
    """Whether a server of the Compose file starts with what the files say: a database wants a password."""
    server, login = stack.server(name), stack.login(name)
    if server is None or login is None or not server.sql:
        return True
    return bool(login.password) or "trust" in stack.environment(name).values()


def _is_whole(stack: Stack, name: str) -> bool:
    """Whether a fresh checkout has all that is said of a service: no file of one's own has a part of it."""
    evidence, service = stack.evidence, stack.services[name]
    base = stack.use.directory or posixpath.dirname(stack.use.files[0])
    known = {v.name: v.value for v in evidence.values if v.place.file == joined(base, ".env")}
    texts = [service.image, *service.env.values(), *(host for host, _ in service.ports)]
    return all(joined(base, file) in evidence.files for file in service.env_files) and not any(
        "$" in interpolated(text, known) for text in texts
    )


def with_new_stack(
    usage: Usage, folder: str, written: Sequence[ServiceContainer], evidence: Evidence
) -> tuple[Usage, Evidence]:
    """The run beside a Compose file that is to be written in ``folder``, and the evidence with that file."""
    file = joined(folder, GENERATED_STACK)
    services = {
        container.name: ComposeService(
            container.place, container.name, container.image, ports=_ports(container), env=container.env
        )
        for container in written
    }
    known = replace(
        evidence,
        stacks={**evidence.stacks, file: StackFile(file, services)},
        standard=evidence.standard if folder else (file,),
    )
    return replace(usage, stack=StackUse(written[0].place, (file,))), known


def _ports(container: ServiceContainer) -> tuple[tuple[str, int], ...]:
    found = []
    for text in container.ports:
        host, _, target = text.split("/")[0].rpartition(":")
        if target.isdigit():
            found.append((host.rpartition(":")[2], int(target)))
    server = known_server(container.image)
    return tuple(found) or ((("", server.port),) if server else ())
