"""What would run where, tried in a copy: Compose files rendered and isolated, tests collected and not run."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from tasklib import process
from tasklib.adopt.answered import count_of_files, pytest_said, reason
from tasklib.adopt.collecting import collected_inside, listing
from tasklib.adopt.evidence import Evidence
from tasklib.adopt.proposal import Proposal
from tasklib.adopt.scratch import copy_of
from tasklib.errors import ConfigError, EngineError, TasklibError
from tasklib.isolation import Instance
from tasklib.pipeline.suites.detect import script_tests
from tasklib.pipeline.suites.places import place_of
from tasklib.pipeline.suites.planning import Suite, SuiteKind, SuiteOptions, plan_suite
from tasklib.pipeline.suites.python.uv import startable
from tasklib.project import Project, find_project, targets
from tasklib.reporting.words.text import one_line
from tasklib.results import Stage, Target
from tasklib.stacks.endpoints import Endpoint, endpoint_variables
from tasklib.stacks.plan import StackPlan, full_stack_plan, service_stack_plan
from tasklib.stacks.preparation import Prepared, prepare

__all__ = ["Checked", "check"]

_PATIENCE = 180.0
_SHOWN = 3
_BROKEN = re.compile(r"ModuleNotFoundError|ImportError|SyntaxError|NameError|finds no test")
"""What is wrong with tests whether their stack is there or not."""


class Checked(Struct, frozen=True):
    """A line of the result; ``failed`` where what it says keeps the stages from running."""

    line: str
    failed: bool = False


def check(root: Path, evidence: Evidence, proposal: Proposal, cancel: process.Cancel) -> Iterator[Checked]:
    """Each suite that would run, and each stack that would come up for one, as if ``proposal`` were written.

    Nothing in ``root`` changes: it is done in a copy, and no stack comes up.
    """
    with process.scratch_folder() as scratch:
        copy = scratch / root.name
        copy_of(root, copy, evidence)
        for target, source in proposal.copies.items():
            if (copy / source).is_file() and not (copy / target).exists():
                shutil.copyfile(copy / source, copy / target)
        for name, text in proposal.files.items():
            path = copy / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text.encode())
        try:
            project = find_project(copy, {})
            wanted = targets(project, Stage)
        except ConfigError as error:
            yield Checked(_told(error, copy), failed=True)
            return
        if not wanted:
            yield Checked("no stage has tests yet", failed=True)
        yield from _Check(copy, root, project, cancel).all(wanted)


class _Check(Struct):
    copy: Path
    root: Path
    project: Project
    cancel: process.Cancel

    def all(self, wanted: tuple[Target, ...]) -> Iterator[Checked]:
        environments: dict[str | None, Mapping[str, str]] = {}
        stacks: list[Checked] = []
        for target in wanted:
            if target.stage is Stage.UNIT:
                continue
            try:
                plan = self._plan(target)
                if plan.name not in environments:
                    environments[plan.name] = {}
                    prepared = prepare(plan, Instance("adopt"), None, self.cancel)
                    stacks += self._isolated(prepared)
                    environments[plan.name] = _endpoints(prepared, self.project)
            except EngineError as error:
                stacks.append(Checked(f"not checked, since Compose is not there: {error.line}"))
            except ConfigError as error:
                stacks.append(Checked(_told(error, self.copy), failed=True))
        for target in wanted:
            own = environments.get(target.service if target.stage is Stage.SERVICE else None, {})
            yield self._suite(target, {} if target.stage is Stage.UNIT else own)
            yield from self._setup(target)
        yield from stacks

    def _plan(self, target: Target) -> StackPlan:
        if target.stage is Stage.SERVICE:
            service = next(service for service in self.project.services if service.name == target.service)
            return service_stack_plan(self.project, service)
        return full_stack_plan(self.project)

    def _isolated(self, prepared: Prepared) -> Iterator[Checked]:
        title = prepared.plan.title
        services = ", ".join(sorted(prepared.rendered["services"]))
        for problem in prepared.isolation.problems:
            yield Checked(
                f"{title} cannot be isolated: {problem.path}: {problem.what}; {problem.remedy}", failed=True
            )
        if not prepared.isolation.problems:
            yield Checked(f"{title} renders and isolates: {services}")

    def _suite(self, target: Target, variables: Mapping[str, str]) -> Checked:
        try:
            suite = plan_suite(self.project, target, SuiteOptions())
        except ConfigError as error:
            return Checked(f"{target}: {_told(error, self.copy)}", failed=True)
        where = ", ".join(self._shown(path, suite) for path in suite.paths[:_SHOWN]) or self._shown(
            ".", suite
        )
        start = f"{target}: {where}, {self._command(suite)}"
        found, failed = self._collected(suite, variables)
        return Checked(f"{start} ({found})", failed)

    def _setup(self, target: Target) -> Iterator[Checked]:
        """What steps before the tests would be started by, and is not here."""
        try:
            place = place_of(self.project, target)
        except ConfigError:
            return  # said of its tests
        for step in place.said.setup:
            program = startable(step.command, os.environ)[0]
            there = shutil.which(program) or shutil.which(str(place.cwd / program))
            if not step.inside and not there:
                what = f"its setup `{' '.join(step.command)}` needs `{program}`, which is not installed"
                yield Checked(f"{target}: {what}", failed=True)

    def _shown(self, path: str, suite: Suite) -> str:
        return os.path.relpath(suite.folder / path, self.copy) + (
            "/" if (suite.folder / path).is_dir() else ""
        )

    def _command(self, suite: Suite) -> str:
        if suite.inside and not suite.argv:
            return f"what {suite.inside} does, in its container"
        words = suite.plain
        if words[:2] == ("npm", "test"):
            return "npm test"
        if words[:2] == ("node", "--test"):
            return "node --test"
        words = tuple(word for word in words if word not in suite.paths and not word.startswith("--ignore="))
        text = " ".join(
            os.path.relpath(word, self.copy) if word.startswith(f"{self.copy}") else word for word in words
        )
        text = re.sub(r"^\S*/(?=(uv|poetry|pdm|hatch) )", "", text)
        text = text.replace(" --with pytest pytest", " pytest").removesuffix(" --integration")
        text = one_line(text, 100)
        return f"{text} in {suite.inside}" if suite.inside else text

    def _collected(self, suite: Suite, variables: Mapping[str, str]) -> tuple[str, bool]:
        """How many tests its runner finds, and whether it cannot."""
        if suite.inside:
            return self._inside(suite)
        env = {**os.environ, **variables, **suite.env, "CI": "true"}
        env = {name: value for name, value in env.items() if name not in (*suite.unset, "PYTEST_ADDOPTS")}
        if suite.kind is SuiteKind.PYTEST:
            return self._pytest(suite, env)
        if suite.kind is SuiteKind.VITEST:
            files = [word for word in suite.argv[2:] if word.startswith("/")]
            return self._listed((suite.argv[0], "list", "--filesOnly", *files), suite, env)
        text = " ".join(suite.argv)
        if suite.argv[:2] == ("npm", "test") and "jest" in _script(suite.cwd):
            chosen = suite.argv[suite.argv.index("--") + 1 :] if "--" in suite.argv else ()
            jest = next(
                (p for f in (suite.cwd, *suite.cwd.parents) if (p := f / "node_modules/.bin/jest").exists()),
                None,
            )
            return self._listed((str(jest or suite.cwd / "node_modules"), "--listTests", *chosen), suite, env)
        if "--test" in suite.argv:
            own = [file for path in suite.paths for file in script_tests(suite.cwd / path)]
            return f"{count_of_files(len(own))}; node's own runner cannot list tests", False
        return f"`{text.split()[0]}` cannot list tests" if text else "", False

    def _inside(self, suite: Suite) -> tuple[str, bool]:
        """What its container says; what is missing there may be what the stack has."""
        argv = listing([word for word in suite.plain if word != "--integration"])
        if not argv:
            program = f"`{' '.join(suite.plain[:3])}`" if suite.plain else "its own command"
            return f"not collected: {program} cannot list tests", False
        done = collected_inside(self._plan(suite.target), suite.inside, argv, suite.env, self.cancel)
        if isinstance(done, str):
            return f"not collected: {one_line(done.replace(f'{self.copy}{os.sep}', ''), 200)}", False
        if argv[-1] == "--listTests":
            files = [line for line in done.stdout.splitlines() if line.startswith("/")]
            return (count_of_files(len(files)) if files else f"not collected: {reason(done.stderr)}"), False
        return _of_stage(suite, *pytest_said(done))

    def _pytest(self, suite: Suite, env: Mapping[str, str]) -> tuple[str, bool]:
        words = [word for word in suite.plain if word != "--integration"]
        argv = (*words, "--collect-only", "-q", "-p", "no:cacheprovider")
        done = self._run(argv, suite, env)
        if done is None:
            return "not collected: it takes too long", False
        return _of_stage(suite, *pytest_said(done))

    def _listed(self, argv: tuple[str, ...], suite: Suite, env: Mapping[str, str]) -> tuple[str, bool]:
        if not Path(argv[0]).is_file():
            return "not collected: node_modules is missing", False
        done = self._run(argv, suite, env)
        if done is None or done.code:
            return f"not collected: `{Path(argv[0]).name}` cannot list them", False
        files = [line for line in done.stdout.splitlines() if line.strip()]
        return (
            (count_of_files(len(files)), False)
            if files
            else (f"{Path(argv[0]).name} finds no test there", True)
        )

    def _run(self, argv: tuple[str, ...], suite: Suite, env: Mapping[str, str]) -> process.Completed | None:
        try:
            return process.run(
                argv, cwd=suite.cwd, env=env, timeout=_PATIENCE, cancel=self.cancel, check=False
            )
        except process.TimedOut:
            return None
        except process.CommandError as error:
            return process.Completed(argv, 127, "", error.what)


def _of_stage(suite: Suite, found: str, failed: bool) -> tuple[str, bool]:
    """What modules ask for when they are loaded may be what the stack has: without one that is no failure."""
    return found, failed and (suite.target.stage is Stage.UNIT or bool(_BROKEN.search(found)))


def _script(folder: Path) -> str:
    from tasklib.pipeline.suites.folders import table
    from tasklib.pipeline.suites.node import package

    return str(table(package(folder), "scripts").get("test", ""))


def _endpoints(prepared: Prepared, project: Project) -> Mapping[str, str]:
    """The variables that tests would read, some when imported; nothing listens on these ports."""
    config = prepared.config
    found = [
        Endpoint(name, int(port["target"]), "127.0.0.1", 9)
        for name, service in config["services"].items()
        for port in service.get("ports") or ()
        if isinstance(port, Mapping) and port.get("target")
    ]
    return endpoint_variables(
        config, found, project.endpoints, source="pyproject.toml", servers=prepared.servers
    )


def _told(error: TasklibError, copy: Path) -> str:
    """The error's words with the copy's paths as the repository's own."""
    return error.line.replace(f" in {copy}.", ".").replace(f"{copy}{os.sep}", "").replace(str(copy), ".")
