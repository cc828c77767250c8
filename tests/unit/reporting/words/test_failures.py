"""One failure as short lines."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tasklib.reporting.words.explanation import EXPLANATION_LINES, explain
from tasklib.reporting.words.failures import (
    CONTAINERS,
    LOG_LINES,
    Moment,
    describe,
    failure_lines,
    log_lines,
    place,
    rerun,
    short_id,
    shown_path,
)
from tasklib.reporting.words.text import bounded
from tasklib.results import (
    ContainerLog,
    LogLine,
    Outcome,
    Stage,
    Target,
    TargetResult,
    TestOutcome,
    TestResult,
)

from .. import recordings

API = TargetResult(Target(Stage.UNIT, "api"), Outcome.FAILED, rerun="invoke test.unit --name api")


def failing(test_id: str = "t.py::test_x", **fields: object) -> TestResult:
    return TestResult(test_id, TestOutcome.FAILED, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("test_id", "selector"),
    [
        ("tests/t.py::test_x", "test_x"),
        ("tests/t.py::TestA::test_x", "test_x"),
        ("tests/t.py::test_x[eur-1.5]", "test_x[eur-1.5]"),
        ("tests/t.py::test_x[a::b]", "test_x[a::b]"),
        ("tests/t.py::test_x[a b]", "test_x"),
        ("tests/t.py::test_x[%$(rm)]", "test_x"),
        ("src/a.test.ts > cart > adds 2 + 2 (fast)", r"adds 2 \+ 2 \(fast\)"),
        ("a.test.jsx > it's", "it's"),
        ("tests/t.py::test_x@db", "test_x"),
        ("tests/t.py::TestA::test_x[eur]@db", "test_x[eur]"),
        ("tests/t.py::test_x[a@b]", "test_x"),
        ("tests/t.py", ""),
        ("tests/t.py::not", ""),
        ("tests/a.test.ts > unhandled error", ""),
        ("anything else", ""),
    ],
)
def test_the_command_repeats_just_this_test(test_id: str, selector: str) -> None:
    """A test is selected as its runner selects tests; what cannot be, is repeated with its target."""
    command = rerun(API, failing(test_id))
    expected = ["-k", selector] if selector else []
    assert shlex.split(command) == ["invoke", "test.unit", "--name", "api", *expected]


@pytest.mark.parametrize(
    ("test_id", "file", "selector"),
    [
        ("tests/test_cart.py::test_total", "tests/test_cart.py", ["-k", "test_total"]),
        ("tests/test_cart.py::test_cart", "tests/test_cart.py", ["-k", "tests/test_cart.py::test_cart"]),
        ("tests/test_cart.py::A::Test", "tests/test_cart.py", ["-k", "tests/test_cart.py::A::Test"]),
        ("t.py::test_x[a 'b']", "t.py", ["-k", "t.py::test_x[a 'b']"]),
        ("t.py::test_x[a b]@db", "t.py", ["-k", "t.py::test_x[a b]"]),
        ("t.py::test_x[a b]", "../t.py", ["-k", "test_x"]),
        ("t.py::test_x[a b]", None, ["-k", "test_x"]),
        (f"t.py::test_x[{'a ' * 300}]", "t.py", ["-k", "test_x"]),
        ("t.py::not", "t.py", []),
    ],
)
def test_where_a_word_would_select_more_the_whole_id_does(
    test_id: str, file: str | None, selector: list[str]
) -> None:
    """`-k` searches the names of files as well, and knows no parameters of more than one word."""
    assert shlex.split(rerun(API, failing(test_id, file=file)))[4:] == selector


@given(st.text(max_size=60))
def test_a_command_is_one_line_and_its_words_stay_apart(test_id: str) -> None:
    """Whatever a test is called, the command holds at most one more option with one value."""
    command = rerun(API, failing(f"t.py::{test_id}"))
    assert len(command.splitlines()) == 1
    assert len(shlex.split(command)) in (4, 6)


def test_a_command_that_cannot_select_repeats_its_whole_target() -> None:
    """No `-k` is put after a command that would leave everything out for it."""
    assert rerun(replace(API, selects=False), failing()) == API.rerun


def test_without_a_command_there_is_none() -> None:
    """A target that names no command gets no option put after nothing."""
    assert rerun(TargetResult(API.target, Outcome.FAILED), failing()) == ""


@pytest.mark.parametrize(
    ("file", "folder", "base", "expected"),
    [
        ("tests/t.py", "/shop/services/api", "/shop", "services/api/tests/t.py"),
        ("tests/t.py", "/shop/services/api", "/shop/services/api", "tests/t.py"),
        ("tests/t.py", "/other", "/shop", "/other/tests/t.py"),
        ("../t.py", "/shop/services/api", "/shop", "services/t.py"),
        ("/abs/t.py", "/shop", "/shop", "/abs/t.py"),
        ("tests/t.py", "", "/shop", "tests/t.py"),
    ],
)
def test_paths_are_as_one_would_type_them(file: str, folder: str, base: str, expected: str) -> None:
    """Files are shown relative to the current folder, those outside of it in full."""
    assert shown_path(file, folder, base) == expected


@pytest.mark.parametrize(
    ("test_id", "expected"),
    [
        ("a/t.py::TestA::test_x[1]", "TestA::test_x[1]"),
        ("src/a.test.ts > cart > adds", "cart > adds"),
        ("a > b", "a > b"),
        ("t.py::test[a\nb]", "test[a\\nb]"),
    ],
)
def test_names_leave_the_file_out(test_id: str, expected: str) -> None:
    """The name is what follows the file, on one line."""
    assert short_id(test_id) == expected


def test_the_last_statement_and_its_values_explain_a_failure() -> None:
    """Of pytest's long text the failing statement and the marked lines stay."""
    assert explain(recordings.FAILURE)[:2] == ["> assert order.total() == 1650", "E assert 1560 == 1650"]


