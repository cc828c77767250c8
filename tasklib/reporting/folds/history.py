"""What several sinks remember of a run: folders, and when failing tests ran."""

from __future__ import annotations

from collections import defaultdict

from tasklib.events import Event, RunStarted, TestFinished
from tasklib.reporting.words.failures import Moment, failed
from tasklib.results import Target

__all__ = ["History"]


class History:
    """Fed with every event; small whatever the run's size, as it keeps failures alone."""

    def __init__(self) -> None:
        self.started = 0.0
        self.project = ""
        self.instance = ""
        self.targets: tuple[Target, ...] = ()
        self.folders: dict[Target, str] = {}
        self.moments: defaultdict[Target, list[Moment]] = defaultdict(list)

    def emit(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.started = event.at
                self.project = event.project
                self.instance = event.instance
                self.targets = event.targets
                self.folders = dict(zip(event.targets, event.folders, strict=False))
            case TestFinished() if failed(event.result):
                moment = Moment(event.at - event.result.seconds, event.at)
                self.moments[event.target].append(moment)
            case _:
                pass

    def folder(self, target: Target) -> str:
        """The target's folder, absolute, or empty where the plan named none."""
        return self.folders.get(target, "")
