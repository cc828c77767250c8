"""Workflow files: valid by the published schema, and the rules of a release."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tasklib.release.workflows.files import Facts, Forge, workflows

from ...examples import examples

SHOP = Facts(("api", "web"), node=True, registry="registry.example.com")
SHARED = Facts(("api", "web"), node=True, registry="ghcr.io", shards=3)
SOCKET = Facts(("api", "web"), registry="registry.example.com", shards=3, dind=False)
FORGES = (Forge.GITHUB, Forge.GITEA)
"""Those whose workflows are GitHub's."""

SINGLE = Facts(("shop",), single=True, registry="ghcr.io")


@cache
def schema(name: str = "github-workflows") -> Any:
    """A published schema, as what looks whether a file fits it."""
    path = files("check_jsonschema").joinpath(f"builtin_schemas/vendor/{name}.json")
    content = json.loads(path.read_text())
    return jsonschema.validators.validator_for(content)(content)


@cache
def loaded(text: str) -> Any:
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # the fast one, where it is there


def parsed(facts: Facts, forge: Forge) -> dict[str, dict[str, Any]]:
    """The files by name; YAML 1.1 takes the key `on` for true."""
    found = {}
    for path, text in workflows(facts, forge).items():
        data = copy.deepcopy(loaded(text))
        data["on"] = data.pop(True)
        found[path.rpartition("/")[2]] = data
    return found


def scripts(workflow: dict[str, Any]) -> list[str]:
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("forge", FORGES)
@pytest.mark.parametrize("facts", [SHOP, SINGLE, Facts(("a",), folder="sub folder", base_branch="ma'in")])
def test_valid(facts: Facts, forge: Forge) -> None:
    """Every file fits the published schema of workflows."""
    for workflow in parsed(facts, forge).values():
        schema().validate(workflow)


@examples(0.3)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), min_size=1, unique=True),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1),
)
def test_hostile_names(services: list[str], branch: str) -> None:
    """Whatever services and branches are called, they are values and reach no script but as variables."""
    for forge in FORGES:
        found = parsed(Facts(services, base_branch=branch), forge)
        (pattern,) = found["test.yml"]["on"]["push"]["branches"]
        assert re.sub(r"\\(.)", r"\1", pattern) == branch
        assert not re.search(r"(?<!\\)(\\\\)*[+!?*\[\]]", pattern)
        if forge is Forge.GITEA:
            assert found["test.yml"]["jobs"]["test"]["strategy"]["matrix"] == {"service": services}
        plain = parsed(Facts(["x"]), forge)
        assert {name: scripts(file) for name, file in found.items()} == {
            name: scripts(file) for name, file in plain.items()
        }


@pytest.mark.parametrize("forge", FORGES)
@pytest.mark.parametrize("facts", [SHOP, SINGLE])
def test_no_expression_in_a_script(facts: Facts, forge: Forge) -> None:
    """No script holds an expression: what a branch or tag is called is never run."""
    for workflow in parsed(facts, forge).values():
        assert not [script for script in scripts(workflow) if "${{" in script]


@pytest.mark.parametrize("forge", FORGES)
@pytest.mark.parametrize("facts", [SHOP, SINGLE])
def test_release(facts: Facts, forge: Forge) -> None:
    """A release runs for version tags, builds only after the tests passed, and leaves `latest` to tasklib."""
    release = parsed(facts, forge)["release.yml"]
    assert release["on"] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+*"]}}
    assert "test" in release["jobs"]["images"]["needs"]
    assert "tasklib test" in scripts(release)
    *_, push, leaving = release["jobs"]["images"]["steps"]
    assert 'tasklib release.images --version "$VERSION"' in push["run"]
    # A machine of one's own still is there afterwards.
    assert (leaving["if"], "docker logout" in leaving["run"]) == ("always()", True)
    assert not [script for script in scripts(release) if "latest" in script]
    assert release["jobs"]["images"]["steps"][0]["with"]["fetch-depth"] == 0
    assert "strategy" not in release["jobs"]["images"]
    assert not [step for job in release["jobs"].values() for step in job["steps"] if "cache@" in str(step)]
    assert "VERSION" not in release.get("env", {})


