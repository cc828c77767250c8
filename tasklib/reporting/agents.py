"""Whether a coding agent reads what is shown, on whatever terminal it has made for itself."""

from __future__ import annotations

__all__ = ["under_agent"]


def under_agent() -> bool:
    """Whether this process's environment is one that a coding agent made.

    Agents keep what a board draws over as so many lines. Which variables tell is detect-agent's to know.
    """
    from detect_agent import determine_agent  # 20 ms, for terminals alone

    return determine_agent()["is_agent"]
