"""What can go wrong that a client should hear about."""

from __future__ import annotations

__all__ = ["QueueUnavailable"]


class QueueUnavailable(Exception):
    """The queue between api and worker cannot be reached."""
