"""``--report run.xml``: JUnit XML, as the schema of Jenkins' xUnit plugin (junit-10.xsd) has it.

GitHub's, GitLab's and Gitea's readers take the same subset: flat suites, one a target. Beyond the schema,
which allows neither, a test has ``file`` and ``line``: many readers link by them, and none minds.
"""

from __future__ import annotations

import os.path
import re
from datetime import UTC, datetime
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from tasklib.reporting.files.record import RunRecord, TargetRecord
from tasklib.reporting.words.failures import split_id
from tasklib.results import ContainerLog, Outcome, TestOutcome, TestResult
from tasklib.shown.cleaning import clean

__all__ = ["junit_xml", "legal"]

# XML 1.0 section 2.2: what is no Char may not even be written as a reference.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def legal(text: str) -> str:
    """``text`` without escape sequences and without what XML cannot hold."""
    return _ILLEGAL.sub("\ufffd", clean(text))


def junit_xml(record: RunRecord) -> str:
    """The run as a document: a suite for each target, its tests in the order they ended."""
    root = Element("testsuites", name=legal(record.project) or "tests", time=_time(record.result.seconds))
    suites = [_suite(root, target) for target in record.targets]
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(root: Element, record: TargetRecord) -> Element:
    tests = [test.result for test in record.tests]
    final = [test for test in tests if test.outcome is not TestOutcome.RERUN]
    name = legal(str(record.target))
    suite = SubElement(root, "testsuite", name=name, package=str(record.target.stage))
    result = record.result
    broken = result.outcome in (Outcome.ERROR, Outcome.INTERRUPTED) or (
        result.outcome is Outcome.FAILED and not any(_is_bad(test) for test in final)
    )
    outcomes = [test.outcome for test in final]
    skipped = outcomes.count(TestOutcome.SKIPPED) + outcomes.count(TestOutcome.XFAILED)
    suite.set("tests", str(len(final) + broken + (result.outcome is Outcome.SKIPPED)))
    suite.set("failures", str(outcomes.count(TestOutcome.FAILED)))
    suite.set("errors", str(outcomes.count(TestOutcome.ERROR) + broken))
    suite.set("skipped", str(skipped + (result.outcome is Outcome.SKIPPED)))
    suite.set("time", _time(result.seconds))
    if record.spans:
        began = datetime.fromtimestamp(record.spans[0].start, UTC)
        suite.set("timestamp", began.strftime("%Y-%m-%dT%H:%M:%S"))
    reruns: list[TestResult] = []
    for test in tests:
        if test.outcome is TestOutcome.RERUN:
            reruns.append(test)
        else:
            _case(suite, name, test, [again for again in reruns if again.id == test.id])
    # A target that could not run has no test that says so: a reader must not take it for a success.
    if broken or result.outcome is Outcome.SKIPPED:
        case = SubElement(suite, "testcase", name="(the whole target)", classname=name, time="0")
        kind = "error" if broken else "skipped"
        SubElement(case, kind, message=legal(result.reason) or str(result.outcome), type=str(result.outcome))
    if result.logs:
        SubElement(suite, "system-out").text = legal("\n".join(map(_log, result.logs)))
    return suite


def _is_bad(test: TestResult) -> bool:
    return test.outcome in (TestOutcome.FAILED, TestOutcome.ERROR)


def _case(suite: Element, name: str, test: TestResult, reruns: list[TestResult]) -> None:
    module, rest = split_id(test.id)
    path = re.sub(r"\.\w+$", "", module).replace("/", ".")
    case = SubElement(
        suite,
        "testcase",
        name=legal(rest or test.id),
        classname=legal(f"{name}.{path}" if path else name),
        time=_time(test.seconds),
    )
    if test.file:
        case.set("file", legal(os.path.normpath(test.file)))  # noqa: PTH - relative, and nowhere looked at
        if test.line:
            case.set("line", str(test.line))
    place = f"{test.file}:{test.line}\n" if test.file and test.line else ""
    message = legal(test.message)
    match test.outcome:
        case TestOutcome.FAILED:
            SubElement(case, "failure", message=message, type="failure").text = legal(place + test.detail)
        case TestOutcome.ERROR:
            SubElement(case, "error", message=message, type="error").text = legal(place + test.detail)
        case TestOutcome.SKIPPED | TestOutcome.XFAILED:
            SubElement(case, "skipped", message=message, type=str(test.outcome))
        case _:
            pass
    for again in reruns:
        kind = "rerunFailure" if _is_bad(test) else "flakyFailure"
        element = SubElement(case, kind, message=legal(again.message), type="failure")
        SubElement(element, "stackTrace").text = legal(again.detail)
    if test.output:
        SubElement(case, "system-out").text = legal(test.output)


def _log(log: ContainerLog) -> str:
    return "\n".join(f"{log.service} | {line.text}" for line in log.lines)


def _time(seconds: float) -> str:
    # A clock that was set back must not make the document invalid.
    return f"{max(0.0, seconds):.3f}"
