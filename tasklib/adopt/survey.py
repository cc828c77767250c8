"""Disk → evidence: which files there are, and what each reader says of them. Nothing is started but git."""

from __future__ import annotations

import os
import posixpath
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from tasklib.adopt.evidence import Address, Evidence, Kind, Recipe, StackFile, Value, Variable
from tasklib.adopt.readers.environments import read_noxfile, read_tox
from tasklib.adopt.readers.makefiles import included, read_justfile, read_makefile
from tasklib.adopt.readers.packages import read_package
from tasklib.adopt.readers.readmes import in_the_clone, read_readme
from tasklib.adopt.readers.scripts import read_script
from tasklib.adopt.readers.stacks import read_stack
from tasklib.adopt.readers.variables import read_addresses, read_dotenv, read_variables
from tasklib.adopt.readers.workflows import read_circle, read_gitlab, read_workflow
from tasklib.adopt.shell import joined
from tasklib.checkout import git
from tasklib.doctor.document import read_document
from tasklib.errors import TasklibError
from tasklib.pipeline.suites.detect import tests_of_any_kind
from tasklib.project.compose_files import compose_files, compose_files_for_tests

__all__ = ["COMPOSE", "survey"]

Text = Callable[[str], str]
"""What a file of the repository holds."""

COMPOSE = re.compile(r"(.*/)?(docker-)?compose([.-][\w.-]+)?\.ya?ml")
_WORKFLOW = re.compile(r"\.(github|gitea|forgejo)/workflows/[^/]+\.ya?ml")
_GITLAB = re.compile(r"\.gitlab-ci\.ya?ml")
_CIRCLE = re.compile(r"\.circleci/config\.ya?ml")
_README = re.compile(r"(?i)(README|CONTRIBUTING|DEVELOPMENT)(\.(md|markdown))?")
_MAKE = re.compile(r"(.*/)?((GNU)?[Mm]akefile|[^/]+\.mk)")
_JUST = re.compile(r"(.*/)?\.?[Jj]ustfile")
_DOTENV = re.compile(r"(.*/)?(\.env[\w.-]*|[\w-]+\.env|env[.-]example[\w.-]*)")
_SOURCE = re.compile(r".*\.(py|[cm]?[jt]sx?|go|rb|rs|java|kt|php|cs|prisma)|.*/?test/config\.json")
_SKIPPED = frozenset(
    {"node_modules", "__pycache__", "site-packages", "dist", "vendor", "third_party", "venv"}
)
_ASKED = re.compile(r"(.*/)?(pytest\.ini|Pipfile|requirements[^/]*\.(txt|in)|requirements/[^/]*\.(txt|in))")
"""What others ask for what it says: pytest's settings, and lists of what is installed."""

_LARGEST = 400_000
_MOST_SOURCES = 4000

_MANIFESTS = {
    "pyproject.toml": "python",
    "setup.py": "python",
    "requirements.txt": "python",
    "manage.py": "python",
    "package.json": "node",
    "go.mod": "go",
    "Cargo.toml": "rust",
    "pom.xml": "java",
    "build.gradle": "java",
    "build.gradle.kts": "java",
    "Gemfile": "ruby",
    "composer.json": "php",
    "mix.exs": "elixir",
}


def survey(root: Path) -> Evidence:
    """Look at the repository in ``root``."""
    files = frozenset(_listed(root))
    texts: dict[str, str] = {}

    def text(file: str) -> str:
        if file in files and file not in texts:
            texts[file] = _read(root / file)
        return texts[file] if file in files else _read(root / file)

    recipes: list[Recipe] = []
    stacks: dict[str, StackFile] = {}
    values: list[Value] = []
    homes = _homes(files, text)
    tops = frozenset(name.partition("/")[0] for name in files)
    for file in sorted(files, key=lambda name: (name.count("/"), name)):
        own = _recipes(file, text, homes)
        recipes += [in_the_clone(one, tops) if one.kind is Kind.README else one for one in own]
        if COMPOSE.fullmatch(file) and (document := read_document(root / file, text(file))):
            if stack := read_stack(file, document):
                stacks[file] = stack
        elif _DOTENV.fullmatch(file):
            values += read_dotenv(file, text(file))
        elif _ASKED.fullmatch(file):
            text(file)
    _add_named_stacks(root, files, recipes, stacks, text)
    variables, addresses = _sources(files, text)
    standard = compose_files(root / "deploy" / "test") or compose_files(root) or compose_files_for_tests(root)
    return Evidence(
        _name(root, text),
        files,
        texts,
        tuple(recipes),
        stacks,
        tuple(name for path in standard if (name := path.relative_to(root).as_posix()) in stacks),
        _manifests(files),
        _tests(root, files),
        tuple(variables),
        tuple(values),
        tuple(addresses),
        frozenset(_ignored(root, files)),
        tuple(name for path in standard if (name := path.relative_to(root).as_posix()) not in stacks),
    )


def _name(root: Path, text: Text) -> str:
    """The project's name, as tasklib takes it."""
    try:
        named = tomllib.loads(text("pyproject.toml")).get("project", {}).get("name")
    except (ValueError, AttributeError, RecursionError):
        named = None
    return named if isinstance(named, str) and named else root.name


