"""PURE: the suites of each folder → the keys of ``[tool.tasklib]`` that they need and nothing more."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tasklib.adopt.endpoint_settings import add_endpoints
from tasklib.adopt.evidence import Evidence, Kind
from tasklib.adopt.folders import folders_of_tests, service_name
from tasklib.adopt.launching import Launch
from tasklib.adopt.mattering import matters
from tasklib.adopt.needed import Needed
from tasklib.adopt.proposal import Note
from tasklib.adopt.shell import joined
from tasklib.adopt.stack import Stack
from tasklib.adopt.suites import Part
from tasklib.adopt.testing import settled
from tasklib.adopt.usages import SetupStep, Usage

__all__ = ["needed"]

_NODE = ("jest", "vitest", "node")


def needed(parts: Mapping[str, Part], evidence: Evidence, answers: Mapping[str, str]) -> Needed:
    """The settings of a project of ``parts``, by folder."""
    found = Needed()
    for folder, part in parts.items():
        _Writer(part, evidence, answers, found, service_name(folder, parts), len(parts) == 1).all()
    order = ["compose", "env-files", "project-directory", "profiles", "in", "command", "unit", "integration"]
    order += ["setup", "needs", "publish", "env", "endpoints", "services"]
    found.settings.sort(key=lambda s: order.index(s.keys[0]) if s.keys[0] in order else 99)
    return found


class _Writer(Struct):
    part: Part
    evidence: Evidence
    answers: Mapping[str, str]
    found: Needed
    name: str
    alone: bool = True
    """Whether there are no others: beside services, a project has the unit tests that it is told."""

    @property
    def launch(self) -> Launch:
        return Launch(self.part.folder, self.evidence)

    def all(self) -> None:
        folder = self.part.folder
        if folder and folder != f"services/{self.name}":
            usage = self.part.against or self.part.unit
            self.found.add(
                (*self._keys(), "path"), folder, "its tests start there", *([usage.place] if usage else [])
            )
        for own in (self.part.unit, self.part.against):
            if own:
                self._lacking(own)
        if self.part.against:
            self._against(self.part.against)
        if self.part.unit:
            self._unit(self.part.unit)
        elif self.part.against and self.part.against.inside and self._holds("tests/unit"):
            self.found.add(
                (*self._keys(), "unit"),
                [],
                "they run in the container with the others",
                self.part.against.place,
            )
            if self._names_unit(self.part.against):
                where = joined(folder, "tests/unit")
                self.found.notes.append(
                    Note(
                        f"{where} may need no container: once it can be imported on this machine, "
                        "take `unit = []` out and it runs first, without an engine"
                    )
                )

    def _keys(self) -> tuple[str, ...]:
        return ("services", self.name) if self.part.folder else ()

    def _holds(self, path: str) -> bool:
        whole = joined(self.part.folder, path)
        return any(file.startswith(f"{whole}/") for file in self.evidence.tests)

    def _names_unit(self, usage: Usage) -> bool:
        return not usage.words or any("unit" in word for word in usage.words) or len(usage.words) == 1

    # -- tests that need no stack ---------------------------------------------------------------------------

    def _unit(self, usage: Usage) -> None:
        keys = (*self._keys(), "unit")
        paths = self._paths(usage)
        if usage.runner == "pytest" and not paths:
            paths = folders_of_tests(self.part.folder, self.evidence, "unit")
        command = self.launch.command(usage)
        own = self.part.against is not None
        env = {n: v for n, v in usage.env.items() if matters(n, v, usage.folder, self.evidence)}
        if not own:
            for name, value in env.items():
                self.found.add((*self._keys(), "env", name), value, "set for the tests", usage.place)
            env = {}
        beside = not self.alone and not self.part.folder
        if beside and usage.runner in _NODE and not command:
            command = [self.launch.manager(), "test"]
        if not own and not paths and command and not beside:
            self.found.add((*self._keys(), "command"), command, "how its tests are run", usage.place)
            return
        if usage.runner in _NODE and not command and not env and paths in ((), ("tests/unit",)):
            return  # package.json says it
        if command or env:
            table: dict[str, object] = {"paths": _short(paths)} if paths and paths != ("tests/unit",) else {}
            table |= {"command": command} if command else {}
            table |= {"env": env} if env else {}
            self.found.add(keys, table, "how they are run", usage.place)
        elif paths and paths != ("tests/unit",):
            self.found.add(keys, _short(paths), "tests that need no stack", usage.place)

    # -- tests against a stack ------------------------------------------------------------------------------

    def _against(self, usage: Usage) -> None:
        keys, folder = self._keys(), self.part.folder
        stage = (*keys, "service" if keys else "integration")
        stack = Stack(usage.stack, self.evidence) if usage.stack else None
        if stack:
            self._stack(usage, stack, keys)
        if usage.inside:
            self._inside(usage, keys, stage)
        else:
            self._outside(usage, stack, keys, stage)
        # What builds before the tests does all that stands before them.
        within = usage.place.file if self.launch.building(usage) else ""
        steps = [
            self.launch.step(step, usage)
            for step in usage.setup
            if step.place.file != within and self._fits(step, usage)
        ]
        if steps:
            self.found.add(
                (*keys, "setup"),
                _unique(steps),
                "between the stack and the tests",
                *(s.place for s in usage.setup),
            )
        if stack and not usage.inside:
            add_endpoints(
                usage,
                stack,
                keys,
                folder=folder,
                evidence=self.evidence,
                answers=self.answers,
                found=self.found,
            )

    def _stack(self, usage: Usage, stack: Stack, keys: tuple[str, ...]) -> None:
        use = stack.use
        override = self._override(usage, stack)
        files = (*use.files, override) if override else use.files
        if keys:
            # The folder that these start in is the service's own.
            listed = [posixpath.relpath(file, self.part.folder) for file in files]
            if files != (joined(self.part.folder, "deploy/test/docker-compose.yml"),):
                self.found.add((*keys, "compose"), _short(listed), "the stack that its tests use", use.place)
        elif files != self.evidence.standard and files:
            self.found.add(("compose", "test"), _short(files), "the stack that the tests use", use.place)
        if use.env_files and use.env_files != (".env",):
            self.found.add(
                ("env-files",), _short(use.env_files), "where Compose is told to read variables", use.place
            )
        if use.directory is not None and use.directory != posixpath.dirname(use.files[0]):
            self.found.add(
                ("project-directory",), use.directory or ".", "where relative paths start", use.place
            )
        if use.profiles:
            self.found.add(("profiles",), list(use.profiles), "the profiles that are used", use.place)
        if use.needs and {*use.needs} != {*stack.services}:
            self.found.add((*keys, "needs"), list(use.needs), "what is brought up for them", use.place)

    def _lacking(self, usage: Usage) -> None:
        """Files of variables that somebody has to make first."""
        use = usage.stack
        base = posixpath.dirname(use.files[0]) if use and use.files else self.part.folder
        for copy in usage.copies:
            known = use is not None and bool(use.env_files)
            if not known and copy.target in (".env", joined(base, ".env"), joined(self.part.folder, ".env")):
                self.found.notes.append(
                    Note(
                        f"a fresh worktree lacks {copy.target}: `cp {copy.source} {copy.target}` first",
                        (copy.place,),
                    )
                )

    def _override(self, usage: Usage, stack: Stack) -> str:
        """The Compose file for tests that do not start by their service's own entry point."""
        service = stack.services.get(usage.inside)
        if not (usage.entrypoint and service and service.entrypoint):
            return ""
        file = joined(posixpath.dirname(stack.use.files[0]), "docker-compose.tests.yml")
        self.found.overrides[file] = usage
        return file

    def _inside(self, usage: Usage, keys: tuple[str, ...], stage: tuple[str, ...]) -> None:
        service = "tests" if usage.stack and self._overridden(usage) else usage.inside
        command = [word for word in settled(usage.words) if not word.startswith("--shard")]
        standard = self._holds("tests/integration")
        if self.part.unit or (standard and command):
            # On this machine's tests it has no say.
            table: dict[str, object] = {"paths": []} if standard else {}
            table |= {"in": service}
            table |= {"command": command} if command else {}
            self.found.add(stage, table, f"they run in a container of {usage.inside}", usage.place)
            return
        self.found.add((*keys, "in"), service, f"the tests run in a container of {usage.inside}", usage.place)
        if command:
            self.found.add((*keys, "command"), command, "what is run there", usage.place)

    def _overridden(self, usage: Usage) -> bool:
        return any(own is usage for own in self.found.overrides.values())

    def _outside(
        self, usage: Usage, stack: Stack | None, keys: tuple[str, ...], stage: tuple[str, ...]
    ) -> None:
        paths, command = self._paths(usage), self.launch.command(usage)
        if not paths and (usage.runner == "pytest" or (usage.runner in _NODE and not command)):
            paths = folders_of_tests(
                self.part.folder, self.evidence, "integration", python=usage.runner == "pytest"
            )
        standard = ("tests/integration",)
        if "tests/unit" in paths and self.part.unit is None:
            paths = tuple(path for path in paths if path != "tests/unit")
        if command and (paths == standard or not paths):
            table: object = {"command": command} if self._holds("tests/unit") or self.part.unit else None
            if table is None and not keys:
                self.found.add(stage, {"command": command}, "how they are run", usage.place)
            else:
                self.found.add(stage, table or {"command": command}, "how they are run", usage.place)
        elif command:
            self.found.add(
                stage,
                {"paths": _short(paths), "command": command},
                "the tests that use the stack",
                usage.place,
            )
        elif paths and paths != standard:
            self.found.add(stage, _short(paths), "the tests that use the stack", usage.place)
        if self._is_npm_test(usage) and self.part.unit is None and not self._holds("tests/unit"):
            if not paths and not command and not self._holds("tests/integration"):
                self.found.add(
                    stage, {"command": [self.launch.manager(), "test"]}, "how they are run", usage.place
                )
            self.found.add((*keys, "unit"), [], "all of its tests use the stack", usage.place)

    def _is_npm_test(self, usage: Usage) -> bool:
        """Whether tasklib would take the package's tests for unit tests where nothing else is said."""
        package = joined(self.part.folder, "package.json")
        return usage.runner == "vitest" or bool(self.evidence.recipe(Kind.PACKAGE, "test", package))

    def _paths(self, usage: Usage) -> tuple[str, ...]:
        """The tests that a run names; of a folder that holds other languages' too, as they are named."""
        return tuple(
            posixpath.normpath(path.split("::")[0]) for path in usage.paths if path not in (".", "./")
        )

    def _fits(self, step: SetupStep, usage: Usage) -> bool:
        """Whether a step can be taken over as it is: it has to start where the tests do."""
        if step.inside or step.folder == self.part.folder:
            return True
        self.found.notes.append(
            Note(
                f"starts elsewhere than the tests, and is left to you: {' '.join(step.words)}", (step.place,)
            )
        )
        return False


def _unique(steps: Sequence[object]) -> list[object]:
    found: list[object] = []
    for step in steps:
        if step not in found:
            found.append(step)
    return found


def _short(paths: Sequence[str]) -> object:
    return paths[0] if len(paths) == 1 else list(paths)
