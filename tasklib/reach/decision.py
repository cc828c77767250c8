"""PURE: from what can be seen of an engine and of ourselves, how tests get to its containers."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from tasklib.errors import EngineError
from tasklib.reach.values import Disk, Reach, Way

__all__ = ["Own", "Seen", "decide"]


class Own(Struct, frozen=True):
    """The container that this process runs in, as its engine describes it.

    ``on_host`` is whether it uses the network of the engine's machine, ``alone`` whether it is to be on none,
    ``mounts`` are what it has of that machine's files (path here, path there; "": none of its).
    """

    id: str
    on_host: bool = False
    mounts: tuple[tuple[str, str], ...] = ()
    alone: bool = False


class Seen(Struct, frozen=True):
    """What can be seen before anything is decided.

    ``endpoint`` is the engine's, as people write it. ``local``: it is a socket of this machine, or a port of
    its loopback (``port``). ``contained``: this process runs in a container, and ``own`` is that where the
    engine knows it. ``same_network``: the engine's bridge is in our network namespace. ``forwards``: the
    engine forwards published ports to our loopback itself, from a virtual machine or a user's namespace.
    ``named``: it gives the host name that we have. ``address`` is the engine's where it is elsewhere,
    ``neighbour`` whether that is on a private network of this container, ``ssh`` whether that is the way to
    it.
    """

    endpoint: str
    local: bool
    port: bool = False
    contained: bool = False
    own: Own | None = None
    same_network: bool = False
    forwards: bool = False
    named: bool = False
    address: str = ""
    neighbour: bool = False
    ssh: bool = False


def decide(seen: Seen, wanted: Way | None = None) -> Reach:
    """How tests get to the containers of an engine; ``wanted`` is the project's setting.

    :attr:`Way.NONE` is for stacks that run as their files say: loopback ports are reached, nothing else is.
    Raises :class:`~tasklib.errors.EngineError` with what helps where they cannot, or not as ``wanted``.
    """
    match wanted:
        case None:
            found = _natural(seen)
        case Way.NONE:
            found = _at_most_loopback(seen)
        case _:
            found = _asked(seen, wanted)
    return replace(found, disk=_disk(seen))


def _natural(seen: Seen) -> Reach:
    if seen.own and not seen.own.on_host:
        return _joined(seen.own, "it runs on this engine")
    if seen.local and seen.same_network:
        return Reach(Way.LOOPBACK, "the engine is on this machine", direct=True)
    # In a pod the port is that of a container that has our name and network; so has an engine inside ours.
    if seen.forwards and seen.local and (seen.named or not (seen.port or seen.contained)):
        return Reach(Way.LOOPBACK, "the engine forwards them to this machine")
    if seen.ssh:
        return _forwarded(seen, "the engine is at the other end")
    if seen.neighbour:
        return _published(seen, "the engine is a neighbour of this container")
    raise _beside_us() if seen.local and not seen.port else _far(seen)


def _at_most_loopback(seen: Seen) -> Reach:
    try:
        found = _natural(seen)
    except EngineError:
        found = None
    return found if found and found.way is Way.LOOPBACK else Reach(Way.NONE, "nothing has to be")


def _asked(seen: Seen, wanted: Way) -> Reach:
    why = "`reach` in [tool.tasklib] says so"
    match wanted:
        case Way.LOOPBACK if seen.local:
            return Reach(wanted, why, direct=seen.same_network)
        case Way.JOINED if seen.own:
            return _joined(seen.own, why)
        case Way.FORWARDED if seen.ssh:
            return _forwarded(seen, why)
        case Way.PUBLISHED if seen.address:
            return _published(seen, why)
    lacks = {
        Way.LOOPBACK: f"the engine at {seen.endpoint} is not on this machine",
        Way.JOINED: f"this process runs in no container of the engine at {seen.endpoint}",
        Way.FORWARDED: f"the way to the engine at {seen.endpoint} is not ssh",
        Way.PUBLISHED: f"the engine at {seen.endpoint} has no address of its own to publish on",
    }[wanted]
    raise EngineError(
        f'`reach = "{wanted}"` does not work here: {lacks}',
        remedy="Take `reach` out of [tool.tasklib]: what can be seen decides then.",
    )


def _joined(own: Own, why: str) -> Reach:
    if own.alone:
        raise EngineError(
            "this container has no network (`network_mode: none`), and engines let such a one join none",
            remedy="Start it on a network, be it one of its own.",
        )
    return Reach(Way.JOINED, why, direct=True, container=own.id)


def _forwarded(seen: Seen, why: str) -> Reach:
    if seen.forwards:
        raise EngineError(
            f"ssh cannot reach the containers of the engine at {seen.endpoint}: "
            "they run in a virtual machine or in a rootless engine's namespace",
            remedy="Use an engine that runs as root on that machine.",
        )
    return Reach(Way.FORWARDED, why, elsewhere=not seen.neighbour)


def _published(seen: Seen, why: str) -> Reach:
    # What is beside a container mostly shares its machine.
    return Reach(Way.PUBLISHED, why, address=seen.address, elsewhere=not seen.neighbour)


def _disk(seen: Seen) -> Disk:
    if seen.own:
        return Disk(shared=False, mounts=seen.own.mounts)
    # A port may lead into another container, whose files are its own.
    inside = seen.same_network or (seen.forwards and seen.named)
    here = seen.local and not seen.port and (inside or not seen.contained)
    return Disk(shared=here)


def _beside_us() -> EngineError:
    """Its socket is here, and neither its network nor any container of its own is."""
    return EngineError(
        "the engine's network is not the one we are in, and we are in none of its containers",
        remedy="Run this on the engine's machine, in a container of that engine, or in one with "
        "`network_mode: host`.",
    )


def _far(seen: Seen) -> EngineError:
    """The two lines for whoever has an engine on another machine."""
    if not seen.address:
        return EngineError(
            f"the engine at {seen.endpoint} is on another machine, which tests cannot get to",
            remedy="Unset DOCKER_HOST, or `docker context use default`, to use a local engine.",
        )
    return EngineError(
        f"the engine at {seen.endpoint} is on another machine: whoever can reach that would reach its ports",
        remedy="Use it over ssh (DOCKER_HOST=ssh://user@host), or allow that with "
        '`reach = "published"` under [tool.tasklib] in pyproject.toml.',
    )