def _listed(root: Path) -> Iterator[str]:
    """The files that git knows or would know; without git all but what nobody wrote."""
    try:
        listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", check=False)
        names = listed.stdout.rstrip("\n").split("\0") if listed.code == 0 else []
    except TasklibError:
        names = []
    if not any(names):
        names = [path.relative_to(root).as_posix() for path in _walked(root)]
    for name in names:
        if name and not _SKIPPED.intersection(name.split("/")) and (root / name).is_file():
            yield name


def _walked(root: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _SKIPPED and name not in (".git", ".venv")]
        yield from (Path(parent, name) for name in names)


def _read(path: Path) -> str:
    """What a file holds as text, line ends as they stand; empty for what is none, or too large."""
    try:
        data = path.read_bytes() if path.stat().st_size <= _LARGEST else b"\0"
        return "" if b"\0" in data else data.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _homes(files: Iterable[str], text: Text) -> dict[str, str]:
    """The folder in which each Makefile that another includes is worked on: that of the first one."""
    known = {file for file in files if _MAKE.fullmatch(file)}
    homes: dict[str, str] = {}
    pending = sorted(known, key=lambda name: (name.endswith(".mk"), name.count("/"), name))
    while pending:
        file = pending.pop(0)
        home = homes.get(file, posixpath.dirname(file))
        for word in included(text(file)):
            name = joined(home, word)
            if name in known and name != file and homes.setdefault(name, home) is home:
                pending.insert(0, name)
                known.discard(name)
    return homes


def _recipes(file: str, text: Text, homes: Mapping[str, str]) -> Iterator[Recipe]:
    name = posixpath.basename(file)
    if _WORKFLOW.fullmatch(file) or _GITLAB.fullmatch(file) or _CIRCLE.fullmatch(file):
        read = read_gitlab if _GITLAB.fullmatch(file) else read_workflow
        read = read_circle if _CIRCLE.fullmatch(file) else read
        if document := read_document(Path(file), text(file)):
            yield from read(file, document)
    elif _MAKE.fullmatch(file):
        yield from read_makefile(file, text(file), homes.get(file))
    elif _JUST.fullmatch(file):
        yield from read_justfile(file, text(file))
    elif name == "package.json":
        yield from read_package(file, text(file))
    elif name in ("tox.ini", "tox.toml") or (
        name in ("pyproject.toml", "setup.cfg") and re.search(r"\[(tool\.tox|testenv)", text(file))
    ):
        yield from read_tox(file, text(file))
    elif _README.fullmatch(file):
        yield from read_readme(file, text(file))
    elif name == "noxfile.py":
        yield from read_noxfile(file, text(file))
    elif name.endswith(".sh") or (
        "." not in name and name not in ("Dockerfile", "LICENSE") and _is_shell(text(file))
    ):
        yield from read_script(file, text(file))


def _is_shell(text: str) -> bool:
    return bool(
        re.match(r"#! ?\S*(env )?(ba|da|z|k)?sh\b", text) or re.match(r"#! ?/usr/bin/env (ba)?sh", text)
    )


def _add_named_stacks(
    root: Path, files: Iterable[str], recipes: Iterable[Recipe], stacks: dict[str, StackFile], text: Text
) -> None:
    """Compose files that go by another name, where a command gives them to Compose."""
    for recipe in recipes:
        for command in recipe.commands:
            for word in command.words:
                name = posixpath.normpath(posixpath.join(command.folder, word))
                if word.endswith((".yml", ".yaml")) and name in files and name not in stacks:
                    document = read_document(root / name, text(name))
                    if "compose" in command.text and document and (stack := read_stack(name, document)):
                        stacks[name] = stack


def _sources(files: Iterable[str], text: Text) -> tuple[list[Variable], list[Address]]:
    variables: list[Variable] = []
    addresses: list[Address] = []
    sources = sorted(
        (file for file in files if _SOURCE.fullmatch(file)), key=lambda name: (name.count("/"), name)
    )
    for file in sources[:_MOST_SOURCES]:
        found = text(file)
        variables += read_variables(file, found)
        if re.search(r"(^|/)(tests?|e2e|__tests__|spec)/|test", file):
            addresses += read_addresses(file, found)
    return variables, addresses


def _manifests(files: Iterable[str]) -> dict[str, str]:
    """The folders that hold a package or program, with its language; Python's wins over Node's."""
    found: dict[str, str] = {}
    for file in sorted(
        files,
        key=lambda name: (
            [*_MANIFESTS].index(base) if (base := posixpath.basename(name)) in _MANIFESTS else 99
        ),
    ):
        name = posixpath.basename(file)
        if name in _MANIFESTS:
            found.setdefault(posixpath.dirname(file), _MANIFESTS[name])
        elif name.endswith((".csproj", ".fsproj")):
            found.setdefault(posixpath.dirname(file), "dotnet")
    return found


def _tests(root: Path, files: Iterable[str]) -> tuple[str, ...]:
    """The files that some language's habits call tests, and that git knows."""
    found = {path.relative_to(root).as_posix() for path in tests_of_any_kind(root)}
    return tuple(sorted(found.intersection(files)))


def _ignored(root: Path, files: Iterable[str]) -> Iterator[str]:
    """Files of variables that lie there and that git does not know, and those that an example stands for."""
    known = frozenset(files)
    for folder in {posixpath.dirname(file) for file in known if _DOTENV.fullmatch(file)} | {""}:
        for path in (root / folder).glob(".env*"):
            name = path.relative_to(root).as_posix()
            if path.is_file() and name not in known:
                yield name
