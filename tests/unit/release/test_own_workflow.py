"""The workflow of this repository: in the frame that tasklib writes for others, and as strict."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from msgspec.structs import replace

from tasklib.release.workflows.files import Forge, workflows

from .test_workflows import SINGLE, ZIZMOR, parsed, schema, scripts

ROOT = Path(__file__).parents[3]
FILE = ROOT / ".github/workflows/test.yml"
OWN = yaml.safe_load(FILE.read_text())
OWN["on"] = OWN.pop(True)


def test_it_is_a_workflow_in_our_frame() -> None:
    """It fits the published schema; when it runs, what stops it and what it may are as in the templates."""
    schema().validate(OWN)
    frame = parsed(SINGLE, Forge.GITHUB)["test.yml"]
    assert {key: OWN[key] for key in ("on", "concurrency", "permissions")} == {
        key: frame[key] for key in ("on", "concurrency", "permissions")
    }


def test_its_actions_are_those_of_the_templates() -> None:
    """Pinned by the same commits, so that one look at new versions is enough."""
    pinned = re.compile(r"uses: (.*)")
    ours = set(pinned.findall(FILE.read_text()))
    assert ours
    templates = workflows(replace(SINGLE, node=True), Forge.GITHUB).values()
    assert ours <= set(pinned.findall("".join(templates)))
    assert FILE.read_text().count("actions/checkout@") == FILE.read_text().count("persist-credentials: false")


def test_every_job_is_bounded_and_required() -> None:
    """Each may read at most, and ends; the gate waits for all others and counts them."""
    jobs = dict(OWN["jobs"])
    assert all(
        job["timeout-minutes"] and job["permissions"] in ({}, {"contents": "read"}) for job in jobs.values()
    )
    gate = jobs.pop("gate")
    assert (gate["if"], set(gate["needs"])) == ("always()", set(jobs))
    assert " ".join(["success"] * len(jobs)) in gate["steps"][0]["run"]
    assert not [script for script in scripts(OWN) if "${{" in script]


def test_it_runs_what_the_readme_says_on_every_python_that_is_promised() -> None:
    """The README's line is .ci/run's; the versions are those of the package's classifiers."""
    assert ".ci/run" in scripts(OWN)
    line = "python3 dev test --provide-engine"
    assert line in (ROOT / ".ci/run").read_text()
    assert line in (ROOT / "README.md").read_text()
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(classifiers))
    assert OWN["jobs"]["unit"]["strategy"]["matrix"] == {"python": promised}


@pytest.mark.skipif(not ZIZMOR.exists(), reason="zizmor is not installed: pip install -e '.[dev]'")
def test_security() -> None:
    """zizmor finds nothing in what the repository's folder for GitHub holds, however strict it is."""
    options = ["--offline", "--persona=auditor", "--no-progress"]
    done = subprocess.run([ZIZMOR, *options, ROOT / ".github"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
