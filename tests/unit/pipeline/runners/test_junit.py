"""JUnit reports of several writers."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasklib.pipeline.runners.command import reconcile
from tasklib.pipeline.runners.junit import read_junit
from tasklib.pipeline.runners.junit_places import placed
from tasklib.pipeline.suites.suite import Suite, SuiteKind
from tasklib.results import Outcome, Stage, Target, TestOutcome, TestResult
from tasklib.shown.masking import hide

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


@pytest.mark.parametrize(
    "text", ["", "no xml", "<html/>", "<testsuite>", '<?xml version="1.0" encoding="none"?><testsuite/>']
)
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


def written(path: Path, cases: str) -> Path:
    path.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>", encoding="utf-8")
    return path


def test_phpunit_says_first_which_test_it_was(tmp_path: Path) -> None:
    """What is wrong comes after that."""
    said = (
        "CartTest::testTotal with data set #0 (1)\nFailed asserting that 2 matches expected 1.\n\n/x/C.php:8"
    )
    case = f'<testcase name="testTotal with data set #0 (1)"><failure>{said}</failure></testcase>'
    [test] = read_junit(written(tmp_path / "junit.xml", case))
    assert test.message == "Failed asserting that 2 matches expected 1."


@pytest.mark.parametrize("illegal", ["\x1b[31m", "&#x1b;[31m", "&#27;[31m", "\x00", "\ufffe"])
def test_what_xml_does_not_allow_costs_no_report(illegal: str, tmp_path: Path) -> None:
    """Deno and others write colours as they come."""
    case = f'<testcase name="adds"><failure message="{illegal}1 is not 2">trace</failure></testcase>'
    [test] = read_junit(written(tmp_path / "junit.xml", case))
    assert test.outcome is TestOutcome.FAILED
    assert "1 is not 2" in test.message


@pytest.mark.parametrize(
    ("encoding", "begin"),
    [
        ("iso-8859-1", '<?xml version="1.0" encoding="ISO-8859-1" standalone="yes"?>'),
        ("windows-1252", "<?xml version='1.0' encoding='windows-1252'?>"),
        ("utf-16", '<?xml version="1.0" encoding="UTF-16"?>'),
        ("utf-8-sig", '<?xml version="1.0" encoding="UTF-8"?>'),
        ("utf-8", '\n<?xml version="1.0" encoding="UTF-8"?>'),
        ("utf-8", ""),
    ],
)
@pytest.mark.parametrize("illegal", ["\x1b", ""])
def test_a_report_in_another_encoding(encoding: str, begin: str, illegal: str, tmp_path: Path) -> None:
    """What it says is read as it was written, with characters that XML does not allow, too."""
    case = (
        f'<testsuite><testcase name="a"><failure message="{illegal}gr\u00f6\u00dfer"/></testcase></testsuite>'
    )
    (tmp_path / "junit.xml").write_bytes(f"{begin}{case}".encode(encoding))
    [test] = read_junit(tmp_path / "junit.xml")
    assert test.message.endswith("gr\u00f6\u00dfer")


def test_an_encoding_of_several_bytes(tmp_path: Path) -> None:
    """The parser itself reads none of those."""
    text = '<?xml version="1.0" encoding="Shift_JIS"?><testsuite><testcase name="\u5408\u8a08"/></testsuite>'
    (tmp_path / "junit.xml").write_bytes(text.encode("shift_jis"))
    assert [test.id for test in read_junit(tmp_path / "junit.xml")] == ["\u5408\u8a08"]


def test_a_namespace_is_of_no_matter(tmp_path: Path) -> None:
    """Alone and in a folder: a report is known by what its elements are called."""
    case = '<testcase name="a"><failure message="no"/><system-out>printed</system-out></testcase>'
    text = f'<testsuite xmlns="https://example.org/junit">{case}</testsuite>'
    (tmp_path / "TEST-a.xml").write_text(text)
    for path in (tmp_path, tmp_path / "TEST-a.xml"):
        [test] = read_junit(path)
        assert (test.id, test.outcome, test.message) == ("a", TestOutcome.FAILED, "no")
        assert test.output == "printed"


def test_what_nodes_tests_are_part_of_is_in_their_names(tmp_path: Path) -> None:
    """Whoever repeats one has to ask for all of them; others' suites are what they are."""
    case = '<testcase name="adds" classname="test"/>'
    (tmp_path / "junit.xml").write_text(
        '<testsuites><testsuite name="cart" disabled="0" hostname="a"><testsuite name="sum" disabled="0" '
        f'hostname="a">{case}</testsuite>{case}</testsuite>{case}</testsuites>'
    )
    names = [test.id for test in read_junit(tmp_path / "junit.xml")]
    assert names == ["test::cart > sum > adds", "test::cart > adds", "test::adds"]
    assert [test.id for test in read_junit(written(tmp_path / "other.xml", case))] == ["test::adds"]


