"""From Compose files to an isolated config: rendering, and the facts that the rewriting decides by."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from tasklib import process
from tasklib.errors import ConfigError, TasklibError
from tasklib.isolation import Instance
from tasklib.options.likeness import meant
from tasklib.stacks.contents import dockerfiles, mounted_texts, with_included
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.lacking import refuse_lacking
from tasklib.stacks.plan import StackPlan
from tasklib.stacks.preparation.prepared import Prepared, checkout_root
from tasklib.stacks.preparation.rendering import render, render_ahead
from tasklib.stacks.preparation.surroundings import (
    host_ports,
    image_volumes,
    local_state,
    projects,
    real_paths,
    texts,
)
from tasklib.stacks.rewrite import Facts, base_images, held_back, reserved_ports, review
from tasklib.stacks.unset import place_of, refuse_bad_images, refuse_unset

__all__ = ["prepare", "prepare_ahead"]


def prepare(
    plan: StackPlan, instance: Instance, engine: Engine | None, cancel: process.Cancel | None = None
) -> Prepared:
    """Render ``plan`` for ``instance`` and isolate it; nothing on the engine changes.

    Without an engine the decision is the one for an engine that nothing is known of. Raises
    :class:`~tasklib.errors.ConfigError` when Compose cannot read the files.
    """
    plan = plan.on(engine.facts.address) if engine else plan
    project = instance.project(plan.name)
    files, env_files = texts(plan.source.files), texts(plan.source.env_files)
    names = reserved_ports([*texts(with_included(plan.source.files)), *env_files])
    if engine and not engine.facts.reach.publishes:
        ports = {name: int(name.rpartition("_")[2]) for name in names}
    else:
        ports = host_ports(names, engine.containers(project) if engine and names else ())
    env = {**_environment(plan, instance), **{name: str(port) for name, port in ports.items()}}
    # Only an optional file that is named by the id is passed over in silence where another id has none.
    by_choice = any("required" in text and "TEST_INSTANCE_ID" in text for text in files)
    unset: dict[str, None] = {}
    rendered, probe = render(plan.source, project, env, cancel, unset.setdefault, twice=by_choice)
    root = checkout_root(plan.source.root)
    places = {name: place_of(name, plan.source.files) for name in unset}
    refuse_bad_images(rendered, places, str(plan.source.files[0]), plan.source.missing_env_files)
    refuse_unset(rendered, {*os.environ, *env}, env_files, str(plan.source.files[0]))
    refuse_lacking(rendered, plan.source.files[0], root)
    facts = Facts(
        ports=ports,
        kept=plan.kept,
        shared=plan.shared,
        persistent=plan.persistent,
        publish=_published(plan, rendered),
        held_back=held_back(rendered["services"], plan.inside, plan.tested, plan.needs),
        checkout_root=str(root),
        probe=probe,
        dockerfiles=dockerfiles(rendered),
        mounted=mounted_texts(rendered),
        projects=projects(plan.source, files, env),
        unset=places,
        real_paths=real_paths(rendered, plan.shared.mounts),
        copy_in=plan.copy_in,
    )
    if engine:
        facts = replace(
            facts,
            start_interval=engine.facts.start_interval,
            cpus=engine.facts.cpus,
            reach=engine.facts.reach,
            local={} if engine.facts.reach.disk.shared else local_state(rendered),
            image_volumes=image_volumes(base_images(rendered, facts.dockerfiles), engine),
        )
    return Prepared(plan, instance, rendered, facts, env, review(rendered, instance, plan.name, facts=facts))


def prepare_ahead(plan: StackPlan, instance: Instance, cancel: process.Cancel) -> None:
    """Begin what the next :func:`prepare` of ``plan`` begins with, where that needs no engine.

    Nothing is raised: what is wrong is told where it is needed, and what is not needed is forgotten.
    """
    with contextlib.suppress(TasklibError):
        files = texts(with_included(plan.source.files))
        if not reserved_ports([*files, *texts(plan.source.env_files)]):
            render_ahead(plan.source, instance.project(plan.name), _environment(plan, instance), cancel)


def _environment(plan: StackPlan, instance: Instance) -> dict[str, str]:
    """The variables that the files are rendered with, besides those of ports."""
    project = instance.project(plan.name)
    return {**plan.env, "TEST_INSTANCE_ID": instance.id, "COMPOSE_PROJECT_NAME": project}


def _published(plan: StackPlan, rendered: Mapping[str, Any]) -> Mapping[str, tuple[int, ...]]:
    """The ports to publish. Raises :class:`~tasklib.errors.ConfigError` for a service that is in no stack."""
    known = rendered["services"]
    for name in plan.publish:
        if name not in known and plan.alone:
            raise ConfigError(
                f"`publish` names {name}, which is no service of this stack",
                where=str(plan.source.files[0]),
                remedy=f"{meant(name, known)} Its services are: {', '.join(sorted(known))}.".lstrip(),
            )
    return plan.publish
