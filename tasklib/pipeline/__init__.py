"""The three stages: what runs, in which order, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasklib.pipeline.stages import Options, run

__all__ = ["Options", "run"]


def __getattr__(name: str) -> Any:
    # Loaded when used: listing tasks must not pay for running them.
    if name in __all__:
        from tasklib.pipeline import stages

        return getattr(stages, name)
    raise AttributeError(name)
