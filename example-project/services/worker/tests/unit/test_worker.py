"""The worker's loop, with a queue and a ledger kept in memory."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from orders_worker.fulfilment import Done, Outcome
from orders_worker.worker import handle, run


class OutOfJobs(Exception):
    """Ends a loop that has no end of its own."""


class MemoryQueue:
    """Jobs in a list, oldest first; like the real one, it keeps what was taken until it is finished."""

    def __init__(self, *jobs: str, unfinished: tuple[str, ...] = ()) -> None:
        self.jobs = list(jobs)
        self.taken = list(unfinished)
        self.announced: list[UUID] = []

    def recover(self) -> int:
        recovered = len(self.taken)
        self.jobs[:0] = self.taken
        self.taken.clear()
        return recovered

    def take(self) -> str | None:
        if not self.jobs:
            raise OutOfJobs
        job = self.jobs.pop(0)
        self.taken.append(job)
        return job

    def finish(self, job: str) -> None:
        self.taken.remove(job)

    def announce(self, order_id: UUID) -> None:
        self.announced.append(order_id)


class MemoryLedger:
    """Settles the orders it was given, once each."""

    def __init__(self, *pending: UUID) -> None:
        self.pending = set(pending)
        self.settled: list[UUID] = []

    def settle(self, order_id: UUID) -> Outcome | None:
        if order_id not in self.pending:
            return None
        self.pending.remove(order_id)
        self.settled.append(order_id)
        return Done(900)


class BrokenLedger:
    """A database that went away."""

    def settle(self, order_id: UUID) -> Outcome | None:
        raise ConnectionError


def work(queue: MemoryQueue, ledger: MemoryLedger | BrokenLedger) -> int:
    """Run the loop until the queue is empty; return how often it showed that it is alive."""
    beats: list[None] = []
    with pytest.raises(OutOfJobs):
        run(queue, ledger, lambda: beats.append(None))
    return len(beats)


def test_a_job_is_settled_announced_and_finished():
    """All three, and nothing is left of the job."""
    order = uuid4()
    queue, ledger = MemoryQueue(str(order)), MemoryLedger(order)
    work(queue, ledger)

    assert ledger.settled == [order]
    assert queue.announced == [order]
    assert queue.taken == []


def test_jobs_are_settled_in_the_order_they_came():
    """First come, first served: it matters for the last pieces in stock."""
    orders = [uuid4() for _ in range(3)]
    ledger = MemoryLedger(*orders)
    work(MemoryQueue(*map(str, orders)), ledger)

    assert ledger.settled == orders


def test_a_job_queued_twice_is_announced_once():
    """The second time there is nothing to settle, and the job is gone all the same."""
    order = uuid4()
    queue = MemoryQueue(str(order), str(order))
    work(queue, MemoryLedger(order))

    assert queue.announced == [order]
    assert queue.taken == []


@pytest.mark.parametrize("job", ["", "order 7", "{}"])
def test_a_job_that_names_no_order_does_not_stop_the_others(job):
    """It is dropped: it would fail for ever."""
    order = uuid4()
    queue, ledger = MemoryQueue(job, str(order)), MemoryLedger(order)
    work(queue, ledger)

    assert ledger.settled == [order]
    assert queue.taken == []


def test_an_unfinished_job_is_taken_up_again_first():
    """What a worker left behind when it died comes before what is new."""
    left_behind, new = uuid4(), uuid4()
    ledger = MemoryLedger(left_behind, new)
    work(MemoryQueue(str(new), unfinished=(str(left_behind),)), ledger)

    assert ledger.settled == [left_behind, new]


def test_a_job_whose_ledger_fails_stays_unfinished():
    """The error ends the worker, and the next one finds the job."""
    order = uuid4()
    queue = MemoryQueue(str(order))
    with pytest.raises(ConnectionError):
        run(queue, BrokenLedger(), lambda: None)

    assert queue.taken == [str(order)]
    assert queue.announced == []


def test_an_order_that_is_gone_is_not_announced():
    """There is nothing to tell."""
    queue = MemoryQueue(unfinished=("0d1f3b1e-5c0e-4f7e-9d8c-2f6a1f0a7c11",))
    handle("0d1f3b1e-5c0e-4f7e-9d8c-2f6a1f0a7c11", queue, MemoryLedger())

    assert queue.announced == []
    assert queue.taken == []


def test_the_worker_shows_that_it_is_alive_before_each_job():
    """Once for each of two jobs, and once before it finds the queue empty."""
    orders = [uuid4(), uuid4()]
    assert work(MemoryQueue(*map(str, orders)), MemoryLedger(*orders)) == 3
