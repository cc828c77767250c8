"""`python -m orders_worker`: work until told to stop."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path

from orders_worker.ledger import PostgresLedger
from orders_worker.queue import RedisQueue
from orders_worker.worker import run

# Touched all the time; the container's health check looks at its age.
HEARTBEAT = Path("/tmp/orders-worker-alive")


def main() -> None:
    """Connect to what DATABASE_URL and REDIS_URL name, and work."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)]
    if missing:
        sys.exit(f"not set: {', '.join(missing)}")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    with (
        PostgresLedger.connect(os.environ["DATABASE_URL"]) as ledger,
        RedisQueue.connect(os.environ["REDIS_URL"]) as queue,
    ):
        run(queue, ledger, HEARTBEAT.touch)


if __name__ == "__main__":
    main()
