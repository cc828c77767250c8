"""PURE: evidence → the proposal."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from tasklib.adopt.ci_containers import GENERATED_STACK
from tasklib.adopt.edits.makefiles import shortened
from tasklib.adopt.edits.noxfile import with_sessions
from tasklib.adopt.edits.stacks import tests_service, written_stack
from tasklib.adopt.edits.toml import with_settings
from tasklib.adopt.edits.workflows import shrunk
from tasklib.adopt.evidence import Evidence, Kind, Place
from tasklib.adopt.flows import flows
from tasklib.adopt.fronts import replaced
from tasklib.adopt.needed import Needed
from tasklib.adopt.overriding import overriding
from tasklib.adopt.own_stacks import own_stacks
from tasklib.adopt.proposal import Note, Proposal, Question, Reason
from tasklib.adopt.settings import needed
from tasklib.adopt.suites import Part, parts
from tasklib.adopt.unrun import add_unrun
from tasklib.adopt.usages import usages
from tasklib.options.caller import TASKLIB
from tasklib.options.catalog import COMMANDS
from tasklib.project.layout import PYPROJECT

__all__ = ["propose"]


def propose(
    evidence: Evidence, answers: Mapping[str, str] | None = None, *, keep_make: bool = False
) -> Proposal:
    """What replaces the repository's own ways to test itself; ``answers`` are those to its questions."""
    answers = answers or {}
    found = parts(usages(flows(evidence), evidence), evidence, answers)
    add_unrun(found, found.evidence, answers)
    wanted = needed(found.parts, found.evidence, answers)
    return _Assembly(found.evidence, found.parts, wanted, keep_make).proposal(
        (*found.questions, *wanted.questions), (*found.notes, *wanted.notes)
    )


class _Assembly:
    def __init__(
        self, evidence: Evidence, parts: Mapping[str, Part], wanted: Needed, keep_make: bool
    ) -> None:
        self.evidence, self.parts, self.wanted, self.keep_make = evidence, parts, wanted, keep_make
        self.files: dict[str, str | None] = {}
        self.reasons: dict[str, tuple[Reason, ...]] = {}
        self.notes: list[Note] = []

    def _unread(self) -> None:
        for file in self.evidence.unread:
            self.notes.append(Note("cannot be read as a Compose file with services", (Place(file, 1),)))

    def proposal(self, questions: tuple[Question, ...], notes: tuple[Note, ...]) -> Proposal:
        self._unread()
        self.notes += own_stacks(self.evidence)
        if any("endpoints" in setting.keys for setting in self.wanted.settings):
            self.notes += overriding(self.evidence)
        self._settings()
        self._stacks()
        if self.parts:
            self._noxfile()
            self._recipes()
            self._orphans()
        copies = {
            copy.target: copy.source
            for part in self.parts.values()
            for usage in (part.unit, part.against)
            for copy in (usage.copies if usage else ())
        }
        places: dict[str, list[Place]] = {}
        for note in (*notes, *self.notes):
            places.setdefault(note.text, []).extend(note.places)
        unique = tuple(Note(text, tuple(dict.fromkeys(own))) for text, own in places.items())
        settled = "[tool.tasklib" in self.evidence.texts.get(PYPROJECT, "")
        return Proposal(
            tuple(self.wanted.settings),
            self.files,
            self.reasons,
            () if settled else tuple(questions),  # what they decide is settings
            unique,
            copies,
            any(
                "tasklib" in self.evidence.texts.get(name, "")
                for name in (PYPROJECT, "noxfile.py", "tasks.py")
            ),
        )

    def _put(self, file: str, text: str | None, reasons: tuple[Reason, ...]) -> None:
        if text != self.evidence.texts.get(file) or (text is None and file in self.evidence.files):
            self.files[file] = text
            self.reasons[file] = reasons

    def _settings(self) -> None:
        before = self.evidence.texts.get(PYPROJECT, "")
        if "[tool.tasklib" in before:
            self.notes.append(
                Note("[tool.tasklib] is there already and stays as it is", (Place(PYPROJECT, 1),))
            )
            return
        text, reasons = with_settings(before, self.wanted.settings)
        if reasons:
            self._put(PYPROJECT, text, reasons)

    def _stacks(self) -> None:
        for folder, part in self.parts.items():
            if part.written:
                text, reasons = written_stack(part.written)
                self._put(posixpath.join(folder, GENERATED_STACK), text, reasons)
        for file, usage in self.wanted.overrides.items():
            text, reasons = tests_service(usage)
            self._put(file, text, reasons)

    def _noxfile(self) -> None:
        own = [recipe.name for recipe in self.evidence.recipes if recipe.kind is Kind.NOX]
        offered = [command.session for command in COMMANDS if command.session]
        before = self.evidence.texts.get("noxfile.py") if "noxfile.py" in self.evidence.files else None
        text, reasons = with_sessions(before, own, offered)
        self._put("noxfile.py", text, reasons)
        if "tasks.py" in self.evidence.files:
            line = "`from tasklib.tasks import test, infra, clean` gives your tasks.py these collections"
            self.notes.append(Note(line, (Place("tasks.py", 1),)))

    def _orphans(self) -> None:
        """Scripts that only what has become a line called."""
        callers = {recipe.file for recipe in self.evidence.recipes}
        for file in sorted(r.file for r in self.evidence.recipes if r.kind is Kind.SCRIPT):
            name = posixpath.basename(file)
            before = [other for other in callers if other != file and name in self.evidence.texts[other]]
            after = [
                other for other in before if name in (self.files.get(other, self.evidence.texts[other]) or "")
            ]
            if before and not after:
                self.notes.append(Note("nothing calls this script any more", (Place(file, 1),)))

    def _recipes(self) -> None:
        variables = {
            setting.keys[-1]
            for setting in self.wanted.settings
            if {"endpoints", "env"} & {*setting.keys[:-1]}
        }
        found = replaced(self.parts, self.evidence, frozenset(variables))
        self.notes += found.notes
        for file, fronts in found.fronts.items():
            own = [recipe for recipe in self.evidence.recipes if recipe.file == file]
            text, reasons = shortened(self.evidence.texts[file], fronts, own, keep=self.keep_make)
            self._put(file, text, reasons)
        for file, changes in found.jobs.items():
            changed = shrunk(file, self.evidence.texts[file], changes)
            if changed:
                self._put(file, *changed)
            else:
                names = ", ".join(changes)
                self.notes.append(
                    Note(
                        f"job {names}: let it call `{TASKLIB.line('test.all')}`; its lines are left to you",
                        (Place(file, 1),),
                    )
                )
