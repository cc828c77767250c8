"""The schemas of the JSON lines and of run.json, and the page about them."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tasklib.events import Notice, TestFinished
from tasklib.reporting.files.record import record
from tasklib.reporting.files.runjson import ReportedTarget, ReportedTest, RunDocument, run_document
from tasklib.reporting.folds.run import RunState, advance
from tasklib.reporting.lines.jsonlines import KINDS, to_object
from tasklib.reporting.schema.documents import as_text, event_schema, files, run_schema
from tasklib.reporting.schema.members import members, reachable
from tasklib.reporting.schema.page import page
from tasklib.results import Outcome, Stage, Target, TestOutcome, TestResult

from .. import recordings

PAGE = Path(__file__).parents[4] / "docs" / "json-events.md"
RECORDED = {
    name: getattr(recordings, name)()
    for name in ("passing", "failing_unit", "failing_service", "interrupted")
}
EVENT = jsonschema.Draft7Validator(event_schema())
RUN = jsonschema.Draft7Validator(run_schema())


def test_the_page_is_up_to_date() -> None:
    """``python -m tasklib.reporting.schema > docs/json-events.md`` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize(("path", "schema"), files().items(), ids=lambda found: getattr(found, "name", ""))
def test_the_schemas_in_the_package_are_the_types(path: Path, schema: dict[str, Any]) -> None:
    """What is shipped is what the types say today, and is a schema."""
    jsonschema.Draft7Validator.check_schema(schema)
    assert path.read_text(encoding="utf-8") == as_text(schema), (
        "an event has changed: run `python -m tasklib.reporting.schema > docs/json-events.md`"
    )


@pytest.mark.parametrize("name", RECORDED)
def test_every_event_fits(name: str) -> None:
    """As it is written."""
    for event in RECORDED[name]:
        EVENT.validate(json.loads(json.dumps(to_object(event))))


@pytest.mark.parametrize("name", RECORDED)
def test_the_document_of_a_run_fits(name: str) -> None:
    """As `--report run.json` writes it."""
    state = functools.reduce(advance, RECORDED[name], RunState())
    RUN.validate(json.loads(json.dumps(run_document(record(state)))))


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"event": "nothing"},
        {"at": "now"},
        {"text": 3},
        {"level": "loud"},
        {"target": {"stage": "unit"}},
    ],
)
def test_what_is_no_event_does_not_fit(change: dict[str, object]) -> None:
    """Another version, an unknown kind, a wrong type, no value of a choice, a missing field."""
    found = to_object(Notice("x", target=Target(Stage.UNIT, "api")))
    assert EVENT.is_valid(found)
    assert not EVENT.is_valid({**found, **change})


def test_a_field_that_is_missing_does_not_fit_and_one_that_is_new_does() -> None:
    """Readers may count on every field, and later versions may add some."""
    found = to_object(TestFinished(Target(Stage.UNIT, "api"), TestResult("test_a", TestOutcome.PASSED)))
    assert EVENT.is_valid({**found, "colour": "red"})
    found["result"].pop("seconds")
    assert not EVENT.is_valid(found)


@pytest.mark.parametrize("kind", [*KINDS.values(), RunDocument, ReportedTarget, ReportedTest])
def test_every_field_has_a_meaning(kind: type) -> None:
    """Its own, or that of its type."""
    own = reachable((kind,))
    unsaid = [m.name for m in members(kind) if not m.meaning and m.type not in own and m.name != "at"]
    assert unsaid == []


def test_values_mean_something_too() -> None:
    """Every field and every choice, down to the last one, has its row on the page filled."""
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) > 80
    assert [row for row in rows if row.split("|")[-2].strip() == ""] == []
    assert all(f"| `{outcome}` |" in page() for outcome in Outcome)
