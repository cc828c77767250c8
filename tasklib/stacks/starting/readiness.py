"""PURE: from what the engine says of a stack's containers, is it ready, on its way, or lost?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from tasklib.stacks.engine.values import Container

__all__ = ["Failed", "Ready", "Verdict", "Waiting", "judge", "lost", "missing", "start_error"]


class Ready(Struct, frozen=True):
    """Every container is healthy, lacks nothing else, or has done its one job."""


class Waiting(Struct, frozen=True):
    """Not yet: ``reasons`` says what each service that is waited for lacks."""

    reasons: Mapping[str, str]


class Failed(Struct, frozen=True):
    """Success is out of reach because of ``container``."""

    container: Container
    why: str


Verdict = Ready | Waiting | Failed


def judge(
    services: Iterable[str],
    containers: Iterable[Container],
    lacks: Mapping[str, str],
    optional: Collection[str] = (),
) -> Verdict:
    """What to think of a stack.

    ``services`` are the services that must have a container; ``lacks`` says what a running one lacks besides
    its health check, by its id. Of the ``optional`` ones nothing is waited for once they are :func:`lost`.
    """
    everything = tuple(containers)
    present = tuple(c for c in everything if c.service not in optional or not lost(c))
    reasons: dict[str, str] = dict.fromkeys(missing(services, everything), "not created")
    for container in present:
        match container.state:
            case "exited" | "dead":
                if why := lost(container):
                    return Failed(container, why)
                if container.exit_code or container.always:
                    reasons[container.service] = f"restarts after exit code {container.exit_code}"
            case "running":
                if why := lost(container):
                    return Failed(container, why)
                if why := lacks.get(container.id, ""):
                    reasons[container.service] = why
                elif container.health == "starting":
                    reasons[container.service] = "health check"
            case "restarting":
                reasons[container.service] = f"restarts after exit code {container.exit_code}"
            case state:
                if container.error:
                    return Failed(container, f"cannot start: {start_error(container.error)}")
                reasons[container.service] = state
    return Waiting(reasons) if reasons else Ready()


def missing(services: Iterable[str], containers: Iterable[Container]) -> tuple[str, ...]:
    """Which of ``services`` have no container."""
    there = {container.service for container in containers}
    return tuple(name for name in services if name not in there)


def lost(container: Container) -> str:
    """Why a container will not do what it is for, or "" when it does or may yet."""
    if container.state == "running":
        return "is unhealthy" if container.health == "unhealthy" else ""
    return _ended(container) if container.state in ("exited", "dead") else ""


def _ended(container: Container) -> str:
    """Why an exited container cannot come back, or "" when it can or need not."""
    tries = "" if not container.restarts else f" after {container.restarts} restarts"
    if container.error:
        return f"cannot start: {start_error(container.error)}"
    if container.always:
        return ""
    if container.exit_code == 0:
        # A job is done. What publishes a port was meant to stay.
        return f"exited with code 0{tries} although it publishes a port" if container.ports else ""
    if container.max_restarts is None or container.restarts < container.max_restarts:
        return ""
    if container.starved:
        return f"was ended by the kernel{tries}: no memory was left, by its own limit or on the machine"
    return f"exited with code {container.exit_code}{tries}"


def start_error(text: str) -> str:
    """What the engine says of a container that does not start, without the names of its own layers."""
    return text.rpartition("unable to start container process: ")[2].removesuffix(": unknown")
