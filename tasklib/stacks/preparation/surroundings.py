"""What the rewriting decides by and no Compose file says: free ports, files, links, images."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tasklib.project.compose_files import assignments
from tasklib.stacks.archive import digest_of
from tasklib.stacks.compose.source import Source
from tasklib.stacks.dollars import plain
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import Container
from tasklib.stacks.rewrite import LocalState, port_variable, project_names

__all__ = ["host_ports", "image_volumes", "local_state", "projects", "real_paths", "texts"]


def host_ports(names: Iterable[str], containers: Iterable[Container]) -> dict[str, int]:
    """A host port for each variable: the one its container has, so that it can stay, else a free one."""
    published: dict[str, int] = {}
    for container in containers:
        if container.state == "running":  # Of another the number may be someone else's by now.
            for port in container.ports:
                published.setdefault(port_variable(container.service, port.target), port.published)
    kept = {name: published[name] for name in names if published.get(name)}
    return kept | _free_ports(name for name in names if name not in kept)


def _free_ports(names: Iterable[str]) -> dict[str, int]:
    """A port for each name that nothing listened on a moment ago."""
    held = {name: socket.socket() for name in names}
    try:
        for holder in held.values():
            holder.bind(("127.0.0.1", 0))
        return {name: int(holder.getsockname()[1]) for name, holder in held.items()}
    finally:
        for holder in held.values():
            holder.close()


def image_volumes(images: Iterable[str], engine: Engine) -> dict[str, tuple[str, ...]]:
    found = {image: engine.image_volumes(image) for image in images}
    return {image: paths for image, paths in found.items() if paths}


def projects(source: Source, texts: list[str], env: Mapping[str, str]) -> tuple[str, ...]:
    """What plain Compose calls the project; COMPOSE_PROJECT_NAME of the environment may be ours."""
    variables = {**os.environ, **source.env, **env}
    del variables["COMPOSE_PROJECT_NAME"]
    assigned = map(assignments, source.env_files)
    return project_names(texts, assigned, source.directory.name, variables)


def texts(paths: Iterable[Path]) -> list[str]:
    """The files as written; one that cannot be read is Compose's to complain about."""
    texts = []
    for path in paths:
        try:
            texts.append(path.read_text(errors="replace"))
        except OSError:
            continue
    return texts


def local_state(rendered: Mapping[str, Any]) -> dict[str, LocalState]:
    """What is there of the files that containers are to see, by the names they have in the config."""
    sources = {str(m.get("source")) for s in rendered["services"].values() for m in s.get("volumes") or ()}
    parts = [*(rendered.get("secrets") or {}).values(), *(rendered.get("configs") or {}).values()]
    sources |= {str(part["file"]) for part in parts if part and "file" in part}
    found = {}
    for source in sources:
        path = Path(plain(source))
        if path.is_absolute() and path.exists():
            found[source] = LocalState(path.is_dir(), digest_of(path))
    return found


def real_paths(rendered: Mapping[str, Any], allowed: Iterable[str]) -> dict[str, str]:
    """Where the host's paths of a config lead, as the engine's mounts follow links."""
    services, volumes = rendered["services"].values(), (rendered.get("volumes") or {}).values()
    paths = {str(mount.get("source") or "") for s in services for mount in s.get("volumes") or ()}
    parts = [*(rendered.get("secrets") or {}).values(), *(rendered.get("configs") or {}).values()]
    paths |= {str(part["file"]) for part in parts if part and "file" in part}
    paths |= {str((volume.get("driver_opts") or {}).get("device") or "") for volume in volumes if volume}
    meant = set(map(plain, paths))
    found = {path: os.path.realpath(path) for path in {*meant, *allowed} if path.startswith("/")}
    return {path: real for path, real in found.items() if real != path}
