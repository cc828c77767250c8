"""Gathers the facts: what this host is, what its engine says, which apt sources it has."""

from __future__ import annotations

import os
import platform
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from dev.apt import Source, parse_deb822, parse_one_line
from dev.commands import query
from dev.facts import Engine, Host, Reach, host_from, reach_of, version_of

__all__ = ["apt_sources", "dockerd", "engine_answers", "probe_engine", "probe_host"]

_APT = Path("/etc/apt")
_SBIN = ("/usr/sbin", "/sbin", "/usr/local/sbin")


def probe_host() -> Host:
    """The host, from os-release, the user and PID 1."""
    try:
        fields = platform.freedesktop_os_release()
    except OSError:
        fields = {}
    try:
        first = Path("/proc/1/comm").read_text(encoding="utf-8").strip()
    except OSError:
        first = ""
    return host_from(fields, root=os.geteuid() == 0, systemd=first == "systemd")


def dockerd() -> str | None:
    """The daemon's program, also when an ordinary user's PATH leaves the system folders out."""
    return shutil.which("dockerd", path=os.pathsep.join([os.environ.get("PATH", ""), *_SBIN]))


def probe_engine() -> Engine:
    """The engine, through the Docker client; `docker` and `docker compose` are asked at the same time."""
    if shutil.which("docker") is None:
        return Engine(daemon=dockerd() is not None, upstream=_upstream())
    with ThreadPoolExecutor(2) as pool:
        server = pool.submit(query, ["docker", "version", "--format", "{{.Server.Version}}"])
        plugin = pool.submit(query, ["docker", "compose", "version", "--short"])
    answer, compose = server.result(), plugin.result()
    engine = Engine(
        client=True,
        compose=compose.ok and version_of(compose.out) >= (2,),
        compose_version=compose.out if compose.ok else "",
    )
    if answer.ok:
        engine = replace(engine, reach=Reach.ANSWERS, version=answer.out)
    if engine.usable:
        return engine
    context = query(["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"])
    return replace(
        engine,
        reach=engine.reach if answer.ok else reach_of(answer.err),
        reason="" if answer.ok else answer.err,
        endpoint=os.environ.get("DOCKER_HOST") or context.out or os.environ.get("DOCKER_CONTEXT", ""),
        daemon=dockerd() is not None,
        upstream=_upstream(),
    )


def engine_answers() -> bool:
    """Whether the engine takes commands now."""
    return query(["docker", "version", "--format", "{{.Server.Version}}"]).ok


def _upstream() -> bool:
    """Whether Docker's own packages are installed, which conflict with the distribution's."""
    found = query(
        ["dpkg-query", "--show", "--showformat", "${db:Status-Status} ", "docker-ce", "docker-ce-cli"]
    )
    return "installed" in found.out.split()


def apt_sources() -> tuple[Source, ...]:
    """Every enabled source of this host, in the order in which apt reads them."""
    sources = list(parse_one_line(_text(_APT / "sources.list")))
    for path in sorted((_APT / "sources.list.d").glob("*")):
        if path.suffix == ".list":
            sources += parse_one_line(_text(path))
        elif path.suffix == ".sources":
            sources += parse_deb822(_text(path))
    return tuple(replace(source, uris=_resolved(source.uris)) for source in sources)


def _resolved(uris: tuple[str, ...]) -> tuple[str, ...]:
    """Cloud images name a file that lists mirrors; containers do not have it, so its entries are taken."""
    found: list[str] = []
    for uri in uris:
        if uri.startswith("mirror+file:"):
            listed = _text(Path(uri.removeprefix("mirror+file:")))
            found += [line.split()[0] for line in listed.splitlines() if line.strip() and line[0] != "#"]
        else:
            found.append(uri)
    return tuple(found)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
