"""PURE: which targets and jobs of CI do what tasklib does now, and the line that each becomes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from tasklib.adopt.actions import Flow, Inside, Install
from tasklib.adopt.composing import ComposeCall
from tasklib.adopt.edits.makefiles import Front
from tasklib.adopt.edits.workflows import JobChange
from tasklib.adopt.evidence import Command, Evidence, Kind, Recipe
from tasklib.adopt.flows import flow_of
from tasklib.adopt.jobs import job_change
from tasklib.adopt.proposal import Note
from tasklib.adopt.replaceable import INFRA, command_of, is_replaced, is_test, reports_of, stage_of
from tasklib.adopt.suites import Part
from tasklib.adopt.testing import is_report, is_trivial, is_wait
from tasklib.adopt.usages import called_usages, stack_of

__all__ = ["Replaced", "replaced"]


class Replaced(Struct):
    """``fronts`` by file, ``jobs`` by file and name, and what is left to the reader."""

    fronts: dict[str, list[Front]]
    jobs: dict[str, dict[str, JobChange]]
    notes: list[Note]


def replaced(parts: Mapping[str, Part], evidence: Evidence, variables: frozenset[str]) -> Replaced:
    """What of the repository's own recipes becomes a line; ``variables`` are those that tasklib sets now."""
    found = Replaced({}, {}, [])
    flows = {id(recipe): flow_of(recipe, evidence) for recipe in evidence.recipes}
    stages = {id(flow.recipe): _stages(flow, parts, evidence) for flow in flows.values()}
    helpers = {(recipe.file, recipe.name) for recipe in _helpers(evidence, flows, stages)}
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
            change = job_change(recipe, *own, parts, evidence, bool(unit_elsewhere), variables, found.notes)
            if change:
                found.jobs.setdefault(recipe.file, {})[recipe.name] = change
    return found


def _stages(flow: Flow, parts: Mapping[str, Part], evidence: Evidence) -> set[str]:
    """The stages that a recipe's tests are; ``?`` among them for tests that are not taken over."""
    return {stage_of(usage, parts) or "?" for usage in called_usages([flow], evidence)}


def _helpers(
    evidence: Evidence, flows: Mapping[int, Flow], stages: Mapping[int, set[str]]
) -> Iterator[Recipe]:
    """The targets that bring up and take down what tests use, and nobody else.

    A target is one if its name or its files say so, or where it serves tests alone: what else needs it has
    the stack as the file says, with its ports, and so has what looks into one that is up (a shell). What
    takes a stack down goes with what brings it up.
    """
    own = [recipe for recipe in evidence.recipes if recipe.kind in (Kind.MAKE, Kind.JUST)]
    looked_into = {
        recipe.file
        for recipe in own
        for _, action in flows[id(recipe)].actions
        if isinstance(action, Inside) and not is_test(action) and not stages[id(recipe)]
    }
    ups: dict[str, list[bool]] = {}
    others: list[Recipe] = []
    for recipe in own:
        calls = _calls(flows[id(recipe)])
        brings_up = bool(calls) and all(call.verb in ("up", "start") for call in calls)
        callers = [other for other in own if other.file == recipe.file and recipe.name in other.needs]
        files = {file for call in calls for file in stack_of(call, evidence).files}
        serves = brings_up and bool(callers) and all(stages[id(other)] for other in callers)
        serves = serves and recipe.file not in looked_into
        serves = serves or "test" in recipe.name or (bool(files) and all("test" in file for file in files))
        if brings_up:
            ups.setdefault(recipe.file, []).append(serves)
        if serves:
            yield recipe
        elif not brings_up:
            others.append(recipe)
    yield from (recipe for recipe in others if all(ups.get(recipe.file, [False])))


def _calls(flow: Flow) -> list[ComposeCall]:
    return [action for _, action in flow.actions if isinstance(action, ComposeCall)]


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
        if any(part.narrows(usage) for part in parts.values() for usage in called_usages([flow], evidence)):
            return ""  # It would run more than it did.
        named = next((w for c in own for w in c.words if re.fullmatch(r"\$\{?[A-Z]+\}?", w)), "")
        which = (
            f" --name $({named.strip('${}')})"
            if named and stages == {"service"} and recipe.kind is Kind.MAKE
            else ""
        )
        reports = " ".join(reports_of(flow, parts, evidence)) if len(stages) == 1 else ""
        return f"tasklib {command_of(stages)}{which}{' -- ' if reports else ''}{reports}"
    if (recipe.file, recipe.name) not in helpers:
        return ""
    calls = _calls(flow)
    meant = {INFRA[call.verb] for call in calls if call.verb in INFRA}
    stacks = [part.against.stack for part in parts.values() if part.against and part.against.stack]
    known = {file for stack in stacks for file in stack.files}
    # What stays in front, or is about other files, is no stack of the tests.
    used = [{*stack_of(call, evidence).files} for call in calls]
    other = any(
        call.in_front or not files or not files <= known for call, files in zip(calls, used, strict=True)
    )
    if other or len(calls) < len(flow.actions) or len(meant) != 1:
        return ""
    return f"tasklib {meant.pop()}"


def _is_known(command: Command, flow: Flow) -> bool:
    """Whether a command of a recipe is one of those that tasklib takes the place of."""
    actions = [action for place, action in flow.actions if place == command.place]
    return bool(actions) and all(is_replaced(action) or isinstance(action, Install) for action in actions)
