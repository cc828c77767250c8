"""Real vitest, the current major and the ones before, installed from npm."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasklib import process
from tasklib.events import Event, Progress, TestFinished, TestStarted
from tasklib.results import Counts, Outcome, TestOutcome

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="Node.js and npm are not installed")

MAJORS = ("5", "4", "3")

ALL = """
import { describe, expect, it } from 'vitest'

describe('orders [x] 100%', () => {
  it('adds up', () => { expect(1 + 1).toBe(2) })
  it('differs', () => {
    console.log('to stdout')
    console.error('to stderr')
    expect({ a: 1, b: [1, 2] }).toEqual({ a: 1, b: [1, 3] })
  })
  describe('inner', () => {
    it('throws', () => { throw new Error('no database') })
  })
  it.skip('skipped', () => {})
  it.todo('later')
  it.fails('expected', () => { expect(1).toBe(2) })
})
it.each(['a', 'b\\nc'])('each %s', (value) => { expect(value).toBeTypeOf('string') })
let attempts = 0
it('flaky', { retry: 2 }, () => { attempts += 1; expect(attempts).toBe(2) })
it('adds up', () => {})
it('adds up', () => {})
"""
BROKEN = "import './missing.js'\nimport { it } from 'vitest'\nit('x', () => {})\n"
LATE = """
import { it } from 'vitest'
it('throws late', async () => {
  setTimeout(() => { throw new Error('late') }, 0)
  await new Promise((done) => setTimeout(done, 50))
})
"""
SLOW = """
import { it } from 'vitest'
it('fast', () => {})
it('slow', async () => { await new Promise((done) => setTimeout(done, 1500)) })
"""


@pytest.fixture(scope="session")
def resolved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``resolved(major)`` is a folder with that vitest: package.json, lock file, node_modules; made once."""
    made: dict[str, Path] = {}

    def work(major: str) -> Path:
        if major not in made:
            folder = tmp_path_factory.mktemp("vitest")
            (folder / "package.json").write_text(listing(major))
            process.run(["npm", "install", "--no-audit", "--no-fund"], cwd=folder)
            made[major] = folder
        return made[major]

    return work


def listing(major: str) -> str:
    return json.dumps({"private": True, "type": "module", "devDependencies": {"vitest": f"^{major}"}})


@pytest.fixture
def packages(resolved: Callable[[str], Path]) -> Callable[[str], dict[str, str]]:
    """package.json and lock file of a vitest major; one without a lock file, as many projects have it."""

    def work(major: str) -> dict[str, str]:
        if major == MAJORS[-1]:
            return {"package.json": listing(major)}
        return {name: (resolved(major) / name).read_text() for name in ("package.json", "package-lock.json")}

    return work


@pytest.fixture
def installed(resolved: Callable[[str], Path], folder: Path) -> Callable[[str], None]:
    """``installed(major)`` makes the service's folder one where that vitest is installed already."""

    def work(major: str) -> None:
        folder.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(resolved(major) / name, folder)
        here = folder / "node_modules"
        shutil.copytree(resolved(major) / "node_modules", here, symlinks=True, copy_function=os.link)
        (here / ".package-lock.json").touch()

    return work


@pytest.mark.parametrize("major", MAJORS)
def test_every_outcome_is_counted_once_with_place_and_values(
    major: str, run: Callable[..., Any], packages: Callable[[str], dict[str, str]]
) -> None:
    """Installed from the lock; outcomes, attempts, files that break and late errors add up."""
    tests = {
        "tests/unit/all.test.ts": ALL,
        "tests/unit/broken.test.ts": BROKEN,
        "tests/unit/late.test.ts": LATE,
        "tests/integration/other.test.ts": "import { it } from 'vitest'\nit('not ours', () => { throw 1 })\n",
    }
    ran = run({**packages(major), **tests}, needs=())
    assert (ran.result.outcome, ran.result.reason) == (Outcome.FAILED, ""), ran.output
    assert ran.result.counts == Counts(total=14, passed=7, failed=2, errors=2, skipped=2, xfailed=1, rerun=1)
    assert any(
        isinstance(event, Progress) and event.text in ("npm ci", "npm install") for event in ran.events
    )
    name = "tests/unit/all.test.ts > orders [x] 100% > differs"
    [failed] = [test for test in ran.tests if test.id == name]
    assert (failed.file, failed.line) == ("tests/unit/all.test.ts", 9)
    assert failed.message.startswith(
        "AssertionError: expected { a: 1, b: [ 1, 2 ] } to deeply equal { a: 1, b:"
    )
    assert "-     3," in failed.detail
    assert "node_modules" not in failed.detail
    assert "to stdout" in failed.output
    assert "to stderr" in failed.output
    thrown = ran.test("inner > throws")
    assert (thrown.line, thrown.message) == (12, "no database")
    assert ran.test("all.test.ts > each b\\nc").outcome is TestOutcome.PASSED
    assert "missing.js" in ran.test("broken.test.ts").message
    assert ran.test("late.test.ts > unhandled error").message == "late"
    assert not [test for test in ran.tests if "not ours" in test.id]


