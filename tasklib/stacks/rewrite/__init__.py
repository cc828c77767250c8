"""PURE: a rendered Compose config and an instance become an isolated, fast, loopback-only config.

What goes in is what ``docker compose config --format json`` prints; what comes out is what Compose is given
in its place. Inside the stack nothing changes: host names, aliases, environment, commands, container ports
and the order of starting stay. Outside, no two instances share a port, a name, an address, a volume or a
built image. :func:`review` also says what changed and why, what cannot be isolated, and which values look
wrong now.

Each rule is a function that changes a :class:`~tasklib.stacks.rewrite.draft.Draft`; their order is below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasklib.isolation import Instance
from tasklib.stacks.rewrite.bakes import start_baked
from tasklib.stacks.rewrite.draft import Draft
from tasklib.stacks.rewrite.extras import judge_namespaces, own_files
from tasklib.stacks.rewrite.files import bring_files, judge_hidden_files
from tasklib.stacks.rewrite.fingerprints import take_fingerprints
from tasklib.stacks.rewrite.hints import follow_addresses, point_out
from tasklib.stacks.rewrite.images import name_built_images
from tasklib.stacks.rewrite.lifecycle import (
    bound_restarts,
    check_fast,
    comes_back,
    forget_profiles,
    label,
    log_locally,
    only_compose_can_start,
    stop_at_once,
)
from tasklib.stacks.rewrite.model import Bake, Change, CopyIn, Facts, Hint, Isolation, LocalState, Problem
from tasklib.stacks.rewrite.mounts import judge_devices, judge_mounts
from tasklib.stacks.rewrite.names import follow_names, keep_default_names, name_containers
from tasklib.stacks.rewrite.networks import join_own_networks, own_networks
from tasklib.stacks.rewrite.normal import long_form, plain_keys
from tasklib.stacks.rewrite.pools import subnet_sizes
from tasklib.stacks.rewrite.ports import free_ports, port_variable, reserved_ports
from tasklib.stacks.rewrite.projects import project_names
from tasklib.stacks.rewrite.replicas import held_back, hold_back, replica_count, spread_replicas
from tasklib.stacks.rewrite.stores import in_memory, keep_in_memory, leaning, stores
from tasklib.stacks.rewrite.text import as_text
from tasklib.stacks.rewrite.volumes import base_image, base_images, name_anonymous_volumes, own_volumes

__all__ = [
    "Bake",
    "Change",
    "CopyIn",
    "Facts",
    "Hint",
    "Isolation",
    "LocalState",
    "Problem",
    "as_text",
    "base_image",
    "base_images",
    "comes_back",
    "held_back",
    "in_memory",
    "isolate",
    "leaning",
    "only_compose_can_start",
    "port_variable",
    "project_names",
    "replica_count",
    "reserved_ports",
    "review",
    "stores",
    "subnet_sizes",
]

_NO_FACTS = Facts()


def isolate(
    config: Mapping[str, Any], instance: Instance | str, stack: str | None = None, *, facts: Facts = _NO_FACTS
) -> dict[str, Any]:
    """The isolated config of a stack (``None``: the full one) of an instance, as JSON values.

    ``config`` is a rendered config and is not changed. Isolating what is isolated changes nothing.
    """
    return review(config, instance, stack, facts=facts).config


def review(
    config: Mapping[str, Any], instance: Instance | str, stack: str | None = None, *, facts: Facts = _NO_FACTS
) -> Isolation:
    """The same decision with its reasons: what changed, what cannot be isolated, what may be wrong now."""
    if isinstance(instance, str):
        instance = Instance(instance)
    draft = Draft(long_form(config), instance, stack, facts)
    if not draft.is_isolated():
        draft.config = plain_keys(draft.config)
    forget_profiles(draft)
    # What the file means by the names it uses, as long as it still uses them.
    follow_names(draft)
    join_own_networks(draft)
    judge_namespaces(draft)
    judge_mounts(draft)
    judge_devices(draft)
    # Who there is.
    hold_back(draft)
    spread_replicas(draft)
    name_containers(draft)
    keep_default_names(draft)
    free_ports(draft)
    built = name_built_images(draft)
    # What they use.
    bring_files(draft)
    own_networks(draft)
    name_anonymous_volumes(draft)
    own_volumes(draft)
    keep_in_memory(draft)
    judge_hidden_files(draft)
    own_files(draft)
    start_baked(draft)
    # How they run.
    check_fast(draft)
    bound_restarts(draft)
    stop_at_once(draft)
    log_locally(draft)
    # What still says the old names.
    follow_addresses(draft)
    point_out(draft)
    # Last, since labels are what tells an isolated part.
    label(draft)
    take_fingerprints(draft)
    draft.put(("name",), draft.project, "project", "every instance and stack is a project of its own")
    return Isolation(
        draft.config,
        tuple(draft.changes),
        tuple(draft.problems),
        tuple(draft.hints),
        built,
        tuple(draft.copies_in),
        dict(draft.published),
    )
