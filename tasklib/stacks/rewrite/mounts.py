"""Folders and devices of the host that containers see: which of them two instances may both have."""

from __future__ import annotations

import posixpath
import re

from tasklib.stacks.dollars import plain
from tasklib.stacks.rewrite.draft import Draft

__all__ = ["is_inside", "judge_devices", "judge_folder", "judge_mounts", "outside_remedy", "real_path"]

_RULE = "mounts"
_SOCKETS = re.compile(
    r"(docker(\.raw)?|podman|containerd|crio|buildkitd)\.sock|docker_engine$", re.IGNORECASE
)
_SOCKET_FOLDERS = ("/run", "/var/run")
_ABOVE_SOCKET = ("/", "/var")

_LETTER = re.compile(r"[A-Za-z]:/")
"""How a volume with a name of one letter is read: `d:/data`."""

_ONLY_EVER_READ = (
    "/etc/group",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/localtime",
    "/etc/machine-id",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/pki",
    "/etc/resolv.conf",
    "/etc/ssl",
    "/etc/timezone",
    "/lib/modules",
    "/usr/lib/modules",
    "/usr/share/ca-certificates",
    "/usr/share/zoneinfo",
)
"""What containers are given to read, most often without saying ``:ro``."""

_SHAREABLE = re.compile(
    r"/dev/(null|zero|full|u?random|tty|fuse|kfd|kvm|net/tun|vhost-(net|vsock)|dri(/.*)?|nvidia.*|vfio/vfio)"
)
"""Devices that any number of processes can use at once without noticing each other."""


def judge_mounts(draft: Draft) -> None:
    """Writable folders outside the checkout and the engine's socket are problems; the rest is left alone."""
    for name, service in draft.services():
        if service.get("use_api_socket"):
            path = ("services", name, "use_api_socket")
            draft.problem(path, _ENGINE, "take it out of the test stack's Compose file")
        for index, mount in enumerate(service.get("volumes") or []):
            if _LETTER.match(str(mount.get("target"))):
                what = f"is `{mount['target']}`, which Compose takes for a path of Windows"
                at = ("services", name, "volumes", index)
                draft.problem(at, what, "give the volume a name of more than one letter")
            if mount.get("type") in ("bind", "npipe", "cluster"):
                _judge(draft, name, index, str(mount.get("source") or ""))


_ENGINE = "lets the container control the Docker engine, and so every other instance"


def _judge(draft: Draft, name: str, index: int, source: str) -> None:
    mount = draft.config["services"][name]["volumes"][index]
    path = ("services", name, "volumes", index)
    where = real_path(draft, source)
    if _allowed(draft, source):
        return
    if mount["type"] == "cluster":
        draft.problem(path, f"uses the cluster volume {source}", outside_remedy(source))
    elif _is_engine(source) or _is_engine(where):
        draft.problem(path, f"{_told(source, where)}: {_ENGINE}", outside_remedy(where))
    elif mount.get("read_only"):
        if where in _ABOVE_SOCKET:
            draft.hint(name, f"volumes[{index}]", f"{source} holds the engine's socket, even read-only")
    elif is_inside(draft, source) or _SHAREABLE.fullmatch(where):
        return
    elif _is_under(_plain(source), _ONLY_EVER_READ):
        draft.put((*path, "read_only"), True, _RULE, "it is a file of the host that is only read")
    else:
        draft.problem(path, f"mounts {_told(source, where)} of the host writable", outside_remedy(where))


def judge_folder(draft: Draft, path: tuple[str | int, ...], folder: str) -> None:
    """A volume that is a folder of the host, writable: it has to be the checkout's, or allowed."""
    where = real_path(draft, folder)
    if _allowed(draft, folder):
        return
    if _is_engine(folder) or _is_engine(where):
        draft.problem(path, f"{_told(folder, where)}: {_ENGINE}", outside_remedy(where))
    elif not is_inside(draft, folder):
        draft.problem(path, f"writes to the host's folder {_told(folder, where)}", outside_remedy(where))


def _is_engine(path: str) -> bool:
    return bool(_SOCKETS.search(path)) or _plain(path) in _SOCKET_FOLDERS


def real_path(draft: Draft, path: str) -> str:
    """Where a path leads when its links are followed, as the engine's mounts do."""
    meant = plain(path)
    return _plain(draft.facts.real_paths.get(meant, meant))


def _told(source: str, where: str) -> str:
    meant = plain(source)
    return meant if where == _plain(meant) else f"{meant} (in fact {where})"


def judge_devices(draft: Draft) -> None:
    """A device that only one process can use, or whose content it shares, is a problem."""
    for name, service in draft.services():
        for index, device in enumerate(service.get("devices") or []):
            source = str(device.get("source") if isinstance(device, dict) else str(device).split(":")[0])
            # Anything but a path is a name of the container device interface: GPUs and the like.
            if (
                source.startswith("/")
                and not _SHAREABLE.fullmatch(_plain(source))
                and not _allowed(draft, source)
            ):
                path = ("services", name, "devices", index)
                draft.problem(path, f"uses the host's device {source}", outside_remedy(source))


def is_inside(draft: Draft, source: str) -> bool:
    """Whether a path is the checkout's: below its root, links followed, or relative."""
    where, root = real_path(draft, source), draft.facts.checkout_root
    if not where.startswith(("/", "~")):
        return True
    return root is not None and _is_under(where, (real_path(draft, root),))


def _allowed(draft: Draft, source: str) -> bool:
    mounts = tuple(real_path(draft, mount) for mount in draft.facts.shared.mounts)
    return _is_under(real_path(draft, source), mounts)


def _is_under(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)


def _plain(path: str) -> str:
    normal = posixpath.normpath(path)
    return normal[1:] if normal.startswith("//") else normal


def outside_remedy(source: str) -> str:
    """What to do about something of the host that a container uses."""
    return (
        f'allow it with `shared.mounts = ["{source}"]` under [tool.tasklib] in pyproject.toml, '
        "or take it out of the test stack"
    )
