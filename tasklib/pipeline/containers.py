"""What a target does in containers beside its stack, and before its tests: `in` and `setup`."""

from __future__ import annotations

import contextlib
import os
import shlex
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tasklib import process
from tasklib.errors import ConfigError, Interrupted, TasklibError
from tasklib.events import Event, Notice, Output, Progress
from tasklib.pipeline.runners import prepare_suite, texts
from tasklib.pipeline.runners.launching import Here, InContainer, Launcher
from tasklib.pipeline.runners.verdict import how_it_ended
from tasklib.pipeline.suites.python.uv import startable
from tasklib.pipeline.suites.suite import Suite
from tasklib.project import Project, Step
from tasklib.results import ContainerLog, LogLine, Outcome, Target
from tasklib.shown.cleaning import visible
from tasklib.stacks.compose.failures import NotReady
from tasklib.stacks.harvest import harvest
from tasklib.stacks.inside import Inside
from tasklib.stacks.stack import Stack

__all__ = ["Beside"]

_PASSED_ON = ("CI", "FORCE_COLOR", "NO_COLOR", "PYTEST_ADDOPTS")
"""Of the user's own environment, what is meant for tests wherever they run."""

_REMEMBERED = 200
"""Lines kept of what a step says."""


class Beside(Struct, frozen=True):
    """What runs beside ``stack``, which is up, on behalf of ``target``, whose tests start in ``folder``.

    ``variables`` are what tests get beside the endpoints, ``templates`` endpoints of the project's own, said
    in ``source``.
    """

    stack: Stack
    target: Target
    folder: Path
    variables: Mapping[str, str]
    templates: Mapping[str, str]
    source: str | None
    emit: Callable[[Event], None]
    cancel: process.Cancel

    @classmethod
    def of(
        cls,
        project: Project,
        stack: Stack,
        target: Target,
        environment: Mapping[str, str],
        emit: Callable[[Event], None],
        cancel: process.Cancel,
    ) -> Beside:
        """What runs beside the stack of a target of ``project``; ``environment`` is the instance's."""
        folders = {service.name: service.path for service in project.services}
        return cls(
            stack,
            target,
            folders.get(target.service, project.root),
            {**environment, "COMPOSE_PROJECT_NAME": stack.project},
            project.endpoints,
            str(project.config) if project.config else None,
            emit,
            cancel,
        )

    @contextlib.contextmanager
    def container(self, service: str) -> Iterator[tuple[Launcher, dict[str, str]]]:
        """What starts a command in a container of ``service``, and the environment that it is to have.

        Once it has ended, what it wrote comes to the checkout and the container goes. Raises
        :class:`~tasklib.errors.ConfigError` where the stack has no such service.
        """
        inside = self.stack.inside(service)
        own = {name: value for name, value in os.environ.items() if name in _PASSED_ON}
        env = {**own, **self.variables, **inside.variables(self.templates, self.source)}
        began = time.time()
        with process.scratch_folder() as scratch:
            try:
                yield InContainer(inside, scratch), env
            finally:
                self._end(inside, began)

    def _end(self, inside: Inside, began: float) -> None:
        try:
            if not self.cancel.is_set() and (left := harvest(inside, self.folder, began)):
                self.emit(Notice(left, "warning", self.target))
        except (TasklibError, OSError) as error:
            what = error.what if isinstance(error, TasklibError) else str(error)
            why = f"what the container of {inside.service} wrote cannot be brought here: {what}"
            self.emit(Notice(why, "warning", self.target))
        finally:
            with contextlib.suppress(TasklibError):
                inside.remove()  # What is left of it goes with the stack.

    def set_up(
        self,
        steps: tuple[Step, ...],
        outside: Mapping[str, str],
        env: Mapping[str, str],
        suite: Callable[[], Suite | None] = lambda: None,
    ) -> None:
        """Do ``steps``, one after another; ``outside`` is the environment of those on this machine.

        ``env`` is added for all. ``suite`` plans the tests that they are done for, if it can: what is
        installed for these, steps on this machine need, too, and a new worktree lacks. Raises
        :class:`~tasklib.stacks.compose.failures.NotReady` with what the step that failed said.
        """
        if any(step.inside is None for step in steps) and (tests := suite()):
            self._install(tests, {**outside, **env})
        for step in steps:
            if step.inside is None:
                whole = {name: value for name, value in outside.items() if name != "VIRTUAL_ENV"}
                whole = {**whole, **env}
                self._do(replace(step, command=startable(step.command, whole)), Here(self.folder), whole)
            else:
                with self.container(step.inside) as (launch, own):
                    self._do(step, launch, {**own, **env})

    def _install(self, suite: Suite, env: Mapping[str, str]) -> None:
        failed = prepare_suite(suite, env, self.emit, self.cancel)
        if failed and failed.outcome is Outcome.INTERRUPTED:
            raise Interrupted(failed.reason)
        if failed:
            raise ConfigError(failed.reason)

    def _do(self, step: Step, launch: Launcher, env: Mapping[str, str]) -> None:
        last: deque[LogLine] = deque(maxlen=_REMEMBERED)

        def line(_: str, text: str) -> None:
            last.append(LogLine(time.time(), texts.bounded(text)))
            self.emit(Output(self.target, text))

        limit = self.stack.plan.ready_timeout
        words = texts.shorten(visible(shlex.join(step.command)))
        self.emit(Progress(self.target, f"setup: {words}"))
        try:
            with launch.shared() as shared:
                call = launch.call(step.command, env, shared)
                code = call.stream(line, self.cancel, timeout=limit)
            ended = how_it_ended(code) if code else ""
        except process.TimedOut:
            ended = f"no end after {limit:g} s"
        except process.CommandError as error:
            ended = error.what
        finally:
            self.emit(Progress(self.target, ""))
        if ended:
            said = texts.complaint([entry.text for entry in last])
            where = f" in {step.inside}" if step.inside else ""
            raise NotReady(
                f"{self.stack.plan.title} is not ready: its setup `{words}`{where} ended with {ended}"
                f"{f': {said}' if said else ''}",
                logs=(ContainerLog("setup", tuple(last)),) if last else (),
            )
