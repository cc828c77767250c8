"""Node's other runners, as they come: node:test, jest, and a test script that only its exit code judges."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from tasklib.results import Counts, Outcome, Stage

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="Node.js and npm are not installed")

UNIT = """
    const { test } = require('node:test')
    const assert = require('node:assert')
    test('adds', () => {})
    test('differs', () => { assert.deepStrictEqual({ a: 1 }, { a: 2 }) })
"""


def test_nodes_own_runner_is_counted_and_keeps_the_stages_apart(run: Callable[..., Any]) -> None:
    """Each stage has its own files; a failure has its name and what differed; CI is set."""
    files = {
        "package.json": json.dumps({"scripts": {"test": "node --test"}}),
        "tests/unit/a.test.js": UNIT,
        "tests/integration/b.test.js": "require('node:test')('ci', () => { if (!process.env.CI) throw 1 })",
    }
    ran = run(files, needs=())
    assert ran.result.counts == Counts(total=2, passed=1, failed=1), ran.output
    [failure] = ran.result.failures
    assert failure.id.endswith("differs")
    assert "a: 1" in failure.detail
    assert run({}, needs=(), keyword="adds").result.outcome is Outcome.PASSED
    assert run({}, needs=(), stage=Stage.SERVICE).result.counts == Counts(total=1, passed=1)


def test_a_file_that_node_cannot_load(run: Callable[..., Any]) -> None:
    """node's report has no word of it: what the file printed before it failed is shown."""
    files = {
        "package.json": json.dumps({"scripts": {"test": "node --test --test-reporter=dot --watch"}}),
        "tests/unit/a.test.js": UNIT,
        "tests/unit/b.test.js": "require('nowhere-to-be-found')\n",
    }
    ran = run(files, needs=(), keyword="adds")
    [failure] = [failure for failure in ran.result.failures if "b.test.js" in failure.id]
    assert failure.message.startswith("Error: Cannot find module 'nowhere-to-be-found'")
    assert "b.test.js" in failure.detail


def test_jest_runs_the_folder_of_the_stage(run: Callable[..., Any]) -> None:
    """The other stage's tests are left alone, and the failing test's name is in what is shown."""
    package = {"scripts": {"test": "jest"}, "devDependencies": {"jest": "^30"}}
    bad = "test('never', () => { expect(1).toBe(2) })\n"
    files = {
        "package.json": json.dumps(package),
        "tests/unit/a.test.js": "test('adds', () => { expect(2).toBe(2) })\n",
        "tests/integration/b.test.js": bad,
    }
    assert run(files, needs=()).result.outcome is Outcome.PASSED
    ran = run({}, needs=(), stage=Stage.SERVICE)
    assert ran.result.outcome is Outcome.FAILED
    assert "● never" in ran.result.failures[0].output
