"""Which test command a target has: which tests, in which environment, by which runner.

Planning reads the disk and starts nothing; :func:`run_suite` runs what was planned.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tasklib.errors import ConfigError, UsageError
from tasklib.options.likeness import meant
from tasklib.pipeline.runners import prepare_suite, run_suite
from tasklib.pipeline.suites import scripts
from tasklib.pipeline.suites.detect import FULLSTACK, Language, fullstack_files, language, loads_plugins_first
from tasklib.pipeline.suites.node import node_folder, node_preparation, package, vitest_program
from tasklib.pipeline.suites.python import python_environment
from tasklib.pipeline.suites.scripts import Script
from tasklib.pipeline.suites.suite import SILENCE, Preparation, Suite, SuiteKind, SuiteOptions
from tasklib.project import Project, Service, StageTests
from tasklib.results import Stage, Target
from tasklib.slow_tests import limit_of

__all__ = ["Suite", "SuiteKind", "SuiteOptions", "plan_suite", "prepare_suite", "run_suite", "tests_of"]


@dataclass(frozen=True)
class _Place:
    """Where a target's tests are: started in ``cwd``, found in ``tests``, leaving out ``without``.

    ``said`` is what the settings say of them.
    """

    cwd: Path
    tests: tuple[Path, ...]
    said: StageTests
    without: tuple[Path, ...] = ()
    fullstack: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(_argument(path, self.cwd) for path in self.tests)


def plan_suite(project: Project, target: Target, options: SuiteOptions) -> Suite:
    """The suite of ``target``, by what its folders hold.

    Raises UsageError for a service that the project does not have, ConfigError where there are no tests for
    the target or nothing that could run them.
    """
    place = _place(project, target)
    limits = (options.timeout, place.said.timeout, project.timeout.get(target.stage))
    timeout = next((limit for limit in limits if limit is not None), None)
    common = _Common(project, target, place, options, place.said.env, timeout)
    if place.said.command:
        return common.command(place.said.command)
    if place.said.inside:
        return common.own_command()
    kinds = {_language(path, place, project) for path in place.tests} - {Language.NONE}
    if Language.BOTH in kinds or len(kinds) > 1:
        raise ConfigError(
            "holds both Python and JavaScript tests",
            where=str(place.tests[0]),
            remedy="Keep one kind a folder, or give the test command as `services.<name>.command`.",
        )
    if kinds == {Language.PYTHON}:
        return common.pytest()
    if kinds == {Language.SCRIPT}:
        return common.node()
    where = str(place.tests[0]) if place.tests else str(place.cwd)
    raise ConfigError(
        f"no tests for {target}",
        where=where,
        remedy="Add tests, or name their folder in [tool.tasklib] of pyproject.toml.",
    )


def tests_of(project: Project, target: Target) -> StageTests:
    """What the settings say of a target's tests. Raises as :func:`plan_suite` does."""
    return _place(project, target).said


def _language(path: Path, place: _Place, project: Project) -> Language:
    kind = language(path, without=place.without)
    return Language.SCRIPT if kind is Language.NONE and node_folder(path, project.root) else kind


