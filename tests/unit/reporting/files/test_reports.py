"""The report files: JUnit XML, JSON and the page."""

from __future__ import annotations

import functools
import itertools
import json
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tasklib.errors import UsageError
from tasklib.events import Event, RunStarted
from tasklib.reporting.files.chart import ticks
from tasklib.reporting.files.html import run_html
from tasklib.reporting.files.junit import junit_xml
from tasklib.reporting.files.record import RunRecord, record
from tasklib.reporting.files.reports import ReportSink, check_reports
from tasklib.reporting.files.runjson import run_document
from tasklib.reporting.files.timeline import critical_path, waits
from tasklib.reporting.folds.folding import Folding
from tasklib.reporting.folds.run import RunState, advance
from tasklib.reporting.folds.spans import Activity
from tasklib.results import Outcome, Stage, Target, TestOutcome, TestResult

from ....examples import examples
from .. import recordings
from ..recordings import T0

API = Target(Stage.UNIT, "api")


@functools.cache
def schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))


def record_of(events: list[Event]) -> RunRecord:
    return record(functools.reduce(advance, events, RunState()))


RUNS = {
    "passing": recordings.passing(),
    "failing": recordings.failing_service(),
    "interrupted": recordings.interrupted(),
    "large": recordings.large(),
    "broken off": recordings.passing()[:150],
    "empty": [],
}


@pytest.mark.parametrize("name", RUNS)
def test_junit_is_valid(name: str) -> None:
    """Whatever became of a run, its JUnit report fits the schema that CI systems use."""
    schema().validate(junit_xml(record_of(RUNS[name])))


hostile = st.text(st.characters(exclude_categories=[]), max_size=40) | st.sampled_from(
    [
        "\x00\x1b[31m",
        "]]>",
        "&<>\"'",
        "\ud800",
        "\ufffe",
        "a\nb\tc",
        "{{ 7 * 7 }}",
        "<script>alert(1)</script>",
    ]
)


@given(text=hostile, outcome=st.sampled_from(TestOutcome))
def test_junit_holds_any_text(text: str, outcome: TestOutcome) -> None:
    """Ids, messages and output with characters that XML cannot hold still make a valid document."""
    test = TestResult(f"t.py::{text}", outcome, message=text, detail=text, output=text, file=text, line=1)
    recording = recordings.Recording((API,), project=text)
    recording.target(API, 0.1, [test], reason=text)
    schema().validate(junit_xml(record_of(recording.finish())))


def test_junit_counts_and_names_tests() -> None:
    """Suites are targets, with the counts of their tests; a failure says where and what."""
    root = ElementTree.fromstring(junit_xml(record_of(recordings.failing_unit())))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("45", "1", "0")
    suite = root[0]
    assert (suite.get("name"), suite.get("package"), suite.get("tests")) == ("unit api", "unit", "30")
    case = next(case for case in suite if case.find("failure") is not None)
    assert case.get("name") == "TestOrders::test_total_of_an_order"
    assert case.get("classname") == "unit api.tests.unit.test_orders"
    assert case.get("file") == "tests/unit/test_orders.py"
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "assert 1560 == 1650"
    assert (failure.text or "").startswith("tests/unit/test_orders.py:41\n")
    assert case.findtext("system-out") == "rounding 1560.0\nrounding 90.0\n"


def test_junit_says_that_a_target_could_not_run() -> None:
    """A target without tests that broke is an error in the report, a skipped one is skipped."""
    root = ElementTree.fromstring(junit_xml(record_of(recordings.failing_service())))
    suites = {suite.get("name"): suite for suite in root}
    error = suites["service worker"].find("testcase/error")
    assert error is not None
    assert "exited with code 1" in (error.get("message") or "")
    assert suites["integration shop"].find("testcase/skipped") is not None
    assert suites["service api"].findtext("system-out", "").startswith("worker | worker ready")


def test_junit_tells_a_flaky_test_from_a_failed_one() -> None:
    """A test that passed at its second attempt is one passed test with a flaky failure."""
    again = replace(recordings.FAILURE, outcome=TestOutcome.RERUN)
    passed = replace(recordings.FAILURE, outcome=TestOutcome.PASSED)
    recording = recordings.Recording((API,))
    recording.target(API, 0.1, [again, passed])
    text = junit_xml(record_of(recording.finish()))
    schema().validate(text)
    suite = ElementTree.fromstring(text)[0]
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
    assert suite.find("testcase/flakyFailure") is not None


def test_spans_show_phases_and_waits() -> None:
    """A target that was ready before its turn waited between its start and its tests."""
    record = record_of(recordings.passing())
    integration = record.targets[-1]
    assert [span.activity for span in integration.spans] == [
        Activity.BUILD, Activity.START, Activity.WAIT, Activity.TEST, Activity.CLEAN,
    ]  # fmt: skip
    assert integration.spans[1].notes == ("database: starting", "waiting for api: health starting")


def test_what_waited_for_what() -> None:
    """The integration tests waited for the service stage's last target."""
    found = {str(wait.target): wait for wait in waits(record_of(recordings.passing())) if wait.blocker}
    blocker = found["integration shop"].blocker
    assert blocker is not None
    assert str(blocker.target) == "service frontend"
    assert found["integration shop"].seconds == pytest.approx(0.9, abs=0.1)


