"""Commands in containers of their own, beside the services of a stack that is up.

Such a container is made from a service of the isolated config: its image, environment, volumes and networks,
and our labels, so that all that finds the stack finds it, too.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any, BinaryIO

from tasklib.errors import ConfigError
from tasklib.isolation import resource_name
from tasklib.stacks.compose.compose import one_off
from tasklib.stacks.compose.source import Call
from tasklib.stacks.dollars import plain
from tasklib.stacks.endpoints import Endpoint, endpoint_variables, named_ports
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import ImageConfig, Resource
from tasklib.stacks.labels import CONTAINER, labels
from tasklib.stacks.preparation import Prepared
from tasklib.stacks.rewrite import replica_count
from tasklib.stacks.servers import Server, known_server

__all__ = ["Inside", "definition_of", "inside_endpoints", "own_command"]

_OF_THE_SERVICE = (
    *("build", "container_name", "depends_on", "develop", "healthcheck", "hostname", "mac_address", "ports"),
    *("profiles", "pull_policy", "restart", "scale", "stdin_open", "tty"),
)
"""What is said of the containers of a service and not of one of ours."""

_WRAPPERS = frozenset({"tini", "dumb-init", "docker-init", "catatonit", "gosu", "su-exec", "env", "my_init"})
_RUNNERS = frozenset({"uv", "poetry", "pdm", "pipenv", "hatch", "rye", "pixi", "bundle"})
"""What starts other programs: by themselves, and with the word `run`."""

_NO_SERVERS: Mapping[str, Server] = MappingProxyType({})

_OF_ITS_PLACE = ("aliases", "ipv4_address", "ipv6_address", "link_local_ips", "mac_address")


class Inside:
    """The containers of our own from the service ``service`` of a stack that is up, one after another."""

    def __init__(self, prepared: Prepared, engine: Engine, service: str) -> None:
        """Raises :class:`~tasklib.errors.ConfigError` where the stack has no such service."""
        self.service = service
        self._prepared = prepared
        self._engine = engine
        if service not in prepared.config["services"]:
            raise ConfigError(
                f"`in` names {service}, which is no service of {prepared.plan.title}",
                where=str(prepared.plan.source.files[0]),
                remedy=f"Its services are: {', '.join(sorted(prepared.config['services']))}.",
            )
        self._key = f"{service}.tests"
        while self._key in prepared.config["services"]:
            self._key += "-"
        self._name = resource_name(prepared.project, self._key)

    @property
    def _definition(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._prepared.config["services"][self.service]
        return found

    def variables(self, templates: Mapping[str, str], source: str | None) -> dict[str, str]:
        """The endpoints as they are inside the stack: services and the ports of their containers."""
        config = self._prepared.config
        servers = self._prepared.servers
        return endpoint_variables(
            config,
            inside_endpoints(config, templates, servers),
            templates,
            source=source,
            servers=servers,
            text_of=self._prepared.text_of,
        )

    def call(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        mounts: Mapping[Path, tuple[str, bool]],
        *,
        as_root: bool = False,
    ) -> Call:
        """What starts ``argv`` (empty: the service's own command) in a container of its own.

        ``mounts`` are folders of this machine, where they are to be seen and whether they may be written.
        ``as_root`` starts exactly ``argv``, whatever the image has to be started with.
        """
        mounts = self._there(mounts)
        self.remove()
        image = self._engine.base_image(str(self._definition.get("image", "")))
        known = {**(image.environment if image else {}), **_environment(self._definition)}
        if "PYTHONPATH" in env and known.get("PYTHONPATH"):
            env = {**env, "PYTHONPATH": f"{env['PYTHONPATH']}:{known['PYTHONPATH']}"}
        made = definition_of(self._definition, argv, env, mounts)
        made["labels"] = {**(made.get("labels") or {}), CONTAINER: self._name}
        if as_root:
            made |= {"user": "0:0", "entrypoint": made.pop("command")}
        config = {**self._prepared.config}
        config["services"] = {**config["services"], self._key: made}
        plan = self._prepared.plan
        return one_off(plan.source, config, self._key, self._name, self._prepared.env)

    def _there(self, mounts: Mapping[Path, tuple[str, bool]]) -> dict[Path, tuple[str, bool]]:
        """The same with the places that the engine's machine has them in."""
        found = {self._prepared.facts.reach.disk.there(str(path)): how for path, how in mounts.items()}
        copied = any(copy.service == self.service for copy in self._prepared.isolation.copies_in)
        if None in found or copied:
            raise ConfigError(
                f"the tests in {self.service} need files of this machine, which the engine's has not got",
                where=str(self._prepared.plan.source.files[0]),
                remedy="Leave `in` out, and they run here beside the stack, or start the run over there.",
            )
        return {Path(there): how for there, how in found.items() if there}

    def remove(self) -> None:
        """Remove the container that is there, if there is one."""
        self._engine.remove(self._containers())

    @property
    def folder(self) -> PurePosixPath:
        """Where commands start."""
        if named := self._definition.get("working_dir"):
            return PurePosixPath(plain(named))
        image = self._engine.base_image(str(self._definition.get("image", "")))
        return PurePosixPath(image.folder if image else "/")

    @property
    def own_command(self) -> tuple[str, ...]:
        """What its containers do by themselves, without an entrypoint that only starts it."""
        image = self._engine.image_config(str(self._definition.get("image", "")))
        return own_command(self._definition, image)

    def written(self) -> Iterator[tuple[str, PurePosixPath]]:
        """The container's id, with each path below :attr:`folder` that the command wrote beside mounts."""
        if self.folder == PurePosixPath("/"):
            return  # It is the whole system.
        for container in self._containers():
            for path in map(PurePosixPath, self._engine.written(container.id)):
                if path != self.folder and path.is_relative_to(self.folder):
                    yield container.id, path

    def copy_out(self, container_id: str, path: str, target: BinaryIO) -> None:
        """Write what :meth:`written` named to ``target``, as a tar archive."""
        self._engine.copy_out(container_id, path, target)

    def mounted(self) -> Iterator[tuple[Path, PurePosixPath]]:
        """The folders of the checkout that its containers may write to, and where they are to be seen."""
        root = self._prepared.facts.checkout_root
        for volume in self._definition.get("volumes") or ():
            if volume.get("type") == "bind" and not volume.get("read_only"):
                source = Path(plain(volume["source"]))
                if root and source.is_relative_to(root):
                    yield source, PurePosixPath(plain(volume["target"]))

    def named(self, path: Path, word: str) -> str:
        """What a command is to call ``path``, a place in the checkout that ``word`` leads to outside.

        That is ``word``, unless it is mounted where that does not lead.
        """
        for volume in self._definition.get("volumes") or ():
            if volume.get("type") == "bind" and path.is_relative_to(plain(volume.get("source"))):
                place = PurePosixPath(plain(volume["target"]), path.relative_to(plain(volume["source"])))
                return word if place == self.folder / word else str(place)
        return word

    def _containers(self) -> list[Resource]:
        own = labels(self._prepared.instance, self._prepared.plan.name)
        found = self._engine.owned(own, kinds=("container",))
        return [resource for resource in found if resource.name == self._name]


def definition_of(
    service: Mapping[str, Any],
    argv: Sequence[str],
    env: Mapping[str, str],
    mounts: Mapping[Path, tuple[str, bool]],
) -> dict[str, Any]:
    """PURE: the service of an isolated config for one container of ours made from ``service``."""
    made = {key: value for key, value in service.items() if key not in _OF_THE_SERVICE}
    if networks := made.get("networks"):
        made["networks"] = {
            name: {key: value for key, value in (attachment or {}).items() if key not in _OF_ITS_PLACE}
            for name, attachment in networks.items()
        }
    if limits := {k: v for k, v in (made.pop("deploy", None) or {}).items() if k == "resources"}:
        made["deploy"] = limits
    if argv:
        made["command"] = [_escaped(word) for word in argv]
        if service.get("entrypoint") and not _hands_on(service["entrypoint"]):
            made["entrypoint"] = made.pop("command")  # It would get the words as its own arguments.
    given = {name: _escaped(value) for name, value in env.items()}
    made["environment"] = {**(service.get("environment") or {}), **given}
    made["volumes"] = [
        *(made.get("volumes") or ()),
        *(
            {"type": "bind", "source": _escaped(str(path)), "target": target, "read_only": not writable}
            for path, (target, writable) in mounts.items()
        ),
    ]
    return made


def own_command(service: Mapping[str, Any], image: ImageConfig | None) -> tuple[str, ...]:
    """PURE: what a container of ``service`` does by itself, without an entrypoint that only starts it.

    An entrypoint of the service takes the image's command away.
    """
    entrypoint, command = service.get("entrypoint"), service.get("command")
    if entrypoint is None and image:
        entrypoint, command = image.entrypoint, image.command if command is None else command
    first, words = _worded(entrypoint), _worded(command)
    return words if first and words and _hands_on(first) else (*first, *words)


def _worded(said: str | Sequence[str] | None) -> tuple[str, ...]:
    return tuple(plain(word) for word in (shlex.split(said) if isinstance(said, str) else said or ()))


def _hands_on(entrypoint: str | Sequence[str]) -> bool:
    """Whether an entrypoint of the file starts what it is given: a script, an init, `uv run`."""
    words = entrypoint.split() if isinstance(entrypoint, str) else [str(word) for word in entrypoint]
    program, last = (PurePosixPath(word).name for word in (words[0], words[-1]))
    return (
        program in _WRAPPERS
        or (program in _RUNNERS and last == "run")
        or any("entrypoint" in word or word.endswith((".sh", ".bash")) or "$@" in word for word in words)
    )


def inside_endpoints(
    config: Mapping[str, Any], templates: Mapping[str, str], servers: Mapping[str, Server] = _NO_SERVERS
) -> tuple[Endpoint, ...]:
    """PURE: where the services of a stack are for a container on its networks.

    That is by their names and the ports that they publish, expose or have as known servers, and those that
    ``templates`` name; ``servers`` are those known otherwise than by their images' names, by service.
    """
    named = named_ports(templates.values())
    found: dict[Endpoint, None] = {}
    for name, service in config["services"].items():
        if not replica_count(service):
            continue
        server = servers.get(name) or known_server(str(service.get("image") or ""))
        ports = [int(port["target"]) for port in service.get("ports") or () if "target" in port]
        ports += [
            int(text) for port in service.get("expose") or () if (text := str(port).split("/")[0]).isdigit()
        ]
        ports += [target for target, _ in server.ports[:1]] if server else []
        ports += [port for service_name, port in named if service_name == name]
        found |= dict.fromkeys(Endpoint(name, port, name, port) for port in ports)
    return tuple(found)


def _environment(service: Mapping[str, Any]) -> dict[str, str]:
    return {k: plain(v) for k, v in (service.get("environment") or {}).items() if v is not None}


def _escaped(text: str) -> str:
    """As Compose reads it, to which ``$`` means a variable."""
    return text.replace("$", "$$")