@pytest.mark.parametrize(
    ("ended", "said"),
    [("exitCode: 3, signal: null", "exit code 3"), ("exitCode: null, signal: 'SIGSEGV'", "SIGSEGV")],
)
def test_how_a_file_of_nodes_ended_is_said(ended: str, said: str, tmp_path: Path) -> None:
    """Its report has it in the words of Node's own error."""
    message = f"[Error: test failed] {{ code: 'ERR_TEST_FAILURE', cause: 'test failed', {ended} }}"
    failure = f'<failure message="test failed">{message}</failure>'
    case = f'<testcase name="/a.test.js" classname="test">{failure}</testcase>'
    [test] = read_junit(written(tmp_path / "junit.xml", case))
    assert (test.message, test.file) == (f"its process ended with {said}", "/a.test.js")


def test_a_folder_of_reports_is_one(tmp_path: Path) -> None:
    """Maven and Gradle write a report for each class."""
    (tmp_path / "junit.xml" / "deep").mkdir(parents=True)
    written(tmp_path / "junit.xml" / "TEST-A.xml", '<testcase name="a"/>')
    written(tmp_path / "junit.xml" / "deep" / "TEST-B.xml", '<testcase name="b"/>')
    assert [test.id for test in read_junit(tmp_path / "junit.xml")] == ["a", "b"]


def test_no_secret_is_cut_before_it_is_hidden(tmp_path: Path) -> None:
    """A message ends somewhere: half a secret would stand there in plain."""
    hide({"API_TOKEN": "zyxwvutsrqponmlk"})
    case = f'<testcase name="a"><failure message="{"x" * 490} zyxwvutsrqponmlk"/></testcase>'
    [test] = read_junit(written(tmp_path / "junit.xml", case))
    assert "zyxw" not in test.message


def test_what_a_failed_test_printed_is_bounded(tmp_path: Path) -> None:
    """Whoever prints hundreds of megabytes fills neither memory nor reports."""
    said = f"<failure>{'x' * 99_999}</failure><system-out>{'y ' * 99_999}</system-out>"
    case = f'<testcase name="a">{said}</testcase>'
    [test] = read_junit(written(tmp_path / "junit.xml", case))
    assert len(test.detail) + len(test.output) < 130_000
    assert "characters left out" in test.output


