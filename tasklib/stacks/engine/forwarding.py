"""Ports of containers elsewhere, as a tunnel brings them here."""

from __future__ import annotations

from msgspec.structs import replace

from tasklib.stacks.engine.values import Container, Port
from tasklib.stacks.tunnel import Tunnel

__all__ = ["forwarded"]


def forwarded(container: Container, tunnel: Tunnel) -> Container:
    """The same container with those ports of its own address that tests are to reach, at our loopback.

    A tunnel brings TCP alone; what is published there is not ours to reach.
    """
    return replace(container, ports=tuple(_brought(port, container, tunnel) for port in container.ports))


def _brought(port: Port, container: Container, tunnel: Tunnel) -> Port:
    if port.host != container.address or not port.published:
        return port
    if port.protocol != "tcp" or container.state != "running":
        return replace(port, published=0)
    return replace(port, host="127.0.0.1", published=tunnel.port(port.host, port.published))
