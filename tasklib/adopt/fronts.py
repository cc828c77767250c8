"""PURE: which targets and jobs of CI do what tasklib does now, and the line that each becomes."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tasklib.adopt.actions import Action, Copy, Flow, Inside, Install, Other, Step
from tasklib.adopt.composing import ComposeCall
from tasklib.adopt.edits.makefiles import Front
from tasklib.adopt.edits.workflows import JobChange
from tasklib.adopt.evidence import Command, Evidence, Kind, Place, Recipe
from tasklib.adopt.flows import flow_of
from tasklib.adopt.proposal import Note
from tasklib.adopt.suites import Part
from tasklib.adopt.testing import TestRun, is_report, is_trivial, is_wait
from tasklib.adopt.usages import Usage, called_usages
from tasklib.options.caller import TASKLIB

__all__ = ["Replaced", "replaced"]

_VERBS = {
    "up": "infra.up",
    "start": "infra.up",
    "down": "infra.down",
    "stop": "infra.down",
    "rm": "infra.down",
    "logs": "infra.logs",
    "ps": "infra.status",
}
_GLUE = frozenset({"for", "case", "break", "continue", "seq"})
"""What holds the lines of a loop that waits together."""
_PLUMBING = frozenset({*_VERBS, "build", "pull", "kill", "config", "create", "wait"})
_UV = re.compile(r"setup-uv|\buv (?:run|sync|pip)\b|\buvx\b")


@dataclass
class Replaced:
    """``fronts`` by file, ``jobs`` by file and name, and what is left to the reader."""

    fronts: dict[str, list[Front]]
    jobs: dict[str, dict[str, JobChange]]
    notes: list[Note]


def replaced(parts: Mapping[str, Part], evidence: Evidence, variables: frozenset[str]) -> Replaced:
    """What of the repository's own recipes becomes a line; ``variables`` are those that tasklib sets now."""
    found = Replaced({}, {}, [])
    flows = {id(recipe): flow_of(recipe, evidence) for recipe in evidence.recipes}
    stages = {id(flow.recipe): _stages(flow, parts, evidence) for flow in flows.values()}
    helpers = {(recipe.file, recipe.name) for recipe in _helpers(evidence.recipes, flows, stages)}
    plumbing = {
        (recipe.file, recipe.name)
        for recipe in evidence.recipes
        if (told := flows[id(recipe)].actions) and all(isinstance(action, ComposeCall) for _, action in told)
    }
    lines: dict[tuple[str, str], Front] = {}
    for recipe in evidence.recipes:
        if recipe.kind not in (Kind.MAKE, Kind.JUST):
            continue
        line = _line(recipe, flows[id(recipe)], stages[id(recipe)], parts, helpers, evidence)
        if line and recipe.commands:
            lines[(recipe.file, recipe.name)] = Front(recipe, line)
    for (file, _), front in lines.items():
        if front.recipe.commands and tuple(c.text for c in front.recipe.commands) != (front.line,):
            dropped = {need for need in front.recipe.needs if (file, need) in {*lines, *plumbing}}
            found.fronts.setdefault(file, []).append(Front(front.recipe, front.line, frozenset(dropped)))
    unit_elsewhere = [
        recipe for recipe in evidence.recipes if recipe.kind is Kind.JOB and stages[id(recipe)] == {"unit"}
    ]
    for recipe in evidence.recipes:
        if recipe.kind is Kind.JOB and stages[id(recipe)]:
            own = flows[id(recipe)], stages[id(recipe)]
            change = _job(recipe, *own, parts, evidence, bool(unit_elsewhere), variables, found.notes)
            if change:
                found.jobs.setdefault(recipe.file, {})[recipe.name] = change
    return found


def _stages(flow: Flow, parts: Mapping[str, Part], evidence: Evidence) -> set[str]:
    """The stages that a recipe's tests are; ``?`` among them for tests that are not taken over."""
    return {_stage(usage, parts) or "?" for usage in called_usages([flow], evidence)}


def _stage(usage: Usage, parts: Mapping[str, Part]) -> str:
    """``unit``, ``service``, ``integration`` or ``both`` of these; empty for what is not taken over."""
    for folder, part in parts.items():
        if stage := part.stage_of(usage):
            return stage if stage != "against" else "service" if folder else "integration"
    return ""


