"""PURE: from facts to the steps that provide an engine, or to the message that says why not."""

from __future__ import annotations

from dataclasses import dataclass

from dev.errors import NoEngine
from dev.facts import LOCAL_ENDPOINTS, Engine, Host, Reach

__all__ = ["LATER_SUITE", "Install", "Start", "Step", "describe", "engine_steps", "packages_for_venv"]

LATER_SUITE = "trixie"
"""The Debian suite whose engine, Compose v2 and buildx also install on the release before it."""


@dataclass(frozen=True)
class Install:
    """Install `packages` from the distribution; with `suite`, those named `package/suite` from that later
    suite."""

    packages: tuple[str, ...]
    suite: str | None = None


@dataclass(frozen=True)
class Start:
    """Start the installed daemon: through systemd where it is PID 1, else as a process of its own."""

    systemd: bool


Step = Install | Start


def engine_steps(host: Host, engine: Engine) -> tuple[Step, ...]:
    """What remains to be done until the engine answers and Compose v2 runs; () when both do.

    Raises NoEngine when nothing can be done here, with what the user has to do.
    """
    if engine.usable:
        return ()
    if engine.reach is Reach.ANSWERS:
        return (_compose(host, engine),)
    if engine.reach is Reach.INCOMPATIBLE:
        first = engine.reason.partition("\n")[0]
        raise NoEngine(
            f"Docker's client and engine are of versions too far apart: {first}\n"
            "Update the older one, or set DOCKER_API_VERSION to the engine's."
        )
    if engine.endpoint not in LOCAL_ENDPOINTS:
        raise NoEngine(
            f"No Docker Engine answers at {engine.endpoint}, which DOCKER_HOST or the Docker context names.\n"
            "Start that engine, or use the local one: unset DOCKER_HOST; docker context use default"
        )
    if engine.reach is Reach.DENIED and not host.root:
        raise NoEngine(
            "The Docker Engine refuses this user.\n"
            'Run: sudo usermod -aG docker "$USER", log in again, and repeat the command.'
        )
    if engine.daemon and engine.client:
        return _start(host, engine)
    if not host.packaged or not host.root:
        raise NoEngine(_missing(host))
    wanted = _engine(host, engine)
    extra = () if engine.compose else (_compose(host, engine),)
    return (_merged((wanted, *extra)), Start(host.systemd))


def _start(host: Host, engine: Engine) -> tuple[Step, ...]:
    if not host.root:
        how = "systemctl start docker" if host.systemd else "dockerd"
        raise NoEngine(f"The Docker Engine is installed but not running.\nRun: sudo {how}")
    return (Start(host.systemd),) if engine.compose else (Start(host.systemd), _compose(host, engine))


def _needs_later_suite(host: Host) -> bool:
    """Debian before 13 has only the first Compose in its own release, and an engine of 2020."""
    return host.distribution == "debian" and 0 < host.version < 13


def _engine(host: Host, engine: Engine) -> Install:
    if engine.upstream:
        return Install(("docker-ce", "docker-ce-cli", "containerd.io"))
    if host.distribution == "ubuntu":
        return Install(("docker.io", "iptables"))
    # From Debian 13 on the client is a package of its own.
    client = () if engine.client else ("docker-cli",)
    if _needs_later_suite(host):
        later = tuple(f"{name}/{LATER_SUITE}" for name in ("docker.io", *client))
        return Install((*later, "iptables"), LATER_SUITE)
    return Install(("docker.io", "iptables", *client))


def _compose(host: Host, engine: Engine) -> Install:
    if engine.upstream:
        packages: tuple[str, ...] = ("docker-compose-plugin", "docker-buildx-plugin")
    elif host.distribution == "ubuntu":
        packages = ("docker-compose-v2", "docker-buildx")
    else:
        packages = ("docker-compose", "docker-buildx")
    if not host.packaged or not host.root:
        hint = "install Docker's Compose plugin: https://docs.docker.com/compose/install/"
        if host.packaged:
            hint = f"as root, run: python3 dev setup --provide-engine (or {hint})"
        raise NoEngine(f"`docker compose` (Compose v2) is missing.\nTo get it, {hint}")
    if _needs_later_suite(host) and not engine.upstream:
        return Install(tuple(f"{name}/{LATER_SUITE}" for name in packages), LATER_SUITE)
    return Install(packages)


def _merged(installs: tuple[Install, ...]) -> Install:
    """One transaction instead of several."""
    suite = next((install.suite for install in installs if install.suite), None)
    return Install(tuple(name for install in installs for name in install.packages), suite)


def _missing(host: Host) -> str:
    if host.packaged:
        return (
            "No Docker Engine is installed, and installing one takes root.\n"
            "Run as root: python3 dev setup --provide-engine (or install Docker with Compose v2 yourself)"
        )
    return (
        f"No Docker Engine answers, and on {host.name} this tool cannot install one.\n"
        "Install it with Compose v2 (https://docs.docker.com/engine/install/), start it, and repeat."
    )


def packages_for_venv(host: Host, version: tuple[int, int], *, distribution_python: bool) -> tuple[str, ...]:
    """The packages that give the running Python `ensurepip`; () where the distribution cannot help: not
    Debian or Ubuntu, not root, or a Python that does not come from it."""
    if not (host.packaged and host.root and distribution_python):
        return ()
    return (f"python{version[0]}.{version[1]}-venv",)


def describe(steps: tuple[Step, ...], host: Host) -> str:
    """The steps as the question to the user names them."""
    parts = []
    for each in steps:
        match each:
            case Install(packages, suite):
                source = f"{host.name} {suite}" if suite else host.name
                names = ", ".join(name.partition("/")[0] for name in packages)
                parts.append(f"install {names} from {source}")
            case Start():
                parts.append("start the Docker Engine")
    return " and ".join(parts)
