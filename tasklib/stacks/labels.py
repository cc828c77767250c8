"""The labels that say whose a container, network or volume is. Images never carry them.

What is built on a labelled image inherits its labels, so images are known by their exact tags instead.
"""

from __future__ import annotations

from tasklib.isolation import Instance, slug

__all__ = [
    "CHECKOUT",
    "CONTAINER",
    "FILES",
    "FULL_STACK",
    "HOST",
    "INSTANCE",
    "MADE_OF",
    "PORTS",
    "SERVICE",
    "STACK",
    "labels",
    "owner_labels",
]

INSTANCE = "io.tasklib.instance"
CHECKOUT = "io.tasklib.checkout"
HOST = "io.tasklib.host"
STACK = "io.tasklib.stack"
CONTAINER = "io.tasklib.container"
"""Only on containers: the name that each was made with, since whatever is committed from it has the rest."""
SERVICE = "io.tasklib.service"
"""Only on the copies that stand for a service's further replicas: the service's own key."""

PORTS = "io.tasklib.ports"
"""On containers that publish nothing: the ports (``8000/tcp 53/udp``) that tests reach inside."""

FILES = "io.tasklib.files"
"""On containers into which files were copied: what those were."""

MADE_OF = "io.tasklib.made-of"
"""Only on containers: a digest of all that Compose made them of."""

FULL_STACK = "full"
"""The value of :data:`STACK` for the full stack; filters need a value that is not empty."""


def labels(instance: Instance, stack: str | None = None) -> dict[str, str]:
    """The labels of everything that belongs to a stack of an instance; the same on every run.

    A stack called ``full`` cannot be mistaken for the full stack: its label is ``full_``, which no slug is.
    """
    return {
        INSTANCE: instance.id,
        CHECKOUT: instance.checkout,
        HOST: instance.host,
        STACK: FULL_STACK if stack is None else _own(stack),
    }


def owner_labels(instance: Instance) -> dict[str, str]:
    """The labels of all that a checkout has by this user's state folder, on whatever branch it made it.

    Two users may work in one checkout: what one has up is not the other's to remove.
    """
    return {CHECKOUT: instance.checkout, HOST: instance.host}


def _own(stack: str) -> str:
    name = slug(stack)
    return f"{name}_" if name == FULL_STACK else name
