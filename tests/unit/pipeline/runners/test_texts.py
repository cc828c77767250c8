"""What people read about a failed test."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.pipeline.runners import texts


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("assert 2 == 3\n +  where 2 = len([1, 2])", "assert 2 == 3, where 2 = len([1, 2])"),
        ("AssertionError: assert 2 == 3", "assert 2 == 3"),
        ("AssertionError: few\nassert 1 > 2", "few: assert 1 > 2"),
        ("AssertionError: few\n  more\nassert 1 > 2\n +  where 1 = f()", "few: assert 1 > 2, where 1 = f()"),
        ("AssertionError: Lists differ: [1] != [2]\n\nFirst", "AssertionError: Lists differ: [1] != [2]"),
        ("ValueError: first\nsecond", "ValueError: first"),
        ("assert a == b\n  \n  - b\n  + a\n +  where no = such()", "assert a == b"),
        ("\x1b[31mError\x1b[0m: red", "Error: red"),
        ("assert x\n +  where x = a\n +    and   y = b", "assert x, where x = a, and y = b"),
        ("", ""),
        ("\n \n", ""),
    ],
)
def test_a_message_becomes_the_assertion_in_one_line(message: str, line: str) -> None:
    """The assertion, its values and what the author said of it survive; diffs and colours do not."""
    assert texts.one_line(message) == line


@given(st.text())
def test_any_message_is_one_short_line(message: str) -> None:
    """Nothing that an exception says makes more than one line, or a long one."""
    line = texts.one_line(message)
    assert len(line.splitlines()) <= 1
    assert len(line) <= texts.LENGTH


def test_the_error_is_found_where_only_a_traceback_is_given() -> None:
    """The last line that pytest marks as the error, or else the last line."""
    assert texts.gist("x\nE   File\nE   SyntaxError: no\n\nend") == "SyntaxError: no"
    assert texts.gist("one\ntwo\n") == "one"
    assert texts.gist("") == ""


def test_captured_parts_have_titles_only_where_there_are_several() -> None:
    """One part is given as it is; several are told apart."""
    assert texts.printed([("Captured stdout call", "a\n"), ("Captured stderr call", " \n")]) == "a"
    assert texts.printed([("out", "a\n"), ("err", "b")]) == "-- out --\na\n-- err --\nb"
    assert texts.printed([]) == ""


def test_a_program_that_gives_up_is_quoted_where_it_says_why() -> None:
    """npm's first words, others' last ones, and never their stack frames."""
    npm = [
        "npm warn old",
        "npm error code EUSAGE",
        "npm error",
        "npm error out of sync",
        "npm error Missing: a",
    ]
    assert (
        texts.complaint([*npm, "npm error Usage:", *["npm error  more"] * 50])
        == "out of sync Missing: a Usage:"
    )
    node = ["warming up", "\x1b[31mError: bad config\x1b[0m", "    at f (file:///a.js:1:2)", "───────", ""]
    assert texts.complaint(node) == "warming up Error: bad config"
    assert texts.complaint([]) == ""


def test_a_worker_that_died_says_so() -> None:
    """xdist begins with which Python it was, which helps nobody."""
    said = "worker 'gw1' crashed while running 'test_a.py::test_b'"
    assert texts.gist(f"[gw1] linux -- Python 3.11.7 /venv/bin/python\n{said}") == said


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            """
Using CPython 3.11.7
error: Failed to build `x @ file:///x`
  cause: The build backend returned an error
         Traceback (most recent call last):
           File "<string>", line 11, in <module>
         ValueError: Unable to tell what to ship

         [tool.hatch.build.targets.wheel]
hint: Build failures usually indicate a problem with the package
""",
            "Failed to build `x @ file:///x`: ValueError: Unable to tell what to ship",
        ),
        (
            """
  \N{MULTIPLICATION SIGN} No solution found when resolving dependencies:
  ╰─▶ Because none was not found and you require none,
      we can conclude that it is unsatisfiable.
""",
            "No solution found when resolving dependencies: Because none was not found and you require none, "
            "we can conclude that it is unsatisfiable.",
        ),
        (
            "error: Failed to parse `uv.lock`\n  cause: error at line 1\n    |\n  1 |\n  missing `version`",
            "Failed to parse `uv.lock`: error at line 1 missing `version`",
        ),
    ],
)
def test_what_uv_cannot_do_is_told_with_its_cause(said: str, why: str) -> None:
    """What a build raised, or what cannot be resolved; neither its chatter nor its hints."""
    assert texts.complaint(said.splitlines()) == why


def test_of_a_traceback_the_exception_is_the_complaint() -> None:
    """The frames before it would fill the line."""
    said = ["+ python a.py", "Traceback (most recent call last):", '  File "a.py", line 1', "NameError: no x"]
    assert texts.complaint(said) == "NameError: no x"