def test_provenance() -> None:
    """GitHub signs every digest in a job that may do nothing else, and runs nothing of the project."""
    jobs = parsed(SHOP, Forge.GITHUB)["release.yml"]["jobs"]
    job = jobs["provenance"]
    assert job["permissions"] == {"id-token": "write", "attestations": "write"}
    assert not [other for name, other in jobs.items() if name != "provenance" and "id-token" in str(other)]
    digests, attest = job["steps"]
    assert attest["uses"].startswith("actions/attest@")
    assert "checkout" not in str(job)
    assert "docker buildx create --use" in str(jobs["images"]["steps"])
    assert digests["run"].endswith(f"{attest['with']['subject-checksums']}\n")
    release = jobs_of(gitlab(SHOP))["release-images"]["script"]
    assert release.index("docker buildx create --use release") < len(release) - 1


def test_matrix() -> None:
    """GitHub takes its rows from tasklib, Gitea lists them, a single-service project has no matrix."""
    rows = "${{ fromJSON(needs.services.outputs.matrix) }}"
    github, gitea = parsed(SHOP, Forge.GITHUB)["test.yml"], parsed(SHOP, Forge.GITEA)["test.yml"]
    assert github["jobs"]["test"]["strategy"]["matrix"] == rows
    assert gitea["jobs"]["test"]["strategy"]["matrix"] == {"service": ["api", "web"]}
    assert parsed(SINGLE, Forge.GITHUB)["test.yml"]["jobs"].keys() == {"project", "gate"}


@pytest.mark.parametrize("facts", [SHOP, SINGLE])
def test_gate(facts: Facts) -> None:
    """The gate waits for all other jobs and runs whatever becomes of them."""
    jobs = parsed(facts, Forge.GITHUB)["test.yml"]["jobs"]
    gate = jobs.pop("gate")
    assert (gate["if"], set(gate["needs"])) == ("always()", set(jobs))


@pytest.mark.parametrize(
    ("services", "matrix", "test", "integration", "passes"),
    [
        ("success", ["api"], "success", "success", True),
        ("success", [], "skipped", "success", True),
        ("success", ["api"], "skipped", "success", False),
        ("success", ["api"], "failure", "skipped", False),
        ("success", ["api"], "success", "skipped", False),
        ("success", ["api"], "success", "failure", False),
        ("success", ["api"], "cancelled", "cancelled", False),
        ("failure", None, "skipped", "skipped", False),
    ],
)
def test_verdict_of_the_gate(
    services: str, matrix: list[str] | None, test: str, integration: str, passes: bool
) -> None:
    """Skipped is no success, unless no service had to be tested."""
    [step] = parsed(SHOP, Forge.GITHUB)["test.yml"]["jobs"]["gate"]["steps"]
    rows = "" if matrix is None else json.dumps({"include": [{"service": name} for name in matrix]})
    env = {"SERVICES": services, "MATRIX": rows, "TEST": test, "INTEGRATION": integration}
    assert set(step["env"]) == set(env)
    done = subprocess.run(["bash", "-e", "-c", step["run"]], env=env, capture_output=True, check=False)
    assert (done.returncode == 0) is passes


def test_every_push_is_tested() -> None:
    """Only a newer push to the same pull request stops a run; merge queues and runs by hand are tested."""
    workflow = parsed(SHOP, Forge.GITHUB)["test.yml"]
    assert {"push", "pull_request", "merge_group", "workflow_dispatch"} <= workflow["on"].keys()
    for facts, forge in ((SHOP, Forge.GITHUB), (SHOP, Forge.GITEA), (SHARED, Forge.GITEA)):
        group = parsed(facts, forge)["test.yml"]["concurrency"]["group"]
        assert "github.event_name == 'pull_request' && github.ref || github.run_id" in group


def test_every_push_is_tested_on_gitlab() -> None:
    """A newer commit stops the pipeline of a merge request, never that of a push to the base branch."""
    rules = gitlab(SHOP)["workflow"]["rules"]
    spared = [rule["if"] for rule in rules if rule.get("auto_cancel") == {"on_new_commit": "none"}]
    assert spared == ["$CI_COMMIT_BRANCH == $BASE_BRANCH"]


