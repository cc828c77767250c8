"""The JSON of a real run, held to the schemas that come with the package."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from tasklib.reporting.schema.documents import files

from ..conftest import NewProject
from ..projects import PYTHON, compose

SCHEMAS = {
    path.name: jsonschema.Draft7Validator(json.loads(path.read_text(encoding="utf-8"))) for path in files()
}

TESTS = """
    import os, urllib.request
    import pytest

    def test_answers():
        assert urllib.request.urlopen(os.environ["TEST_API_URL"]).status == 200

    def test_fails():
        print("asked")
        assert 1 + 1 == 3

    @pytest.fixture
    def broken():
        raise OSError("no shop")

    def test_error(broken): pass

    @pytest.mark.skip
    def test_skipped(): pass

    @pytest.mark.xfail
    def test_expected_to_fail(): assert False
"""


def test_what_a_run_writes_fits_the_schemas(project: NewProject, engine: object, tmp_path: Path) -> None:
    """Every line of `--format json` and of run.jsonl, and run.json: with tests of every outcome and logs."""
    served = compose(
        api=f"""
            image: {PYTHON}
            command: sh -c 'echo ready to sell; exec python -u -m http.server 8000'
            ports: ["8000"]
        """
    )
    shop = project(
        {
            "services/api/tests/unit/test_price.py": "def test_price(): assert 2 * 3 == 6\n",
            "services/api/tests/integration/test_api.py": TESTS,
            "services/api/deploy/test/docker-compose.yml": served,
            "tests/integration/test_shop.py": TESTS,
            "deploy/test/docker-compose.yml": served,
        }
    )
    reports = [tmp_path / "run.json", tmp_path / "run.jsonl"]
    named = (word for report in reports for word in ("--report", str(report)))
    ran = shop.run("tasklib", "test", "--format", "json", *named)
    assert ran.code == 1, ran

    lines = [*ran.out.splitlines(), *reports[1].read_text(encoding="utf-8").splitlines()]
    events = [json.loads(line) for line in lines]
    for event in events:
        SCHEMAS["events.schema.json"].validate(event)
    kinds = {event["event"] for event in events}
    assert kinds >= {
        "run_started",
        "phase_started",
        "test_finished",
        "output",
        "target_finished",
        "run_finished",
    }
    outcomes = {event["result"]["outcome"] for event in events if event["event"] == "test_finished"}
    assert outcomes == {"passed", "failed", "error", "skipped", "xfailed"}

    document = json.loads(reports[0].read_text(encoding="utf-8"))
    SCHEMAS["run.schema.json"].validate(document)
    assert [log["service"] for log in document["targets"][1]["logs"]] == ["api"]