@dataclass(frozen=True)
class _Common:
    """What every kind of suite is planned from."""

    project: Project
    target: Target
    place: _Place
    options: SuiteOptions
    env: Mapping[str, str]
    timeout: float | None

    def pytest(self, launcher: tuple[str, ...] | None = None) -> Suite:
        variables: Mapping[str, str] = {}
        waits = False
        if launcher is None:
            start = self.place.tests[0]
            folder = start if start.is_dir() else start.parent
            environment = python_environment(folder, self.place.cwd, self.project.root)
            launcher, variables = (*environment.launcher, "pytest"), environment.variables
            addopts = {**os.environ, **self.env}.get("PYTEST_ADDOPTS", "")
            waits = not loads_plugins_first(folder, self.options.extra, addopts)
        options = self.options
        integration = () if self.target.stage is Stage.UNIT else ("--integration",)
        keyword = (
            ("-k", options.keyword) if not options.keyword.startswith("-") else (f"-k{options.keyword}",)
        )
        argv = (
            *launcher,
            "-p",
            "tasklib_events",
            *(("-v",) if options.verbose else ()),
            *integration,
            *(keyword if options.keyword else ()),
            *(f"--ignore={_argument(path, self.place.cwd)}" for path in self.place.without),
            *_unless_narrowed(self.place.paths, options.extra, self.place.cwd),
            *options.extra,
        )
        unset = frozenset({"VIRTUAL_ENV"})
        return self._suite(SuiteKind.PYTEST, argv, variables=variables, unset=unset, waits=waits)

    def node(self) -> Suite:
        start = self.place.tests[0]
        top = self.project.root
        folder = node_folder(start, top)
        if folder is None:
            raise ConfigError(
                "JavaScript tests without a package.json",
                where=str(start),
                remedy="Add a package.json with vitest, or give the command as `services.<name>.command`.",
            )
        prepare = node_preparation(folder, top)
        program = vitest_program(folder, top)
        extra, keyword, without = self.options.extra, self.options.keyword, self.place.without
        if found := scripts.playwright(folder, self.place.tests, without, keyword, extra):
            return self._script(found, folder, prepare)
        if program is not None:
            named = ("-t", keyword) if keyword else ()
            # An absolute path selects what lies below it; a relative one whatever contains it.
            chosen = tuple(
                f"{path}{os.sep if path.is_dir() else ''}" for path in self.place.tests if path != folder
            )
            leave = tuple(part for path in self.place.without for part in ("--exclude", f"{path}{os.sep}**"))
            argv = (
                str(program),
                "run",
                *_unless_narrowed(chosen, extra, folder),
                *leave,
                *named,
                *extra,
            )
            return self._suite(SuiteKind.VITEST, argv, cwd=folder, prepare=prepare)
        data, tests = package(folder), self.place.tests
        if "test" not in (data.get("scripts") or {}):
            raise ConfigError(
                'has neither vitest nor a "test" script',
                where=str(folder / "package.json"),
                remedy="Add one, or give the command as `services.<name>.command` in [tool.tasklib].",
            )
        known = scripts.node_test(data, tests, without, keyword, extra)
        known = known or scripts.jest(data, folder, tests, without, keyword, extra)
        return self._script(known or scripts.npm_test(extra), folder, prepare)

    def _script(self, script: Script, folder: Path, prepare: tuple[Preparation, ...]) -> Suite:
        env = {name: value for name, value in script.env.items() if name not in os.environ}
        argv = script.argv
        return self._suite(
            SuiteKind.COMMAND, argv, cwd=folder, variables=env, prepare=prepare, selects=script.takes_keyword
        )

    def command(self, command: tuple[str, ...]) -> Suite:
        """The project's own command, with ``{paths}``, ``{stage}`` and ``{keyword}`` filled in."""
        launcher = _pytest_launcher(command)
        if launcher is not None:
            return self.pytest(launcher)
        argv: list[str] = []
        for part in command:
            if part == "{paths}":
                argv += self.place.paths
            else:
                filled = part.replace("{stage}", str(self.target.stage))
                argv.append(filled.replace("{keyword}", self.options.keyword))
        selects = any("{keyword}" in part for part in command)
        return self._suite(SuiteKind.COMMAND, (*argv, *self.options.extra), selects=selects)

    def own_command(self) -> Suite:
        """What the Compose service does by itself, in which the tests run."""
        return self._suite(SuiteKind.COMMAND, self.options.extra, selects=False)

    def _suite(
        self,
        kind: SuiteKind,
        argv: tuple[str, ...],
        *,
        cwd: Path | None = None,
        variables: Mapping[str, str] = MappingProxyType({}),
        unset: frozenset[str] = frozenset(),
        prepare: tuple[Preparation, ...] = (),
        selects: bool = True,
        waits: bool = False,
    ) -> Suite:
        return Suite(
            target=self.target,
            kind=kind,
            argv=argv,
            cwd=cwd or self.place.cwd,
            folder=self.place.cwd,
            paths=self.place.paths,
            env=MappingProxyType({**variables, **self.env}),
            unset=unset,
            prepare=prepare,
            timeout=self.timeout,
            silence=SILENCE,
            slow=limit_of(self.target.stage, self.project.slow),
            keyword=self.options.keyword,
            fullstack=self.place.fullstack,
            skip="" if selects or not self.options.keyword else "its test command takes no -k",
            selects=selects,
            waits=waits and not self.place.said.inside,
            inside=self.place.said.inside or "",
        )


