"""Files of the checkout, where the engine's machine has them elsewhere or not at all.

Containers mount what the engine's machine has. What lies in a folder that our own container has from there is
mounted by its path there. The rest is copied into the created container: a folder into a volume of its own,
which hides what the image has there as a mount would, a file into the container itself.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator
from typing import Any

from tasklib.stacks.dollars import plain
from tasklib.stacks.labels import FILES
from tasklib.stacks.rewrite.draft import Draft
from tasklib.stacks.rewrite.model import CopyIn
from tasklib.stacks.rewrite.mounts import is_inside, real_path

__all__ = ["bring_files", "judge_hidden_files"]

_RULE = "files"
_PARTS = {"secrets": "/run/secrets", "configs": "/"}
_READ_BY_ALL = 0o444


def bring_files(draft: Draft) -> None:
    """Have every file of the checkout where its container looks for it."""
    if draft.facts.reach.disk.shared or draft.is_isolated():
        return
    for name, service in draft.services():
        _unfold(draft, name, service)
        kept = []
        for index, mount in enumerate(service.get("volumes") or []):
            source = str(mount.get("source") or "")
            if mount.get("type") != "bind" or not is_inside(draft, source):
                kept.append(mount)
                continue
            path = ("services", name, "volumes", index)
            there = draft.facts.reach.disk.there(real_path(draft, source))
            if there is not None:
                there = there.replace("$", "$$")
                kept.append({k: v for k, v in mount.items() if k not in _OWNER} | {"source": there})
                draft.record((*path, "source"), source, there, _RULE, "the engine's machine has it there")
            else:
                kept += _copied(draft, name, path, mount, source)
        if kept != (service.get("volumes") or []):
            service["volumes"] = kept
        _tell_changes(draft, name)
    for key, volume in draft.section("volumes").items():
        _bound(draft, key, volume)


_OWNER = ("x-mode", "x-uid", "x-gid")
"""What a secret or config says of its file, on its way through a mount."""


def _unfold(draft: Draft, name: str, service: dict[str, Any]) -> None:
    """Secrets and configs that are files become what they are to a container: files that are mounted."""
    for section, root in _PARTS.items():
        left = []
        for entry in service.get(section) or []:
            used = entry if isinstance(entry, dict) else {"source": entry}
            part = draft.section(section).get(str(used.get("source"))) or {}
            if "file" not in part:
                left.append(entry)
                continue
            target = posixpath.join(root, str(used.get("target") or used.get("source")))
            mount = {"type": "bind", "source": part["file"], "target": target, "read_only": True}
            mount |= {f"x-{key}": used[key] for key in ("mode", "uid", "gid") if key in used}
            service["volumes"] = [*(service.get("volumes") or []), mount]
            draft.record(("services", name, section), entry, mount, _RULE, "it is a file of the checkout")
        if left != (service.get(section) or []):
            service[section] = left


def _copied(
    draft: Draft, name: str, path: tuple[str | int, ...], mount: dict[str, Any], source: str
) -> Iterator[dict[str, Any]]:
    """The mount that comes in place of one that is copied, where it is a folder."""
    if not mount.get("read_only") and not _is_allowed(draft, source):
        draft.problem(
            path,
            f"mounts {source} writable, and the engine's machine has no such folder: what is written there "
            "would not come back",
            f'mount it read-only, or let a copy be written to: `copy-in = ["{source}"]` under [tool.tasklib]',
        )
        return
    target = plain(mount.get("target"))
    state = draft.facts.local.get(source)
    if state is None:
        draft.problem(path, f"mounts {source}, which is not there", "make it before the tests run")
        return
    copy = CopyIn(name, plain(source), target, state, *_owner(mount))
    draft.copies_in.append(copy)
    if not state.folder:
        if draft.config["services"][name].get("read_only"):
            draft.problem(
                path,
                f"{source} would have to be copied into a container that is `read_only`",
                "mount the folder that it is in, or take `read_only` out of the test stack",
            )
        draft.record(path, mount, None, _RULE, "it is copied into the container")
        return
    digest = hashlib.sha256(f"{target}\0{state.digest}".encode("utf-8", "surrogateescape")).hexdigest()
    key = f"{name}.files-{digest[:16]}"
    draft.config["volumes"] = {**(draft.config.get("volumes") or {}), key: {}}
    new = {"type": "volume", "source": key, "target": mount["target"], "volume": {"nocopy": True}}
    draft.record(path, mount, new, _RULE, "it is copied into a volume of the container")
    yield new


def _owner(mount: dict[str, Any]) -> tuple[int | None, int | None, int | None]:
    mode, uid, gid = (mount.get(key) for key in _OWNER)
    return _number(mode, 8), _number(uid, 10), _number(gid, 10)


def _number(value: Any, base: int) -> int | None:
    """A number, or one that is written out; names of users are nobody's here."""
    if isinstance(value, int):
        return value
    try:
        return int(str(value), base)
    except ValueError:
        return None


def _is_allowed(draft: Draft, source: str) -> bool:
    return any(source == folder or source.startswith(f"{folder}/") for folder in draft.facts.copy_in)


def _tell_changes(draft: Draft, name: str) -> None:
    """A container whose files changed is another one, as one whose config changed is."""
    mine = [copy for copy in draft.copies_in if copy.service == name and not copy.state.folder]
    if mine:
        told = [(copy.target, copy.mode, copy.uid, copy.gid, copy.state.digest) for copy in mine]
        digest = hashlib.sha256(repr(told).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        draft.put(("services", name, "labels", FILES), digest, _RULE, "other files, another container")


def _bound(draft: Draft, key: str, volume: dict[str, Any]) -> None:
    """A volume that is a folder of the checkout."""
    options = volume.get("driver_opts") or {}
    device = str(options.get("device") or "")
    if not device.startswith("/") or not is_inside(draft, device):
        return
    path = ("volumes", key, "driver_opts", "device")
    there = draft.facts.reach.disk.there(real_path(draft, device))
    if there is None:
        what = f"is the folder {device}, which does not exist on the engine's machine"
        draft.problem(path, what, "mount the folder itself where it is needed")
    elif there != plain(device):
        draft.put(path, there.replace("$", "$$"), _RULE, "the engine's machine has it there")


def judge_hidden_files(draft: Draft) -> None:
    """A file that is copied to where the container gets an empty file system as it starts is lost."""
    for copy in draft.copies_in:
        service = draft.config["services"][copy.service]
        for folder in _empty_folders(draft, service):
            if copy.target.startswith(f"{folder.rstrip('/')}/") and not copy.state.folder:
                draft.problem(
                    ("services", copy.service, "volumes"),
                    f"{copy.source} cannot be copied to {copy.target}: {folder} is empty at each start",
                    "have it mounted somewhere else",
                )


def _empty_folders(draft: Draft, service: dict[str, Any]) -> Iterator[str]:
    for entry in service.get("tmpfs") or []:
        yield str(entry).partition(":")[0]
    volumes = draft.section("volumes")
    for mount in service.get("volumes") or []:
        options = (volumes.get(str(mount.get("source"))) or {}).get("driver_opts") or {}
        if mount.get("type") == "tmpfs" or options.get("type") == "tmpfs":
            yield str(mount.get("target"))