def _helpers(
    recipes: Sequence[Recipe], flows: Mapping[int, Flow], stages: Mapping[int, set[str]]
) -> Iterator[Recipe]:
    """The targets that bring up and take down what tests use, and nobody else.

    Where another target looks into the stack that comes up (a shell, a console), it is that one's, too.
    """
    own = [recipe for recipe in recipes if recipe.kind in (Kind.MAKE, Kind.JUST)]
    for recipe in own:
        siblings = [other for other in own if other.file == recipe.file]
        serves = any(stages[id(other)] for other in siblings) and not any(
            isinstance(action, Inside) and not _tests(action) and not stages[id(other)]
            for other in siblings
            for _, action in flows[id(other)].actions
        )
        if "test" in recipe.name or serves:
            yield recipe


def _line(
    recipe: Recipe,
    flow: Flow,
    stages: set[str],
    parts: Mapping[str, Part],
    helpers: set[tuple[str, str]],
    evidence: Evidence,
) -> str:
    """What a target becomes; empty where it stays."""
    own = [command for command in recipe.commands if not (is_trivial(command) or is_wait(command))]
    if "?" in stages or not all(_is_known(command, flow) for command in own):
        return ""
    if any(is_report(command) for command in recipe.commands):
        return ""
    if stages:
        named = next((w for c in own for w in c.words if re.fullmatch(r"\$\{?[A-Z]+\}?", w)), "")
        which = (
            f" --name $({named.strip('${}')})"
            if named and stages == {"service"} and recipe.kind is Kind.MAKE
            else ""
        )
        reports = " ".join(_reports(flow, parts, evidence)) if len(stages) == 1 else ""
        return f"tasklib {_command(stages)}{which}{' -- ' if reports else ''}{reports}"
    if (recipe.file, recipe.name) not in helpers:
        return ""
    calls = [action for _, action in flow.actions if isinstance(action, ComposeCall)]
    meant = {_VERBS[call.verb] for call in calls if call.verb in _VERBS}
    stacks = [part.against.stack for part in parts.values() if part.against and part.against.stack]
    known = {file for stack in stacks for file in stack.files}
    # What stays in front, or is about other files, is no stack of the tests.
    other = any(call.in_front or not {*call.files} <= known for call in calls)
    if other or len(calls) < len(flow.actions) or len(meant) != 1:
        return ""
    return f"tasklib {meant.pop()}"


def _command(stages: set[str]) -> str:
    return "test" if "both" in stages or len(stages) > 1 else f"test.{next(iter(stages))}"


def _is_known(command: Command, flow: Flow) -> bool:
    """Whether a command of a recipe is one of those that tasklib takes the place of."""
    actions = [action for place, action in flow.actions if place == command.place]
    return bool(actions) and all(_is_replaced(action) or isinstance(action, Install) for action in actions)


def _is_replaced(action: Action) -> bool:
    match action:
        case ComposeCall(verb=verb, services=services, files=files):
            # An image of something else is built for something else.
            return verb in _PLUMBING and not (
                verb == "build" and any("doc" in word for word in (*services, *files))
            )
        case Inside(tests=tests, steps=steps):
            return tests is not None or bool(steps)
        case TestRun() | Step():
            return True
        case _:
            return False


