"""PURE: what the repository does to test itself: its recipes followed to the commands that they come to."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from tasklib.adopt.actions import Action, Flow, Inside, Other, Step
from tasklib.adopt.calling import called
from tasklib.adopt.composing import ComposeCall, compose_call
from tasklib.adopt.containers import exec_call
from tasklib.adopt.copies import copied
from tasklib.adopt.evidence import Command, ComposeService, Evidence, Kind, Place, Recipe
from tasklib.adopt.installing import installation
from tasklib.adopt.shell import commands, joined
from tasklib.adopt.testing import TestRun, is_trivial, is_wait, prepares, test_run, waited

__all__ = ["flow_of", "flows", "tests_by_itself"]

_DEEPEST = 12

_TESTS = re.compile(
    r"(^|[-_:/.])(sut|tests?|testing|e2e|specs?|integration|unit|acceptance|pytest|jest|check|ci|all)([-_:/.]|$)"
)
_CALLED_TESTS = re.compile(
    r"(?:npm|pnpm|yarn|bun) (?:run )?(?:t|test\b\S*)(?:\s|$)|(?:make|just|task) \S*test"
)
"""What tests in a container, where nothing here says what it is."""

_ASKS = re.compile(r"(?i)\bselect 1\b|\bping\b")
"""What asks a server whether it is there."""

_ASIDE = re.compile(
    r"generat|openapi|watch|smoke|debug|lint|format|cover|bench|publish|release|deploy|docs?\b|update|snapshot|:ui|:open"
)


def flows(evidence: Evidence) -> tuple[Flow, ...]:
    """The recipes that test something: what CI does first, then what people type, or else are told to."""
    order = [Kind.JOB, Kind.MAKE, Kind.JUST, Kind.TOX, Kind.NOX, Kind.PACKAGE, Kind.SCRIPT, Kind.README]
    found: list[Flow] = []
    for recipe in sorted(evidence.recipes, key=lambda r: order.index(r.kind) if r.kind in order else 99):
        if recipe.kind is Kind.FUNCTION or (recipe.kind is Kind.README and found):
            continue
        if recipe.kind not in (Kind.JOB, Kind.README) and not _is_meant(recipe):
            continue
        flow = flow_of(recipe, evidence)
        if flow.tests:
            found.append(flow)
    return tuple(found)


def flow_of(recipe: Recipe, evidence: Evidence) -> Flow:
    """What ``recipe`` comes to."""
    return Flow(recipe, tuple(_of_recipe(recipe, evidence, (), ())))


def _is_meant(recipe: Recipe) -> bool:
    """Whether what people type is for testing, and not for watching or measuring tests."""
    return bool(_TESTS.search(recipe.name)) and not _ASIDE.search(recipe.name)


def _of_recipe(
    recipe: Recipe, evidence: Evidence, arguments: Sequence[str], seen: tuple[Recipe, ...]
) -> Iterator[tuple[Place, Action]]:
    if recipe in seen or len(seen) > _DEEPEST:
        return
    way = (*seen, recipe)
    for name in recipe.needs:
        if needed := evidence.recipe(recipe.kind, name, recipe.file):
            for _, action in _of_recipe(needed, evidence, (), way):
                yield recipe.place, action
    for command in recipe.commands:
        for action in _of_command(_given(command, arguments), evidence, way):
            yield command.place, action


def _of_command(command: Command, evidence: Evidence, way: tuple[Recipe, ...]) -> Iterator[Action]:
    if not command.words:
        return
    command = waited(command)
    if call := compose_call(command) or exec_call(command, evidence):
        yield from _of_call(call, evidence, way)
        return
    if run := test_run(command):
        yield run
        return
    recipes = tuple(called(command, evidence, within=bool(way)))
    inner: list[Action] = []
    for recipe, arguments in recipes:
        # What a script does beside us starts where we are.
        here = recipe.kind in (Kind.SCRIPT, Kind.FUNCTION)
        moved = _moved(recipe, command) if here else _told(recipe, command)
        inner += [action for _, action in _of_recipe(moved, evidence, arguments, way)]
    if any(not isinstance(action, Step | Other) for action in inner):
        yield from inner
    elif prepares(command) or _is_step(inner, recipes):
        yield Step(command)
    elif inner:
        yield from inner
    elif copy := copied(command):
        yield copy
    elif installed := installation(command):
        yield installed
    elif not recipes and not is_wait(command) and not is_trivial(command):
        yield Other(command)


def _is_step(inner: Sequence[Action], recipes: Sequence[tuple[Recipe, Sequence[str]]]) -> bool:
    """Whether a script as a whole is a step: what of it prepares a stack would be half of it alone."""
    scripts = [recipe for recipe, _ in recipes if recipe.kind is Kind.SCRIPT]
    return bool(scripts) and {type(action) for action in inner} == {Step, Other}


def _of_call(call: ComposeCall, evidence: Evidence, way: tuple[Recipe, ...]) -> Iterator[Action]:
    if call.verb not in ("run", "exec"):
        yield call
        return
    parts = _parts(Command(call.place, call.inner or ("",), call.folder))
    if parts and all(is_wait(part) or re.search(_ASKS, part.text) for part in parts):
        yield replace(call, verb="wait")
        return
    tests, steps = _inside(call, evidence, way)
    yield Inside(call, steps, tests)


def _inside(
    call: ComposeCall, evidence: Evidence, way: tuple[Recipe, ...]
) -> tuple[tuple[str, ...] | None, tuple[tuple[str, ...], ...]]:
    """What is run in a container: the tests' command, and steps before it."""
    words = (call.entrypoint, *call.inner) if call.entrypoint else call.inner
    if not words:
        return (() if _is_test_service(call.service, evidence) else None), ()
    parts = _parts(Command(call.place, words, call.folder))
    steps: list[tuple[str, ...]] = []
    for index, part in enumerate(parts):
        if _tests_inside(part, evidence, way):
            # What only waits in front of them goes: what it waits for is ready.
            last = index == len(parts) - 1 and part.folder == call.folder
            return (part.words, tuple(steps)) if last else (words, ())
        if prepares(part):
            steps.append(part.words)
    return None, tuple(
        steps if len(parts) > 1 else [words] if steps else _script_step(parts, words, evidence, way)
    )