def test_caches_of_rows() -> None:
    """Each row of the matrix has a cache of its own: what one key holds is never written again."""
    for forge in FORGES:
        text = workflows(SHOP, forge)[f".{forge}/workflows/test.yml"]
        keys = re.findall(r"(?m)^ *key: (.*)$", text)
        assert len(keys) == len(set(keys)) == 2
        assert "${{ matrix.service }}" in keys[0]


@pytest.mark.parametrize("forge", FORGES)
@pytest.mark.parametrize("facts", [SHOP, SHARED, SINGLE])
def test_actions(facts: Facts, forge: Forge) -> None:
    """Actions are pinned by commit, the version beside it, each the same everywhere; none keeps the token."""
    text = "".join(workflows(facts, forge).values())
    used = set(re.findall(r"uses: (.*)", text))
    assert all(re.fullmatch(r"[\w-]+(/[\w-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action) for action in used)
    assert len({action.partition("@")[0] for action in used}) == len(used)
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")


ZIZMOR = Path(sys.executable).with_name("zizmor")
FOR_GITHUB = ["secrets-outside-env"]
"""Audits of what Gitea knows nothing of."""


@pytest.mark.skipif(not ZIZMOR.exists(), reason="zizmor is not installed: pip install -e '.[dev]'")
@pytest.mark.parametrize("forge", FORGES)
@pytest.mark.parametrize("facts", [SHOP, SINGLE, SHARED, Facts(("a", "b"), folder="sub", suite="shop")])
def test_security(facts: Facts, forge: Forge, tmp_path: Path) -> None:
    """zizmor finds nothing in the files, however strict it is."""
    for name, text in workflows(facts, forge).items():
        path = tmp_path / ".github/workflows" / Path(name).name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    rules = {rule: {"disable": True} for rule in (FOR_GITHUB if forge is Forge.GITEA else [])}
    config = tmp_path / "zizmor.yml"
    config.write_text(yaml.safe_dump({"rules": rules}))
    options = ["--offline", "--persona=auditor", "--no-progress", f"--config={config}"]
    done = subprocess.run([ZIZMOR, *options, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("forge", FORGES)
@pytest.mark.parametrize("name", ["test.yml", "release.yml", "shards.yml"])
def test_templates(forge: Forge, name: str) -> None:
    """The templates themselves are workflows, but for keys that stand there once for each choice."""
    template = (files("tasklib.release.workflows") / forge.value / name).read_text()
    data = yaml.safe_load(template)
    data["on"] = data.pop(True)
    schema().validate(data)


def test_gitea_uses_nothing_that_it_ignores() -> None:
    """What Gitea does not support is not in its files; what it does, from 1.26 on, is as on GitHub."""
    for workflow in (*parsed(SHOP, Forge.GITEA).values(), *parsed(SHARED, Forge.GITEA).values()):
        assert workflow["permissions"] == {"contents": "read"}
        assert not [job for job in workflow["jobs"].values() if "environment" in job]
        assert not [script for script in scripts(workflow) if "GITHUB_OUTPUT" in script]


def test_registry_of_github() -> None:
    """GitHub's own registry takes the workflow's token, with permission for packages in that job alone."""
    release = parsed(SINGLE, Forge.GITHUB)["release.yml"]
    assert release["permissions"] == {}
    job = release["jobs"]["images"]
    assert job["permissions"]["packages"] == "write"
    login = next(step for step in job["steps"] if "docker login" in step.get("run", ""))
    assert login["env"]["REGISTRY"] == "ghcr.io"
    assert login["env"]["REGISTRY_PASSWORD"] == "${{ secrets.GITHUB_TOKEN }}"


@pytest.mark.parametrize("forge", FORGES)
def test_shares(forge: Forge) -> None:
    """A machine for each share, one job that is the verdict, and durations that all are given alike."""
    workflow = parsed(SHARED, forge)["test.yml"]
    schema().validate(workflow)
    jobs = workflow["jobs"]
    assert jobs["test"]["strategy"]["matrix"] == {"number": [1, 2, 3]}
    assert jobs["test"]["env"]["SHARD"] == "${{ matrix.number }}/3"
    assert (jobs["gate"]["if"], set(jobs["gate"]["needs"])) == ("always()", {"durations", "test"})
    assert not [script for script in scripts(workflow) if "${{" in script]


@pytest.mark.parametrize("forge", FORGES)
def test_each_share_has_a_name_of_its_own(forge: Forge) -> None:
    """By the matrix, which every runner knows: Gitea's has no `strategy.job-index`."""
    text = workflows(SHARED, forge)[f".{forge}/workflows/test.yml"]
    assert "name: share-${{ matrix.number }}\n" in text
    assert "strategy." not in text


def test_shares_are_handed_on_by_what_each_forge_takes() -> None:
    """Gitea's server speaks the protocol of the artifact actions' version 3, GitHub's the later one."""
    for forge, early in ((Forge.GITHUB, False), (Forge.GITEA, True)):
        text = workflows(SHARED, forge)[f".{forge}/workflows/test.yml"]
        versions = set(re.findall(r"-artifact@[0-9a-f]{40} # v(\d+)", text))
        assert {version == "3" for version in versions} == {early}


def gitlab(facts: Facts) -> dict[str, Any]:
    (text,) = workflows(facts, Forge.GITLAB).values()
    found: dict[str, Any] = copy.deepcopy(loaded(text))
    return found


def jobs_of(pipeline: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: job for name, job in pipeline.items() if isinstance(job, dict) and "script" in job}


@pytest.mark.parametrize(
    "facts", [SHOP, SINGLE, SHARED, SOCKET, Facts(("a",), folder="sub folder", base_branch="ma'in")]
)
def test_gitlab_is_valid(facts: Facts) -> None:
    """It fits GitLab's own schema, and every job's stage is there."""
    pipeline = gitlab(facts)
    schema("gitlab-ci").validate(pipeline)
    assert {job["stage"] for job in jobs_of(pipeline).values()} <= {*pipeline["stages"], ".pre"}


@examples(0.3)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_hostile_branches_on_gitlab(branch: str) -> None:
    """What the base branch is called is a value, and reaches no script."""
    pipeline, plain = gitlab(Facts(["x"], base_branch=branch)), gitlab(Facts(["x"]))
    assert pipeline["variables"]["BASE_BRANCH"] == branch
    assert {name: job["script"] for name, job in jobs_of(pipeline).items()} == {
        name: job["script"] for name, job in jobs_of(plain).items()
    }


def test_shares_on_gitlab() -> None:
    """Its own `parallel` numbers the machines, and one job puts them together whatever became of them."""
    jobs = jobs_of(gitlab(SHARED))
    assert jobs["test"]["parallel"] == 3
    assert '--shard "$CI_NODE_INDEX/$CI_NODE_TOTAL"' in jobs["test"]["script"][-1]
    assert jobs["merge"]["rules"] == [{"if": "$CI_COMMIT_TAG == null", "when": "always"}]
    assert jobs["durations"]["cache"]["policy"] == "pull"
    assert "parallel" not in jobs_of(gitlab(SHOP))["test"]


def test_a_release_on_gitlab_uses_no_cache() -> None:
    """And pushes images after the tests of the tag."""
    jobs = jobs_of(gitlab(SHARED))
    for name in ("release-test", "release-images"):
        assert "cache" not in jobs[name]
        assert jobs[name]["rules"] == [{"if": "$CI_COMMIT_TAG"}]
    assert gitlab(SHARED)["stages"].index("release") > gitlab(SHARED)["stages"].index("test")


@pytest.mark.parametrize("facts", [SHOP, SHARED, SOCKET])
def test_every_job_on_gitlab_ends(facts: Facts) -> None:
    """By a limit of its own: GitLab passes over the one of `default`."""
    pipeline = gitlab(facts)
    assert "timeout" not in pipeline["default"]
    assert all("timeout" in job for job in jobs_of(pipeline).values())


def test_jobs_on_gitlab_that_use_their_runners_engine() -> None:
    """None is started beside them, and no variable names one."""
    pipeline = gitlab(SOCKET)
    assert "services" not in str(pipeline)
    assert not [name for name in pipeline["variables"] if name.startswith("DOCKER")]
    assert "docker version" not in str(pipeline)
    assert pipeline["release-images"]["after_script"] == ['docker buildx rm "release-$CI_JOB_ID"']
    beside = gitlab(SHARED)
    waiting = {name for name, job in jobs_of(beside).items() if "until docker version" in str(job["script"])}
    assert waiting == {name for name, job in jobs_of(beside).items() if job.get("services") != []}