def _job(
    recipe: Recipe,
    flow: Flow,
    stages: set[str],
    parts: Mapping[str, Part],
    evidence: Evidence,
    unit_elsewhere: bool,
    variables: frozenset[str],
    notes: list[Note],
) -> JobChange | None:
    stackish = recipe.containers or any(
        isinstance(action, ComposeCall | Inside) for _, action in flow.actions
    )
    if not stackish:
        return None
    text = evidence.texts.get(recipe.file, "")
    whole = "\n".join(text.splitlines()[recipe.first - 1 : recipe.last])
    if why := _why_not(recipe, stages, whole):
        notes.append(Note(f"job {recipe.name} stays as it is: {why}", (recipe.place,)))
        return None
    test_lines, others, kept = _sorted_lines(flow)
    if not test_lines:
        return None
    for place, action in flow.actions:
        if place.line in kept and _uses(action):
            called = next(c.text for c in recipe.commands if c.place == place)
            what = f"`{called[:60]}` uses the stack, too; the tests in it are `{TASKLIB.line('test')}`"
            notes.append(Note(f"job {recipe.name} stays as it is: {what}", (place,)))
            return None
    for place, action in flow.actions:
        if place.line in test_lines and not (_is_replaced(action) or isinstance(action, Install)):
            also = action.command.text if isinstance(action, Other) else "more than that"
            called = next(c.text for c in recipe.commands if c.place == place)
            notes.append(
                Note(
                    f"job {recipe.name} stays as it is: `{called}` also does `{also[:60]}`; "
                    f"the tests in it are `{TASKLIB.line('test')}`",
                    (place,),
                )
            )
            return None
    have_unit = any(part.unit for part in parts.values()) or any(
        "tests/unit" in file for file in evidence.tests
    )
    command = "test" if have_unit and not unit_elsewhere else _command(stages)
    own = called_usages([flow], evidence)
    hit = [folder for folder, part in parts.items() if any(part.stage_of(usage) for usage in own)]
    if 0 < len(hit) < len(parts):
        command += "".join(f" --name {posixpath.basename(folder) or evidence.name}" for folder in hit)
    runner = "uvx --from tasklib-stages" if _UV.search(whole) else "pipx run --spec tasklib-stages"
    at = test_lines[0]
    goes = (frozenset(test_lines[1:]) | frozenset(others)) - {at} - frozenset(kept)
    if command.startswith("test.") and (reports := _reports(flow, parts, evidence)):
        command += f" -- {' '.join(reports)}"
    return JobChange(recipe.name, at, f"{runner} tasklib {command}", goes, bool(recipe.containers), variables)


def _reports(flow: Flow, parts: Mapping[str, Part], evidence: Evidence) -> tuple[str, ...]:
    """What CI asks pytest to report, for whatever reads it afterwards."""
    found = [usage for usage in called_usages([flow], evidence) if _stage(usage, parts)]
    return found[0].reports if len(found) == 1 and not found[0].inside else ()


def _why_not(recipe: Recipe, stages: set[str], whole: str) -> str:
    if "?" in stages:
        return "it also runs tests that are not taken over"
    if re.search(r"(?m)^\s+container:", whole):
        return "it runs in a container, which has no engine"
    if any(container.chosen for container in recipe.containers):
        return "its matrix chooses the images of its services"
    if (
        recipe.file.endswith((".gitlab-ci.yml", ".gitlab-ci.yaml"))
        and recipe.containers
        and "dind" not in whole
    ):
        return "it has no engine: `services: [docker:dind]` gives it one, in place of its services"
    return ""


def _uses(action: Action) -> bool:
    """Whether it needs the containers that an ``up`` before it left there."""
    match action:
        case ComposeCall(verb=verb) | Inside(call=ComposeCall(verb=verb)):
            return verb in ("exec", "cp", "port", "top")
        case _:
            return False


def _sorted_lines(flow: Flow) -> tuple[list[int], list[int], list[int]]:
    """The lines of a job's own that test, those that serve that, and those that have to stay."""
    tests: list[int] = []
    others: list[int] = []
    kept: list[int] = []
    begun = bool(flow.containers)
    by_place: dict[Place, list[Action]] = {}
    for place, action in flow.actions:
        by_place.setdefault(place, []).append(action)
    for command in flow.recipe.commands:
        actions = by_place.get(command.place, [])
        line = command.place.line
        if any(_tests(action) for action in actions):
            tests.append(line)
        elif any(isinstance(action, Copy) for action in actions):
            kept.append(line)
        elif actions and all(_is_replaced(action) for action in actions):
            begun = begun or any(
                isinstance(action, ComposeCall) and action.verb == "up" for action in actions
            )
            others.append(line)
        elif begun and (is_wait(command) or command.words[0] in _GLUE) and not tests:
            others.append(line)
        else:
            kept.append(line)
    return list(_once(tests)), [line for line in _once(others) if line not in kept], kept


def _once(lines: Sequence[int]) -> Iterator[int]:
    yield from dict.fromkeys(lines)


def _tests(action: Action) -> bool:
    match action:
        case TestRun():
            return True
        case Inside(tests=tests):
            return tests is not None
        case ComposeCall(verdict=verdict):
            return bool(verdict)
        case _:
            return False
