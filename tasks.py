"""tasklib's own tasks, on tasklib."""

from tasklib.tasks import namespace as ns

__all__ = ["ns"]
