"""The process that holds a stack while somebody else's tests run: brings it up, takes it down when they end.

It lives in a session of its own, so that neither the terminal's Ctrl-C nor a kill of the tests' process group
reaches it. Should it be killed too, its reaper does its work, as that of any run.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tasklib import process
from tasklib.checkout import find_checkout
from tasklib.commands.boundary import boundary
from tasklib.commands.console import engines_of, hide_containers, log_lines
from tasklib.errors import TasklibError, UsageError
from tasklib.events import Event, Notice, Progress
from tasklib.garbage import look_seldom
from tasklib.instance.resolution import resolve
from tasklib.lending.choice import Choice, Wanted, choose
from tasklib.listener import Listener
from tasklib.pipeline.commons import Commons
from tasklib.pipeline.containers import Beside
from tasklib.pipeline.target_stack import Phases, TargetStack
from tasklib.pipeline.turns import Turns
from tasklib.project import Project, find_project
from tasklib.results import ContainerLog, Stage, Target
from tasklib.shown.ages import ago
from tasklib.shown.people import for_people
from tasklib.siblings.include import bring_included
from tasklib.stacks.compose.failures import NotReady
from tasklib.stacks.holding.fleet import open_fleet
from tasklib.stacks.holding.held_stack import HeldStack, Life
from tasklib.stacks.images.builds import Builds
from tasklib.stacks.images.shared import shared_images
from tasklib.stacks.preparation import prepare_ahead
from tasklib.stacks.starting.startup import read_logs
from tasklib.state.places import Turn

__all__ = ["main"]

_LINES = 60
"""Of all containers together, for one failed test."""


def main() -> None:
    """Lend one stack to the process at the other end of standard input."""
    look_seldom()
    _Lender(socket.socket(fileno=os.dup(0))).lend()


class _Lender(Listener):
    """One stack, lent over ``channel`` until its other end is closed."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._cancel = process.Cancel()
        self._requests: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()

    def lend(self) -> None:
        """From the request to the end of whoever made it."""
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            with boundary():
                if request := self._requests.get():
                    self._answer(request)
        except TasklibError as error:
            found = error.logs if isinstance(error, NotReady) else ()
            self._say({"error": str(error), "code": error.exit_code, "logs": self._shown(found)})

    def _listen(self) -> None:
        with contextlib.suppress(OSError), self._channel.makefile("rb") as lines:
            for line in lines:
                self._requests.put(json.loads(line))
        self._cancel.set("the tests have ended")
        self._requests.put(None)

    def _answer(self, request: Mapping[str, Any]) -> None:
        sys.argv = request["argv"]  # what others are told of who uses the stack
        paths = tuple(map(Path, request["paths"]))
        if "project" not in request and (brought := bring_included(paths[0])):
            self.notice(brought)
        project = find_project(paths[0])
        if name := request.get("project"):
            self._look(project, name)
        elif choice := choose(project, Wanted(request["stack"], paths, request["marks"])):
            self._hold(project, choice, fresh=bool(request.get("fresh")))
        else:
            self._say({"nothing": True})

    def _hold(self, project: Project, choice: Choice, *, fresh: bool) -> None:
        """Bring the stack up, answer what is asked about it, take it down."""
        began = time.monotonic()
        plan, tests, cancel = choice.plan, choice.tests, self._cancel
        target = Target(Stage.SERVICE if plan.name else Stage.INTEGRATION, plan.name or project.suite)
        if not project.engines:  # The likely answer of Compose, while the engine is looked for.
            checkout = find_checkout(project.root)
            resolved = resolve(checkout, os.environ, prefix=project.prefix, folder=project.root)
            prepare_ahead(plan, resolved.instance, cancel)
        with open_fleet(project, self._hear) as fleet:
            (context,) = fleet.place([plan])
            held = HeldStack(context, plan, fresh=fresh, listener=self)
            turn = Turn(time.time(), context.run_id, context.command, os.getpid())
            nested = bool(context.outer_runs)
            turns = Turns.of_run(context.state, turn, self._hear, cancel, os.environ, nested=nested)
            there = turns.on(context.engine.facts, context.state)
            phases = Phases(target, self._hear)
            commons = Commons(context.project.root, lambda text: None)
            builds = Builds(context.engine, context, shared_images(project, self.notice))
            stack = TargetStack(held, builds, phases, there, commons, cancel)
            with closing(stack):
                self._say({"begins": plan.title})
                stack.up()
                reachable = stack.variables(project, context.state)
                if tests.setup:
                    beside = Beside.of(project, stack.stack, target, context.environment, self._hear, cancel)
                    with turns.turn(target):
                        outside = {**os.environ, **context.environment, **reachable}
                        beside.set_up(tests.setup, outside, tests.env)
                stack.keep_databases(project, context.engine)
                variables = {**context.environment, **tests.env, **reachable}
                lent = {
                    "project": held.project,
                    "title": plan.title,
                    "variables": variables,
                    "kept": held.life is Life.KEPT,
                    "seconds": time.monotonic() - began,
                    "data": ago(time.time() - held.since) if held.since else "",
                }
                self._say({"ready": lent})
                self._serve(stack.logs)

    def _look(self, project: Project, name: str) -> None:
        """Answer what is asked about a stack that somebody else holds."""
        with engines_of(project) as fleet:
            found = [(context, context.engine.containers(name)) for context in fleet.contexts]
            context, containers = next((pair for pair in found if pair[1]), found[0])
            if not containers:
                raise UsageError(f"the stack has no container of {name}")
            hide_containers(containers)
            lent = {"project": name, "title": name, "variables": {}, "kept": True, "seconds": 0.0}
            self._say({"ready": lent})
            self._serve(lambda since: read_logs(context.engine, containers, since=since))

    def _serve(self, logs: Callable[[float], Iterable[ContainerLog]]) -> None:
        while request := self._requests.get():
            self._say({"logs": self._shown(logs(request["logs"]))})

    def _shown(self, logs: Iterable[ContainerLog]) -> list[str]:
        return [for_people(line) for line in log_lines(logs)]

    def _say(self, message: Mapping[str, object]) -> None:
        """Whoever has gone need not be told."""
        with contextlib.suppress(OSError):
            self._channel.sendall((json.dumps(message) + "\n").encode())

    # -- what happens while the stack comes up --------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.notice(event.text)
        elif isinstance(event, Progress):
            self.waits(event.text)

    def waits(self, text: str) -> None:
        self._say({"waits": for_people(text)})

    def notice(self, text: str) -> None:
        self._say({"notice": for_people(text)})
