"""The worker's loop. Every moment is a safe one to die: an unfinished job is taken again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from orders_worker.fulfilment import Outcome

__all__ = ["Ledger", "Queue", "handle", "run"]

log = logging.getLogger(__name__)


class Queue(Protocol):
    """Where jobs come from."""

    def recover(self) -> int: ...
    def take(self) -> str | None: ...
    def finish(self, job: str) -> None: ...
    def announce(self, order_id: UUID) -> None: ...


class Ledger(Protocol):
    """Where orders are settled."""

    def settle(self, order_id: UUID) -> Outcome | None: ...


def run(queue: Queue, ledger: Ledger, beat: Callable[[], None]) -> None:
    """Handle jobs until something raises; `beat` is called before each, and while there is none."""
    recovered = queue.recover()
    if recovered:
        log.warning("%d unfinished jobs queued again", recovered)
    while True:
        beat()
        job = queue.take()
        if job is not None:
            handle(job, queue, ledger)


def handle(job: str, queue: Queue, ledger: Ledger) -> None:
    """Settle the order that `job` names, say so, and finish the job.

    A job that names no pending order is finished too: it would fail for ever.
    """
    try:
        order_id = UUID(job)
    except ValueError:
        log.error("not an order: %r", job)
    else:
        outcome = ledger.settle(order_id)
        log.info("%s: %s", order_id, outcome or "nothing to settle")
        if outcome is not None:
            queue.announce(order_id)
    queue.finish(job)
