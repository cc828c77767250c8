"""PURE: tests that no recipe runs: what they are by the names of their folders, else by a question."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from tasklib.adopt.evidence import Evidence, Kind, Place, Recipe
from tasklib.adopt.proposal import Choice, Note, Question
from tasklib.adopt.ranking import BROWSERS
from tasklib.adopt.shell import joined
from tasklib.adopt.suites import Part, Parts
from tasklib.adopt.testing import test_run
from tasklib.adopt.toolchains import usual_command
from tasklib.adopt.usages import StackUse, Usage

__all__ = ["add_unrun"]

_NAMED_FOR_STACK = re.compile(r"(?i)(test_)?(e2e|integration|component|acceptance)([_.-]|tests?\b)")
_OF_PYTEST = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
_WITH_ALL_BELOW = {
    **dict.fromkeys(("mvn", "mvnw", "gradle", "gradlew"), "java"),
    "dotnet": "dotnet",
    "cargo": "rust",
}
_STACK_FOLDERS = ("integration", "e2e", "functional", "acceptance", "system", "service", "api")


def add_unrun(found: Parts, evidence: Evidence, answers: Mapping[str, str]) -> None:
    """Folders with tests that no recipe runs: by their names, else by a question."""
    ran = {file for part in found.parts.values() for file in _files_of(part, evidence)}
    left: dict[str, list[str]] = {}
    for file in evidence.tests:
        if file not in ran and _says_something(file, evidence):
            left.setdefault(_manifest(file, evidence), []).append(file)
    for folder, files in sorted(left.items()):
        if folder in found.parts or (
            found.parts and found.parts.get("") and found.parts[""].against and found.parts[""].against.inside
        ):
            continue
        language = evidence.manifests.get(folder, "")
        script = evidence.recipe(Kind.PACKAGE, "test", joined(folder, "package.json"))
        if script and any(run.runner in BROWSERS for one in script.commands if (run := test_run(one))):
            continue  # It needs a browser and something to look at, and is named among what is left out.
        if language == "node" and script is None:
            found.notes.append(
                Note(
                    f"nothing runs the {len(files)} test files of {folder or 'the package'}: "
                    "its package.json has no test script",
                    (Place(files[0], 1),),
                )
            )
            continue
        if language in ("", "python"):  # What else lies there is another tool's.
            files = [file for file in files if file.endswith(".py")]
        if not files:
            continue
        usage = _unrun(folder, files, evidence, answers, found)
        if usage:
            found.parts[folder] = usage


def _unrun(
    folder: str, files: Sequence[str], evidence: Evidence, answers: Mapping[str, str], found: Parts
) -> Part | None:
    """The suites of tests that nothing runs; ``None`` where the user has to say what they are."""
    place = Place(files[0], 1)
    recipe = Recipe(Kind.SCRIPT, files[0], "tests", 1, 1)
    script = evidence.recipe(Kind.PACKAGE, "test", joined(folder, "package.json"))
    whole = script if evidence.manifests.get(folder) == "node" else None
    tops = sorted({_top(posixpath.relpath(file, folder or ".")) for file in files})
    key = f"{folder}.tests" if folder else "tests"
    named = {
        _top(posixpath.relpath(f, folder or "."))
        for f in files
        if _NAMED_FOR_STACK.match(posixpath.basename(f))
    }
    against = [top for top in tops if _for_stack(top) or top in named] if evidence.standard else []
    if whole:  # Which tests it runs is for its own tools to know.
        place, tops, against = whole.place, ["."], []
    unit = [top for top in tops if top not in against]
    unclear = [top for top in unit if posixpath.basename(top) != "unit"] if evidence.standard else []
    if not _reach_out(files, evidence):
        unclear = []  # Nothing in them asks where anything is.
    if unclear and (answer := answers.get(key)) in ("unit", "integration"):
        if answer == "integration":
            against, unit = against + unclear, [top for top in unit if top not in unclear]
    elif unclear:
        where = ", ".join(joined(folder, top) for top in unclear[:3])
        found.questions.append(
            Question(
                key,
                f"nothing says how the tests in {where or 'the package'} are run; do they need the stack?",
                (
                    Choice("unit", "they need nothing", (place,)),
                    Choice(
                        "integration", f"they need {evidence.standard[0]}", (Place(evidence.standard[0], 1),)
                    ),
                ),
            )
        )
        return None
    usage = Usage(place, recipe, "pytest", folder=folder)

    def of(own: Sequence[str]) -> Usage:
        """They are run by pytest or Node, which tasklib starts itself, or by their language's own tool."""
        if whole:
            return replace(usage, place=whole.place, recipe=whole, runner="node", words=("npm", "test"))
        if _is_of_django(folder, files, evidence):
            return replace(usage, runner="django", words=("python", "manage.py", "test"))
        words = usual_command(evidence.manifests.get(folder, ""), folder, own, evidence)
        return replace(usage, runner=words[0], words=words) if words else replace(usage, paths=tuple(own))

    return Part(
        folder,
        of(unit) if unit else None,
        replace(of(against), stack=StackUse(place, evidence.standard, answered=True)) if against else None,
    )


