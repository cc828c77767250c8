"""Container names nobody else has, and everything in the file that says the old ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tasklib.isolation import PREFIX, slug
from tasklib.stacks.rewrite.draft import Draft
from tasklib.stacks.rewrite.projects import default_names
from tasklib.stacks.rewrite.replicas import copy_keys
from tasklib.stacks.rewrite.values import contents, values

__all__ = ["follow_names", "is_ambiguous", "keep_default_names", "kept_name", "name_containers"]

_RULE = "names"
_LONGER_ID = re.compile(r"(?:-[a-z0-9]+)+")
_HOST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_HOST_WORD = re.compile(rf"(?<![A-Za-z0-9_.-]){_HOST_NAME.pattern}")


def name_containers(draft: Draft) -> None:
    """Give every container an explicit name; the file's own stays reachable as an alias."""
    for name, service in draft.services():
        if "provider" in service:
            continue  # No container: something outside Compose makes whatever it is.
        old = service.get("container_name")
        new = kept_name(draft, "services", name, "container_name") or draft.name(name)
        why = (
            "a fixed name can be used once per machine"
            if old
            else "Compose could give two branches the same name"
        )
        draft.put(("services", name, "container_name"), new, _RULE, why)
        if old and old != new and old != name:
            _alias(draft, name, service, old)


def keep_default_names(draft: Draft) -> None:
    """Where a value names a container as Compose would have called it, that is an alias of its service."""
    texts = [*draft.facts.mounted, *(text for _, text in contents(draft.config))]
    for name, service in draft.services():
        if name not in draft.copies:
            texts += [text for _, text in values(service)]
    said = {word.rstrip(".") for text in texts for word in _HOST_WORD.findall(text)}
    services = draft.config["services"]
    # Who is called so outright answers already.
    for word in sorted(said & draft.default_containers.keys() - services.keys()):
        name = draft.default_containers[word]
        _alias(draft, name, services[name], word)


def _alias(draft: Draft, name: str, service: dict[str, Any], alias: str) -> None:
    networks = service.get("networks") or {}
    if not _HOST_NAME.fullmatch(alias):
        return
    # On networks of its own where there are any: on a shared one the alias would answer for other stacks too.
    own = [key for key in networks if not (draft.section("networks").get(key) or {}).get("external")]
    for key in own or networks:
        aliases = list((networks[key] or {}).get("aliases") or [])
        if alias not in aliases:
            path = ("services", name, "networks", key, "aliases")
            draft.put(path, [*aliases, alias], _RULE, "it stays a host name inside")


def kept_name(draft: Draft, section: str, key: str, field: str) -> str | None:
    """The name the file gives, where rendering with another TEST_INSTANCE_ID changes it: it is scoped.

    A service's own stack appends its name, since it may run beside the full stack. Two projects with prefixes
    of their own may be on one branch: then the id alone scopes nothing.
    """
    part = draft.section(section).get(key) or {}
    name = str(part.get(field) or "")
    if not name or draft.facts.probe is None:
        return None
    if draft.owned(part):
        return name
    tails = _tails(draft, section, field)
    if (
        draft.instance.prefix != PREFIX
        or key not in tails
        or _looks_like_ours(draft, name)
        or is_ambiguous(tails, key)
    ):
        return None
    return name if draft.stack is None else f"{name}_{slug(draft.stack)}"


def _tails(draft: Draft, section: str, field: str) -> dict[str, str]:
    """Key → what follows the id, for the names that another TEST_INSTANCE_ID changes."""
    probe = (draft.facts.probe or {}).get(section) or {}
    found = {}
    for key, part in draft.section(section).items():
        name, other = part.get(field), (probe.get(key) or {}).get(field)
        if name and other and name != other:
            found[key] = _tail(str(name), draft.instance.id, str(other))
    return found


def _tail(name: str, own_id: str, other: str) -> str:
    for at in (found.start() for found in re.finditer(re.escape(own_id), name)):
        tail = name[at + len(own_id) :]
        if other.startswith(name[:at]) and other.endswith(tail):
            return tail
    return ""


