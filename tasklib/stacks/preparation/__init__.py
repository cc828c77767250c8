"""Compose files → rendered → isolated: a stack as it would run, before anything of it does."""

from __future__ import annotations

from tasklib.stacks.preparation.prepared import Prepared, checkout_root, known_servers
from tasklib.stacks.preparation.preparing import prepare, prepare_ahead

__all__ = ["Prepared", "checkout_root", "known_servers", "prepare", "prepare_ahead"]
