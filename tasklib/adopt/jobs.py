"""PURE: the lines of a job of CI that test, and the one line that they become."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from tasklib.adopt.actions import Action, Copy, Flow, Inside, Install, Other
from tasklib.adopt.composing import ComposeCall
from tasklib.adopt.edits.workflows import JobChange
from tasklib.adopt.evidence import Evidence, Place, Recipe
from tasklib.adopt.folders import service_name
from tasklib.adopt.proposal import Note
from tasklib.adopt.replaceable import command_of, is_replaced, is_test, reports_of
from tasklib.adopt.suites import Part
from tasklib.adopt.testing import is_wait
from tasklib.adopt.usages import called_usages
from tasklib.options.caller import TASKLIB

__all__ = ["job_change"]

_GLUE = frozenset({"for", "case", "break", "continue", "seq"})
"""What holds the lines of a loop that waits together."""
_UV = re.compile(r"setup-uv|\buv (?:run|sync|pip)\b|\buvx\b")


def job_change(
    recipe: Recipe,
    flow: Flow,
    stages: set[str],
    parts: Mapping[str, Part],
    evidence: Evidence,
    unit_elsewhere: bool,
    variables: frozenset[str],
    notes: list[Note],
) -> JobChange | None:
    """What takes the place of a job's lines that bring up containers and test; ``None`` where it stays.

    ``notes`` gets the reason where a job that tests against containers stays as it is.
    """
    stackish = recipe.containers or any(
        isinstance(action, ComposeCall | Inside) for _, action in flow.actions
    )
    if not stackish:
        return None
    text = evidence.texts.get(recipe.file, "")
    whole = "\n".join(text.splitlines()[recipe.first - 1 : recipe.last])
    test_lines, others, kept = _sorted_lines(flow)
    if why := _why_not(recipe, stages, whole, test_lines):
        notes.append(Note(f"job {recipe.name} stays as it is: {why}", (recipe.place,)))
        return None
    if not test_lines:
        return None
    for place, action in flow.actions:
        if place.line in kept and _uses(action):
            called = next(c.text for c in recipe.commands if c.place == place)
            what = f"`{called[:60]}` uses the stack, too; the tests in it are `{TASKLIB.line('test.all')}`"
            notes.append(Note(f"job {recipe.name} stays as it is: {what}", (place,)))
            return None
    for place, action in flow.actions:
        if place.line in test_lines and not (is_replaced(action) or isinstance(action, Install)):
            also = action.command.text if isinstance(action, Other) else "more than that"
            called = next(c.text for c in recipe.commands if c.place == place)
            notes.append(
                Note(
                    f"job {recipe.name} stays as it is: `{called}` also does `{also[:60]}`; "
                    f"the tests in it are `{TASKLIB.line('test.all')}`",
                    (place,),
                )
            )
            return None
    have_unit = any(part.unit for part in parts.values()) or any(
        "tests/unit" in file for file in evidence.tests
    )
    command = "test" if have_unit and not unit_elsewhere else command_of(stages)
    own = called_usages([flow], evidence)
    hit = [folder for folder, part in parts.items() if any(part.stage_of(usage) for usage in own)]
    if 0 < len(hit) < len(parts):
        command += "".join(f" --name {service_name(folder, parts) or evidence.name}" for folder in hit)
    runner = "uvx --from tasklib-stages" if _UV.search(whole) else "pipx run --spec tasklib-stages"
    at = test_lines[0]
    goes = (frozenset(test_lines[1:]) | frozenset(others)) - {at} - frozenset(kept)
    if command.startswith("test.") and (reports := reports_of(flow, parts, evidence)):
        command += f" -- {' '.join(reports)}"
    return JobChange(recipe.name, at, f"{runner} tasklib {command}", goes, bool(recipe.containers), variables)


def _why_not(recipe: Recipe, stages: set[str], whole: str, tests: Sequence[int]) -> str:
    if "?" in stages:
        return "it also runs tests that are not taken over"
    if len(tests) > 1 and re.search(r"(?m)^\s+(?:- )?if:.*\bmatrix\.", whole):
        return "its matrix chooses which of its tests run"
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
        case Other(command=command):
            return bool(re.match(r"(python[\d.]*|node|bash|sh) \S*test\S*\.\w+|\./\S*test", command.text))
        case _:
            return False


def _sorted_lines(flow: Flow) -> tuple[list[int], list[int], list[int]]:
    """The lines of a job's own that test, those that serve that, and those that have to stay."""
    tests: list[int] = []
    others: list[int] = []
    kept: list[int] = []
    begun, later = bool(flow.containers), False
    by_place: dict[Place, list[Action]] = {}
    for place, action in flow.actions:
        by_place.setdefault(place, []).append(action)
    ran = [by_place.get(command.place, []) for command in flow.recipe.commands]
    last = max((at for at, actions in enumerate(ran) if any(map(is_test, actions))), default=len(ran))
    for at, (command, actions) in enumerate(zip(flow.recipe.commands, ran, strict=True)):
        line = command.place.line
        if any(is_test(action) for action in actions):
            tests.append(line)
        elif any(isinstance(action, Copy) for action in actions):
            kept.append(line)
        elif actions and all(is_replaced(action) for action in actions):
            up = any(isinstance(action, ComposeCall) and action.verb == "up" for action in actions)
            begun, later = begun or up, later or (up and at > last)
            # What comes up after the tests is looked at by something else.
            (kept if later else others).append(line)
        elif begun and (is_wait(command) or command.words[0] in _GLUE) and not tests:
            others.append(line)
        else:
            kept.append(line)
    return list(_once(tests)), [line for line in _once(others) if line not in kept], kept


def _once(lines: Sequence[int]) -> Iterator[int]:
    yield from dict.fromkeys(lines)
