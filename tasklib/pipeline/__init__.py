"""The three stages: what runs, in which order, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tasklib.pipeline.options import Options
    from tasklib.pipeline.stages import run

__all__ = ["Options", "run"]


def __getattr__(name: str) -> Any:
    # Loaded when used: listing tasks must not pay for running them.
    if name == "run":
        from tasklib.pipeline.stages import run

        return run
    if name == "Options":
        from tasklib.pipeline.options import Options

        return Options
    raise AttributeError(name)