def _place(project: Project, target: Target) -> _Place:
    own = {Stage.UNIT: project.unit, Stage.INTEGRATION: project.integration}.get(target.stage)
    if own and target.service == project.suite:
        others = (project.unit, project.integration, *(s.unit for s in project.services if project.single))
        return _Place(project.root, own.paths, own, _others(own, others))
    service = _service(project, target.service)
    if target.stage is Stage.UNIT and service.unit:
        others = (service.tests, project.integration if project.single else None)
        return _Place(service.path, service.unit.paths, service.unit, _others(service.unit, others))
    marked = fullstack_files(service.tests.paths) if service.tests else ()
    if target.stage is Stage.SERVICE and service.tests:
        without = _others(service.tests, (service.unit,))
        kept = "exclude" if marked else ""
        return _Place(service.path, service.tests.paths, service.tests, without, kept)
    if target.stage is Stage.INTEGRATION and service.tests and marked:
        return _Place(service.path, marked, service.tests, (), "only")
    where = str(service.path)
    if target.stage is Stage.UNIT:
        raise ConfigError(
            f"{service.name} has no unit tests",
            where=where,
            remedy="They belong in its tests/unit, or where `services.<name>.unit` says.",
        )
    if target.stage is Stage.SERVICE:
        raise ConfigError(
            f"{service.name} has no tests against its stack",
            where=where,
            remedy="They belong in its tests/integration, or where `services.<name>.service` says.",
        )
    raise ConfigError(
        f"no test of {service.name} is marked for the full stack",
        where=where,
        remedy=f"Mark one with `@pytest.mark.{FULLSTACK}`.",
    )


def _others(own: StageTests, others: Iterable[StageTests | None]) -> tuple[Path, ...]:
    """The tests of other stages that lie inside of a stage's own folders."""
    inside = [path for tests in others if tests for path in tests.paths if path not in own.paths]
    return tuple(path for path in inside if any(folder in path.parents for folder in own.paths))


def _service(project: Project, name: str) -> Service:
    for service in project.services:
        if service.name == name:
            return service
    names = [service.name for service in project.services]
    known = ", ".join(names) or "none"
    raise UsageError(
        f"no service `{name}` in {project.name}",
        remedy=meant(name, names, quoted="`{}`".format) or f"The services are: {known}.",
    )


def _argument(path: Path, cwd: Path) -> str:
    """``path`` as an argument: relative where it lies below ``cwd``, and never an option."""
    text = str(path.relative_to(cwd)) if path.is_relative_to(cwd) else str(path)
    return f".{os.sep}{text}" if text.startswith("-") else text


def _unless_narrowed(paths: tuple[str, ...], extra: tuple[str, ...], cwd: Path) -> tuple[str, ...]:
    """``paths``, or nothing where ``extra`` already names tests inside them."""
    folders = [os.path.normpath(cwd / path) for path in paths]
    for argument in extra:
        name = Path(os.path.normpath(cwd / argument.split("::")[0]))
        if not argument.startswith("-") and any(name.is_relative_to(folder) for folder in folders):
            return ()
    return paths


def _pytest_launcher(command: tuple[str, ...]) -> tuple[str, ...] | None:
    """``command`` if it starts pytest on this machine and takes its arguments at the end."""
    starters = (
        "uv",
        "uvx",
        "poetry",
        "pdm",
        "hatch",
        "pipenv",
        "rye",
        "pixi",
        "coverage",
        "python",
        "pytest",
    )
    program = Path(command[0]).name
    starts = program.startswith("python") or program in starters
    plain = not any("{" in part for part in command)
    return command if starts and plain and any(Path(part).name == "pytest" for part in command) else None
