"""PURE: the services of the Compose files in use: their ports, what they are known as, and who may log in."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from msgspec.structs import replace

from tasklib.adopt.evidence import ComposeService, Evidence
from tasklib.adopt.readers.stacks import interpolated
from tasklib.adopt.shell import joined
from tasklib.adopt.usages import StackUse
from tasklib.stacks.servers import Server, Settings, known_server, read_settings

__all__ = ["Stack"]


@dataclass(frozen=True)
class Stack:
    """The Compose files of ``use``, merged as far as it matters here."""

    use: StackUse
    evidence: Evidence

    @cached_property
    def services(self) -> Mapping[str, ComposeService]:
        found: dict[str, ComposeService] = {}
        for file in self.use.files:
            for name, service in self.evidence.stacks[file].services.items():
                before = found.get(name)
                found[name] = service if before is None else _merged(before, service)
        return found

    @cached_property
    def up(self) -> frozenset[str]:
        """The services that are brought up."""
        names = set(self.use.needs) or {
            name
            for name, service in self.services.items()
            if not service.profiles or set(service.profiles) & set(self.use.profiles)
        }
        pending = list(names)
        while pending:
            service = self.services.get(pending.pop())
            new = (
                [name for name in service.needs if name in self.services and name not in names]
                if service
                else []
            )
            names.update(new)
            pending += new
        return frozenset(names & self.services.keys())

    @cached_property
    def variables(self) -> dict[str, str]:
        """What Compose fills in, from the files of variables that git knows."""
        files = self.use.env_files or self._dotenv()
        return {
            value.name: value.value
            for file in files
            for value in self.evidence.values
            if value.place.file == file
        }

    def environment(self, name: str) -> dict[str, str]:
        """What a service's container gets, as far as the files say it."""
        service = self.services[name]
        found: dict[str, str] = {}
        base = self.use.directory or posixpath.dirname(self.use.files[0])
        for file in service.env_files:
            place = joined(base, file)
            for candidate in (place, f"{place}.example", f"{place}.sample"):
                values = {v.name: v.value for v in self.evidence.values if v.place.file == candidate}
                if values:
                    found |= values
                    break
        for key, value in service.env.items():
            found[key] = interpolated(value, self.variables) if value else self.variables.get(key, "")
        return found

    def server(self, name: str) -> Server | None:
        return known_server(interpolated(self.services[name].image, self.variables))

    def login(self, name: str) -> Settings | None:
        """Who may log in to a known server."""
        server = self.server(name)
        if server is None:
            return None
        service = self.services[name]
        words = interpolated(service.command, self.variables).split()
        return read_settings(server, service.image, self.environment(name), words)

    def port(self, name: str) -> int | None:
        """The port of a service that clients mean."""
        service, server = self.services[name], self.server(name)
        if server:
            return server.port
        return service.ports[0][1] if service.ports else None

    def publishes(self, name: str, port: int) -> bool:
        return any(target == port for _, target in self.services[name].ports)

    def behind(self, published: str) -> tuple[str, int] | None:
        """The service and its port behind a port of this machine."""
        for name in sorted(self.up):
            for host, target in self.services[name].ports:
                if interpolated(host, self.variables) == published:
                    return name, target
        return None

    def of_kind(self, kinds: Iterable[str]) -> list[str]:
        """The services that are up and known servers of one of ``kinds``."""
        return sorted(n for n in self.up if (server := self.server(n)) and server.kind in kinds)

    def _dotenv(self) -> tuple[str, ...]:
        base = self.use.directory or (posixpath.dirname(self.use.files[0]) if self.use.files else "")
        for name in (".env", ".env.example", ".env.sample", ".env.template", ".env.dist", "example.env"):
            for folder in (base, ""):
                if (file := joined(folder, name)) in self.evidence.files:
                    return (file,)
        return ()


def _merged(before: ComposeService, after: ComposeService) -> ComposeService:
    return replace(
        before,
        image=after.image or before.image,
        builds=before.builds or after.builds,
        ports=(*before.ports, *after.ports),
        env={**before.env, **after.env},
        needs=tuple(dict.fromkeys((*before.needs, *after.needs))),
        profiles=after.profiles or before.profiles,
        env_files=(*before.env_files, *after.env_files),
        mounts=(*before.mounts, *after.mounts),
        command=after.command or before.command,
        entrypoint=before.entrypoint or after.entrypoint,
        context=after.context or before.context,
    )


def plain(name: str) -> str:
    """``name`` as words are compared: ``redis-cache`` is ``rediscache``."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
