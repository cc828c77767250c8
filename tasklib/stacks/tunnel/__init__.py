"""One ssh connection to an engine's machine, through which all goes: its socket, and containers' ports."""

from __future__ import annotations

from tasklib.stacks.tunnel.connection import Tunnel, opened
from tasklib.stacks.tunnel.words import destination

__all__ = ["Tunnel", "destination", "opened"]
