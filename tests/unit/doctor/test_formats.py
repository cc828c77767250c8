"""Findings as others read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from tasklib.doctor.findings import Finding, Severity
from tasklib.doctor.formats import printed
from tasklib.errors import UsageError

FINDING = Finding(
    "TL101",
    Severity.ERROR,
    Path("/p/deploy/test/a,b.yml"),
    3,
    7,
    "api publishes 8000\n::error::x",
    "Publish the port alone.",
)


def lines(format: str) -> list[str]:
    return list(printed([FINDING], format, Path("/p")))


def test_json_is_one_array_of_the_contracts_keys() -> None:
    """Paths are relative to the folder that was examined."""
    (found,) = json.loads("\n".join(lines("json")))
    assert found == {
        "code": "TL101",
        "severity": "error",
        "file": "deploy/test/a,b.yml",
        "line": 3,
        "column": 7,
        "message": FINDING.message,
        "fix": FINDING.fix,
    }


def test_an_annotation_is_one_line_whatever_is_in_it() -> None:
    """A name or a value cannot start a command of its own."""
    (line,) = lines("github")
    assert line.startswith("::error file=deploy/test/a%2Cb.yml,line=3,col=7,title=TL101::")
    assert "\n" not in line


def test_sarif_names_every_rule_and_the_place() -> None:
    """As code scanning reads it."""
    (run,) = json.loads("\n".join(lines("sarif")))["runs"]
    (result,) = run["results"]
    assert result["ruleId"] in {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 7}


def test_sarif_names_places_as_uris() -> None:
    """What a space, a `#` or another alphabet would end or change."""
    for path, uri in {"a b/ü#1.yml": "a%20b/%C3%BC%231.yml", "/other/a b": "file:///other/a%20b"}.items():
        finding = replace(FINDING, file=Path("/p") / path)
        (run,) = json.loads("\n".join(printed([finding], "sarif", Path("/p"))))["runs"]
        assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": uri}


def test_another_format_is_refused() -> None:
    """It says which there are."""
    with pytest.raises(UsageError, match="text, json, github, sarif"):
        lines("xml")
