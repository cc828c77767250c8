"""Why a data store is not baked: it does something that is not understood well enough."""

from __future__ import annotations

__all__ = ["Unfit"]


class Unfit(Exception):
    """The store starts as its file says; the text says why, in a few words."""
