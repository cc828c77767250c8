"""JUnit reports of several writers."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasklib.pipeline.runners.command import reconcile
from tasklib.pipeline.runners.junit import read_junit
from tasklib.results import Outcome, TestOutcome

MANY = """<?xml version="1.0" encoding="utf-8"?>
<testsuites>
  <testsuite name="outer">
    <testsuite name="inner">
      <testcase classname="pkg.A" name="passes" time="1,234.5" file="src/a.go" line="12"/>
      <testcase classname="pkg.A" name="fails" time="0.5">
        <failure message="expected 1&#10;got 2" type="T">Trace\nT: expected 1</failure>
        <system-out>printed</system-out>
      </testcase>
    </testsuite>
    <testcase name="breaks"><error>panic: nil</error></testcase>
    <testcase name="skips"><skipped message="no network"/></testcase>
    <testcase name="flaky"><flakyFailure message="once"/></testcase>
    <testcase name="hopeless"><failure message="never"/><rerunFailure message="again"/></testcase>
  </testsuite>
</testsuites>
"""


def test_every_kind_of_case_is_read(tmp_path: Path) -> None:
    """Nested suites, failures, errors, skips and repeated attempts, with place, message and output."""
    path = tmp_path / "junit.xml"
    path.write_text(MANY)
    found = read_junit(path)
    assert [(test.id, test.outcome) for test in found] == [
        ("pkg.A::passes", TestOutcome.PASSED),
        ("pkg.A::fails", TestOutcome.FAILED),
        ("breaks", TestOutcome.ERROR),
        ("skips", TestOutcome.SKIPPED),
        ("flaky", TestOutcome.RERUN),
        ("flaky", TestOutcome.PASSED),
        ("hopeless", TestOutcome.RERUN),
        ("hopeless", TestOutcome.FAILED),
    ]
    passes, fails, breaks, skips, *_ = found
    assert (passes.call, passes.file, passes.line) == (1234.5, "src/a.go", 12)
    assert (fails.message, fails.output) == ("expected 1 got 2", "printed")
    assert "Trace" in fails.detail
    assert (breaks.message, skips.message) == ("panic: nil", "no network")


@pytest.mark.parametrize("text", ["", "no xml", "<html/>", "<testsuite>"])
def test_what_is_no_report_is_refused(text: str, tmp_path: Path) -> None:
    """Half a file or another document is a ValueError."""
    path = tmp_path / "junit.xml"
    path.write_text(text)
    with pytest.raises(ValueError):
        read_junit(path)


@example(name="", time="NAN")
@example(name="", time="inf")
@given(name=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])), time=st.text(max_size=5))
def test_any_name_and_time_is_read(name: str, time: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever a writer puts into the attributes, the case is read, its name in one line."""
    path = tmp_path_factory.mktemp("junit") / "junit.xml"
    clean = "".join(c for c in time if c.isprintable() and c not in "\ufffe\uffff")
    safe = "".join(c for c in name if c not in "\ufffe\uffff")
    attributes = f"name={quoteattr(safe)} time={quoteattr(clean)} line={quoteattr(clean)}"
    path.write_text(f"<testsuite><testcase {attributes}/></testsuite>")
    [test] = read_junit(path)
    assert test.id.isprintable()
    assert test.call >= 0


def test_report_and_exit_code_have_to_agree() -> None:
    """Neither a report without failures nor a code of 0 makes a pass alone."""
    from tasklib.results import Counts

    assert reconcile(Counts(total=1, passed=1), 0, "exit code 0", ()).outcome is Outcome.PASSED
    assert reconcile(Counts(total=1, failed=1), 0, "exit code 0", ()).outcome is Outcome.FAILED
    unexplained = reconcile(Counts(total=1, passed=1), 2, "exit code 2", ())
    assert unexplained.outcome is Outcome.ERROR
    assert unexplained.reason == "no test failed, but the command ended with exit code 2"
    assert reconcile(Counts(), 0, "exit code 0", ("tests",)).reason == "no tests found in tests"