@pytest.mark.parametrize(
    ("file", "case", "line"),
    [
        # rspec_junit_formatter
        (
            "spec/cart_spec.rb",
            '<testcase classname="spec.cart_spec" name="adds" file="./spec/cart_spec.rb">'
            '<failure message="x">'
            "Failure/Error: expect(1).to eq(2)\n/usr/lib/ruby/gems/3.3/gems/rspec/a.rb:1:in `x'\n"
            "./spec/cart_spec.rb:5:in `block'</failure></testcase>",
            5,
        ),
        # gotestsum
        (
            "internal/cart/cart_test.go",
            '<testcase classname="example.com/shop/internal/cart" name="TestAdds"><failure message="Failed">'
            "=== RUN   TestAdds\n    cart_test.go:9: got 3\n--- FAIL: TestAdds (0.00s)</failure></testcase>",
            9,
        ),
        # PHPUnit: `line` is that of the test
        (
            "tests/CartTest.php",
            '<testcase name="testA" class="CartTest" file="{root}/tests/CartTest.php" line="6"><failure>'
            "CartTest::testA\nno\n\n{root}/vendor/a.php:1\n{root}/tests/CartTest.php:8</failure></testcase>",
            8,
        ),
        # nextest
        (
            "src/lib.rs",
            '<testcase name="tests::adds" classname="shop">'
            '<failure message="thread panicked at src/lib.rs:9:5">'
            "at /root/.cargo/registry/src/lib.rs:1:1\nthread panicked at src/lib.rs:9:5:\nno"
            "</failure></testcase>",
            9,
        ),
        # JunitXml.TestLogger
        (
            "CartTests.cs",
            '<testcase classname="Shop.CartTests" name="Adds"><failure message="Assert.Equal() Failure">'
            "   at Shop.CartTests.Adds() in {root}/CartTests.cs:line 12</failure></testcase>",
            12,
        ),
        # Surefire
        (
            "src/test/java/com/shop/CartTest.java",
            '<testcase name="adds" classname="com.shop.CartTest">'
            '<failure message="expected: 3">org.x: expected\n'
            "\tat org.junit.Assert.fail(Assert.java:89)\n"
            "\tat com.shop.CartTest.adds(CartTest.java:9)</failure></testcase>",
            9,
        ),
        # node:test
        (
            "tests/a.test.mjs",
            '<testcase name="adds" classname="test"><failure message="no">at node:internal/x:1:1\n'
            "    at TestContext.&lt;anonymous&gt; (file://{root}/tests/a.test.mjs:3:22)</failure></testcase>",
            3,
        ),
        # unittest-xml-reporting
        (
            "shop/tests.py",
            '<testcase name="test_a" classname="shop.tests.CartTest" file="shop/tests.py">'
            '<failure message="no">'
            'Traceback:\n  File "/usr/lib/python3.11/unittest/case.py", line 1, in x\n'
            '  File "{root}/shop/tests.py", line 4, in test_a\nAssertionError</failure></testcase>',
            4,
        ),
        # Deno before it said `classname`
        (
            "a_test.ts",
            '<testcase name="a" filename="./a_test.ts" line="3"><failure message="no"/></testcase>',
            3,
        ),
        ("x.py", '<testcase name="a" file="gone.py" line="3"><failure message="gone.py:4"/></testcase>', 3),
    ],
)
def test_the_place_of_a_failure_is_found(file: str, case: str, line: int, tmp_path: Path) -> None:
    """Each as its writer writes it: a file of the target's own, and the line that failed in it."""
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).touch()
    suite = Suite(Target(Stage.UNIT, "shop"), SuiteKind.COMMAND, (), tmp_path, tmp_path)
    [test] = read_junit(written(tmp_path / "junit.xml", case.replace("{root}", str(tmp_path))))
    found = placed(test, suite)
    assert (found.file, found.line) == (file if file != "x.py" else "gone.py", line)


def test_in_a_container_the_folder_is_called_otherwise(tmp_path: Path) -> None:
    """What is below it is the same."""
    (tmp_path / "spec").mkdir()
    (tmp_path / "spec" / "a_spec.rb").touch()
    suite = Suite(Target(Stage.UNIT, "shop"), SuiteKind.COMMAND, (), tmp_path, tmp_path, inside="web")
    case = '<testcase name="a"><failure message="no">/app/spec/a_spec.rb:7:in x</failure></testcase>'
    [test] = read_junit(written(tmp_path / "junit.xml", case))
    assert (placed(test, suite).file, placed(test, suite).line) == ("spec/a_spec.rb", 7)


@pytest.mark.parametrize(
    ("name", "file", "message"),
    [
        ("a" * 300, None, "a_spec.rb:7"),
        ("cart", "b" * 300, "no place"),
        ("cart", None, "c" * 280 + ".rb:7"),
        ("cart", None, "a_spec.rb:" + "7" * 5000),
    ],
)
def test_names_that_no_file_can_have_are_no_place(
    name: str, file: str | None, message: str, tmp_path: Path
) -> None:
    """Titles of tests are sentences, some of them long ones."""
    suite = Suite(Target(Stage.UNIT, "shop"), SuiteKind.COMMAND, (), tmp_path, tmp_path)
    test = TestResult(f"{name}::total", TestOutcome.FAILED, file=file, message=message)
    assert placed(test, suite) == test


def test_other_documents_in_a_folder_of_reports_are_left_out(tmp_path: Path) -> None:
    """TestNG's are beside Surefire's reports; half a report is none, there as elsewhere."""
    (tmp_path / "TEST-a.xml").write_text('<testsuite><testcase name="a"/></testsuite>')
    (tmp_path / "testng-results.xml").write_text("<testng-results/>")
    assert [test.id for test in read_junit(tmp_path)] == ["a"]
    (tmp_path / "TEST-b.xml").write_text('<testsuite><testcase name="b"/>')
    with pytest.raises(ValueError, match="no element found"):
        read_junit(tmp_path)
