"""Built images: names of the stack's own, followed by whoever uses the old ones."""

from __future__ import annotations

import re
from typing import Any

from tasklib.isolation import Instance, image_version, readable_image, slug, with_hash
from tasklib.stacks.dockerfile import bases, rename_bases
from tasklib.stacks.references import same_image
from tasklib.stacks.rewrite.draft import Draft, build_arguments, dockerfile_of
from tasklib.stacks.rewrite.names import is_ambiguous
from tasklib.stacks.rewrite.projects import default_names

__all__ = ["built_name", "name_built_images"]

_RULE = "images"
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:__|[_.]|-+)[a-z0-9]+)*")


def name_built_images(draft: Draft) -> tuple[str, ...]:
    """Give every built image a name of its own; returns all tags that building makes."""
    renamed = _old_names(draft)
    tags: list[str] = []
    for name, service in draft.services():
        if isinstance(service.get("build"), dict) and name not in draft.copies:
            tags += _name(draft, name, service)
    for name, service in draft.services():
        if isinstance(service.get("build"), dict):
            _follow_in_build(draft, name, service["build"], renamed)
        else:
            _follow(draft, name, service, renamed)
    return tuple(dict.fromkeys(tags))


def built_name(project: str, key: str, instance: Instance) -> str:
    """The image of service ``key`` of a project, a valid reference no other project, key or checkout has."""
    if not _REPOSITORY.fullmatch(project):
        project = with_hash(project, project)
    return f"{project}.{slug(key)}:{image_version(instance.checkout, instance.host)}"


def _built_name(draft: Draft, key: str) -> str:
    return built_name(draft.project, key, draft.instance)


def _old_names(draft: Draft) -> dict[str, str]:
    """Plain old reference → key of the service that builds it; copies build nothing any more."""
    renamed: dict[str, str] = {}
    defaults: dict[str, str] = {}
    for name, service in draft.services():
        if not isinstance(service.get("build"), dict):
            continue
        if name in draft.copies:
            why = f"{draft.copies[name]} builds it"
            draft.drop(("services", name, "build"), _RULE, why)
            draft.put(("services", name, "image"), _built_name(draft, draft.copies[name]), _RULE, why)
            draft.drop(("services", name, "pull_policy"), _RULE, why)
            continue
        for image in (service.get("image"), *(service["build"].get("tags") or [])):
            if image:
                renamed.setdefault(same_image(str(image)), name)
        if not service.get("image"):
            # Compose calls it after the project.
            for default in default_names(draft, name):
                defaults.setdefault(same_image(default), name)
    return {**defaults, **renamed}


def _name(draft: Draft, name: str, service: dict[str, Any]) -> list[str]:
    new, readable = _built_name(draft, name), _readable(draft, name)
    path = ("services", name)
    draft.put((*path, "image"), new, _RULE, "each branch and each checkout builds an image of its own")
    why = "the tags in the file would be shared by all checkouts; this one is for people to read"
    if readable:
        draft.put((*path, "build", "tags"), readable, _RULE, why)
    else:
        draft.drop((*path, "build", "tags"), _RULE, "the tags in the file would be shared by all checkouts")
    if service.get("pull_policy") != "build":
        draft.drop((*path, "pull_policy"), _RULE, "it is built here and nowhere to be pulled")
    return [new, *readable]


def _readable(draft: Draft, name: str) -> list[str]:
    """The tag for people, where no other branch's build of the file can have the same one."""
    tails = {key: f"-{slug(key)}" for key, service in draft.services() if "build" in service}
    return [] if is_ambiguous(tails, name) else [readable_image(draft.project, name)]


def _follow(draft: Draft, name: str, service: dict[str, Any], renamed: dict[str, str]) -> None:
    builder = renamed.get(same_image(str(service.get("image") or "")))
    if builder is not None:
        path = ("services", name)
        draft.put((*path, "image"), _built_name(draft, builder), _RULE, f"{builder} builds it")
        draft.drop((*path, "pull_policy"), _RULE, "it is built here and nowhere to be pulled")


def _follow_in_build(draft: Draft, name: str, build: dict[str, Any], renamed: dict[str, str]) -> None:
    path = ("services", name, "build")
    used: set[str] = set()

    def new_name(image: str) -> str | None:
        builder = renamed.get(same_image(image))
        if builder is None or builder == name:
            return None
        used.add(builder)
        return _built_name(draft, builder)

    arguments = build_arguments(build)
    for key, value in (build.get("args") or {}).items():
        if isinstance(value, str) and (new := new_name(value)):
            draft.put((*path, "args", key), new, _RULE, "it names an image that another service builds")
    for key, value in (build.get("additional_contexts") or {}).items():
        scheme, _, image = str(value).partition("://")
        if scheme == "docker-image" and (new := new_name(image)):
            at = (*path, "additional_contexts", key)
            draft.put(at, f"docker-image://{new}", _RULE, "it names an image that another service builds")
    text = dockerfile_of(draft, name)
    # A named context comes before any image of that name.
    contexts = {same_image(key) for key in build.get("additional_contexts") or {}}
    found = (image for image in bases(text, arguments) if same_image(image) not in contexts)
    mapping = {image: new for image in found if (new := new_name(image))}
    if mapping:
        inline = rename_bases(text, mapping, arguments).replace("$", "$$")
        why = f"it starts from what {', '.join(sorted(used))} builds, under its new name"
        # Not additional_contexts: engines before 23 do not know them.
        draft.drop((*path, "dockerfile"), _RULE, why)
        draft.put((*path, "dockerfile_inline"), inline, _RULE, why)
    for builder in sorted(used):
        _build_after(draft, name, builder)


def _build_after(draft: Draft, name: str, builder: str) -> None:
    """Compose builds along ``depends_on``, and under a new name there is no earlier image to start from."""
    if _reaches(draft, name, builder) or _reaches(draft, builder, name):
        return
    value = {"condition": "service_started", "required": True}
    why = f"its image starts from the one of {builder}, which is built first"
    draft.put(("services", name, "depends_on", builder), value, _RULE, why)


def _reaches(draft: Draft, start: str, end: str) -> bool:
    services, seen, ahead = draft.config["services"], set(), [start]
    while ahead:
        name = ahead.pop()
        if name == end:
            return True
        if name in seen or name not in services:
            continue
        seen.add(name)
        service = services[name]
        ahead += service.get("depends_on") or {}
        ahead += [str(link).partition(":")[0] for link in service.get("links") or []]
        for key in ("network_mode", "ipc", "pid"):
            kind, _, other = str(service.get(key) or "").partition(":")
            if kind == "service":
                ahead.append(other)
        ahead += [str(entry).partition(":")[0] for entry in service.get("volumes_from") or []]
    return False
