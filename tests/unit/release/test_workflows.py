"""Workflow files: valid by the published schema, and the rules of a release."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tasklib.release.workflows import Facts, Forge, workflows

SHOP = Facts(("api", "web"), node=True, registry="registry.example.com")
SINGLE = Facts(("shop",), single=True, registry="ghcr.io")


def schema() -> Any:
    path = files("check_jsonschema").joinpath("builtin_schemas/vendor/github-workflows.json")
    return json.loads(path.read_text())


def parsed(facts: Facts, forge: Forge) -> dict[str, dict[str, Any]]:
    """The files by name; YAML 1.1 takes the key `on` for true."""
    found = {}
    for path, text in workflows(facts, forge).items():
        data = yaml.safe_load(text)
        data["on"] = data.pop(True)
        found[path.rpartition("/")[2]] = data
    return found


def scripts(workflow: dict[str, Any]) -> list[str]:
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("forge", Forge)
@pytest.mark.parametrize("facts", [SHOP, SINGLE, Facts(("a",), folder="sub folder", base_branch="ma'in")])
def test_valid(facts: Facts, forge: Forge) -> None:
    """Every file fits the published schema of workflows."""
    for workflow in parsed(facts, forge).values():
        jsonschema.validate(workflow, schema())


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), min_size=1, unique=True),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
)
def test_hostile_names(services: list[str], branch: str) -> None:
    """Whatever services and branches are called, they are values and reach no script but as variables."""
    for forge in Forge:
        found = parsed(Facts(services, base_branch=branch), forge)
        assert found["test.yml"]["on"]["push"]["branches"] == [branch]
        if forge is Forge.GITEA:
            assert found["test.yml"]["jobs"]["test"]["strategy"]["matrix"] == {"service": services}
        plain = parsed(Facts(["x"]), forge)
        assert {name: scripts(file) for name, file in found.items()} == {
            name: scripts(file) for name, file in plain.items()
        }


@pytest.mark.parametrize("forge", Forge)
@pytest.mark.parametrize("facts", [SHOP, SINGLE])
def test_no_expression_in_a_script(facts: Facts, forge: Forge) -> None:
    """No script holds an expression: what a branch or tag is called is never run."""
    for workflow in parsed(facts, forge).values():
        assert not [script for script in scripts(workflow) if "${{" in script]


@pytest.mark.parametrize("forge", Forge)
@pytest.mark.parametrize("facts", [SHOP, SINGLE])
def test_release(facts: Facts, forge: Forge) -> None:
    """A release runs for version tags, builds only after the tests passed, and leaves `latest` to tasklib."""
    release = parsed(facts, forge)["release.yml"]
    assert release["on"] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+*"]}}
    assert "test" in release["jobs"]["images"]["needs"]
    assert "tasklib test" in scripts(release)
    assert scripts(release)[-1].startswith('tasklib release.images --version "$VERSION"')
    assert not [script for script in scripts(release) if "latest" in script]
    assert release["jobs"]["images"]["steps"][0]["with"]["fetch-depth"] == 0


def test_matrix() -> None:
    """GitHub takes its rows from tasklib, Gitea lists them, a single-service project has no matrix."""
    rows = "${{ fromJSON(needs.services.outputs.matrix) }}"
    github, gitea = parsed(SHOP, Forge.GITHUB), parsed(SHOP, Forge.GITEA)
    for name, job in (("test.yml", "test"), ("release.yml", "images")):
        assert github[name]["jobs"][job]["strategy"]["matrix"] == rows
        assert gitea[name]["jobs"][job]["strategy"]["matrix"] == {"service": ["api", "web"]}
        assert "strategy" not in parsed(SINGLE, Forge.GITHUB)[name]["jobs"][job]


def test_gitea_uses_nothing_that_it_ignores() -> None:
    """What Gitea does not support is not in its files."""
    for workflow in parsed(SHOP, Forge.GITEA).values():
        assert not {"concurrency", "permissions", "run-name"} & workflow.keys()
        assert not [script for script in scripts(workflow) if "GITHUB_OUTPUT" in script]


def test_registry_of_github() -> None:
    """GitHub's own registry takes the workflow's token, with permission for packages in that job alone."""
    release = parsed(SINGLE, Forge.GITHUB)["release.yml"]
    assert release["permissions"] == {"contents": "read"}
    job = release["jobs"]["images"]
    assert job["permissions"]["packages"] == "write"
    login = next(step for step in job["steps"] if "docker login ghcr.io" in step.get("run", ""))
    assert login["env"]["REGISTRY_PASSWORD"] == "${{ secrets.GITHUB_TOKEN }}"
