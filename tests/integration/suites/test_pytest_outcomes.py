"""pytest's outcomes, by the events of the injected plugin, in the releases that projects use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tasklib.reporting.words.explanation import explain
from tasklib.results import Counts, Outcome, Stage, TestOutcome

RELEASES = ("pytest==6.2.5", "pytest==7.4.4", "pytest==8.4.2", "pytest>=9,<10")

EVERYTHING = """
    import json
    import logging
    import os
    import sys
    import unittest

    import pytest


    def test_passes(): pass

    def test_fails():
        print("to stdout")
        print("to stderr", file=sys.stderr)
        numbers = [1, 2]
        assert len(numbers) == 3, "too few"

    def helper(value):
        assert value == "b"

    def test_in_helper():
        helper("a")

    def test_in_library():
        json.loads("nope")

    def test_in_frozen():
        os.environ["TEST_NOPE_URL"]

    @pytest.fixture
    def broken():
        raise RuntimeError("no database")

    @pytest.fixture
    def broken_late():
        yield
        raise RuntimeError("cannot close")

    @pytest.fixture
    def broken_in_frozen():
        return os.environ["NO_SUCH_VARIABLE"]

    def test_frozen_setup(broken_in_frozen): pass

    def test_setup(broken): pass

    def test_teardown(broken_late): pass

    def test_both(broken_late):
        assert 0

    def test_no_fixture(nonesuch): pass

    def test_skips():
        pytest.skip("not today")

    @pytest.mark.xfail(reason="known")
    def test_xfails():
        assert 0

    @pytest.mark.xfail(reason="known")
    def test_xpasses(): pass

    @pytest.mark.xfail(strict=True, reason="known")
    def test_strict(): pass

    @pytest.mark.parametrize("value", ["a[b]", "x\\ny", "100%", "%s", "a::b", "\\u2603"])
    def test_ids(value): pass

    class TestCase(unittest.TestCase):
        def test_equal(self):
            self.assertEqual([1], [2])
