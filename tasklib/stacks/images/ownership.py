"""Which image names are ours: those that name what we built, by the ids on record.

A name of an image is anybody's who tags last, and two users of an engine have no record in common. So what a
stack runs from has a name that no other checkout and no other state folder makes, and a readable one only
where it is free or ours.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from tasklib.isolation import image_version
from tasklib.stacks.engine.engine import Engine
from tasklib.state.records import Images

__all__ = ["is_nameless", "ours", "ours_now", "tags_of", "without_others"]


def tags_of(service: Mapping[str, Any]) -> tuple[str, ...]:
    """Every tag that building a service of an isolated config makes, the one it runs from first."""
    if "build" not in service:
        return ()
    return tuple(dict.fromkeys([str(service["image"]), *map(str, service["build"].get("tags") or ())]))


def is_nameless(tag: str) -> bool:
    """Whether it is the id of an image that has lost its name."""
    return tag.startswith("sha256:")


def ours(
    recorded: Collection[str], built: Mapping[str, str], now: Mapping[str, str], version: str
) -> frozenset[str]:
    """PURE: those of the ``recorded`` tags that still name what was built for them.

    ``built`` has the ids of what was, ``now`` of what the tags name on the engine; ``version`` is the tag
    that nobody else's builds have. What a build made that was killed before it told us is known by that one.
    """
    own = {now[tag] for tag in recorded if tag in now and tag.rpartition(":")[2] == version}
    named = {tag for tag in recorded if tag in now and (now[tag] in own or now[tag] == built.get(tag))}
    return frozenset(named | {tag for tag in recorded if is_nameless(tag)})


def ours_now(engine: Engine, images: Images, project: str, checkout: str, host: str) -> frozenset[str]:
    """The tags of a project, and the ids without any, that are a checkout's to remove."""
    recorded = images.of(project, checkout)
    found = {tag: engine.image_id(tag) for tag in recorded if not is_nameless(tag)}
    now = {tag: image for tag, image in found.items() if image}
    return ours(recorded, images.ids(project, checkout), now, image_version(checkout, host))


def without_others(
    config: Mapping[str, Any],
    image_id: Callable[[str], str | None],
    built: Callable[[str], str | None],
    on_line: Callable[[str], None],
) -> dict[str, Any]:
    """``config`` without the tags that building would take from somebody, which ``on_line`` is told.

    ``built(tag)`` is the id of what we last built under a tag ("": that was cut off), ``image_id(tag)`` of
    what it names now.
    """
    services = {}
    for name, service in config["services"].items():
        own, *readable = tags_of(service) or ("",)
        free = []
        for tag in readable:
            now, known = image_id(tag), built(tag)
            if now is None or (known is not None and now in (known, image_id(own))):
                free.append(tag)
            else:
                on_line(f"{name}: the tag {tag} stays where it is: it names an image that was not built here")
        if len(free) < len(readable):
            service = {**service, "build": {**service["build"], "tags": free}}
        services[name] = service
    return {**config, "services": services}