def _parts(command: Command) -> list[Command]:
    """The commands of ``sh -c "…"``, or the one that ``command`` is, each as it goes on after waiting."""
    words = command.words
    if posixpath.basename(words[0]) in ("sh", "bash", "ash") and words[1:2] in (("-c",), ("-lc",), ("-ec",)):
        inner = commands([(command.place.line, " ".join(words[2:3]))], command.place.file, command.folder)
        return [waited(part) for part in inner]
    return [waited(command)]


def _script_step(
    parts: Sequence[Command], words: tuple[str, ...], evidence: Evidence, way: tuple[Recipe, ...]
) -> list[tuple[str, ...]]:
    """A script that only prepares, run in a container."""
    inner = [action for part in parts for action in _started_inside(part, evidence, way)]
    return [words] if any(isinstance(action, Step) for action in inner) else []


def _tests_inside(command: Command, evidence: Evidence, way: tuple[Recipe, ...]) -> bool:
    if test_run(command) or _CALLED_TESTS.match(command.text):
        return True
    return any(isinstance(action, TestRun) for action in _started_inside(command, evidence, way))


def _started_inside(command: Command, evidence: Evidence, way: tuple[Recipe, ...]) -> Iterator[Action]:
    """What recipes come to that are started in a container, in whose folder a script mostly is."""
    for recipe, arguments in called(command, evidence, within=bool(way)):
        home = replace(command, folder=posixpath.dirname(recipe.file))
        moved = _moved(recipe, home) if recipe.kind is Kind.SCRIPT else recipe
        yield from (action for _, action in _of_recipe(moved, evidence, arguments, way))


def _is_test_service(name: str, evidence: Evidence) -> bool:
    if re.search(
        r"(^|[-_])(sut|tests?|e2e|specs?|integration|acceptance|pytest|jest|cypress|playwright)([-_]|$)", name
    ):
        return True
    return any(
        tests_by_itself(service)
        for stack in evidence.stacks.values()
        if (service := stack.services.get(name))
    )


def tests_by_itself(service: ComposeService) -> bool:
    """Whether the command that the file gives a service runs tests."""
    try:
        words = tuple(shlex.split(service.command))
    except ValueError:  # an open quote
        words = ()
    parts = _parts(Command(service.place, words)) if words else []
    return any(test_run(part) or _CALLED_TESTS.match(part.text) for part in parts[-1:])


def _given(command: Command, arguments: Sequence[str]) -> Command:
    """``command`` with what its function or script was given in the place of ``$@`` and ``$1``."""
    words: list[str] = []
    for word in command.words:
        if word in ("$@", "${@}", "$*", "${*}"):
            words += arguments
        elif found := re.fullmatch(r"\$\{?([1-9])\}?", word):
            words += arguments[int(found[1]) - 1 : int(found[1])]
        elif word:
            words.append(word)
    folder = re.sub(
        r"\$\{?([1-9])\}?", lambda n: "".join(arguments[int(n[1]) - 1 : int(n[1])]) or n[0], command.folder
    )
    return replace(command, words=tuple(words), folder=folder)


def _told(recipe: Recipe, command: Command) -> Recipe:
    """The recipe with the variables of ``command``, which starts it."""
    own = (replace(one, env={**command.env, **one.env}) for one in recipe.commands)
    return replace(recipe, commands=tuple(own)) if command.env else recipe


def _moved(recipe: Recipe, command: Command) -> Recipe:
    """The recipe of a script that is started in ``command``'s folder and with its variables."""

    def there(one: Command) -> Command:
        folder = joined(command.folder, one.folder or ".") if not posixpath.isabs(one.folder) else one.folder
        # A script that goes to its own folder first is where it is, whoever starts it.
        own = posixpath.dirname(recipe.file)
        folder = one.folder if own and one.folder.startswith(own) else folder
        return replace(one, folder=folder, env={**command.env, **one.env})

    return replace(recipe, commands=tuple(map(there, recipe.commands)))
