"""Which test command a target has: which tests, in which environment, by which runner.

Planning reads the disk and starts nothing; :func:`run_suite` runs what was planned.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

from tasklib.errors import ConfigError
from tasklib.pipeline.runners import prepare_suite, run_suite
from tasklib.pipeline.suites import scripts
from tasklib.pipeline.suites.detect import Language, language, loads_plugins_first
from tasklib.pipeline.suites.node import (
    node_folder,
    node_preparation,
    node_variables,
    package,
    preparation_of,
    scripts_in,
    vitest_program,
)
from tasklib.pipeline.suites.places import Place, as_argument, others_in_package, place_of
from tasklib.pipeline.suites.python import uv
from tasklib.pipeline.suites.python.environment import PythonEnvironment, python_environment
from tasklib.pipeline.suites.scripts import Script
from tasklib.pipeline.suites.selecting import selected, unless_narrowed
from tasklib.pipeline.suites.suite import PLUGIN, SILENCE, Preparation, Suite, SuiteKind, SuiteOptions
from tasklib.pipeline.suites.vitest_script import vitest
from tasklib.pipeline.suites.watchers import refuse_watching, watcher, watcher_in
from tasklib.project import Project, StageTests
from tasklib.results import Stage, Target
from tasklib.shown.cutting import several
from tasklib.slow_tests import limit_of

__all__ = ["Suite", "SuiteKind", "SuiteOptions", "plan_suite", "prepare_suite", "run_suite", "tests_of"]

_STARTERS = frozenset({"uv", "uvx", "poetry", "pdm", "hatch", "pipenv", "rye", "pixi", "coverage", "pytest"})
"""Programs, beside Python itself, that start pytest with what follows."""


def plan_suite(project: Project, target: Target, options: SuiteOptions) -> Suite:
    """The suite of ``target``, by what its folders hold.

    Raises UsageError for a service that the project does not have, ConfigError where there are no tests for
    the target or nothing that could run them.
    """
    place = place_of(project, target)
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
            remedy="Move each language's tests to a folder of their own, or give the test command as "
            "`services.<name>.command` in [tool.tasklib].",
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
    return place_of(project, target).said


def _language(path: Path, place: Place, project: Project) -> Language:
    kind = language(path, without=place.without)
    return Language.SCRIPT if kind is Language.NONE and node_folder(path, project.root) else kind


_READ_FIRST = ("PYTEST_", "PYTHON", "UV_", "COVERAGE_", "LD_")
"""How variables begin that pytest, Python or what starts them read at once."""


class _Common(Struct, frozen=True):
    """What every kind of suite is planned from."""

    project: Project
    target: Target
    place: Place
    options: SuiteOptions
    env: Mapping[str, str]
    timeout: float | None

    def pytest(self, launcher: tuple[str, ...] | None = None) -> Suite:
        environment = PythonEnvironment(launcher or ())
        waits = False
        if launcher is None:
            start = self.place.tests[0]
            folder = start if start.is_dir() else start.parent
            environment = python_environment(folder, self.place.cwd, self.project.root, self.options.python)
            launcher = (*environment.launcher, "pytest")
            addopts = {**os.environ, **self.env}.get("PYTEST_ADDOPTS", "")
            waits = not loads_plugins_first(folder, self.options.extra, addopts)
            # What is read before our plugin is loaded cannot come later, as endpoints do.
            waits = waits and not any(name.startswith(_READ_FIRST) for name in self.project.endpoints)
        options = self.options
        integration = () if self.target.stage is Stage.UNIT else ("--integration",)
        keyword, tests = selected(options.keyword, options.extra, self.place.paths, self.place.cwd)
        argv = (
            *launcher,
            "-p",
            PLUGIN,
            *(("-v",) if options.verbose else ()),
            *integration,
            *keyword,
            *(f"--ignore={as_argument(path, self.place.cwd)}" for path in self.place.without),
            *tests,
            *options.extra,
        )
        unset = frozenset({"VIRTUAL_ENV"})
        return self._suite(
            SuiteKind.PYTEST,
            argv,
            variables=environment.variables,
            unset=unset,
            prepare=environment.prepare,
            waits=waits,
            notes=tuple(
                f"{self.target.service}: {one}; {self._key} says it otherwise" for one in environment.left
            ),
        )

    @property
    def _key(self) -> str:
        """The key that gives these tests a command of their own."""
        own = self.project.single or self.target.service == self.project.suite
        return "`command`" if own else f"`services.{self.target.service}.command`"

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
        script = scripts.script_of(package(folder), str(self.target.stage))
        program = vitest_program(folder, top, script.text if script else "vitest")
        extra, keyword, without = self.options.extra, self.options.keyword, self.place.without
        if found := scripts.playwright(folder, self.place.tests, without, keyword, extra):
            return self._script(found, folder, prepare)
        if program is not None:
            # An absolute path selects what lies below it; a relative one whatever contains it.
            chosen = tuple(
                f"{path}{os.sep if path.is_dir() else ''}" for path in self.place.tests if path != folder
            )
            chosen, leave = unless_narrowed(chosen, extra, folder), [f"{path}{os.sep}**" for path in without]
            found = vitest(script, program, folder, chosen, leave, keyword, extra)
            return self._script(found, folder, prepare, kind=SuiteKind.VITEST)
        tests = self.place.tests
        if script is None:
            raise ConfigError(
                'has neither vitest nor a "test" script',
                where=str(folder / "package.json"),
                remedy="Add one, or give the command as `services.<name>.command` in [tool.tasklib].",
            )
        known = scripts.node_test(script, folder, tests, without, keyword, extra)
        others = tuple(folder / name for name in others_in_package(self.project, self.place, folder))
        known = known or scripts.jest(script, folder, tests, without, others, keyword, extra)
        whole = known is None and not script.is_own
        known = known or scripts.once(script, folder, extra)
        if known is None or known.argv[0] == "npm":
            refuse_watching(watcher_in(script.text), self._key, folder / "package.json", script.name)
        known = scripts.after(script, known or scripts.npm_test(extra, script.name))
        return self._script(known, folder, prepare, whole=whole)

    def _script(
        self,
        script: Script,
        folder: Path,
        prepare: tuple[Preparation, ...],
        *,
        kind: SuiteKind = SuiteKind.COMMAND,
        whole: bool = False,
    ) -> Suite:
        """``whole``: it tests all that the package in ``folder`` holds."""
        env = {name: value for name, value in script.env.items() if name != "CI" or name not in os.environ}
        return self._suite(
            kind,
            script.argv,
            cwd=folder,
            variables=env,
            prepare=prepare,
            selects=script.takes_keyword,
            notes=self._of_all_stages(folder) if whole else (),
        )

    def _of_all_stages(self, folder: Path) -> tuple[str, ...]:
        """Says that a package's script runs another stage's tests as well, which it cannot be kept from."""
        there = others_in_package(self.project, self.place, folder)
        said = f"{self.target}: its `npm test` runs all tests that it finds, also those in {several(there)}; "
        said += f"{self._key} with {{paths}} in it says which tests belong to this stage"
        return (said,) if there else ()

    def command(self, command: tuple[str, ...]) -> Suite:
        """The project's own command, with ``{paths}``, ``{stage}`` and ``{keyword}`` filled in."""
        if not self.place.said.inside:
            command = uv.startable(command, {**os.environ, **self.env})
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
        found = watcher(command, scripts_in(self.place.cwd))
        refuse_watching(found, self._key, self.project.config or self.project.root)
        selects, env = any("{keyword}" in part for part in command), node_variables(command)
        here = not self.place.said.inside
        prepare = preparation_of(command, self.place.cwd, self.project.root) if here else ()
        argv += self.options.extra
        return self._suite(SuiteKind.COMMAND, tuple(argv), variables=env, prepare=prepare, selects=selects)

    def own_command(self) -> Suite:
        """What the Compose service does by itself, in which the tests run."""
        return self._suite(SuiteKind.COMMAND, (), selects=False)

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
        notes: tuple[str, ...] = (),
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
            skip=self._skip(kind, selects),
            selects=selects,
            waits=waits and not self.place.said.inside,
            inside=self.place.said.inside or "",
            notes=notes,
            share=self.options.parts.get(self.target),
        )

    def _skip(self, kind: SuiteKind, selects: bool) -> str:
        """Why the suite cannot do what the user asks."""
        if self.options.keyword and not selects:
            return "its test command takes no -k"
        if self.options.extra and self.place.said.inside and not self.place.said.command:
            return "its container's own command takes nothing that follows --"
        if self.options.python is None:
            return ""
        if kind is not SuiteKind.PYTEST:
            return "not run by pytest, so by no other Python"
        return "its command chooses its Python itself" if self.place.said.command else ""


def _pytest_launcher(command: tuple[str, ...]) -> tuple[str, ...] | None:
    """``command`` if it starts pytest on this machine and takes its arguments at the end."""
    program = Path(command[0]).name
    starts = program.startswith("python") or program in _STARTERS
    plain = not any("{" in part for part in command)
    return command if starts and plain and any(Path(part).name == "pytest" for part in command) else None
