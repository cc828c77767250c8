"""A stack that a run holds, from before it exists until it is gone or kept on purpose."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from tasklib import process
from tasklib.errors import Interrupted, TasklibError
from tasklib.files.lock import User
from tasklib.listener import Listener
from tasklib.stacks.endpoints import Endpoint
from tasklib.stacks.engine.values import Resource
from tasklib.stacks.holding.bakery import Bakery
from tasklib.stacks.holding.folders import alone_in_folders
from tasklib.stacks.holding.run import RunContext
from tasklib.stacks.plan import StackPlan
from tasklib.stacks.stack import Stack
from tasklib.state.records import KeptStack

__all__ = ["HeldStack", "Life"]


class Life(enum.Enum):
    """How far a held stack has come."""

    UNTOUCHED = enum.auto()
    """Nothing of it exists on our account."""
    OURS = enum.auto()
    """Locked, on record, watched over; it goes with us whatever happens."""
    TRIED = enum.auto()
    """Ours, and its start was not interrupted: where it is to be kept, it is kept even if it failed."""
    KEPT = enum.auto()
    """It outlives us on purpose."""


class HeldStack:
    """A stack under its lock, on the run's record and under the reaper's eyes while it exists.

    ``stack`` is what is held: preparing and building it need no hold.
    """

    def __init__(
        self,
        context: RunContext,
        plan: StackPlan,
        *,
        keep: bool = False,
        fresh: bool = False,
        listener: Listener | None = None,
    ) -> None:
        """The stack of ``plan``, nothing of which exists yet on our account, on the engine of ``context``.

        ``keep`` is whether it is to outlive the run, ``fresh`` whether one that was kept gets new stores.
        """
        self.context = context
        self._fresh = fresh
        self.stack = self._made(plan, listener or Listener())
        self.project = self.stack.project
        self.life = Life.UNTOUCHED
        self.since: float | None = None
        """When a run before us kept it as it is (epoch seconds), ``None`` where its data is new."""
        self.closed = False
        self._wanted = keep
        self._failed = False
        self._lock = context.lock(self.project)

    def _made(self, plan: StackPlan, listener: Listener) -> Stack:
        context = self.context
        bakery = Bakery(context, listener, fresh=self._fresh)
        return Stack(plan, context.instance, context.engine, listener, bakery)

    def again(self, plan: StackPlan, listener: Listener) -> None:
        """Look at the same stack anew: what it is prepared to be now, the next :meth:`up` makes of it."""
        self._fresh = False
        self.stack = self._made(plan, listener)
        if self.touched:
            self.since = self.since or time.time()
        if self._failed:
            # It stayed to be looked at, and is tested again now.
            self._failed = False
            self.life = Life.TRIED
            self.context.reaper.watch(self.project, self.stack.labels, self._lock)
            self.context.kept.discard(self.project)

    @property
    def touched(self) -> bool:
        """Whether something of it may exist on our account."""
        return self.life is not Life.UNTOUCHED

    def take_ahead(self, cancel: process.Cancel) -> bool:
        """Make it ours before it is needed, unless it is there and was kept; whether it is to be created.

        Waits for whoever uses it now.
        """
        if not self._is_kept():
            self._take(cancel)
        return self.life is Life.OURS

    def up(
        self, cancel: process.Cancel, turn: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> tuple[Endpoint, ...]:
        """Bring up and wait, once whoever uses the stack now, or a folder of it, has let go of that.

        The start itself is in a ``turn``: whoever is waited for may have to wait for one, too.
        A stack that was kept is brought up to date and stays kept; anything else of that name is leftover
        and goes first. Raises :class:`~tasklib.errors.UsageError` when we would wait for ourselves,
        and :class:`~tasklib.errors.StackError` where what stays up has its data in a folder of the stack.
        """
        self._take(cancel)
        if self.life is Life.OURS:
            self.life = Life.TRIED
        try:
            with alone_in_folders(self.context, self.stack.prepared, cancel), turn():
                found = self.stack.up(cancel)
        except Interrupted:
            if self.life is Life.TRIED:
                self.life = Life.OURS
            raise
        self.context.reaper.ready(self.project)
        if self._wanted:
            self.keep()
        if self.life is not Life.KEPT:
            self.context.runs.saw(self.context.run_id, self.project, self.stack.look_around())
        return found

    def _take(self, cancel: process.Cancel) -> None:
        """From now on it is ours: locked, on record, watched over, and without leftovers."""
        if self.touched:
            return
        context = self.context
        self._lock.acquire(cancel, self._wait_for)
        self.life = Life.OURS
        context.runs.add(context.run_id, self.project)
        if self._is_kept():
            self.life = Life.KEPT
            self._renew()
        else:
            context.reaper.watch(self.project, self.stack.labels, self._lock)
            self.stack.down()

    def _renew(self) -> None:
        """Give a kept stack new stores where that is wanted; else remember how old they are."""
        kept = self.context.kept.get(self.project)
        if self._fresh:
            self.stack.renew()
            self._record()
        elif kept and self.stack.holds_data:
            self.since = kept.at

    def keep(self) -> None:
        """The stack outlives this run on purpose, from now on and whatever ends the run."""
        if self.life is not Life.KEPT:
            self._record()
            self.context.reaper.spare(self.project)
            self.life = Life.KEPT

    def keep_failed(self, seconds: float) -> float | None:
        """The stack stays for ``seconds`` to be looked at; returns until when (epoch seconds).

        ``None`` where there is nothing to look at, or it stays in any case.
        """
        if self.life is not Life.TRIED:
            return None
        until = time.time() + seconds
        self._record(until)
        self.context.reaper.spare(self.project)
        self.life = Life.KEPT
        self._failed = True
        return until

    def _record(self, until: float = 0.0) -> None:
        context, instance = self.context, self.context.instance
        root = str(context.project.root)
        context.kept.add(KeptStack(self.project, instance.checkout, instance.id, root, until=until))

    def close(self) -> None:
        """Take it down, or leave it to the user; nothing happens to a stack that was never touched.

        One that was to be kept and did not become ready stays for the user to look at. Raises
        :class:`~tasklib.errors.TasklibError` when it cannot be removed now; the reaper goes on then.
        """
        self.closed = True
        if not self.touched:
            return
        context = self.context
        left: tuple[Resource, ...] = ()
        try:
            if self._wanted and self.life is Life.TRIED:
                self.keep()
            if self.life is not Life.KEPT:
                left = self.stack.down()
                if not self.stack.cut_off:
                    context.reaper.spare(self.project)
        except TasklibError:
            self._lock.hand_over()
            raise
        if self.stack.cut_off and self.life is not Life.KEPT:
            # Something may appear yet: the reaper looks until nothing does, and nobody starts before.
            self._lock.hand_over()
            return
        self._lock.release()
        if left:
            names = ", ".join(f"{resource.kind} {resource.name}" for resource in left)
            context.notice(f"could not remove {names}: something else uses it; the next run tries again")
        else:
            context.runs.discard(context.run_id, self.project)

    def _is_kept(self) -> bool:
        """Whether a run before us kept it and it is still there.

        One that only stayed to be looked at counts as a leftover.
        """
        kept = self.context.kept.get(self.project)
        if kept is None or kept.checkout != self.context.instance.checkout:
            return False
        if not kept.until and self.context.engine.owned(self.stack.labels):
            return True
        self.context.kept.discard(self.project)
        return False

    def _wait_for(self, user: User) -> None:
        text = f"waiting for {self.project}, which is in use by {user}"
        self.context.tell_waiting(self.project, user, text)
