"""A stack that a run holds, from before it exists until it is gone or kept on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tasklib import process
from tasklib.errors import Interrupted, TasklibError, UsageError
from tasklib.instance.identity import INSTANCE_ID
from tasklib.results import ContainerLog
from tasklib.stacks.endpoints import Endpoint
from tasklib.stacks.engine.values import Resource
from tasklib.stacks.holding.run import RunContext
from tasklib.stacks.images.builds import Builds
from tasklib.stacks.plan import StackPlan
from tasklib.stacks.stack import Stack
from tasklib.state.records import KeptStack
from tasklib.state.stack_lock import User

__all__ = ["HeldStack"]


class HeldStack:
    """A stack under its lock, on the run's record and under the reaper's eyes while it exists."""

    def __init__(
        self,
        context: RunContext,
        plan: StackPlan,
        *,
        keep: bool = False,
        say: Callable[[str], None] = lambda text: None,
        on_line: Callable[[str], None] = lambda line: None,
    ) -> None:
        """The stack of ``plan``, nothing of which exists yet on our account.

        ``keep`` is whether it is to outlive the run; ``say`` is told what is waited for, ``on_line`` what
        Compose prints.
        """
        stack = Stack(plan, context.instance, context.engine, say=say, on_line=on_line)
        self.project = stack.project
        self.touched = False
        """Whether something of it may exist on our account."""
        self._context = context
        self._stack = stack
        self._wanted = keep
        self._kept = False
        self._tried = False
        self._interrupted = False
        self._lock = context.lock(stack.project)

    @property
    def config(self) -> Mapping[str, Any]:
        return self._stack.config

    def prepare(self, cancel: process.Cancel) -> None:
        self._stack.prepare(cancel)

    def variables(self) -> Iterator[Mapping[str, str]]:
        """What may need hiding: see :meth:`~tasklib.stacks.preparation.Prepared.variables`."""
        return self._stack.prepared.variables()

    def build(self, builds: Builds, cancel: process.Cancel) -> None:
        self._stack.build(builds, cancel)

    def take_ahead(self, cancel: process.Cancel) -> bool:
        """Make it ours before it is needed, unless it is there and was kept; whether :meth:`create` is next.

        Waits for whoever uses it now.
        """
        if not self._is_kept():
            self._take(cancel)
        return self.touched and not self._kept

    def create(self, cancel: process.Cancel) -> None:
        """Make its containers and start none."""
        self._stack.create(cancel)

    def up(self, cancel: process.Cancel) -> tuple[Endpoint, ...]:
        """Bring up and wait, once whoever uses the stack now has let go of it.

        A stack that was kept is brought up to date and stays kept; anything else of that name is leftover
        and goes first. Raises :class:`~tasklib.errors.UsageError` when we would wait for ourselves.
        """
        self._take(cancel)
        self._tried = True
        try:
            found = self._stack.up(cancel)
        except Interrupted:
            self._interrupted = True
            raise
        self._context.reaper().ready(self.project)
        if self._wanted:
            self.keep()
        return found

    def _take(self, cancel: process.Cancel) -> None:
        """From now on it is ours: locked, on record, watched over, and without leftovers."""
        if self.touched:
            return
        context = self._context
        self._lock.acquire(cancel, self._wait_for)
        self.touched = True
        context.runs.add(context.run_id, self.project)
        self._kept = self._is_kept()
        if not self._kept:
            context.reaper().watch(self.project, self._stack.labels, self._lock)
            self._stack.down()

    def keep(self) -> None:
        """The stack outlives this run on purpose, from now on and whatever ends the run."""
        if self._kept:
            return
        context, instance = self._context, self._context.instance
        context.kept.add(KeptStack(self.project, instance.checkout, instance.id, str(context.project.root)))
        context.reaper().spare(self.project)
        self._kept = True

    def endpoints(self) -> tuple[Endpoint, ...]:
        return self._stack.endpoints()

    def logs(self, *, since: float = 0.0) -> tuple[ContainerLog, ...]:
        return self._stack.logs(since=since)

    def close(self) -> None:
        """Take it down, or leave it to the user; nothing happens to a stack that was never touched.

        One that was to be kept and did not become ready stays for the user to look at. Raises
        :class:`~tasklib.errors.TasklibError` when it cannot be removed now; the reaper goes on then.
        """
        if not self.touched:
            return
        context = self._context
        left: tuple[Resource, ...] = ()
        try:
            if self._wanted and self._tried and not self._interrupted:
                self.keep()
            if not self._kept:
                left = self._stack.down()
                if not self._stack.cut_off:
                    context.reaper().spare(self.project)
        except TasklibError:
            self._hand_over()
            raise
        if self._stack.cut_off and not self._kept:
            # Something may appear yet: the reaper looks until nothing does, and nobody starts before.
            self._hand_over()
            return
        self._lock.release()
        if left:
            names = ", ".join(f"{resource.kind} {resource.name}" for resource in left)
            context.notice(f"could not remove {names}: something else uses it; the next run tries again")
            context.left_behind()
        else:
            context.runs.discard(context.run_id, self.project)

    def _hand_over(self) -> None:
        self._context.left_behind()
        self._lock.hand_over()

    def _is_kept(self) -> bool:
        """Whether a run before us kept it and it is still there."""
        kept = self._context.kept.get(self.project)
        if kept is None or kept.checkout != self._context.instance.checkout:
            return False
        if self._context.engine.owned(self._stack.labels):
            return True
        self._context.kept.discard(self.project)
        return False

    def _wait_for(self, user: User) -> None:
        if user.run in self._context.outer_runs:
            raise UsageError(
                f"{self.project} is in use by the run that started this one: {user}",
                remedy=f"Give the inner run an instance of its own: set {INSTANCE_ID}.",
            )
        self._context.notice(f"waiting for {self.project}, which is in use by {user}")
