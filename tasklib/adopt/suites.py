"""PURE: usages → the suites of each folder: what runs without a stack, and what against which."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from tasklib.adopt.ci_containers import beside_compose, with_new_stack
from tasklib.adopt.copying import with_copies
from tasklib.adopt.evidence import ComposeService, Evidence, Kind, Place, ServiceContainer
from tasklib.adopt.folders import service_name
from tasklib.adopt.proposal import Choice, Note, Question
from tasklib.adopt.ranking import drives_a_browser, is_narrowed, rank, script_of
from tasklib.adopt.reaching import reaching
from tasklib.adopt.sameness import covers, is_same
from tasklib.adopt.shell import joined
from tasklib.adopt.stack import Stack
from tasklib.adopt.usages import StackUse, Usage
from tasklib.adopt.variants import differing, kinds_of
from tasklib.stacks.servers import known_server

__all__ = ["Part", "Parts", "parts"]

_HERE = re.compile(r"\b(localhost|127\.0\.0\.1)(:\d|/|$)")
_MOST_LEFT_OUT = 3


class Part(Struct):
    """A folder whose tests are run from it: ``unit`` without a stack, ``against`` with one.

    ``stack`` is None where nothing of it needs one; ``written`` are the containers of CI that become a
    Compose file of their own.
    """

    folder: str
    unit: Usage | None = None
    against: Usage | None = None
    written: tuple[ServiceContainer, ...] = ()
    others: list[Usage] = field(default_factory=list)

    def stage_of(self, usage: Usage) -> str:
        """Which of its stages does what ``usage`` does: ``unit``, ``against``, ``both``, or none ("")."""
        hits = [
            name
            for name, own in (("unit", self.unit), ("against", self.against))
            if own and covers(own, usage)
        ]
        if usage.needs_stack and "against" in hits:
            return "against"
        return "both" if len(hits) > 1 else hits[0] if hits else ""

    def narrows(self, usage: Usage) -> bool:
        """Whether ``usage`` runs some of what the suite against the stack runs, and not all of it."""
        own = self.against
        if own is None or usage.place == own.place or not covers(own, usage):
            return False
        if own.inside:
            return {*usage.words} < {*own.words}
        return bool(usage.paths) and {*usage.paths} < {*own.paths}


class Parts(Struct):
    """All of them, by folder; ``evidence`` with the Compose files that are to be written."""

    evidence: Evidence
    parts: dict[str, Part] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def parts(usages: Sequence[Usage], evidence: Evidence, answers: Mapping[str, str]) -> Parts:
    """The suites of every folder from which tests are run, or that holds tests nobody runs."""
    found = Parts(evidence)
    ordered = sorted(usages, key=lambda u: rank(u, evidence))
    usages = [with_copies(beside_compose(usage, evidence), evidence) for usage in ordered]
    by_folder: dict[str, list[Usage]] = {}
    for usage in usages:
        by_folder.setdefault(_folder(usage, usages, evidence), []).append(usage)
    for folder in sorted(by_folder, key=lambda name: (name.count("/"), name)):
        part = _part(folder, by_folder[folder], evidence, answers, found)
        if part.unit or part.against:
            found.parts[folder] = part
    return found


def _folder(usage: Usage, usages: Sequence[Usage], evidence: Evidence) -> str:
    """The folder of a run: where it starts; of one in a container what that is built from, if several are."""
    if not usage.inside or usage.stack is None:
        return usage.folder
    services = {u.inside for u in usages if u.inside and u.stack and u.stack.files == usage.stack.files}
    contexts = {_context(name, usage.stack, evidence) for name in services}
    return _context(usage.inside, usage.stack, evidence) if len(contexts) > 1 else ""


def _context(name: str, use: StackUse, evidence: Evidence) -> str:
    service: ComposeService | None = Stack(use, evidence).services.get(name)
    folder = (service.context or _mounted(service, evidence)) if service else ""
    return folder if folder and any(file.startswith(f"{folder}/") for file in evidence.files) else ""


def _mounted(service: ComposeService, evidence: Evidence) -> str:
    """The package that a service whose image is ready-made is given."""
    base = posixpath.dirname(service.place.file)
    mounted = (joined(base, source) for source in service.mounts if source.startswith("."))
    return next((folder for folder in mounted if folder in evidence.manifests), "")


def _part(
    folder: str, usages: Sequence[Usage], evidence: Evidence, answers: Mapping[str, str], found: Parts
) -> Part:
    part = Part(folder)
    aside = [
        usage
        for usage in usages
        if re.search(
            r"bench|perf|load|smoke|fuzz",
            f"{usage.place.file} {usage.recipe.name} {script_of(usage, evidence)}",
        )
        or is_narrowed(usage)
    ]
    kept = [usage for usage in usages if usage not in aside]
    with_stack = sorted(_first_source([usage for usage in kept if usage.needs_stack]), key=_is_elsewhere)
    chosen = _one_stack(folder, with_stack, evidence, answers, found)
    if chosen:
        part.against, left = _merged(chosen)
        part.others += left
        if part.against.containers and part.against.stack is None:
            part.written = part.against.containers
            part.against, found.evidence = with_new_stack(part.against, folder, part.written, found.evidence)
    names = {usage.place for usage in usages if usage.needs_stack}
    without = [
        u
        for u in kept
        if not u.needs_stack and u.place not in names and not is_same(u, part.against, evidence)
    ]
    if part.against:  # What is told an address here uses a stack, whoever brings it up.
        without = [u for u in without if not any(re.search(_HERE, value) for value in u.env.values())]
    part.others += [usage for usage in without if drives_a_browser(usage)]
    without = _first_source([usage for usage in without if not drives_a_browser(usage)])
    if without:
        part.unit, left = _merged(without)
        part.others += left
        _doubted(part, evidence, answers, found)
    typed = [u for u in kept if _is_told_for_stack(u, evidence) and not part.stage_of(u)]
    left_out = [*part.others, *aside]
    env = own.env if (own := part.against or part.unit) else {}
    again = [usage for usage in left_out if differing(env, usage.env)]
    left_out = [usage for usage in left_out if not differing(env, usage.env)]
    for usage in again:
        told = f"not taken over: the same tests with {differing(env, usage.env)}"
        found.notes.append(Note(told, (usage.recipe.place,)))
    found.notes += _left_out([*left_out, *(u for u in typed if all(u is not other for other in left_out))])
    return part


def _is_told_for_stack(usage: Usage, evidence: Evidence) -> bool:
    """Whether what people type is called tests of the whole: CI not running them makes them no others."""
    named = re.search(r"e2e|integration|accept|component|functional", script_of(usage, evidence))
    return bool(named) and not usage.needs_stack


def _left_out(usages: Sequence[Usage]) -> Iterator[Note]:
    """What is not taken over; many runs of one program in a word."""
    by_runner: dict[str, list[Usage]] = {}
    for usage in usages:
        by_runner.setdefault(usage.runner, []).append(usage)
    for runner, own in by_runner.items():
        if len(own) > _MOST_LEFT_OUT:
            yield Note(f"not taken over: {len(own)} more runs of {runner}", tuple(u.place for u in own))
            continue
        for usage in own:
            words = " ".join((*usage.launcher, *usage.words)) or usage.inside
            yield Note(f"not taken over: {words}", (usage.place,))


def _doubted(part: Part, evidence: Evidence, answers: Mapping[str, str], found: Parts) -> None:
    """Tests that are run without a stack, and name addresses that are one's: somebody else brings it up."""
    unit = part.unit
    files = evidence.standard or (tuple(evidence.stacks) if len(evidence.stacks) == 1 else ())
    if unit is None or part.against or not files or any("unit" in path for path in unit.paths):
        return
    use = StackUse(Place(files[0], 1), files, answered=True)
    reached = [*reaching(unit, part.folder, Stack(use, evidence), evidence)]
    if not reached:
        return
    key = f"{part.folder}.tests" if part.folder else "tests"
    answer = answers.get(key)
    if answer == "integration":
        part.unit, part.against = None, replace(unit, stack=use)
    elif answer != "unit":
        text = "the tests are run without a stack, but name addresses that are its own; do they need it?"
        choices = (
            Choice("integration", f"they need {files[0]}", tuple(reached)),
            Choice("unit", "they need nothing", (unit.place,)),
        )
        found.questions.append(Question(key, text, choices))


