"""From the settings of one suite to its tests in each stage."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

from tasklib.project.layout import holds_tests
from tasklib.project.model import StageTests, Step
from tasklib.project.places import Places
from tasklib.project.selection import ScriptTests, script_tests
from tasklib.project.settings import SetupStep, Stage, StageSection, SuiteKeys

__all__ = ["SuiteReader"]


class SuiteReader(Struct, frozen=True):
    """Reads the stages of one suite, whose paths start in ``folder`` and whose keys in ``keys``."""

    places: Places
    folder: Path
    common: SuiteKeys
    keys: tuple[str, ...] = ()

    def tests(self, stage: Stage, key: str, standard: str | None) -> StageTests | None:
        """The tests of the stage that ``key`` sets to ``stage``; ``None`` where there are none.

        ``standard`` is their folder where the settings name none (``None``: there is no such place). Raises
        :class:`~tasklib.errors.ConfigError` for a path that does not exist.
        """
        section = stage if isinstance(stage, StageSection) else StageSection(paths=stage)
        paths = self._paths(section, key, standard)
        if paths or self._goes_without(section, key, named=stage is not None):
            return self.made(paths, key, section)
        return None

    def unit(self, standard: str | None, others: StageTests | None) -> StageTests | None:
        """The unit tests; ``others`` are this suite's against a stack.

        Without a folder of their own they are what package.json tests, or the suite's command unless that is
        meant for the others.
        """
        found = self.tests(self.common.unit, "unit", standard)
        if found or self.common.unit is not None or self.common.in_:
            return found  # What is said of a container is nothing to tests on this machine.
        script = script_tests(self.folder)
        # vitest is told which files; a script tests all there is, and the others may be run by it, too.
        whole = script is ScriptTests.SCRIPT and others is not None and others.command is None
        if (script and not whole) or (self.common.command and others is None):
            return self.made((self.folder,), "unit")
        return None

    def made(self, paths: tuple[Path, ...], key: str, section: StageSection | None = None) -> StageTests:
        """Tests of this suite in ``paths``, with what is said of all its stages and of this one."""
        section = section or StageSection()
        if key == "unit":
            # What needs a stack is nothing to unit tests.
            if section.in_ or section.setup:
                raise self.places.error(
                    f"`{key}.{'in' if section.in_ else 'setup'}`: unit tests run without an engine",
                    *(*self.keys, key),
                    remedy="Tests that need a container belong to `service` or `integration`.",
                )
            inside, setup = None, None
        else:
            inside = section.in_ or self.common.in_
            setup = self.common.setup if section.setup is None else section.setup
        command = section.command or self._command(key)
        return StageTests(
            paths=paths,
            command=tuple(command) if command else None,
            env=MappingProxyType({**self.common.env, **section.env}),
            timeout=section.timeout,
            inside=inside,
            setup=tuple(map(_step, setup or ())),
        )

    def _command(self, key: str) -> list[str] | None:
        """The suite's command, unless it is meant for a container and the stage has none."""
        return None if key == "unit" and self.common.in_ else self.common.command

    def _goes_without(self, section: StageSection, key: str, *, named: bool) -> bool:
        """Whether the tests of a stage are known although no paths are."""
        if section.command or section.in_:
            return True
        if section.paths == []:
            return False
        return bool(named and self._command(key)) or (key != "unit" and self.common.in_ is not None)

    def _paths(self, section: StageSection, key: str, standard: str | None) -> tuple[Path, ...]:
        if section.paths is None:
            place = self.folder / standard if standard else None
            return (place,) if place and holds_tests(place) else ()
        names = [section.paths] if isinstance(section.paths, str) else section.paths
        return self.places.all(self.folder, names, Path.exists, *self.keys, key)


def _step(step: list[str] | SetupStep) -> Step:
    return Step(tuple(step.run), step.in_) if isinstance(step, SetupStep) else Step(tuple(step))
