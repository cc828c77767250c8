"""The dev and prod stacks: run as their files are written, one of each for a project and engine.

They keep ports, volumes, restart policies and grace. Containers are created by plain Compose, so that plain
Compose goes on with them; they are only started and waited for as the tests' stacks are.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from tasklib import process
from tasklib.checkout import find_checkout
from tasklib.errors import StackError, UsageError
from tasklib.listener import Listener
from tasklib.project import Environment, Project
from tasklib.project.compose_files import assignments
from tasklib.stacks.compose import compose
from tasklib.stacks.compose.failures import BuildFailed, missing_image
from tasklib.stacks.compose.source import Source
from tasklib.stacks.contents import dockerfiles, text_in
from tasklib.stacks.endpoints import Endpoint, endpoint_variables
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import FOLDER_LABEL, PROJECT_LABEL, Container
from tasklib.stacks.fixed.ports import FixedPort, conflicts, fixed_ports, port_variables
from tasklib.stacks.plan import full_stack_plan
from tasklib.stacks.preparation import known_servers
from tasklib.stacks.rewrite import only_compose_can_start
from tasklib.stacks.starting.startup import Startup
from tasklib.stacks.starting.steps import StartPlan

__all__ = ["FixedStack", "bring_up", "fixed_stack", "owner", "refuse_other_owner", "take_down", "variables"]


class FixedStack(Struct, frozen=True):
    """A project's dev or prod stack: its Compose project, its files, and seconds it may take to be ready."""

    project: str
    environment: Environment
    source: Source
    ready_timeout: float


def fixed_stack(project: Project, environment: Environment) -> FixedStack:
    """Raises :class:`~tasklib.errors.ConfigError` when the project has no such stack."""
    plan = full_stack_plan(project, environment)
    return FixedStack(project.fixed_project(environment), environment, plan.source, plan.ready_timeout)


def render(stack: FixedStack, cancel: process.Cancel | None = None) -> dict[str, Any]:
    """The config as plain Compose runs it."""
    return compose.render(stack.source, stack.project, {}, cancel)


def variables(stack: FixedStack, config: Mapping[str, Any], found: Iterable[Endpoint]) -> dict[str, str]:
    """``TEST_<SERVICE>_URL`` and the like for the endpoints of a rendered config."""
    given = {k: v for file in stack.source.env_files for k, v in assignments(file).items()}
    return endpoint_variables(
        config,
        found,
        servers=known_servers(config, dockerfiles(config)),
        text_of=lambda service, path: text_in(config, service, path, {**given, **os.environ}),
    )


def owner(engine: Engine, stack: FixedStack) -> Path | None:
    """The folder whose Compose file the stack's containers were made from, ``None`` while there are none."""
    for container in engine.owned({PROJECT_LABEL: stack.project}, kinds=["container"]):
        if folder := container.labels.get(FOLDER_LABEL):
            return Path(folder)
    return None


def refuse_other_owner(engine: Engine, stack: FixedStack, *, wanted: bool = True) -> None:
    """Raise :class:`~tasklib.errors.UsageError` while the stack is another checkout's.

    A checkout that is gone owns nothing. ``wanted`` is whether it is to come up here.
    """
    folder = owner(engine, stack)
    if folder is None or not folder.is_dir() or folder.resolve() == stack.source.directory.resolve():
        return
    other = find_checkout(folder)
    branch = f" (on {other.branch})" if other.branch else ""
    beside = _beside(stack) if wanted else ""
    raise UsageError(
        f"{stack.project} is up from another checkout: {other.root}{branch}",
        remedy=f"Take it down there by `infra.down --env {stack.environment}`, then start it here.{beside}",
    )


def _beside(stack: FixedStack) -> str:
    """How two checkouts have one each at the same time, as a hint."""
    found = {variable: key for key, variable in port_variables(_texts(stack.source)).items()}
    listed = ", ".join(f"{name} ({service})" for name, (service, _) in found.items())
    ports = f", and other ports by {listed}" if listed else ""
    return f" For both at once give this one another `name` in [tool.tasklib]{ports}."


