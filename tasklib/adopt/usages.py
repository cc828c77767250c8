"""PURE: flows → usages: each run of tests with the stack it needs and what prepares that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import replace

from tasklib.adopt.actions import Copy, Flow, Inside, Install, Step
from tasklib.adopt.binding import bound
from tasklib.adopt.composing import ComposeCall
from tasklib.adopt.evidence import ComposeService, Evidence, Kind, Place, Recipe, ServiceContainer
from tasklib.adopt.flows import tests_by_itself
from tasklib.adopt.shell import joined
from tasklib.adopt.testing import TestRun
from tasklib.adopt.there import placed
from tasklib.adopt.variants import in_a_file, servers_of

__all__ = ["SetupStep", "StackUse", "Usage", "called_usages", "stack_of", "usages"]

_COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")


class StackUse(Struct, frozen=True):
    """The Compose files that are used, how, and which of their services (none: all)."""

    place: Place
    files: tuple[str, ...]
    env_files: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    directory: str | None = None
    needs: tuple[str, ...] = ()
    answered: bool = False
    """Whether nobody brings it up but whoever says that the tests need it: which of it, they show."""

    def with_needs(self, call: ComposeCall) -> StackUse:
        """The same after another ``up``: what it names is needed too; without names everything is."""
        both = (*self.needs, *(name for name in call.services if name not in self.needs))
        return replace(self, needs=both if self.needs and call.services else ())


class SetupStep(Struct, frozen=True):
    """A command between the stack and the tests: in a container of ``inside``, or in ``folder``."""

    place: Place
    words: tuple[str, ...]
    inside: str = ""
    folder: str = ""


class Usage(Struct, frozen=True):
    """One run of tests.

    ``words`` are its command (empty: the Compose service ``inside`` does it by itself), ``folder`` where it
    starts, ``paths`` the tests that it names there. ``entrypoint``: the service has to be started by the
    first word instead of its own entry point.
    """

    place: Place
    recipe: Recipe
    runner: str
    words: tuple[str, ...] = ()
    folder: str = ""
    paths: tuple[str, ...] = ()
    launcher: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    inside: str = ""
    entrypoint: bool = False
    stack: StackUse | None = None
    setup: tuple[SetupStep, ...] = ()
    containers: tuple[ServiceContainer, ...] = ()
    copies: tuple[Copy, ...] = ()
    requirements: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()

    @property
    def needs_stack(self) -> bool:
        return bool(self.stack or self.inside or self.containers)


def usages(flows: Iterable[Flow], evidence: Evidence) -> tuple[Usage, ...]:
    """Every run of tests once: as CI does it, or else as people do; then what Compose files tell."""
    found = called_usages(flows, evidence)
    return (*found, *_untold(evidence, {file for u in found if u.stack for file in u.stack.files}))


def called_usages(flows: Iterable[Flow], evidence: Evidence) -> tuple[Usage, ...]:
    """Every run of tests that ``flows`` come to, once."""
    found: dict[tuple[object, ...], Usage] = {}
    # Wherever such a script is called from, it is the same run.
    scripts = [recipe for recipe in evidence.recipes if recipe.kind is Kind.SCRIPT]
    anywhere = {recipe.file for recipe in scripts if not _goes_about(recipe)}
    for usage in (
        usage for flow in flows for one in bound(flow, evidence) for usage in _of_flow(one, evidence)
    ):
        if not usage.folder.startswith(".."):
            key = (
                usage.place,
                usage.words,
                usage.inside,
                "" if usage.place.file in anywhere else usage.folder,
                servers_of(usage.env),
            )
            known = found.get(key)
            if known is None or (usage.needs_stack and not known.needs_stack):
                found[key] = usage
    return tuple(found.values())


def _goes_about(recipe: Recipe) -> bool:
    """Whether a script does the same in several folders."""
    places = [command.place for command in recipe.commands]
    return len(places) != len({*places}) or any("$" in command.folder for command in recipe.commands)


def _untold(evidence: Evidence, used: set[str]) -> Iterator[Usage]:
    """Compose files that nothing calls, with a service that is the tests: builders look for a sut."""
    for file, stack in evidence.stacks.items():
        named = [name for name, service in stack.services.items() if _is_sut(service)]
        if file not in used and len(named) == 1 and not stack.services[named[0]].profiles:
            place = stack.services[named[0]].place
            recipe = Recipe(Kind.SCRIPT, file, named[0], place.line, place.line)
            yield Usage(place, recipe, "service", inside=named[0], stack=StackUse(place, (file,)))


def _is_sut(service: ComposeService) -> bool:
    """Whether a service is the tests, and no server that only they use: it holds code, and opens no port."""
    named = re.fullmatch(r"sut|(?:[\w-]+[-_])?tests?", service.name)
    return bool(named) and (service.builds or bool(service.mounts)) and not service.ports


def _of_flow(flow: Flow, evidence: Evidence) -> Iterator[Usage]:
    stack: StackUse | None = None
    setup: list[SetupStep] = []
    copies: list[Copy] = []
    installed: list[Install] = []
    tested = False
    common: dict[str, object] = {"recipe": flow.recipe, "containers": flow.containers}
    for _, action in flow.actions:
        match action:
            case ComposeCall(verb="up" | "start"):
                used = stack_of(action, evidence)
                if not used.files:
                    continue
                sut = action.verdict or _sut(action, used, evidence)
                if sut:
                    yield Usage(
                        action.place,
                        flow.recipe,
                        "service",
                        folder="",
                        inside=sut,
                        stack=replace(used, needs=()),
                        copies=tuple(copies),
                        env=action_env(flow, action.place),
                    )
                    tested = True
                else:
                    if stack is None or (tested and stack.files != used.files):
                        stack, setup = used, []
                    else:
                        stack = stack.with_needs(action)
                    tested = False
            case ComposeCall(verb="down" | "stop" | "rm" | "kill"):
                if tested:
                    stack, setup = None, []
            case Inside(call=call) if stack or stack_of(call, evidence).files:
                around = stack or replace(stack_of(call, evidence), needs=_beside(call, evidence))
                setup += [SetupStep(call.place, words, call.service) for words in action.steps]
                if action.tests is not None:
                    yield Usage(
                        call.place,
                        flow.recipe,
                        "inside",
                        words=action.tests,
                        inside=call.service,
                        entrypoint=bool(call.entrypoint) and bool(action.tests),
                        env=dict(call.env),
                        stack=around,
                        setup=tuple(setup),
                        copies=tuple(copies),
                    )
                    tested = True
            case Step(command=command):
                if stack or flow.containers:
                    setup.append(SetupStep(command.place, command.words, "", command.folder))
            case Copy():
                copies.append(action)
            case Install():
                installed.append(action)
            case TestRun():
                run = placed(action, flow.recipe, evidence)
                common["containers"] = () if in_a_file(run.env) else flow.containers
                yield Usage(
                    run.place,
                    words=run.words,
                    runner=run.runner,
                    folder=run.folder,
                    paths=run.paths,
                    launcher=run.launcher,
                    options=run.options,
                    env=run.env,
                    stack=stack,
                    setup=tuple(setup),
                    copies=tuple(copies),
                    requirements=tuple(file for one in installed for file in one.files),
                    extras=tuple(e for one in installed if one.folder == run.folder for e in one.extras),
                    groups=tuple(g for one in installed if one.folder == run.folder for g in one.groups),
                    packages=tuple(package for one in installed for package in one.packages),
                    reports=run.reports,
                    **common,  # type: ignore[arg-type]
                )
                tested = True


def action_env(flow: Flow, place: Place) -> Mapping[str, str]:
    """The variables that are set for the command at ``place``."""
    return next((command.env for command in flow.recipe.commands if command.place == place), {})


def stack_of(call: ComposeCall, evidence: Evidence) -> StackUse:
    """The files that a call of Compose is about, and which of their services it names."""
    files = tuple(file for file in call.files if file in evidence.stacks)
    if not call.files:
        folder = call.directory or call.folder
        files = _found_in(folder, evidence) or evidence.standard
    known = {name for file in files for name in evidence.stacks[file].services} if files else set()
    needs = tuple(name for name in call.services if name in known)
    directory = call.directory if call.directory or not call.files else None
    return StackUse(call.place, files, call.env_files, call.profiles, directory or None, needs)


def _found_in(folder: str, evidence: Evidence) -> tuple[str, ...]:
    """The files that plain Compose takes in ``folder``."""
    main = next((f for name in _COMPOSE_NAMES if (f := joined(folder, name)) in evidence.stacks), "")
    over = [joined(folder, name.replace("compose.", "compose.override.")) for name in _COMPOSE_NAMES]
    override = next((file for file in over if file in evidence.stacks), "")
    return tuple(file for file in (main, override) if file) if main else ()


def _beside(call: ComposeCall, evidence: Evidence) -> tuple[str, ...]:
    """What ``docker compose run`` starts beside its container, where that is not everything there is."""
    services = {
        name: service
        for file in stack_of(call, evidence).files
        for name, service in evidence.stacks[file].services.items()
    }
    own = services.get(call.service)
    if own is None:
        return ()
    started: set[str] = set()
    pending = [*own.needs] if call.deps else []
    while pending:
        name = pending.pop()
        if name not in started and name in services:
            started.add(name)
            pending += services[name].needs
    usual = {name for name, service in services.items() if not service.profiles}
    if started | {call.service} >= usual:
        return ()
    return tuple(name for name in own.needs if name in services) or (call.service,)


def _sut(call: ComposeCall, used: StackUse, evidence: Evidence) -> str:
    """The service whose end ends an ``up`` that stays in front: called like tests, or running them."""
    if not call.in_front:
        return ""
    named = [name for name in used.needs if re.search(r"(^|[-_])(sut|tests?|e2e)([-_]|$)", name)]
    if not named:
        services = {name: s for file in used.files for name, s in evidence.stacks[file].services.items()}
        named = [name for name, service in services.items() if tests_by_itself(service)]
    return named[0] if len(named) == 1 else ""
