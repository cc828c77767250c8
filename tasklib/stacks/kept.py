"""Stacks that outlive a run: up and kept, down, and what is known of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from msgspec import Struct

from tasklib import process
from tasklib.errors import ConfigError, TasklibError
from tasklib.listener import Listener
from tasklib.project import Project, select_services
from tasklib.stacks.endpoints import endpoint_variables, endpoints
from tasklib.stacks.engine.values import PROJECT_LABEL, Container
from tasklib.stacks.hidden import hide_started
from tasklib.stacks.holding.bakery import with_known_bakes
from tasklib.stacks.holding.held_stack import HeldStack
from tasklib.stacks.holding.run import RunContext
from tasklib.stacks.images.builds import Builds
from tasklib.stacks.images.shared import shared_images
from tasklib.stacks.labels import CHECKOUT, INSTANCE, owner_labels
from tasklib.stacks.plain import plain_compose
from tasklib.stacks.plan import StackPlan, full_stack_plan, service_stack_plan
from tasklib.stacks.preparation import prepare

__all__ = ["StackStatus", "bring_up", "hide_secrets_of", "plans", "status", "variables"]


class StackStatus(Struct, frozen=True):
    """One stack of this checkout: its Compose project, the instance it belongs to, its containers.

    One that is not ``mine`` was brought up by another user, or with another state folder.
    """

    project: str
    instance: str
    containers: tuple[Container, ...]
    mine: bool = True


def plans(project: Project, names: Sequence[str]) -> tuple[StackPlan, ...]:
    """The stacks that ``names`` mean: the services' own, or the full stack without names."""
    if not names or project.single:
        select_services(project, names)
        return (full_stack_plan(project),)
    return tuple(service_stack_plan(project, service) for service in select_services(project, names))


def bring_up(
    context: RunContext,
    plan: StackPlan,
    cancel: process.Cancel,
    listener: Listener | None = None,
    *,
    fresh: bool = False,
    ready: Callable[[HeldStack, Mapping[str, str]], None] = lambda held, variables: None,
) -> dict[str, str]:
    """Bring up ``plan`` and keep it; returns the variables that its endpoints make.

    With ``fresh`` one that was up gets new stores. ``ready`` is called once it is up, with those
    variables, before anyone else can use it. What came up only in part is removed. Raises
    :class:`~tasklib.errors.TasklibError`.
    """
    held = HeldStack(context, plan, fresh=fresh, listener=listener)
    try:
        held.stack.prepare(cancel)
        shared = shared_images(context.project, context.notice)
        held.stack.build(Builds(context.engine, context, shared), cancel)
        found = held.up(cancel)
        prepared = held.stack.prepared
        reachable = endpoint_variables(
            prepared.config,
            found,
            context.project.endpoints,
            servers=prepared.servers,
            text_of=prepared.text_of,
        )
        ready(held, reachable)
        held.keep()
    except BaseException:
        # What ended it is told, not that its removal has failed of the same: the reaper goes on with that.
        with contextlib.suppress(TasklibError):
            held.close()
        raise
    held.close()
    return reachable


def status(context: RunContext) -> tuple[StackStatus, ...]:
    """Every stack of this checkout, those of branches it was on before included."""
    labels = {CHECKOUT: context.instance.checkout}
    found = {
        resource.labels[PROJECT_LABEL]: resource.labels
        for resource in context.engine.owned(labels)
        if PROJECT_LABEL in resource.labels
    }
    mine = owner_labels(context.instance)
    return tuple(
        StackStatus(
            project,
            carried.get(INSTANCE, ""),
            context.engine.containers(project),
            mine=mine.items() <= carried.items(),
        )
        for project, carried in sorted(found.items())
    )


def hide_secrets_of(context: RunContext, stacks: Collection[StackStatus]) -> None:
    """Show nothing any more that these stacks of ours hold as secret: by their containers and their files.

    Files that cannot be read (any more) tell nothing.
    """
    project, shown = context.project, {stack.project for stack in stacks}
    for stack in stacks:
        for container in stack.containers:
            hide_started(container.environment, container.command, container.health_test)
    for name in ["", *(service.name for service in project.services if service.compose)]:
        with contextlib.suppress(ConfigError):
            for plan in plans(project, [name] if name else []):
                if context.instance.project(plan.name) in shown:
                    prepare(plan, context.instance, None)


def variables(context: RunContext, name: str | None) -> Iterator[tuple[str, str]]:
    """The variables of an instance for plain Compose and tests: ids, files, host ports, endpoints."""
    (plan,) = plans(context.project, [name] if name else [])
    found = prepare(plan, context.instance, context.engine)
    prepared = with_known_bakes(found, context.engine, context.state).addressed(context.engine)
    # Plain Compose builds under our names, too, and tells nobody.
    built = prepared.isolation.built_images
    context.images.expect(prepared.project, context.instance.checkout, built)
    yield from context.exports.items()
    yield from plain_compose(prepared, context.state)
    if not context.engine.facts.reach.lasts:
        context.notice("no ports: over ssh they are open while a run or a `pytest --stack` lasts")
        return
    yield from endpoint_variables(
        prepared.config,
        endpoints(context.engine.containers(prepared.project)),
        context.project.endpoints,
        servers=prepared.servers,
        text_of=prepared.text_of,
    ).items()
