"""What an earlier run took, read from its report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.errors import ConfigError
from tasklib.pipeline.durations import read_durations
from tasklib.reporting.files.record import record
from tasklib.reporting.files.runjson import run_json
from tasklib.reporting.folds.run import RunState, advance
from tasklib.results import Stage, Target

from ..reporting import recordings

values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["targets", "target", "tests", "stage", "service", "id", "phases"]), inner
        )
    ),
    max_leaves=12,
)


def test_a_report_tells_what_each_file_of_tests_took(tmp_path: Path) -> None:
    """Of every target that ran a test, with the seconds of its stack."""
    run = RunState()
    for event in recordings.passing():
        run = advance(run, event)
    path = tmp_path / "run.json"
    path.write_text(run_json(record(run)))
    found = read_durations(path)
    whole = record(run)
    assert set(found) == {target.target for target in whole.targets if target.tests}
    for target in whole.targets:
        if target.tests:
            spent = sum(test.result.seconds for test in target.tests)
            assert sum(found[target.target].files.values()) == pytest.approx(spent)
    assert found[Target(Stage.SERVICE, "api")].stack > 0
    assert found[Target(Stage.UNIT, "api")].stack == 0


def test_no_report_tells_nothing(tmp_path: Path) -> None:
    """The first run has none."""
    assert read_durations(tmp_path / "run.json") == {}


@given(values)
def test_what_is_no_report_is_refused(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    """It is read, or named: never half of it, and no machine goes on without what another one has."""
    path = tmp_path_factory.mktemp("report") / "run.json"
    path.write_text(json.dumps(value))
    said = ""
    try:
        read_durations(path)
    except ConfigError as error:
        said = str(error)
    assert not said or str(path) in said
