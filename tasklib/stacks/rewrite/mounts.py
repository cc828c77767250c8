"""Folders and devices of the host that containers see: which of them two instances may both have."""

from __future__ import annotations

import posixpath
import re

from tasklib.stacks.rewrite.draft import Draft

__all__ = ["is_inside", "judge_devices", "judge_mounts", "outside_remedy"]

_RULE = "mounts"
_SOCKETS = re.compile(
    r"(docker(\.raw)?|podman|containerd|crio|buildkitd)\.sock|docker_engine$", re.IGNORECASE
)
_SOCKET_FOLDERS = ("/run", "/var/run")
_ABOVE_SOCKET = ("/", "/var")

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
            if mount.get("type") in ("bind", "npipe", "cluster"):
                _judge(draft, name, index, str(mount.get("source") or ""))


_ENGINE = "lets the container control the Docker engine, and so every other instance"


def _judge(draft: Draft, name: str, index: int, source: str) -> None:
    mount = draft.config["services"][name]["volumes"][index]
    path = ("services", name, "volumes", index)
    plain = _plain(source)
    if _allowed(draft, source):
        return
    if mount["type"] == "cluster":
        draft.problem(path, f"uses the cluster volume {source}", outside_remedy(source))
    elif _SOCKETS.search(source) or plain in _SOCKET_FOLDERS:
        draft.problem(path, f"{source}: {_ENGINE}", outside_remedy(source))
    elif mount.get("read_only"):
        if plain in _ABOVE_SOCKET:
            draft.hint(name, f"volumes[{index}]", f"{source} holds the engine's socket, even read-only")
    elif is_inside(draft, source) or _SHAREABLE.fullmatch(plain):
        return
    elif _is_under(plain, _ONLY_EVER_READ):
        draft.put((*path, "read_only"), True, _RULE, "it is the host's, and only there to be read")
    else:
        draft.problem(path, f"mounts {source} of the host writable", outside_remedy(source))


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
    """Whether a path is the checkout's: relative, or below its root."""
    if not source.startswith(("/", "~")):
        return True
    root = draft.facts.checkout_root
    return root is not None and _is_under(_plain(source), (_plain(root),))


def _allowed(draft: Draft, source: str) -> bool:
    return _is_under(_plain(source), tuple(_plain(mount) for mount in draft.facts.shared.mounts))


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