@pytest.mark.parametrize("major", ["2", "1"])
def test_versions_that_tell_of_no_single_test_are_counted_by_their_report(
    major: str, run: Callable[..., Any], installed: Callable[[str], None]
) -> None:
    """All green is a pass; what fails, and what cannot be loaded, has its name and its values."""
    installed(major)
    ran = run({"tests/unit/slow.test.ts": SLOW.replace("1500", "1")}, needs=())
    assert (ran.result.outcome, ran.result.counts) == (Outcome.PASSED, Counts(total=2, passed=2)), ran.output
    tests = {"tests/unit/all.test.ts": ALL, "tests/unit/broken.test.ts": BROKEN}
    ran = run(tests, needs=())
    assert (ran.result.outcome, ran.result.reason) == (Outcome.FAILED, "")
    counts = ran.result.counts
    assert (counts.failed, counts.errors, counts.skipped) == (2, 1, 2), counts
    assert ran.test("inner > throws").message.endswith("no database")
    assert "missing.js" in ran.test("broken.test.ts").message


@pytest.mark.parametrize("major", MAJORS[:2])
def test_progress_comes_while_it_runs_and_a_pass_is_a_pass(
    major: str, run: Callable[..., Any], packages: Callable[[str], dict[str, str]]
) -> None:
    """The first tests are told while a slow one still runs; a second run installs nothing."""
    at: dict[str, float] = {}

    def watch(event: Event) -> None:
        if isinstance(event, TestFinished):
            at[event.result.id.split(" > ")[1]] = time.monotonic()
        if isinstance(event, TestStarted) and event.id.endswith("slow"):
            at["slow starts"] = time.monotonic()

    ran = run({**packages(major), "tests/unit/slow.test.ts": SLOW}, needs=(), on_event=watch)
    assert (ran.result.outcome, ran.result.counts) == (Outcome.PASSED, Counts(total=2, passed=2)), ran.output
    assert at["slow"] - at["fast"] > 1
    assert at["slow"] - at["slow starts"] > 1
    assert ran.result.slowest[0].call > 1

    again = run({"tests/unit/other.test.ts": SLOW.replace("1500", "1")}, needs=(), keyword="slow")
    assert not any(isinstance(event, Progress) and "npm" in event.text for event in again.events)
    assert (again.result.outcome, again.result.counts) == (Outcome.PASSED, Counts(total=2, passed=2))
    none = run({}, needs=(), keyword="nonesuch")
    assert (none.result.outcome, none.result.reason) == (Outcome.SKIPPED, "no test matches -k 'nonesuch'")
    one = run({}, "tests/unit/other.test.ts", needs=())
    assert {test.file for test in one.tests} == {"tests/unit/other.test.ts"}


def test_endings_without_results_are_errors(
    run: Callable[..., Any], installed: Callable[[str], None]
) -> None:
    """A configuration that throws, a process that dies, a hang and a file without tests are not passes."""
    hang = "import { it } from 'vitest'\nit('hangs', { timeout: 1e6 }, () => new Promise(() => {}))\n"
    installed("4")
    ran = run({"tests/unit/a.test.ts": hang}, needs=(), timeout=20)
    assert ran.result.outcome is Outcome.ERROR
    assert ran.result.reason == "ended after 20 s, its time limit: tests/unit/a.test.ts > hangs was running"
    assert [failure.id for failure in ran.result.failures] == ["tests/unit/a.test.ts > hangs"]

    ran = run({"tests/unit/a.test.ts": "export {}\n"}, needs=())
    assert ran.result.outcome is Outcome.FAILED
    assert "No test suite found" in ran.result.failures[0].message

    ran = run({"vitest.config.js": "throw new Error('bad config')\n"}, needs=())
    assert ran.result.outcome is Outcome.ERROR
    assert ran.result.reason.startswith("vitest did not start (exit code 1): ")
    assert ran.result.reason.endswith("Error: bad config")

    death = "export default { test: { globalSetup: './die.js' } }\n"
    die = "export default () => { process.kill(process.pid, 'SIGKILL') }\n"
    ran = run({"vitest.config.js": death, "die.js": die}, needs=())
    assert ran.result.outcome is Outcome.ERROR
    assert "SIGKILL" in ran.result.reason


def test_dependencies_that_cannot_be_installed_are_the_reason(run: Callable[..., Any]) -> None:
    """npm's complaint, not a missing program."""
    package = json.dumps({"private": True, "devDependencies": {"vitest": "0.0.0-nonesuch"}})
    ran = run({"package.json": package, "tests/unit/a.test.ts": SLOW}, needs=())
    assert (ran.result.outcome, ran.result.exit_code) == (Outcome.ERROR, 2)
    assert ran.result.reason.startswith("`npm install` in ")
    assert "vitest" in ran.result.reason


PROJECTS = """
import { defineConfig } from 'vitest/config'
const side = (name) => ({ test: { name, include: ['tests/**/*.test.js'], env: { SIDE: name } } })
export default defineConfig({ test: { projects: [side('server'), side('browser')] } })
"""


@pytest.mark.parametrize("major", MAJORS[:1])
def test_the_project_in_which_a_test_failed_is_named(
    major: str, run: Callable[..., Any], installed: Callable[[str], None]
) -> None:
    """The same test runs in several projects of one configuration, and is counted in each."""
    side = "expect(process.env.SIDE).toBe('server')"
    test = f"import {{ expect, it }} from 'vitest'\nit('knows', () => {{ {side} }})\n"
    files = {"vitest.config.js": PROJECTS, "tests/unit/a.test.js": test}
    installed(major)
    ran = run(files, needs=())
    assert ran.result.counts == Counts(total=2, passed=1, failed=1), ran.output
    [failure] = ran.result.failures
    assert failure.id == "tests/unit/a.test.js > knows |browser|"
