"""Engines that have some of the machine's processors: they and all that they run, in a control group."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.cleanup.engines import OwnEngine

__all__ = ["Confined", "confined"]

_TREES = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Confined:
    """A control group below ``folder``, the root of the tree that counts processors."""

    folder: Path

    @property
    def options(self) -> list[str]:
        """What dockerd is told, so that its containers are in the group."""
        return ["--exec-opt=native.cgroupdriver=cgroupfs", f"--cgroup-parent=/{self.folder.name}"]

    def add(self, engine: OwnEngine) -> None:
        """The daemon and its containerd, and so whatever they start."""
        for file in ("pid", "exec/containerd/containerd.pid"):
            # A group of its own: one that has groups may hold no processes itself.
            (self.folder / "engine" / "cgroup.procs").write_text((engine.root / file).read_text())


@contextmanager
def confined(processors: Sequence[int]) -> Iterator[Confined]:
    """A control group that has ``processors``, in either version of the kernel's interface."""
    apart = (_TREES / "cpuset").is_dir()
    folder = (_TREES / "cpuset" if apart else _TREES) / f"tasklib-{secrets.token_hex(4)}"
    if not apart:
        (_TREES / "cgroup.subtree_control").write_text("+cpuset")
    folder.mkdir()
    try:
        if apart:
            (folder / "cpuset.mems").write_text((folder.parent / "cpuset.mems").read_text())
        (folder / "cpuset.cpus").write_text(",".join(map(str, processors)))
        if apart:
            (folder / "cgroup.clone_children").write_text("1")
        (folder / "engine").mkdir()
        yield Confined(folder)
    finally:
        for tree in _TREES.iterdir() if apart else (_TREES,):
            # The deepest first; the engine has made a group of that name in every tree.
            made = tree / folder.name
            for group in (*sorted(made.rglob("*/"), reverse=True), made):
                with contextlib.suppress(OSError):
                    group.rmdir()