"""


def line_of(code: str) -> int:
    """The line of EVERYTHING, as it is written to disk, that holds ``code``."""
    return next(number for number, line in enumerate(EVERYTHING.splitlines(), 1) if code in line)


@pytest.mark.parametrize("release", RELEASES)
def test_every_outcome_is_counted_once_with_file_line_and_values(
    release: str, run: Callable[..., Any]
) -> None:
    """All outcomes of a suite, told by any supported release, add up; failures say what, where and why."""
    name = release.split("==")[-1]
    check = f"""
        import pytest

        def test_release():
            assert pytest.__version__.startswith("{name if "==" in release else "9."}")
    """
    ran = run({"tests/unit/test_all.py": EVERYTHING, "tests/unit/test_release.py": check}, needs=(release,))
    result = ran.result

    assert (result.outcome, result.reason) == (Outcome.FAILED, "")
    assert result.counts == Counts(total=22, passed=8, failed=7, errors=4, skipped=1, xfailed=1, xpassed=1)
    assert result.counts.done == result.counts.total == len(ran.started) == ran.totals[-1]
    assert ran.test("::test_release").outcome is TestOutcome.PASSED

    failed = ran.test("::test_fails")
    assert failed.file == "tests/unit/test_all.py"
    assert failed.line == line_of("assert len")
    assert failed.message == "too few: assert 2 == 3, where 2 = len([1, 2])"
    assert "to stdout" in failed.output
    assert "to stderr" in failed.output
    assert "numbers = [1, 2]" in failed.detail
    assert ran.test("::test_in_helper").line == line_of('value == "b"')
    assert ran.test("::test_in_helper").message == "assert 'a' == 'b'"
    assert explain(ran.test("::test_in_helper"))[0] == '> assert value == "b"'
    assert explain(ran.test("::test_in_library"))[0] == '> json.loads("nope")'
    assert explain(ran.test("::test_in_frozen"))[0] == '> os.environ["TEST_NOPE_URL"]'

    assert ran.test("::test_frozen_setup").line == line_of("NO_SUCH_VARIABLE")
    assert ran.test("::test_setup").outcome is TestOutcome.ERROR
    assert ran.test("::test_setup").line == line_of("no database")
    assert ran.test("::test_setup").message == "RuntimeError: no database"
    assert ran.test("::test_teardown").outcome is TestOutcome.ERROR
    assert ran.test("::test_teardown").line == line_of("cannot close")
    assert ran.test("::test_teardown").message == "teardown: RuntimeError: cannot close"
    assert ran.test("::test_both").outcome is TestOutcome.FAILED
    assert "cannot close" in ran.test("::test_both").detail
    assert ran.test("::test_no_fixture").message == "fixture 'nonesuch' not found"
    assert ran.test("::test_strict").message == "[XPASS(strict)] known"
    assert ran.test("::test_skips").message == "not today"
    assert ran.test("::test_xfails").message == "known"
    assert "Lists differ: [1] != [2]" in ran.test("::test_equal").message
    ids = [test.id for test in ran.tests if "::test_ids[" in test.id]
    assert len(set(ids)) == 6
    assert all(name.isprintable() for name in ids)
    assert any(name.endswith("[a[b]]") for name in ids)
    assert any(name.endswith("[100%]") for name in ids)


@pytest.mark.parametrize("release", RELEASES)
def test_a_file_that_cannot_be_imported_is_a_failure_with_its_cause(
    release: str, run: Callable[..., Any]
) -> None:
    """A collection error is a failed result that names file, line and exception, in any release."""
    files = {
        "tests/unit/test_broken.py": "import json\nimport nonesuch\n",
        "tests/unit/test_late.py": "import json\n\njson.loads('nope')\n",
        "tests/unit/test_syntax.py": "x = 1\ndef test(:\n",
        "tests/unit/test_fine.py": "def test_fine(): pass\n",
    }
    ran = run(files, needs=(release,))
    assert ran.result.outcome is Outcome.FAILED
    assert ran.result.counts.errors == 3
    lines = {failure.file: failure.line for failure in ran.result.failures}
    assert lines == {
        "tests/unit/test_broken.py": 2,
        "tests/unit/test_late.py": 3,
        "tests/unit/test_syntax.py": 2,
    }
    statements = {failure.file: explain(failure)[0] for failure in ran.result.failures}
    assert statements["tests/unit/test_broken.py"] == "> import nonesuch"
    assert statements["tests/unit/test_late.py"] == "> json.loads('nope')"
    messages = {failure.file: failure.message for failure in ran.result.failures}
    assert messages["tests/unit/test_broken.py"] == "ModuleNotFoundError: No module named 'nonesuch'"
    assert messages["tests/unit/test_syntax.py"].startswith("SyntaxError: invalid syntax")


@pytest.mark.parametrize("release", RELEASES)
def test_integration_is_known_wherever_it_is_defined(release: str, run: Callable[..., Any]) -> None:
    """``--integration`` reaches the tests where nobody defines it, and where a conftest does."""
    test = "def test_it(request): assert request.config.getoption('--integration')\n"
    ran = run({"tests/integration/test_a.py": test}, needs=(release,), stage=Stage.SERVICE)
    assert ran.result.outcome is Outcome.PASSED, ran.output

    conftest = "def pytest_addoption(parser): parser.addoption('--integration', action='store_true')\n"
    ran = run({"tests/integration/conftest.py": conftest}, needs=(release,), stage=Stage.SERVICE)
    assert ran.result.outcome is Outcome.PASSED, ran.output


@pytest.mark.parametrize("release", ["pytest==7.4.4", "pytest>=9,<10"])
def test_tests_marked_for_the_full_stack_run_in_the_integration_stage(
    release: str, run: Callable[..., Any]
) -> None:
    """The service stage leaves them out, the integration stage runs them alone; the project's `-m` stays."""
    files = {
        "pytest.ini": "[pytest]\naddopts = -m 'not slow' --strict-markers\nmarkers =\n    slow\n",
        "tests/integration/test_a.py": """
            import pytest

            def test_own(): pass

            @pytest.mark.fullstack
            def test_full(): pass

            @pytest.mark.slow
            @pytest.mark.fullstack
            def test_slow(): pass
        """,
        "tests/integration/test_b.py": "def test_other(): pass\n",
    }
    own = run(files, needs=(release,), stage=Stage.SERVICE)
    assert [name.split("::")[1] for name in own.outcomes] == ["test_own", "test_other"]
    full = run(files, needs=(release,), stage=Stage.INTEGRATION)
    assert [name.split("::")[1] for name in full.outcomes] == ["test_full"]


