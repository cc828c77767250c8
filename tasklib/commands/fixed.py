"""dev and prod: up and down as their files are written, and what is known of them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from tasklib.commands.console import (
    Waiting,
    check_names,
    complain,
    give,
    hide_containers,
    log_lines,
    say,
    say_log,
    show_logs,
    told,
)
from tasklib.errors import TasklibError
from tasklib.shown.cutting import without_password

if TYPE_CHECKING:
    from typing import Any

    from tasklib.stacks.engine.engine import Engine
    from tasklib.stacks.engine.values import Container
    from tasklib.stacks.fixed.stack import FixedStack

__all__ = ["AsWritten"]


class AsWritten(Struct, frozen=True):
    """The environment ``name``; see :class:`~tasklib.commands.environments.Stacks`.

    One that ``asks`` is up and down only with consent.
    """

    name: str
    asks: bool

    def up(self, names: Sequence[str], *, fresh: bool, yes: bool, dry: bool) -> None:
        """Bring up the dev or prod stack (or the containers ``names`` of it with what they need).

        It ends with what is reachable where. prod says which engine it starts on and asks, unless ``yes``.
        """
        from tasklib import process
        from tasklib.commands.consent import confirm
        from tasklib.errors import StackError, UsageError
        from tasklib.process.interrupts import interruptible
        from tasklib.stacks.fixed import stack as fixed

        if fresh:
            raise UsageError(
                f"--fresh is for stacks of tests: {self.name} keeps its data",
                remedy="Leave --fresh out, or remove the volumes with plain Compose.",
            )
        stack = self._stack()
        cancel = process.Cancel()
        with _engine() as engine:
            rendered = fixed.render(stack, cancel)
            check_names(names, rendered["services"], "container")
            if self.asks or engine.facts.remote:
                say(f"{stack.project} on {_place(engine)}")
            if dry:
                say(f"would bring up {stack.project}")
                return
            fixed.refuse_other_owner(engine, stack)
            fixed.refuse_taken_ports(engine, stack, rendered)
            if self.asks:
                confirm(f"Start {stack.project}?", yes=yes)
            began = time.monotonic()
            with _lock(engine, stack), interruptible(cancel, _stopping):
                try:
                    found = fixed.bring_up(engine, stack, rendered, names, cancel, Waiting())
                except StackError as error:
                    show_logs(error)
                    raise
            say(f"{stack.project} is up ({time.monotonic() - began:.1f} s)")
            for line in _reachable(stack, engine, rendered, found):
                say(f"  {line}")

    def down(self, names: Sequence[str], *, yes: bool, dry: bool) -> None:
        """Take down the dev or prod stack; its volumes stay. Asks where ``up`` does."""
        from tasklib import process
        from tasklib.commands.consent import confirm
        from tasklib.listener import Listener
        from tasklib.process.interrupts import interruptible
        from tasklib.stacks.fixed import stack as fixed

        stack = self._stack()
        cancel = process.Cancel()
        with _engine() as engine:
            if not (found := _up(engine, stack, names)):
                return
            fixed.refuse_other_owner(engine, stack, wanted=False)
            where = f" on {_place(engine)}" if self.asks or engine.facts.remote else ""
            if dry:
                say(f"would take down {stack.project}{where}")
                return
            if self.asks:
                confirm(f"Take down {stack.project}{where}?", yes=yes)
            with _lock(engine, stack), interruptible(cancel, _stopping):
                fixed.take_down(stack, names, cancel, Listener())
            gone = len(found) - len(engine.containers(stack.project))
            containers = f"{gone} container{'s' if gone != 1 else ''}"
            say(f"took down {stack.project}{where}: {containers}; its volumes stay")

    def status(self) -> None:
        """List the stack's containers, and whose it is."""
        from tasklib.checkout import find_checkout
        from tasklib.stacks.fixed import stack as fixed
        from tasklib.stacks.starting.probes import asked

        stack = self._stack()
        with _engine() as engine:
            if not (found := _up(engine, stack)):
                return
            folder = fixed.owner(engine, stack)
            other = folder is not None and folder.resolve() != stack.source.directory.resolve()
            say(f"{stack.project}{f' (of {find_checkout(folder).root})' if other and folder else ''}")
            for container in found if other else asked(engine, found):
                say(f"  {told(container)}")

    def logs(self, names: Sequence[str], *, tail: int) -> None:
        """Print the last lines of the stack's containers, each prefixed by its service."""
        from tasklib.stacks.fixed import stack as fixed
        from tasklib.stacks.starting.startup import read_logs

        stack = self._stack()
        with _engine() as engine:
            if not (found := _up(engine, stack, names)):
                return
            wanted = [container for container in found if not names or container.service in names]
            hide_containers(found)
            with contextlib.suppress(TasklibError):
                fixed.render(stack)  # tells what else is secret
            for text in log_lines(read_logs(engine, wanted, tail=tail)):
                say_log(text)

    def env(self, name: str | None, *, dry: bool) -> Mapping[str, str]:
        """What plain Compose needs to speak to this stack, and where it is reachable.

        The addresses are called ``DEV_API_URL``, not ``TEST_API_URL``: no test gets here by mistake.
        """
        from tasklib.stacks.endpoints import endpoints
        from tasklib.stacks.fixed import stack as fixed

        stack = self._stack()
        with _engine() as engine:
            found = endpoints(engine.containers(stack.project))
            variables = {
                "COMPOSE_PROJECT_NAME": stack.project,
                "COMPOSE_FILE": os.pathsep.join(map(str, stack.source.files)),
            }
            if stack.source.env_files:
                variables["COMPOSE_ENV_FILES"] = ",".join(map(str, stack.source.env_files))
            if stack.source.profiles:
                variables["COMPOSE_PROFILES"] = ",".join(stack.source.profiles)
            if found:
                named = fixed.variables(stack, fixed.render(stack), found)
                prefix = f"{self.name.upper()}_"
                variables |= {f"{prefix}{name.removeprefix('TEST_')}": value for name, value in named.items()}
        return variables

    def config(self, name: str | None, *, diff: bool) -> int:
        """Print the config as plain Compose runs it, as JSON; nothing in it differs from the files."""
        from tasklib.stacks.fixed import stack as fixed
        from tasklib.stacks.rewrite import as_text

        stack = self._stack()
        rendered = fixed.render(stack)
        if diff:
            complain(f"{self.name} runs as its files are written: nothing is changed")
        else:
            give(as_text(rendered, indent=2))
        return 0

    def _stack(self) -> FixedStack:
        from tasklib.project import Environment, find_project
        from tasklib.stacks.fixed import stack as fixed

        return fixed.fixed_stack(find_project(Path.cwd()), Environment(self.name))


