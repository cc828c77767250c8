"""What runs left, and the processes that they are."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import docker

__all__ = ["children", "leftovers"]


def leftovers(token: str, states: Iterable[Path]) -> list[str]:
    """What is there of anything named by ``token``: on the engine, among the processes, in state folders."""
    client = docker.from_env(timeout=60)
    try:
        api = client.api
        rows: list[tuple[str, str, Mapping[str, Any]]] = [
            *(("container", row["Names"][0], row) for row in api.containers(all=True)),
            *(("network", row["Name"], row) for row in api.networks()),
            *(("volume", row["Name"], row) for row in api.volumes().get("Volumes") or ()),
        ]
    finally:
        client.close()
    left = [f"{kind} {name}" for kind, name, row in rows if token in json.dumps(row)]
    for state in set(states):
        left += [f"process {pid}: {line}" for pid, line in _processes(f"XDG_STATE_HOME={state}")]
        for records in ("runs/*/*.json", "kept/*/*.json", "locks/stack~*"):
            left += [str(path) for path in state.glob(f"tasklib/{records}")]
    return left


def children(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(folder.name))
    return found


def _processes(variable: str) -> list[tuple[int, str]]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if variable.encode() in (folder / "environ").read_bytes().split(b"\0"):
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append((int(folder.name), line.strip()))
    return [(pid, line) for pid, line in found if line]
