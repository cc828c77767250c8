"""Looking at what may not be looked at: below an unreadable folder, or under what is no name at all."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["sees"]


def sees(ask: Callable[[], bool]) -> bool:
    """What ``ask`` (``path.exists``, ``path.is_dir``) says; ``False`` where the system does not answer."""
    try:
        return ask()
    except (OSError, ValueError):
        return False