def test_of_chained_exceptions_the_last_one_explains() -> None:
    """What ended the test is told, not what was handled before it."""
    detail = ">   first()\nE   KeyError: 1\n\nt.py:1\n\nDuring handling:\n\n>   second()\nE   ValueError: 2\n"
    assert explain(failing(detail=detail)) == ["> second()", "E ValueError: 2"]


LIBRARY = """\
    def test_env():
>       base = os.environ["TEST_NOPE_URL"]
               ^^^^^^^^^^^^^^^^^^^^^^^^^^^

tests/t.py:7:
_ _ _ _ _ _ _ _ _ _ _ _ _

key = 'TEST_NOPE_URL'

>   ???
E   KeyError: 'TEST_NOPE_URL'

<frozen os>:679: KeyError"""

HELPER = """\
    def test_json():
>       load("nope")

services/api/tests/t.py:13:
_ _ _ _ _ _ _ _ _ _ _ _ _
services/api/tests/t.py:4: in load
    json.loads(text)
/usr/lib/python3.11/json/__init__.py:4: in loads
    return _default_decoder.decode(s)
_ _ _ _ _ _ _ _ _ _ _ _ _

>       raise JSONDecodeError("Expecting value", s, err.value) from None
E       json.decoder.JSONDecodeError: Expecting value

/usr/lib/python3.11/json/decoder.py:355: JSONDecodeError"""

TWICE = """\
call:
    def test_x(late):
>       assert 0
E       assert 0

t.py:9: AssertionError

teardown:
    def late():
>       raise RuntimeError
E       RuntimeError

t.py:4: RuntimeError"""

IMPORT = """\
ImportError while importing test module '/shop/tests/t.py'.
Traceback:
/usr/lib/python3.11/importlib/__init__.py:126: in import_module
    return _bootstrap._gcd_import(name[level:], package, level)
tests/t.py:2: in <module>
    import nonesuch
E   ModuleNotFoundError: No module named 'nonesuch'"""


