"""PURE: flows that go into a folder named by a variable, once for each folder that it may mean."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from tasklib.adopt.actions import Action, Flow, Inside, Step
from tasklib.adopt.composing import ComposeCall
from tasklib.adopt.evidence import Evidence
from tasklib.adopt.testing import TestRun

__all__ = ["bound"]


def bound(flow: Flow, evidence: Evidence) -> Iterator[Flow]:
    """A flow that goes into folders named by a variable (``services/$1``), once for each folder there is."""
    folders = [folder for _, action in flow.actions if "$" in (folder := _folder_of(action))]
    if not folders:
        yield flow
        return
    name = re.search(r"\$\{?\w+\}?", folders[0])
    assert name
    before, after = folders[0][: name.start()], folders[0][name.end() :]
    pattern = re.compile(rf"{re.escape(before)}([^/]+){re.escape(after)}/")
    values = {found[1] for file in evidence.files if (found := pattern.match(file))}
    if not before and not after:  # It may be any that holds something with tests.
        values = {folder for folder in evidence.manifests if _is_tested(folder, flow, evidence)}
    for value in sorted(values):
        yield replace(
            flow,
            actions=tuple((place, _moved(action, name[0], value)) for place, action in flow.actions),
        )


def _is_tested(folder: str, flow: Flow, evidence: Evidence) -> bool:
    """Whether a package has tests, and is of the language that the flow tests."""
    runners = {action.runner for _, action in flow.actions if isinstance(action, TestRun)}
    fits = evidence.manifests[folder] == "go" if runners == {"go"} else True
    return fits and any(not folder or file.startswith(f"{folder}/") for file in evidence.tests)


def _folder_of(action: Action) -> str:
    match action:
        case ComposeCall(folder=folder) | TestRun(folder=folder) | Inside(call=ComposeCall(folder=folder)):
            return folder
        case Step(command=command):
            return command.folder
        case _:
            return ""


def _moved(action: Action, name: str, value: str) -> Action:
    """``action`` with the variable's value in its folder."""
    folder = _folder_of(action).replace(name, value)
    match action:
        case ComposeCall() | TestRun():
            return replace(action, folder=folder)
        case Inside(call=call):
            return replace(action, call=replace(call, folder=folder))
        case Step(command=command):
            return replace(action, command=replace(command, folder=folder))
        case _:
            return action
