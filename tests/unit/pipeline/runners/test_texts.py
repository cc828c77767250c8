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
    assert texts.complaint([*npm, "npm error Usage:", *["npm error  more"] * 50]) == "out of sync Missing: a"
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


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            """
npm ERR! code ERESOLVE
npm ERR! ERESOLVE could not resolve
npm ERR!
npm ERR! While resolving: web@1.0.0
npm ERR! Found: react@18.2.0
npm ERR! node_modules/react
npm ERR!
npm ERR! Could not resolve dependency:
npm ERR! peer react@"^17" from old@1.0.0
npm ERR! node_modules/old
npm ERR! Fix the upstream dependency conflict, or retry
npm ERR! this command with --force or --legacy-peer-deps
""",
            "ERESOLVE could not resolve While resolving: web@1.0.0 Found: react@18.2.0 "
            'Could not resolve dependency: peer react@"^17" from old@1.0.0',
        ),
        (
            """
npm error code 1
npm error path /app/node_modules/native
npm error command failed
npm error command sh -c node install.js
npm error Error: cannot find libpq
npm error     at Object.<anonymous> (/app/node_modules/native/install.js:3:7)
""",
            "Error: cannot find libpq",
        ),
        (
            """
npm error `npm ci` can only install packages when they are in sync.
npm error
npm error Missing: left-pad@1.3.0 from lock file
npm error
npm error Clean install a project
npm error
npm error Usage:
npm error npm ci
npm error   Sets the strategy for installing packages in node_modules.
""",
            "`npm ci` can only install packages when they are in sync. "
            "Missing: left-pad@1.3.0 from lock file",
        ),
        (
            """
[eval]:1
throw new Error('cannot find libpq')
^

Error: cannot find libpq
    at [eval]:1:7
npm error code 1
npm error path /app
npm error command failed
npm error command sh -c node -e "throw new Error('cannot find libpq')"
npm error A complete log of this run can be found in: /root/.npm/_logs/debug-0.log
""",
            "[eval]:1 throw new Error('cannot find libpq') Error: cannot find libpq",
        ),
        (
            """
Scope: all 2 workspace projects
 ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because it is not up to date

Note that in CI environments this setting is true by default.

  Failure reason:
  specifiers in the lockfile don't match specifiers in package.json:
* 1 dependencies were added: a
  and
  more
""",
            'ERR_PNPM_OUTDATED_LOCKFILE Cannot install with "frozen-lockfile" because it is not up to date '
            "Failure reason: specifiers in the lockfile don't match specifiers in package.json: "
            "* 1 dependencies were added: a",
        ),
        (
            """
yarn install v1.22.22
[1/4] Resolving packages...
error Your lockfile needs to be updated.
info Visit https://yarnpkg.com/en/docs/cli/install for documentation about this command.
""",
            "error Your lockfile needs to be updated.",
        ),
        (
            """
ERROR: Could not find a version that satisfies the requirement nope==99 (from versions: none)
ERROR: No matching distribution found for nope==99

[notice] A new release of pip is available: 24.0 -> 25.0
""",
            "ERROR: Could not find a version that satisfies the requirement nope==99 (from versions: none) "
            "ERROR: No matching distribution found for nope==99",
        ),
        (
            """
Installing dependencies from lock file

  - Installing psycopg2 (2.9.9): Failed

  ChefBuildError

  Backend subprocess exited when trying to invoke get_requires_for_build_wheel

  Error: pg_config executable not found.

  at ~/.local/lib/python3.11/site-packages/poetry/installation/chef.py:164 in _prepare

Note: This error originates from the build backend, and is likely not a problem with poetry.
""",
            "- Installing psycopg2 (2.9.9): Failed ChefBuildError Backend subprocess exited when trying to "
            "invoke get_requires_for_build_wheel Error: pg_config executable not found.",
        ),
        (
            """
error: Failed to fetch: `https://packages.example/simple/a/`
  Caused by: dns error
""",
            "Failed to fetch: `https://packages.example/simple/a/`: dns error",
        ),
    ],
)
def test_those_that_install_are_quoted_where_they_say_why(said: str, why: str) -> None:
    """What npm, pnpm, yarn, pip, Poetry and uv say on their way, and to everybody, is left out."""
    assert texts.complaint(said.splitlines()) == why


def test_what_pythons_warnings_say_is_no_complaint() -> None:
    """They stand on stderr in any case, with the line of source below; what is wrong stands on stdout."""
    warned = [
        "/lib/plugin.py:306: DeprecationWarning: unset.",
        "More of it.",
        "",
        "  warnings.warn(X)",
        "real",
    ]
    assert texts.without_warnings(warned) == ["real"]
    bare = ["<frozen importlib._bootstrap>:241: RuntimeWarning: size changed", "Fatal Python error: Aborted"]
    assert texts.without_warnings([*bare, "", '  File "a.py", line 3 in f']) == [
        "Fatal Python error: Aborted",
        "",
        '  File "a.py", line 3 in f',
    ]
    assert texts.without_warnings(["/a.py:3: UserWarning: gone", "Killed"]) == ["Killed"]
    raised = ["Traceback (most recent call last):", '  File "a.py", line 3', "ValueError: no"]
    assert texts.without_warnings(["/a.py:3: UserWarning: gone", *raised]) == raised
    said = ["---- snapshot report ----", "1 snapshot unused.", "Re-run with --update.", "==== 1 passed ===="]
    assert texts.complaint(said) == "1 snapshot unused. Re-run with --update."


def test_of_a_traceback_the_exception_is_the_complaint() -> None:
    """The frames before it would fill the line."""
    said = ["+ python a.py", "Traceback (most recent call last):", '  File "a.py", line 1', "NameError: no x"]
    assert texts.complaint(said) == "NameError: no x"


def test_of_what_ended_node_the_exception_is_the_complaint() -> None:
    """Its source comes before it, what it holds and Node's version after it."""
    said = ["/a.js:1", "throw new Error('no licence')", "^", "", "Error: no licence", "    at /a.js:1:7 {"]
    assert texts.complaint([*said, "  code: 'E1'", "}", "", "Node.js v20.20.2"]) == "Error: no licence"


def test_of_refused_arguments_the_refusal_is_the_complaint() -> None:
    """How the program is used stands before it, where it looked for settings after it."""
    said = [
        "ERROR: usage: pytest [options]",
        "pytest: error: unrecognized arguments: -n 2",
        "  inifile: None",
    ]
    assert texts.complaint(said) == "unrecognized arguments: -n 2"


def test_what_a_build_said_is_told_without_its_advice() -> None:
    """setuptools says what is wrong in a line, and what to do in a page."""
    said = ["error: Failed to build `shop`", "  cause: The build backend returned an error", "  [stderr]"]
    said += ["  error: Multiple top-level packages: a, b", "  To avoid this, consider:", "hint: look"]
    assert texts.complaint(said) == "Failed to build `shop`: Multiple top-level packages: a, b"