@pytest.mark.parametrize(
    ("detail", "line", "expected"),
    [
        (LIBRARY, 7, ['> base = os.environ["TEST_NOPE_URL"]', "E KeyError: 'TEST_NOPE_URL'"]),
        (LIBRARY, None, ['> base = os.environ["TEST_NOPE_URL"]', "E KeyError: 'TEST_NOPE_URL'"]),
        (HELPER, 13, ['> load("nope")', "E json.decoder.JSONDecodeError: Expecting value"]),
        (HELPER, 4, ["> json.loads(text)", "E json.decoder.JSONDecodeError: Expecting value"]),
        (TWICE, 9, ["> assert 0", "E assert 0", "also failed: teardown: RuntimeError"]),
        (IMPORT, 2, ["> import nonesuch", "E ModuleNotFoundError: No module named 'nonesuch'"]),
    ],
)
def test_the_statement_is_the_one_at_the_place_in_the_head(
    detail: str, line: int | None, expected: list[str]
) -> None:
    """Whatever library raised, the line of the project that the head names is shown, with what was raised."""
    assert explain(failing(file="tests/t.py", line=line, detail=detail)) == expected


def test_a_statement_without_source_is_left_out() -> None:
    """Where pytest has no source of any frame, what was raised stands alone."""
    assert explain(failing(detail=">   ???\nE   KeyError: 1\n\n<string>:1: KeyError")) == ["E KeyError: 1"]


def test_other_runners_explain_by_their_message() -> None:
    """Without pytest's marks the message is shown, without a message the end of the detail."""
    assert explain(failing(message="expected 1 to be 2", detail="at x\nat y")) == ["expected 1 to be 2"]
    assert explain(failing(detail="at x\nat y")) == ["at x", "at y"]
    assert explain(failing()) == []


def test_everything_about_a_failure_is_bounded() -> None:
    """A test that prints and explains thousands of lines takes a few dozen."""
    endless = "\n".join(f"E   {'x' * 600}" for _ in range(3000))
    found = describe(failing(detail=endless, output=endless, message=endless))
    assert len(found) < 40
    assert max(map(len, found)) < 510
    assert len(explain(failing(detail=endless))) <= EXPLANATION_LINES


def test_a_place_needs_a_file() -> None:
    """Without a line the file alone is named, without a file the test."""
    assert place(failing(file="t.py", line=3)) == "t.py:3"
    assert place(failing(file="t.py")) == "t.py"
    assert place(failing()) == "t.py::test_x"