def refuse_taken_ports(engine: Engine, stack: FixedStack, config: Mapping[str, Any]) -> None:
    """Raise :class:`~tasklib.errors.UsageError` naming whose ports they are and what changes each."""
    ports = fixed_ports(config, port_variables(_texts(stack.source)))
    publishers = engine.publishers()
    taken = {
        port: _whose(p.project or p.container, p.folder)
        for port, p in conflicts(ports, publishers, stack.project)
    }
    if not engine.facts.remote:
        own = [p for p in publishers if p.project == stack.project]
        for port in ports:
            mine = any(port.meets(p.host, p.port, p.protocol) for p in own)
            if port not in taken and not mine and _is_bound(port):
                taken[port] = "another process"
    if not taken:
        return
    what = ", ".join(f"{port.port} of {port.service} (by {whose})" for port, whose in taken.items())
    names = [f"{port.variable}={port.port + 1}" for port in taken if port.variable]
    fixed = [port for port in taken if not port.variable]
    remedy = [f"Choose another: {' '.join(names)} in front of the command or in .env."] if names else []
    if fixed:
        example = (
            f'"${{{fixed[0].service.upper().replace("-", "_")}_PORT:-{fixed[0].port}}}:{fixed[0].target}"'
        )
        remedy.append(
            f"The file sets {fixed[0].port} without a variable: to choose another, write {example} "
            f"in {stack.source.files[0]}."
        )
    raise UsageError(f"{stack.project} needs a port that is in use: {what}", remedy=" ".join(remedy))


def _whose(name: str, folder: str) -> str:
    return f"{name} of {find_checkout(Path(folder)).root}" if folder and Path(folder).is_dir() else name


def _is_bound(port: FixedPort) -> bool:
    kind = socket.SOCK_DGRAM if port.protocol == "udp" else socket.SOCK_STREAM
    family = socket.AF_INET6 if ":" in port.host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        # A port that a connection has just left is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((port.host, port.port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _texts(source: Source) -> Iterable[str]:
    return [path.read_text(errors="replace") for path in source.files]


def bring_up(
    engine: Engine,
    stack: FixedStack,
    config: Mapping[str, Any],
    services: Sequence[str],
    cancel: process.Cancel,
    listener: Listener,
) -> tuple[Container, ...]:
    """Create or bring up to date what is in ``config`` (of ``services`` and what they depend on, if any are
    named), start it and wait until it is ready; returns its containers.

    What is up stays up when it fails. Raises :class:`~tasklib.stacks.compose.failures.NotReady` naming
    the container at fault.
    """
    wanted = {**config, "services": _needed(config["services"], services)}
    starts = not only_compose_can_start(wanted)

    def launch(own: process.Cancel) -> None:
        try:
            compose.create_as_written(stack.source, wanted, services, listener.line, own, start=not starts)
        except BuildFailed:
            raise
        except StackError as error:
            raise missing_image(wanted, engine.image_id, error) or error from None

    plan = StartPlan(wanted, stack.project, stack.ready_timeout, starts=starts, servers=known_servers(wanted))
    return Startup(engine, plan, launch, listener).follow(cancel)


def _needed(services: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The services called ``names`` and all that they depend on; all of them without names."""
    if not names:
        return dict(services)
    found: dict[str, Any] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in services and name not in found:
            found[name] = services[name]
            waiting += list(services[name].get("depends_on") or ())
    return {name: row for name, row in services.items() if name in found}


def take_down(stack: FixedStack, services: Sequence[str], cancel: process.Cancel, listener: Listener) -> None:
    """Stop and remove the stack's containers (of ``services``) and networks with their usual grace.

    Volumes, images and what the file does not know stay.
    """
    compose.down_as_written(stack.source, stack.project, services, listener.line, cancel)
