"""What the commands share: the project and instance they are about, and how they speak."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from tasklib.errors import StackError, UsageError
from tasklib.listener import Listener
from tasklib.options.likeness import meant
from tasklib.shown.cleaning import colours_kept, harmless_json
from tasklib.shown.cutting import shorten
from tasklib.shown.masking import mask
from tasklib.shown.people import for_patches, for_people

if TYPE_CHECKING:
    from tasklib.isolation import Instance
    from tasklib.project import Project
    from tasklib.results import ContainerLog
    from tasklib.stacks.engine.values import Container, Resource
    from tasklib.stacks.holding.fleet import Fleet
    from tasklib.stacks.holding.run import RunContext

__all__ = [
    "Waiting",
    "check_names",
    "complain",
    "complain_of_left",
    "engines_of",
    "flush",
    "give",
    "hide_containers",
    "known_instance",
    "log_lines",
    "on",
    "say",
    "say_log",
    "say_patch",
    "short",
    "show_difference",
    "show_logs",
    "show_variables",
    "told",
    "written",
]

_SOON = 2.0
"""Seconds that a stack may take before it is said what it waits for."""


def say(line: str) -> None:
    """Print a line for people: no secret, and nothing that would steer their terminal or their CI system.

    Raises :class:`~tasklib.errors.UsageError` where it cannot be written.
    """
    give(for_people(line))


def say_patch(line: str) -> None:
    """Print a line of a diff that somebody may apply. Raises as :func:`say` does."""
    give(for_patches(line))


def say_log(line: str) -> None:
    """Print a line of a container's log: in its colours, where a terminal shows them."""
    hidden = mask(line)
    colours = "\x1b" in hidden and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    give(colours_kept(hidden)) if colours else say(hidden)


def give(text: str) -> None:
    """Print what a program reads, as it is. Raises as :func:`say` does."""
    with written():
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def flush() -> None:
    """Write what others printed. Raises as :func:`say` does."""
    with written():
        sys.stdout.flush()


@contextlib.contextmanager
def written() -> Iterator[None]:
    """Around whatever prints. Raises as :func:`say` does."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        # Python would try again when it ends, and say so in its own words.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        what = f"standard output cannot be written: {error.strerror or error}"
        raise UsageError(what, remedy="Free space on that disk, or send the output elsewhere.") from None


def complain(line: str) -> None:
    """Say it on standard error."""
    sys.stderr.write(f"{for_people(line)}\n")


def complain_of_left(found: Iterable[Resource], gone: Iterable[Resource]) -> bool:
    """Name what of ``found`` was to go and did not; returns whether there is any."""
    removed = {(resource.kind, resource.id) for resource in gone}
    left = [resource for resource in found if (resource.kind, resource.id) not in removed]
    if left:
        names = ", ".join(f"{resource.kind} {resource.name}" for resource in left)
        complain(f"could not remove {names}: something else uses it")
    return bool(left)


def check_names(names: Iterable[str], known: Iterable[str], kind: str) -> None:
    """Refuse a name that is not ``known``, offering the nearest."""
    ordered = sorted(known)
    for name in names:
        if name not in ordered:
            known = f"Known: {', '.join(ordered)}."
            raise UsageError(
                f"there is no {kind} {name!r}",
                remedy=f"{meant(name, ordered, quoted=repr)} {known}".lstrip(),
            )


def known_instance(project: Project) -> Instance:
    """The instance as far as it is known without an engine."""
    from tasklib.checkout import find_checkout
    from tasklib.instance.resolution import resolve

    checkout = find_checkout(project.root)
    resolved = resolve(checkout, os.environ, prefix=project.prefix, folder=project.root)
    for notice in resolved.notices:
        complain(notice)
    return resolved.instance


def engines_of(
    project: Project, *, holds: bool = False, gives_out: bool = False
) -> AbstractContextManager[Fleet]:
    """A run for one command; see :func:`~tasklib.stacks.holding.fleet.open_fleet`."""
    from tasklib.events import Event, Notice
    from tasklib.stacks.holding.fleet import open_fleet

    said: set[str] = set()

    def emit(event: Event) -> None:
        # What holds for each of several engines is said once.
        if isinstance(event, Notice) and event.text not in said:
            said.add(event.text)
            complain(event.text)

    return open_fleet(project, emit, holds=holds, gives_out=gives_out)


def on(context: RunContext) -> str:
    """`` on ssh://build-1`` where the project lists its engines, and nothing else."""
    return f" on {context.listed}" if context.listed else ""


def show_difference(name: str, before: str, after: str) -> None:
    """Print what changes in the file ``name``, as a unified diff."""
    import difflib

    lines = (before.splitlines(), after.splitlines())
    for line in difflib.unified_diff(*lines, name, f"{name} (as it would be)", lineterm=""):
        say(line)


def show_variables(variables: Mapping[str, str], format: str) -> None:
    """Print them as ``shell``, ``dotenv`` or ``json``."""
    import json
    import shlex

    if format == "json":
        give(harmless_json(json.dumps(variables, indent=2)))
        return
    export = "export " if format == "shell" else ""
    for variable, value in variables.items():
        give(f"{export}{variable}={shlex.quote(value)}")


class Waiting(Listener):
    """Says what a stack that takes a while waits for; each container once: nobody wants to read it count."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._said: set[str] = set()

    def notice(self, text: str) -> None:
        complain(text)

    def waits(self, text: str) -> None:
        if time.monotonic() - self._began < _SOON:
            return
        new = [part for part in text.split(", ") if part and part.partition(":")[0] not in self._said]
        self._said.update(part.partition(":")[0] for part in new)
        if new:
            complain(f"waiting for {', '.join(new)}")


def told(container: Container) -> str:
    """A container in a line: ``api: running, healthy 127.0.0.1:32768->8000``."""
    ports = " ".join(f"{p.host}:{p.published}->{p.target}" for p in container.ports if p.published)
    health = f", {container.health}" if container.health else ""
    return f"{container.service}: {container.state}{health} {ports}".rstrip()


def log_lines(logs: Iterable[ContainerLog]) -> Iterator[str]:
    """Every line after its container."""
    for log in logs:
        for line in log.lines:
            yield f"{log.service} | {line.text}"


def show_logs(error: StackError) -> None:
    """The last lines of the containers at fault, if it says any, on standard error."""
    from tasklib.stacks.compose.failures import NotReady

    for text in log_lines(error.logs if isinstance(error, NotReady) else ()):
        complain(f"  {text}")


def hide_containers(containers: Iterable[Container]) -> None:
    """What stands in the containers' own variables and commands is not to be shown."""
    from tasklib.stacks.hidden import hide_started

    for container in containers:
        hide_started(container.environment, container.command, container.health_test)


def short(value: object) -> str:
    import json

    return shorten(json.dumps(value), 80)
