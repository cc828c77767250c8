"""Volumes of the stack's own; anonymous ones get a name, so that they can be found and removed."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Mapping
from typing import Any

from tasklib.stacks.dockerfile import final_base, volumes_in
from tasklib.stacks.dollars import plain
from tasklib.stacks.rewrite.draft import Draft, build_arguments, dockerfile_of
from tasklib.stacks.rewrite.mounts import judge_folder
from tasklib.stacks.rewrite.names import kept_name
from tasklib.stacks.rewrite.projects import default_names, has_default_name
from tasklib.stacks.servers import declared_volumes

__all__ = ["base_image", "base_images", "name_anonymous_volumes", "own_volumes"]

_RULE = "volumes"


def base_images(config: Mapping[str, Any], dockerfiles: Mapping[str, str]) -> frozenset[str]:
    """The images of a rendered config that are there before anything is built.

    ``dockerfiles``: service → text of its Dockerfile. Their VOLUMEs are what ``Facts.image_volumes`` holds.
    """
    found = set()
    for name, service in (config.get("services") or {}).items():
        if service.get("build"):
            found.add(base_image(service, dockerfiles.get(name, "")))
        else:
            found.add(service.get("image"))
    return frozenset(str(image) for image in found if image)


def base_image(service: Mapping[str, Any], dockerfile: str) -> str | None:
    """The image that what a service builds stands on; ``dockerfile``: its text, if it is a file."""
    build = service["build"]
    if not isinstance(build, Mapping):
        return final_base(dockerfile)
    text = plain(build.get("dockerfile_inline") or "") or dockerfile
    return final_base(text, build_arguments(build), build.get("target"))


def name_anonymous_volumes(draft: Draft) -> None:
    """Volumes without a name, of the file and of the images, become named ones of the same content.

    The engine fills both alike from the image. An anonymous one carries no label and outlives its container.
    """
    for name, service in draft.services():
        mounts = service.get("volumes") or []
        for index, mount in enumerate(mounts):
            if mount.get("type") == "volume" and not mount.get("source"):
                key = _key(draft, name, str(mount.get("target")))
                path = ("services", name, "volumes", index, "source")
                draft.put(path, key, _RULE, "an anonymous volume cannot be found again")
        taken = _mounted(service)
        for target in _declared(draft, name, service):
            if posixpath.normpath(target) in taken:
                continue
            mount = {"type": "volume", "source": _key(draft, name, target), "target": target, "volume": {}}
            service["volumes"] = [*(service.get("volumes") or []), mount]
            at = ("services", name, "volumes", len(service["volumes"]) - 1)
            draft.record(at, None, mount, _RULE, "the image declares this volume, which would be anonymous")


def _declared(draft: Draft, name: str, service: dict[str, Any]) -> tuple[str, ...]:
    image = str(service.get("image") or "")
    if "provider" in service or service.get("volumes_from"):
        return ()
    return _known(draft, name, image) if service.get("build") else _of_image(draft, image)


def _of_image(draft: Draft, image: str) -> tuple[str, ...]:
    known = draft.facts.image_volumes.get(image)
    return declared_volumes(image) if known is None else tuple(known)


def _known(draft: Draft, name: str, image: str) -> tuple[str, ...]:
    """The volumes of an image that is still to be built: its Dockerfile's and its base's."""
    if image in draft.facts.image_volumes:
        return tuple(draft.facts.image_volumes[image])
    text, build = dockerfile_of(draft, name), draft.config["services"][name]["build"]
    target = build.get("target")
    base = final_base(text, build_arguments(build), target)
    return (*(_of_image(draft, base) if base else ()), *volumes_in(text, target))


def _mounted(service: dict[str, Any]) -> set[str]:
    targets = {str(mount.get("target")) for mount in service.get("volumes") or []}
    targets |= {str(entry).partition(":")[0] for entry in service.get("tmpfs") or []}
    return {posixpath.normpath(target) for target in targets}


def _key(draft: Draft, service: str, target: str) -> str:
    """A volume key for a path in a service; another path or service never has it."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", target).strip("-")
    if len(plain) > 60 or f"/{plain.replace('-', '/')}" != target:
        plain = f"{plain[:50]}-{hashlib.sha256(target.encode()).hexdigest()[:10]}"
    key = f"{service}.{plain}"
    volumes = draft.config.get("volumes") or {}
    while key in volumes:
        key += "-"
    volumes[key] = {}
    draft.config["volumes"] = volumes
    return key


def own_volumes(draft: Draft) -> None:
    """Every volume of the file gets a name of its own; what lies outside the stack is a problem."""
    shared = draft.facts.shared.volumes
    for key, volume in list(draft.section("volumes").items()):
        path = ("volumes", key)
        name = str(volume.get("name") or key)
        if volume.get("external"):
            if not {key, name} & shared:
                draft.problem(path, f"uses the volume {name}, which is not of this stack", _allow(name))
            continue
        if not {key, name} & shared:
            _judge_place(draft, key, volume)
        new = kept_name(draft, "volumes", key, "name") or draft.name(key)
        if has_default_name(draft, key, volume):
            draft.renamed_volumes |= dict.fromkeys(default_names(draft, key, joins="_"), new)
        draft.put((*path, "name"), new, _RULE, "a volume of this stack alone")


def _judge_place(draft: Draft, key: str, volume: dict[str, Any]) -> None:
    driver = str(volume.get("driver") or "local")
    options = {str(k): str(v) for k, v in (volume.get("driver_opts") or {}).items()}
    path = ("volumes", key)
    if driver not in ("local", "default"):
        if options:
            what = f"keeps its data where the driver {driver} is told to, the same place for every instance"
            draft.problem(path, what, _allow(key))
        return
    kind, device = options.get("type", ""), options.get("device", "")
    flags = [flag.strip() for flag in options.get("o", "").split(",")]
    # The kernel binds whatever the type says, and of `ro` and `rw` takes the last.
    bound = bool({"bind", "rbind"} & set(flags)) or kind in ("none", "bind")
    access = [flag for flag in flags if flag in ("ro", "rw")]
    if not device or (kind in ("tmpfs", "ramfs") and not bound) or access[-1:] == ["ro"]:
        return
    if _only_read(draft, key):
        return
    if bound:
        judge_folder(draft, path, device)
    else:
        what = f"keeps its data at {device} ({kind or 'device'}), the same place for every instance"
        draft.problem(path, what, _allow(key))


def _only_read(draft: Draft, key: str) -> bool:
    mounts = [
        mount
        for _, service in draft.services()
        for mount in service.get("volumes") or []
        if mount.get("type") == "volume" and mount.get("source") == key
    ]
    return bool(mounts) and all(mount.get("read_only") for mount in mounts)


def _allow(name: str) -> str:
    return (
        f'allow it with `shared.volumes = ["{name}"]` under [tool.tasklib] in pyproject.toml, '
        "or give the test stack a volume of its own"
    )