@pytest.mark.parametrize("name", RUNS)
def test_the_critical_path_leads_to_the_end(name: str) -> None:
    """Its spans follow each other and end with the run's last; nothing on it waits."""
    record = record_of(RUNS[name])
    path = critical_path(record)
    assert all(before.end <= after.start + 0.01 for before, after in itertools.pairwise(path))
    assert all(span.activity is not Activity.WAIT for span in path)
    ends = [span.end for target in record.targets for span in target.spans]
    assert not ends or path[-1].end == max(ends)


def test_the_json_report_holds_the_run() -> None:
    """The document has every test with its times, spans, waits and the exit code, and is JSON."""
    document = json.loads(json.dumps(run_document(record_of(recordings.failing_service()))))
    assert document["v"] == 1
    assert (document["outcome"], document["exit_code"]) == ("error", 1)
    api = document["targets"][0]
    assert api["target"] == {"stage": "unit", "service": "api"}
    assert len(api["tests"]) == 30
    assert api["tests"][0]["end"] > T0
    assert document["critical_path"][-1]["activity"] == "clean"


class Page(HTMLParser):
    """Collects what a browser would load or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [
            value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")
        ]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("name", RUNS)
def test_the_page_loads_and_runs_nothing(name: str) -> None:
    """The page has no script and no reference to anything outside itself."""
    page = Page(run_html(record_of(RUNS[name]), limits={}))
    assert "script" not in page.tags
    assert page.links == []


@given(text=hostile)
@examples(0.2)
def test_the_page_shows_hostile_text_as_text(text: str) -> None:
    """What tests are called and print is text on the page, never markup of it."""
    test = TestResult(f"t.py::{text}", TestOutcome.FAILED, message=text, detail=text, output=text)
    recording = recordings.Recording((API,), project=text, instance=text)
    recording.target(API, 0.1, [test])
    recording.notice(0.2, text)
    page = Page(run_html(record_of(recording.finish()), limits={}))
    assert "script" not in page.tags
    page.close()


def test_the_page_tells_failures_and_slow_tests() -> None:
    """Failures with their command, tests above their limit and the critical path are on the page."""
    text = run_html(record_of(recordings.large()), limits={Stage.UNIT: 1.0}, base=recordings.ROOT)
    words = " ".join(" ".join(Page(text).words).split())
    assert "services/emails/tests/integration/test_jobs.py:58" in words
    assert "invoke test.service --name emails -k 'test_order_is_paid[emails]'" in words
    assert "above its limit of 1s" in words
    assert "container search-index did not become healthy" in words
    assert 'id="slowest"' in text


def test_a_run_that_broke_off_is_reported_as_interrupted(tmp_path: Path) -> None:
    """Where no end of the run comes, leaving the context writes what is known."""
    complaints: list[str] = []
    path = tmp_path / "new" / "run.json"
    with ReportSink([path], limits={}, base="", complain=complaints.append) as reports:
        sink = Folding(reports)
        for event in recordings.passing()[:150]:
            sink.emit(event)
    document = json.loads(path.read_text())
    assert document["outcome"] == str(Outcome.INTERRUPTED)
    assert complaints == []


def test_all_kinds_are_written_and_nothing_else(tmp_path: Path) -> None:
    """Each suffix gets its kind; no temporary file stays behind."""
    paths = [tmp_path / name for name in ("run.xml", "run.json", "run.HTML")]
    check_reports(paths)
    with ReportSink(paths, limits={}, base="", complain=pytest.fail) as reports:
        sink = Folding(reports)
        for event in recordings.failing_service():
            sink.emit(event)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.HTML", "run.json", "run.xml"]
    assert [path.read_text()[:5] for path in paths] == ["<?xml", '{\n "v', "<!doc"]


def test_a_report_that_cannot_be_written_is_told_of(tmp_path: Path) -> None:
    """A failing report does not fail the run, and is named."""
    (tmp_path / "run.xml").mkdir()
    complaints: list[str] = []
    with ReportSink([tmp_path / "run.xml"], limits={}, base="", complain=complaints.append) as reports:
        sink = Folding(reports)
        sink.emit(RunStarted("p", "i", ()))
    assert "run.xml not written" in complaints[0]


@pytest.mark.parametrize(
    ("name", "message"), [("run.pdf", "unknown kind"), ("run", "unknown kind"), ("", "unknown kind")]
)
def test_unknown_kinds_are_refused_before_the_run(tmp_path: Path, name: str, message: str) -> None:
    """A suffix without a kind of report is wrong usage, said before anything runs."""
    with pytest.raises(UsageError, match=message):
        check_reports([tmp_path / name])


@given(st.floats(0.01, 100_000), st.integers(3, 12))
def test_ticks_are_few_round_and_increasing(length: float, count: int) -> None:
    """The axis starts at 0, has at most the wanted number of steps and stays within the run."""
    found = ticks(length, count)
    assert found[0] == 0
    assert 1 <= len(found) <= count + 1
    assert found == sorted(set(found))
    assert found[-1] <= length * 1.001