@pytest.mark.parametrize("release", RELEASES)
def test_nothing_of_the_injection_reaches_the_tests(release: str, run: Callable[..., Any]) -> None:
    """A pytest that a test starts reports to nobody, and the user's own PYTHONPATH stays."""
    test = """
        import os
        import subprocess
        import sys

        def test_environment():
            ours = {name for name in os.environ if name.startswith("TASKLIB_")}
            assert ours <= {"TASKLIB_CHILD_OF"}  # the mark by which a killed run's children are found
            assert "inject" not in os.environ.get("PYTHONPATH", "")

        def test_nested(tmp_path):
            (tmp_path / "test_inner.py").write_text("def test_inner(): assert 0")
            code = subprocess.call([sys.executable, "-m", "pytest", str(tmp_path)])
            assert code == 1

        def test_fork():
            child = os.fork()
            if child == 0:
                raise SystemExit(0)
            os.waitpid(child, 0)
    """
    ran = run({"tests/unit/test_a.py": test}, needs=(release,))
    assert ran.result.outcome is Outcome.PASSED, ran.output
    assert len(ran.tests) == 3


STOPPING = {
    "test": "def test_stops(): {stop}",
    "setup": "@pytest.fixture\ndef base(): {stop}\ndef test_stops(base): pass",
    "teardown": "@pytest.fixture\ndef base():\n    yield\n    {stop}\ndef test_stops(base): pass",
}


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("where", STOPPING)
@pytest.mark.parametrize(
    ("stop", "said"),
    [("raise KeyboardInterrupt", "KeyboardInterrupt"), ("pytest.exit('had enough')", "had enough")],
)
def test_a_test_that_stops_the_session_is_an_error_and_no_pass(
    stop: str, said: str, where: str, release: str, run: Callable[..., Any]
) -> None:
    """Wherever it happens, the test did not pass, its target is an error, and what ran before counts."""
    test = f"import pytest\ndef test_before(): pass\n{STOPPING[where].format(stop=stop)}\n"
    ran = run({"tests/unit/test_a.py": test + "def test_after(): pass\n"}, needs=(release,))
    assert (ran.result.outcome, ran.result.exit_code) == (Outcome.ERROR, 1)
    assert said in ran.result.reason
    assert ran.result.counts == Counts(total=3, passed=1, errors=1)
    [failure] = ran.result.failures
    assert failure.id == "tests/unit/test_a.py::test_stops"
    assert failure.file == "tests/unit/test_a.py"
    assert failure.message == f"the session was stopped in this test: {said}"


@pytest.mark.parametrize("needs", ["pytest==6.2.5 pytest-xdist==2.5.0", "pytest>=9,<10 pytest-xdist"])
@pytest.mark.parametrize("stop", ["raise KeyboardInterrupt", "pytest.exit('had enough')"])
@pytest.mark.parametrize("where", STOPPING)
def test_a_test_that_stops_its_worker_is_no_pass(
    where: str, stop: str, needs: str, run: Callable[..., Any]
) -> None:
    """xdist reports such a test as one that its worker crashed in: once, and as nothing else."""
    test = f"import pytest\n{STOPPING[where].format(stop=stop)}\n"
    ran = run({"tests/unit/test_a.py": test}, "-n", "1", needs=tuple(needs.split()))
    assert (ran.result.outcome, ran.result.counts) == (Outcome.FAILED, Counts(total=1, failed=1))
    assert [failure.id for failure in ran.result.failures] == ["tests/unit/test_a.py::test_stops"]


@pytest.mark.parametrize("needs", ["pytest==6.2.5 pytest-xdist==2.5.0", "pytest>=9,<10 pytest-xdist"])
def test_tests_cut_off_by_a_failure_elsewhere_are_no_errors(needs: str, run: Callable[..., Any]) -> None:
    """With -x under xdist the failure is the result; what another worker still ran is neither."""
    files = {
        "tests/unit/test_a.py": "import time\ndef test_a(): time.sleep(0.5); assert 0\n",
        "tests/unit/test_b.py": "import time\ndef test_b(): time.sleep(5)\n",
    }
    ran = run(files, "-x", "-n", "2", needs=tuple(needs.split()))
    assert (ran.result.outcome, ran.result.counts.failed) == (Outcome.FAILED, 1), ran.result
    assert ran.result.counts.errors == 0


@pytest.mark.parametrize("release", RELEASES)
def test_tests_that_are_only_set_up_are_no_passes(release: str, run: Callable[..., Any]) -> None:
    """`-- --setup-only` runs no test, as was asked: none is counted as passed."""
    ran = run({"tests/unit/test_a.py": "def test_a(): pass\n"}, "--setup-only", needs=(release,))
    assert (ran.result.outcome, ran.result.counts) == (Outcome.PASSED, Counts(total=1))