def _reach_out(files: Sequence[str], evidence: Evidence) -> bool:
    """Whether tests may talk to something: Python's do it through the code that they import."""
    asked = {address.place.file for address in evidence.addresses}
    asked |= {variable.place.file for variable in evidence.variables}
    return any(file.endswith(".py") or file in asked for file in files)


def _says_something(file: str, evidence: Evidence) -> bool:
    """Whether a file tests anything: what Django writes for a new app does not."""
    text = evidence.texts.get(file, "")
    told = re.search(r"\b(def|class) |\bimport \*", text)
    return posixpath.basename(file) != "tests.py" or not text or told is not None


def _is_of_django(folder: str, files: Sequence[str], evidence: Evidence) -> bool:
    """Whether Django's own runner finds tests that pytest would not: they are called as it calls them.

    It does not see functions: where pytest's settings say what files of tests are called, they are pytest's.
    """
    there = joined(folder, "manage.py") in evidence.files
    told = any("python_files" in evidence.texts.get(joined(folder, name), "") for name in _OF_PYTEST)
    return there and not told and any(posixpath.basename(file) == "tests.py" for file in files)


def _top(name: str) -> str:
    """The folder of tests that a file belongs to: ``tests/unit`` of ``tests/unit/web/test_a.py``."""
    parts = name.split("/")[:-1]
    for index, part in enumerate(parts):
        if index and (part in ("unit", *_STACK_FOLDERS) or (part in ("tests", "test") and parts[0] == "src")):
            return "/".join(parts[: index + 1])
    return parts[0] if parts else name


def _for_stack(top: str) -> bool:
    return posixpath.basename(top) in _STACK_FOLDERS


def _manifest(file: str, evidence: Evidence) -> str:
    folder = posixpath.dirname(file)
    while folder and folder not in evidence.manifests:
        folder = posixpath.dirname(folder)
    return folder


def _files_of(part: Part, evidence: Evidence) -> Iterator[str]:
    for usage in (part.unit, part.against):
        if usage:
            places: Iterable[str] = usage.paths or ("",)
            for path in places:
                whole = joined(part.folder, path or ".")
                for file in evidence.tests:
                    within = not whole or file == whole or file.startswith(f"{whole}/")
                    if within and (usage.inside or _finds(usage.runner, file, part.folder, evidence)):
                        yield file


def _finds(runner: str, file: str, folder: str, evidence: Evidence) -> bool:
    """Whether a runner takes a file below its folder for its own: Python's and Node's go into all of them."""
    if runner in ("pytest", "django", "unittest"):
        return file.endswith(".py")
    if runner in ("jest", "vitest", "node", "mocha", "ava", "tap"):
        return bool(re.search(r"\.[cm]?[jt]sx?$", file))
    own = _manifest(file, evidence)
    # Those that know all projects below them; a module of Go's is one for itself.
    whole = _WITH_ALL_BELOW.get(runner)
    return own == folder or (whole is not None and evidence.manifests.get(own) == whole)