def _first_source(usages: Sequence[Usage]) -> list[Usage]:
    """What CI does, or else what one kind of file does: the same tests are told in many places."""
    for kind in (Kind.JOB, Kind.MAKE, Kind.JUST, Kind.TOX, Kind.NOX, Kind.PACKAGE, Kind.SCRIPT, Kind.README):
        own = [usage for usage in usages if usage.recipe.kind is kind]
        if own:
            return own
    return []


def _is_elsewhere(usage: Usage) -> bool:
    """Whether a run beside containers of CI is told to use a server that none of them is."""
    there = {server.kind for one in usage.containers if (server := known_server(one.image))}
    told = kinds_of(usage.env)
    return bool(there and told) and not there & told


def _one_stack(
    folder: str, usages: Sequence[Usage], evidence: Evidence, answers: Mapping[str, str], found: Parts
) -> list[Usage]:
    """Those of one stack; where they use several, that is a question."""
    groups: dict[tuple[str, ...], list[Usage]] = {}
    for usage in usages:
        groups.setdefault(usage.stack.files if usage.stack else (), []).append(usage)
    if len(groups) < 2:
        return list(usages)
    key = f"services.{service_name(folder, ())}.compose" if folder else "compose.test"
    if (answer := answers.get(key)) is not None:
        wanted = tuple(answer.split(","))
        for files, own in groups.items():
            if files == wanted:
                return own
    choices = tuple(
        Choice(
            ",".join(files) or "services of CI", f"{own[0].recipe.kind} {own[0].recipe.name}", (own[0].place,)
        )
        for files, own in groups.items()
    )
    found.questions.append(
        Question(key, "several stacks have tests run against them; which one is the test stack?", choices)
    )
    return []


def _merged(usages: Sequence[Usage]) -> tuple[Usage, list[Usage]]:
    """One usage of all that differ in paths alone, and the others."""
    first = usages[0]
    paths = list(first.paths)
    words = list(first.words)
    left: list[Usage] = []
    stack = first.stack
    for usage in usages[1:]:
        alike = (
            usage.runner == first.runner and usage.inside == first.inside and usage.options == first.options
        ) and not differing(first.env, usage.env)
        if alike and usage.inside and usage.words[:1] == first.words[:1]:
            words += [word for word in usage.words[1:] if word not in words]
        elif alike and first.runner == "pytest" and usage.paths and first.paths:
            paths += [path for path in usage.paths if path not in paths]
        elif not alike:
            left.append(usage)
            continue
        if (
            stack
            and usage.stack
            and usage.stack.files == stack.files
            and stack.needs
            and not usage.stack.needs
        ):
            stack = usage.stack
    return replace(first, paths=tuple(paths), words=tuple(words), stack=stack), left
