"""PURE: how a run of tests, or a step before it, is written as a command of the settings."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from tasklib.adopt.actions import Inside, Other
from tasklib.adopt.calling import called
from tasklib.adopt.composing import ComposeCall
from tasklib.adopt.evidence import Command, Evidence, Kind, Recipe
from tasklib.adopt.flows import flow_of
from tasklib.adopt.folders import folders_of_tests
from tasklib.adopt.shell import joined
from tasklib.adopt.testing import TestRun, plain_words, settled, test_run
from tasklib.adopt.usages import SetupStep, Usage
from tasklib.pipeline.suites.scripts import STAGE_SCRIPTS

__all__ = ["Launch"]

_USUAL_EXTRAS = frozenset({"test", "tests", "testing", "dev", "develop", "development"})
"""What is taken for tests without being told."""

_STANDARD_REQUIREMENTS = re.compile(
    r"(requirements([-_](dev|test))?|(dev|test)-requirements|requirements/(dev|test))\.txt"
)
_REQUIREMENTS = re.compile(r"requirements[^/]*\.(txt|in)$|(^|/)requirements/[^/]*\.(txt|in)$")
_BUILDS = re.compile(r"\b(tsc|webpack|esbuild|rollup|swc|babel|tsup)\b|build|compile|transform|generate")
"""What makes files that tests import: without them there is nothing to test."""


class Launch(Struct, frozen=True):
    """Commands that start in ``folder``."""

    folder: str
    evidence: Evidence

    def command(self, usage: Usage) -> list[str] | None:
        """The command, where it is not what tasklib would take by itself."""
        # What a variable of a shell would add is an option for once.
        words = settled((*usage.launcher, *usage.words))
        runner = usage.runner
        if runner == "pytest":
            there = [file for file in usage.requirements if file in self.evidence.files]
            odd = [file for file in there if not self._known_requirements(file)]
            odd += {*usage.extras, *usage.groups} - _USUAL_EXTRAS
            odd += self._unlisted(usage)
            foreign = usage.launcher[:1] and usage.launcher[0] not in ("uv", "poetry", "rye")
            module = self._as_module(usage)
            if not (usage.options or odd or foreign or module):
                return None
            launcher = list(usage.launcher) if usage.launcher else self._python(usage)
            return [*launcher, *module, "pytest", *usage.options]
        if runner in ("django", "unittest"):
            return words if usage.launcher else [*self._python(usage), *_python_words(words)]
        if usage.recipe.kind == "npm run" or usage.place.file.endswith("package.json"):
            built = self.building(usage)
            script = built or self._script(usage)
            if self._brings_up(script):
                inner = self._script_at(usage)
                # What it calls once the stack is up may be a script, too, which tasklib would not choose.
                plain = inner and not self._brings_up(inner)
                return self._started(inner) if plain else ["npx", *usage.words]
            if self._taken(usage) not in ("", script):
                return self._started(script)
            if built and runner == "vitest":
                return [self.manager(), "run", script]  # By itself it is started without what stands before.
            return None if script == "test" or self._like_test(usage) else [self.manager(), "run", script]
        if runner in ("jest", "vitest", "node", "mocha"):
            return words if usage.launcher else ["npx", *words]
        # In a fresh worktree nobody has built anything before.
        return [word for word in words if word not in ("--no-build", "--no-restore")]

    def _as_module(self, usage: Usage) -> Sequence[str]:
        """What starts pytest so that tests find modules beside their folder, which `pytest` alone does not.

        Where they find them by pytest's own ways it is nothing but a habit.
        """
        words = [posixpath.basename(word) for word in usage.words]
        start = words[: words.index("-m")] if "-m" in words else []
        if "coverage" in start or words[:3] == ["python", "-m", "coverage"]:
            return ("coverage", "run", "-m")
        if words[1:3] != ["-m", "pytest"] or self._is_project():
            return ()
        paths = usage.paths or folders_of_tests(self.folder, self.evidence, "integration")
        beside = [joined(self.folder, "conftest.py")]
        beside += [joined(self.folder, f"{path}/__init__.py") for path in paths]
        told = any(
            "pythonpath" in self.evidence.texts.get(joined(self.folder, name), "")
            for name in ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
        )
        return () if told or any(file in self.evidence.files for file in beside) else ("python", "-m")

    def building(self, usage: Usage) -> str:
        """The script of package.json that builds what the run then tests, and brings up nothing itself.

        All that it does before comes with it: steps on a stack are no other steps then.
        """
        if usage.place.file != joined(self.folder, "package.json"):
            return ""
        begun = [recipe for command in usage.recipe.commands for recipe, _ in self._called(command)]
        for recipe in [usage.recipe] if usage.recipe.kind is Kind.PACKAGE else begun:
            actions = [action for _, action in flow_of(recipe, self.evidence).actions]
            runs = [
                at for at, one in enumerate(actions) if isinstance(one, TestRun) and one.place == usage.place
            ]
            if not runs or any(isinstance(action, ComposeCall | Inside) for action in actions):
                continue
            before = [action.command.text for action in actions[: runs[0]] if isinstance(action, Other)]
            if any(_BUILDS.search(text) for text in before):
                return recipe.name
        return ""

    def _called(self, command: Command) -> Iterator[tuple[Recipe, tuple[str, ...]]]:
        found = called(command, self.evidence, within=False)
        return ((recipe, given) for recipe, given in found if recipe.kind is Kind.PACKAGE)

    def _script(self, usage: Usage) -> str:
        """The name of the script of package.json that a run is."""
        return usage.recipe.name if usage.recipe.kind == "npm run" else self._script_at(usage) or "test"

    def _started(self, script: str) -> list[str]:
        return [self.manager(), *(("test",) if script == "test" else ("run", script))]

    def _taken(self, usage: Usage) -> str:
        """The script that tasklib takes by its name for the stage of a run, if the package has one."""
        file = joined(self.folder, "package.json")
        stage = "unit" if not usage.needs_stack else "service" if self.folder else "integration"
        names = (name for name in STAGE_SCRIPTS[stage] if self.evidence.recipe(Kind.PACKAGE, name, file))
        return next(names, "")

    def _script_at(self, usage: Usage) -> str:
        """The name of the script that a run's own words stand in, whoever calls it."""
        file, line = usage.place.file, usage.place.line
        own = [r for r in self.evidence.recipes if (r.file, r.first, r.kind) == (file, line, Kind.PACKAGE)]
        own = [r for r in own if any(one.words[-len(usage.words) :] == usage.words for one in r.commands)]
        return own[0].name if own else ""

    def _like_test(self, usage: Usage) -> bool:
        """Whether the script ``test`` does the same, which tasklib narrows to the stage's files by itself."""
        script = self.evidence.recipe(Kind.PACKAGE, "test", joined(self.folder, "package.json"))
        runs = [run for command in script.commands if (run := test_run(command))] if script else []
        return len(runs) == 1 == len(script.commands if script else ()) and (
            runs[0].runner,
            runs[0].options,
            runs[0].paths,
        ) == (usage.runner, usage.options, ())

    def _brings_up(self, script: str) -> bool:
        """Whether a script, or what npm does before and after it, is about the stack."""
        file = joined(self.folder, "package.json")
        around = [self.evidence.recipe(Kind.PACKAGE, f"{when}{script}", file) for when in ("pre", "", "post")]
        actions = [action for one in around if one for _, action in flow_of(one, self.evidence).actions]
        return any(isinstance(action, ComposeCall) for action in actions)

    def manager(self) -> str:
        for lock, program in (("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun")):
            if joined(self.folder, lock) in self.evidence.files or lock in self.evidence.files:
                return program
        return "npm"

    def _unlisted(self, usage: Usage) -> list[str]:
        """What is installed beside pytest and stands in no list that an environment is made from."""
        lists = [joined(self.folder, name) for name in ("pyproject.toml", "setup.py", "Pipfile")]
        lists += [file for file in self.evidence.files if _REQUIREMENTS.search(file)]
        text = "\n".join(self.evidence.texts.get(file, "") for file in lists).lower()
        names = {package: re.split(r"[\s<>=!~\[]", package)[0].lower() for package in usage.packages}
        return [package for package, name in names.items() if name != "pytest" and name not in text]

    def _known_requirements(self, file: str) -> bool:
        relative = posixpath.relpath(file, self.folder or ".")
        return self._is_project() or bool(_STANDARD_REQUIREMENTS.fullmatch(relative))

    def _is_project(self) -> bool:
        text = self.evidence.texts.get(joined(self.folder, "pyproject.toml"), "")
        return "[project]" in text or "[tool.poetry]" in text

    def _python(self, usage: Usage) -> list[str]:
        """What starts Python with the project's dependencies: uv, as tasklib itself does."""
        project, extras = self._is_project(), list(dict.fromkeys(usage.extras))
        files = list(
            dict.fromkeys(
                posixpath.relpath(file, self.folder or ".")
                for file in usage.requirements
                if file in self.evidence.files
            )
        )
        if not files and not project and joined(self.folder, "requirements.txt") in self.evidence.files:
            files = ["requirements.txt"]
        listed = [part for file in files for part in ("--with-requirements", file)]
        listed += [part for package in self._unlisted(usage) for part in ("--with", package)]
        manifest = self.evidence.texts.get(joined(self.folder, "pyproject.toml"), "")
        groups = dict.fromkeys(usage.groups if "[dependency-groups]" in manifest else ())
        grouped = [part for name in groups for part in ("--group", name)]
        if project:
            more = [part for extra in extras for part in ("--extra", extra)]
            return ["uv", "run", *more, *(grouped if {*groups} - _USUAL_EXTRAS else ()), *listed]
        if any(joined(self.folder, name) in self.evidence.files for name in ("setup.py", "setup.cfg")):
            listed += ["--with-editable", f".[{','.join(extras)}]" if extras else "."]
        extra = ["--with", "pytest"] if usage.runner == "pytest" else []
        if grouped:  # uv takes them of a pyproject.toml that describes no package, too.
            return ["uv", "run", "--isolated", *grouped, *listed, *(() if "pytest" in manifest else extra)]
        return ["uv", "run", "--no-project", "--isolated", *listed, *extra]

    def step(self, step: SetupStep, usage: Usage) -> object:
        """A step as it is written; what CI finds on its path is started in the project's environment."""
        words = list(step.words)
        if step.inside:
            return {"in": step.inside, "run": words}
        if words[0] in ("dotenv", "env-cmd"):
            words = list(plain_words(words)[1])
        program = posixpath.basename(words[0])
        if re.fullmatch(r"python[\d.]*", program) or program in ("manage.py", "django-admin"):
            return (
                [*self._python(usage), *_python_words(words)]
                if program != "django-admin"
                else [*self._python(usage), *words]
            )
        if program in ("alembic", "flask", "aerich", "bash", "sh") or words[0].endswith(".sh"):
            is_python = self.evidence.manifests.get(self.folder) == "python"
            return [*self._python(usage), *words] if is_python else words
        if program in ("prisma", "knex", "sequelize", "typeorm", "drizzle-kit", "node-pg-migrate"):
            return ["npx", *words]
        return words


def _python_words(words: Sequence[str]) -> list[str]:
    return ["python", *words[1:]] if re.fullmatch(r"python[\d.]*", words[0]) else ["python", *words]