@pytest.mark.parametrize(
    ("test_id", "file", "line", "head"),
    [
        ("tests/t.py", "tests/t.py", 1, "ERROR services/api/tests/t.py:1"),
        ("services/api/tests/t.py", "tests/t.py", 1, "ERROR services/api/tests/t.py:1"),
        ("tests/bad.test.ts", "tests/bad.test.ts", None, "ERROR services/api/tests/bad.test.ts"),
        ("tests/t.py::TestX", "tests/t.py", 3, "ERROR services/api/tests/t.py:3 TestX"),
        ("conftest", None, None, "ERROR conftest"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_named_once(
    test_id: str, file: str | None, line: int | None, head: str
) -> None:
    """Its place is its name; what is in a file keeps a name of its own."""
    result = TestResult(test_id, TestOutcome.ERROR, file=file, line=line)
    assert describe(result, folder="/shop/services/api", base="/shop") == [head]


def test_logs_are_those_of_the_failure() -> None:
    """Lines from around a failing test are shown, else the last ones; containers and lines are bounded."""
    lines = tuple(LogLine(float(second), f"at {second}") for second in range(100))
    log = ContainerLog("api", lines)
    assert log_lines([log], [Moment(50, 51)]) == [f"api | at {second}" for second in range(49, 53)]
    last = log_lines([log], [Moment(500, 501)])
    assert len(last) == LOG_LINES
    assert last[-1] == "api | at 99"
    many = log_lines([log] * (CONTAINERS + 3))
    assert many[-1] == "... and 3 more containers ..."
    assert log_lines([ContainerLog("silent", ())]) == []


NESTED = """AssertionError: expected { a: 1, b: [ 1, 2 ] } to deeply equal { a: 1, b: [ 1, 3 ] }
    at /shop/tests/a.test.ts:9:31

- Expected
+ Received

  {
    "b": [
      1,
-     3,
+     2,
    ],
  }"""
GO = "=== RUN   TestTotal\n    total_test.go:9: got 3, want 4\n--- FAIL: TestTotal (0.00s)"
JEST = """Error: expect(received).toBe(expected) // Object.is equality

Expected: 2
Received: 1
    at Object.toBe (/shop/tests/a.test.js:3:19)
    at Promise.then.completed (/shop/node_modules/jest-circus/build/utils.js:1:2)"""
DOCTEST = "001 >>> total()\nExpected:\n    3\nGot:\n    2\n\n/shop/a.py:3: DocTestFailure"
NODE = """Error [ERR_TEST_FAILURE]: no
    at node:internal/x:1:1 {
  code: 'ERR_TEST_FAILURE',
  failureType: 'testCodeFailure',
  cause: Error: no
      at TestContext.<anonymous> (/shop/tests/a.test.js:1:2)
}"""
GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "/shop/.venv/lib/python3.13/site-packages/_pytest/runner.py", line 353, in from_call
  |     result = func()
  | ExceptionGroup: two (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | ValueError: first
    +---------------- 2 ----------------
    | KeyError: 'second'
    +------------------------------------"""


@pytest.mark.parametrize(
    ("message", "detail", "shown", "hidden"),
    [
        (NESTED.splitlines()[0], NESTED, "+     2,", "at /shop"),
        ("total_test.go:9: got 3, want 4", GO, "total_test.go:9: got 3, want 4", "==="),
        ("Error: expect(received).toBe(expected)", JEST, "Received: 1", "node_modules"),
        ("no", NODE, "no", "cause"),
        ("Expected: 3 Got: 2", DOCTEST, "001 >>> total()", "nothing"),
        (
            "worker 'gw1' crashed",
            "[gw1] linux -- Python 3\nworker 'gw1' crashed",
            "worker 'gw1' crashed",
            "Python 3",
        ),
        ("ExceptionGroup: two (2 sub-exceptions)", GROUP, "    | KeyError: 'second'", "_pytest"),
        ("usecase failed", "usecase failed\n   spec failed: 'a'\n   no details", "   spec failed: 'a'", "…"),
    ],
)
def test_where_the_detail_says_more_than_the_message_it_is_shown(
    message: str, detail: str, shown: str, hidden: str
) -> None:
    """Its first lines, after the message that they begin with, and no frame of a library."""
    found = explain(failing(message=message, detail=detail, line=9))
    assert shown in found
    assert found.count(shown) == 1
    assert not [line for line in found if hidden in line]
    assert len(found) <= EXPLANATION_LINES


def test_advice_to_use_other_options_is_left_out() -> None:
    """pytest's -v and -vv are not called so here."""
    detail = ">   assert a == b\nE   assert 1 == 2\nE     \nE     Use -v to get more diff\n\nt.py:1"
    assert not [line for line in explain(failing(detail=detail)) if "-v" in line]


@pytest.mark.parametrize(
    "said",
    [
        "Omitting 1 identical items, use -vv to show",
        "Skipping 90 identical leading characters in diff, use -v to show",
        "...Full output truncated (3 lines hidden), use '-vv' to show",
    ],
)
def test_advice_behind_what_is_said_is_left_out(said: str) -> None:
    """What it says of the values stays."""
    assert explain(failing(detail=f">   assert a == b\nE   {said}"))[-1] == f"E {said.partition(', use')[0]}"


def test_subtests_are_named() -> None:
    """Which one failed is not in the statement; the others that failed are named."""
    one = "call [n] (i=1):\n>   assert i != 1\nE   assert 1 != 1\n\nt.py:7: AssertionError"
    assert explain(failing(detail=one)) == ["[n] (i=1):", "> assert i != 1", "E assert 1 != 1"]
    three = f"{one}\n\n{one.replace('i=1', 'i=2')}\n\n{one.replace('[n] (i=1)', '')}"
    assert (
        explain(failing(detail=three))[-1] == "also failed: [n] (i=2): assert 1 != 1; the test: assert 1 != 1"
    )


def test_what_an_exception_was_raised_from_is_told() -> None:
    """It is the cause, as whoever wrote it says; the nearest one first."""
    link = "\n\nThe above exception was the direct cause of the following exception:\n\n"
    parts = [
        f">   {name}()\nE   {name}: {n}\n\nt.py:{n}: {name}"
        for n, name in enumerate(("Key", "Load", "Start"))
    ]
    assert explain(failing(detail=link.join(parts)))[1:] == [
        "E Start: 2",
        "caused by Load: 1",
        "caused by Key: 0",
    ]


def test_equal_failures_are_told_once() -> None:
    """Thirty tests that cannot connect: one in full, a few names, and how many more."""
    tests = tuple(failing(f"t.py::test_{n}", message="ConnectionError: refused") for n in range(30))
    found = failure_lines(TargetResult(API.target, Outcome.FAILED, failures=tests, rerun=API.rerun))
    assert len(found) < 12
    assert "  the same in 29 more tests:" in found
    assert found[-1] == "    ... and 24 more ..."


def test_the_output_of_a_command_is_shown_at_length() -> None:
    """Where the exit code is the verdict, nothing else names the failing test."""
    printed = "\n".join(f"line {n}" for n in range(50))
    assert sum("| line" in line for line in describe(failing("make test", output=printed))) == 50
    assert sum("| line" in line for line in describe(failing(detail="E   x", output=printed))) < 13


def test_lines_that_were_left_out_before_are_counted() -> None:
    """A text that its runner has shortened already says how long it was."""
    text = ["a"] * 20 + ["[... 195000 lines left out ...]"] + ["b"] * 20
    assert "... 195,029 more lines ..." in bounded(text, 12)


def test_what_a_thread_raised_is_the_explanation() -> None:
    """Where warnings are errors, pytest's warning of it is one: its own code says nothing."""
    detail = """
>   def boom(): raise ValueError("in the thread")
E   ValueError: in the thread

tests/t.py:2: ValueError

The above exception was the direct cause of the following exception:

>           warnings.warn(pytest.PytestUnhandledThreadExceptionWarning(msg))
E           pytest.PytestUnhandledThreadExceptionWarning: Exception in thread Thread-1 (boom)
E           Enable tracemalloc to get traceback where the object was allocated.

_pytest/threadexception.py:54: PytestUnhandledThreadExceptionWarning
"""
    assert explain(failing(detail=detail, file="tests/t.py", line=4)) == [
        '> def boom(): raise ValueError("in the thread")',
        "E ValueError: in the thread",
        "E pytest.PytestUnhandledThreadExceptionWarning: Exception in thread Thread-1 (boom)",
    ]


@pytest.mark.parametrize(
    ("test_id", "selector"),
    [
        ("a.spec.ts::cart \u203a totals (2)", "'totals \\(2\\)'"),
        ("test::adds [1]", "'adds \\[1\\]'"),
        ("test::cart > adds (2)", "'cart|adds \\(2\\)'"),
    ],
)
def test_tests_in_javascript_are_searched_by_their_title(test_id: str, selector: str) -> None:
    """Playwright shows suites before it and searches them joined otherwise; node's report names no file."""
    assert rerun(API, failing(test_id, file="tests/a.test.mjs")) == f"{API.rerun} -k {selector}"


def test_a_file_that_node_failed_with_is_repeated_with_its_target() -> None:
    """No test is called like it."""
    test = failing("test::/shop/tests/a.test.mjs", file="tests/a.test.mjs")
    assert rerun(API, test) == API.rerun


def test_the_project_of_vitest_is_named_and_not_searched() -> None:
    """Two projects may run one test; vitest's own -t knows titles alone."""
    test = failing("tests/a.test.ts > sums > adds |browser|")
    assert short_id(test.id) == "sums > adds |browser|"
    assert rerun(API, test) == "invoke test.unit --name api -k adds"