def _up(engine: Engine, stack: FixedStack, names: Sequence[str] = ()) -> tuple[Container, ...]:
    """The stack's containers, among which ``names`` have to be; without any, says so."""
    found = engine.containers(stack.project)
    if found:
        check_names(names, {container.service for container in found}, "container")
    else:
        say("nothing is up")
    return found


def _engine() -> Any:
    from contextlib import closing

    from tasklib.reach import Way
    from tasklib.stacks.engine.docker.engine import DockerEngine

    return closing(DockerEngine.connect(Way.NONE, strict=False))


def _lock(engine: Engine, stack: FixedStack) -> Any:
    """Hold the stack: two at once on one Compose project race."""
    from contextlib import contextmanager

    from tasklib.errors import UsageError
    from tasklib.files.lock import this_process
    from tasklib.state.stack_lock import StackLock
    from tasklib.state.store import default_state

    user = this_process(stack.source.root)
    lock = StackLock(default_state(), engine.facts.id, stack.project, user)

    @contextmanager
    def held() -> Iterator[None]:
        if not lock.try_acquire(0.2):
            raise UsageError(
                f"{stack.project} is in use by {lock.holder()}",
                remedy="Wait until that command has ended, or end it.",
            )
        try:
            yield
        finally:
            lock.release()

    return held()


def _stopping(_: str) -> None:
    complain("stopping; what is up stays up")


def _place(engine: Engine) -> str:
    """The engine as its user knows it: its machine, and the context or variable that leads there."""
    from tasklib.stacks.address import engine_address

    way = engine_address().way
    return f"the engine {engine.facts.name or engine.facts.id[:12]} ({way})"


def _reachable(
    stack: FixedStack, engine: Engine, config: Mapping[str, Any], found: Iterable[Container]
) -> Iterator[str]:
    """``api: http://127.0.0.1:8000`` for every published port of the containers ``found``."""
    from tasklib.stacks.endpoints import endpoints, variable_part
    from tasklib.stacks.fixed import stack as fixed

    variables = fixed.variables(stack, config, found_ := endpoints(found))
    for endpoint in found_:
        url = variables[f"TEST_{variable_part(endpoint.service)}_URL"]
        if urlsplit(url).port != endpoint.port:
            url = f"{endpoint.host}:{endpoint.port}"
        if engine.facts.remote:
            url = url.replace(endpoint.host, engine.facts.name or endpoint.host)
        yield f"{endpoint.service}: {without_password(url)}"
