"""PURE: the servers that are known by their images. A new one is a row of one of these tables, nowhere else.

Each fact is one of the image's own documentation or start script, which the row names.
"""

from __future__ import annotations

from tasklib.stacks.servers.brokers import BROKERS
from tasklib.stacks.servers.databases import DATABASES
from tasklib.stacks.servers.model import Server
from tasklib.stacks.servers.stores import STORES

__all__ = ["SERVERS"]

SERVERS: tuple[Server, ...] = (*DATABASES, *STORES, *BROKERS)