def is_ambiguous(tails: Mapping[str, str], key: str) -> bool:
    """Whether two branches can give one name to two parts of a file. ``tails``: key → what follows the id.

    ``<id>-api`` and ``<id>-auth-api``: what ``feature-auth`` calls the first, ``feature`` calls the second.
    """
    for other in tails.values():
        short, long = sorted((tails[key], other), key=len)
        if long.endswith(short) and _LONGER_ID.fullmatch(long.removesuffix(short)):
            return True
    return False


def _looks_like_ours(draft: Draft, name: str) -> bool:
    """Whether a name of the file's could be one that some stack of tasklib's makes."""
    return "." in name and name.startswith(f"{draft.instance.prefix}-")


def follow_names(draft: Draft) -> None:
    """References to containers by name become references to services, which follow whatever name they get."""
    _collect(draft)
    for name, service in draft.services():
        for key in ("network_mode", "ipc", "pid"):
            _follow_namespace(draft, name, service, key)
        _follow_volumes(draft, name, service)
        _follow_links(draft, name, service)


def _collect(draft: Draft) -> None:
    own = {str(text): name for name, service in draft.services() if (text := service.get("container_name"))}
    copies = copy_keys(draft.config["services"])
    for name, _ in draft.services():
        # What Compose would have called it is known to some files, too.
        for number, key in enumerate([name, *copies.get(name, [])], start=1):
            for default in default_names(draft, name, str(number)):
                if default not in own:
                    draft.default_containers.setdefault(default, key)
    draft.containers = {**draft.default_containers, **own}


def _follow_namespace(draft: Draft, name: str, service: dict[str, Any], key: str) -> None:
    kind, _, container = str(service.get(key) or "").partition(":")
    if kind != "container":
        return
    path = ("services", name, key)
    if owner := draft.containers.get(container):
        draft.put(path, f"service:{owner}", _RULE, f"the container {container} has another name now")
    else:
        _foreign(draft, path, container)


def _follow_volumes(draft: Draft, name: str, service: dict[str, Any]) -> None:
    for index, entry in enumerate(service.get("volumes_from") or []):
        kind, *rest = str(entry).split(":")
        if kind != "container" or not rest:
            continue
        path = ("services", name, "volumes_from", index)
        if owner := draft.containers.get(rest[0]):
            value = ":".join([owner, *rest[1:]])
            draft.put(path, value, _RULE, f"the container {rest[0]} has another name now")
        else:
            _foreign(draft, path, rest[0])


def _follow_links(draft: Draft, name: str, service: dict[str, Any]) -> None:
    foreign = []
    for index, entry in enumerate(service.get("external_links") or []):
        container, _, alias = str(entry).partition(":")
        path = ("services", name, "external_links", index)
        if owner := draft.containers.get(container):
            _link(draft, name, owner, alias or container)
        else:
            foreign.append(entry)
            _foreign(draft, path, container)
    if service.get("external_links") and not foreign:
        draft.drop(("services", name, "external_links"), _RULE, "they link containers of this file")
    elif service.get("external_links"):
        draft.put(("services", name, "external_links"), foreign, _RULE, "the others are of this file")


def _link(draft: Draft, name: str, owner: str, alias: str) -> None:
    why = f"{owner} is of this file, and its container has another name now"
    target = draft.config["services"].get(owner) or {}  # A further replica is none yet.
    if target.get("networks") and alias not in draft.config["services"]:
        # An alias waits for nobody: files use external links where links would go round in a circle.
        _alias(draft, owner, target, alias)
    elif alias != owner:
        links = [*(draft.config["services"][name].get("links") or []), f"{owner}:{alias}"]
        draft.put(("services", name, "links"), links, _RULE, why)


def _foreign(draft: Draft, path: tuple[str | int, ...], container: str) -> None:
    draft.problem(
        path,
        f"uses the container {container}, which is not of this file",
        f"add {container} as a service to the test stack, or take this out of the test stack's Compose file",
    )
