"""The workflow files as they are written, kept and run: every `run:` step for real, in order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ..conftest import NewProject
from ..projects import Checkout
from .registry import LOGIN, PASSWORD, Registry
from .runner import GitLabRunner, Runner

ROOT = Path(__file__).resolve().parents[3]
FILES = {
    f"services/{service}/{name}": text
    for service in ("api", "web")
    for name, text in {
        "Dockerfile": f"FROM scratch\nCOPY services/{service}/app /app\n",
        "app": f"the {service}\n",
    }.items()
}
SETTINGS = """
[tool.tasklib.images]
name = "{host}/{token}-{{service}}"

[tool.tasklib.services.api]
command = ["grep", "-q", "api", "app"]

[tool.tasklib.services.web]
command = ["grep", "-q", "web", "app"]
"""


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a machine with a Python of its own, where pip finds a wheel of tasklib."""
    folder = tmp_path_factory.mktemp("machine")
    python = folder / "python/bin/python"

    def uv(*arguments: str) -> None:
        subprocess.run([Path(sys.executable).with_name("uv"), *arguments, "--quiet"], check=True)

    for source in (ROOT, ROOT / "stages"):
        uv("build", "--wheel", "--out-dir", str(folder), str(source))
    uv("venv", "--seed", str(python.parents[1]))
    # What tasklib needs is there already, as from a runner's cache: only tasklib itself is to be installed.
    uv("pip", "install", "--python", str(python), *map(str, folder.glob("*.whl")))
    uv("pip", "uninstall", "--python", str(python), "tasklib-stages", "tasklib-pytest")
    return {
        # Wherever this machine has its Docker client.
        "PATH": os.pathsep.join([str(folder / "python/bin"), os.defpath, os.environ["PATH"]]),
        "PIP_FIND_LINKS": str(folder),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


@pytest.fixture
def guarded(tmp_path: Path) -> Any:
    made = Registry(tmp_path / "guarded", login=LOGIN)
    yield made
    made.kill()


@pytest.fixture
def shop(project: NewProject, guarded: Registry, token: str) -> Checkout:
    """Two services with an image each and a test command, and workflows for both forges."""
    made = project({**FILES, "pyproject.toml": SETTINGS.format(host=guarded.host, token=token)})
    for forge in ("github", "gitea"):
        ran = made.run("tasklib", "ci.workflow", "--for", forge)
        assert (ran.code, len(ran.lines)) == (0, 2), ran
    made.commit()
    return made


def runner(
    shop: Checkout, machine: dict[str, str], folder: Path, github: dict[str, Any], **secrets: str
) -> Runner:
    folder.mkdir()
    kept = {k: v for k, v in shop.env.items() if k not in machine and not k.startswith("PIP_FIND")}
    env = {**kept, **machine, "CI": "true", "DOCKER_CONFIG": str(folder / "docker")}
    return Runner(shop.root, shop.git("rev-parse", "HEAD").strip(), folder, env, github, secrets)


@pytest.mark.parametrize(("forge", "rows"), [("github", ["web"]), ("gitea", ["api", "web"])])
def test_change(shop: Checkout, machine: dict[str, str], tmp_path: Path, forge: str, rows: list[str]) -> None:
    """A change is tested for what it touches: by GitHub's rows, on Gitea by what each row finds to do."""
    before = shop.git("rev-parse", "HEAD").strip()
    (shop.root / "services/web/app").write_text("another web\n")
    shop.commit()
    push = runner(shop, machine, tmp_path / "push", {"event": {"before": before}})
    assert push.run(shop.root / f".{forge}/workflows/test.yml"), push.output
    assert [row for job, row in push.ran if job == "test"] == rows
    assert "unit web: 1 passed" in push.output
    assert "unit api" not in push.output


def test_by_hand(shop: Checkout, machine: dict[str, str], tmp_path: Path) -> None:
    """A run by hand or by schedule has no commit to compare with: it tests everything."""
    by_hand = runner(shop, machine, tmp_path / "hand", {"event": {}})
    assert by_hand.run(shop.root / ".github/workflows/test.yml"), by_hand.output
    rows = [("services", None), ("test", "api"), ("test", "web"), ("integration", None), ("gate", None)]
    assert by_hand.ran == rows


def test_the_base_branch_there_is(shop: Checkout) -> None:
    """Where there is no main, the branch that there is stands in the files."""
    shop.git("branch", "-m", "master")
    assert shop.run("tasklib", "ci.workflow", "--for", "github", "--force").code == 0
    assert 'branches: ["master"]' in (shop.root / ".github/workflows/test.yml").read_text()
    assert shop.run("tasklib", "ci.matrix", "--changed").code == 0


def test_release(shop: Checkout, machine: dict[str, str], token: str, tmp_path: Path) -> None:
    """A tag pushes every image once the tests passed; a pre-release is not the latest."""
    shop.git("tag", "v1.0.0-rc.1")
    secrets = {"REGISTRY_USER": "tester", "REGISTRY_PASSWORD": PASSWORD}
    # A builder of its own would be an image that not every machine has.
    machine = {**machine, "BUILDX_BUILDER": "default"}
    release = runner(shop, machine, tmp_path / "release", {"ref_name": "v1.0.0-rc.1"}, **secrets)
    assert release.run(shop.root / ".github/workflows/release.yml"), release.output
    assert release.ran == [("test", None), ("images", None), ("provenance", None)]
    digests = [line.split() for line in release.output.rpartition("[provenance")[2].splitlines()[-2:]]
    assert [name.rpartition("/")[2] for _, name in digests] == [f"{token}-api", f"{token}-web"]
    assert all(f"{name}:1.0.0-rc.1" in release.output and len(digest) == 64 for digest, name in digests)
    for service in ("api", "web"):
        assert f'{token}-{service}:1.0.0-rc.1", "digest": "sha256:' in release.output
    assert '"latest": true' not in release.output
    assert PASSWORD not in release.output


def test_failing_tests(shop: Checkout, machine: dict[str, str], tmp_path: Path) -> None:
    """Tests that fail stop a release before anything is built."""
    (shop.root / "services/web/app").write_text("broken\n")
    shop.commit()
    broken = runner(shop, machine, tmp_path / "broken", {"ref_name": "v1.0.0"})
    assert not broken.run(shop.root / ".gitea/workflows/release.yml")
    assert [job for job, _ in broken.ran] == ["test"]


def test_kept(shop: Checkout) -> None:
    """A file that was changed is kept and its difference shown; --force overwrites it."""
    path = shop.root / ".github/workflows/test.yml"
    written = path.read_text()
    path.write_text(written.replace('python-version: "3.13"', 'python-version: "3.14"'))
    mine = path.read_text()
    ran = shop.run("tasklib", "ci.workflow", "--for", "github")
    assert (ran.code, path.read_text()) == (2, mine)
    assert '-          python-version: "3.14"' in ran.out
    assert '+          python-version: "3.13"' in ran.out
    assert ".github/workflows/release.yml is up to date" in ran.out
    assert "kept as they are: .github/workflows/test.yml; --force" in ran.err
    dry = shop.run("tasklib", "--dry", "ci.workflow", "--for", "github", "--force")
    assert (dry.code, path.read_text()) == (0, mine)
    assert shop.run("tasklib", "ci.workflow", "--for", "github", "--force").code == 0
    assert path.read_text() == written


def test_registry(shop: Checkout, guarded: Registry) -> None:
    """The release logs in to the registry that the images' name says."""
    assert f'REGISTRY: "{guarded.host}"' in (shop.root / ".github/workflows/release.yml").read_text()


def test_usage(shop: Checkout) -> None:
    """Another forge is refused, and so is none."""
    for options in ([], ["--for", "bitbucket"]):
        ran = shop.run("tasklib", "ci.workflow", *options)
        assert (ran.code, "github, gitea or gitlab" in ran.err) == (2, True)


def shared(shop: Checkout, forge: str) -> None:
    """Workflows of three machines instead."""
    ran = shop.run("tasklib", "ci.workflow", "--for", forge, "--shards", "3", "--force")
    assert ran.code == 0, ran
    shop.commit()


@pytest.mark.parametrize("forge", ["github", "gitea"])
@pytest.mark.parametrize("broken", [False, True], ids=["passes", "fails"])
def test_shares(shop: Checkout, machine: dict[str, str], tmp_path: Path, forge: str, broken: bool) -> None:
    """Three machines test all that there is, once, and the gate is their verdict."""
    shared(shop, forge)
    if broken:
        (shop.root / "services/web/app").write_text("nothing\n")
        shop.commit()
    made = runner(shop, machine, tmp_path / "push", {"event": {}, "run_id": "7", "run_attempt": "1"})
    assert made.run(shop.root / f".{forge}/workflows/test.yml") is not broken, made.output
    assert [row for job, row in made.ran if job == "test"] == ["1", "2", "3"]
    verdict = made.output.rpartition("[gate")[2]
    assert ("1 failed, 1 passed in 2 targets" if broken else "PASSED: 2 passed") in verdict, made.output


def pipeline(
    shop: Checkout, machine: dict[str, str], folder: Path, variables: dict[str, str]
) -> GitLabRunner:
    """One of GitLab, on machines that have what each job would install."""
    folder.mkdir()
    kept = {k: v for k, v in shop.env.items() if k not in machine}
    # A builder of its own would be an image that not every machine has.
    own = {"CI": "true", "BUILDX_BUILDER": "default", "DOCKER_CONFIG": str(folder / "docker")}
    env = {**kept, **machine, **own}
    installed = ["python", "-m", "pip", "install", "--quiet", "tasklib-stages"]
    subprocess.run(installed, env=env, check=True, capture_output=True)
    given = {"CI_COMMIT_BEFORE_SHA": "0" * 40, **variables}
    return GitLabRunner(shop.root, shop.git("rev-parse", "HEAD").strip(), folder, env, given)


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("broken", [False, True], ids=["passes", "fails"])
def test_gitlab(shop: Checkout, machine: dict[str, str], tmp_path: Path, shards: int, broken: bool) -> None:
    """The pipeline tests all that there is, by one machine or by three, and says whether it passed."""
    ran = shop.run("tasklib", "ci.workflow", "--for", "gitlab", "--shards", str(shards))
    assert ran.code == 0, ran
    if broken:
        (shop.root / "services/web/app").write_text("nothing\n")
    shop.commit()
    made = pipeline(shop, machine, tmp_path / "pipeline", {})
    assert made.run(shop.root / ".gitlab-ci.yml") is not broken, made.output
    verdict = made.output.rpartition("[merge" if shards > 1 else "[test")[2]
    assert ("1 failed, 1 passed in 2 targets" if broken else "PASSED: 2 passed") in verdict, made.output
    assert set(made.results) == ({"durations", "test", "merge"} if shards > 1 else {"test"})


@pytest.mark.parametrize("where", ["dind", "socket"])
def test_a_release_on_gitlab(
    shop: Checkout, guarded: Registry, machine: dict[str, str], token: str, tmp_path: Path, where: str
) -> None:
    """A tag pushes every image once the tests passed, by the job's own login where the registry is GitLab's;
    a builder on an engine that others use, too, is removed again."""
    ran = shop.run("tasklib", "ci.workflow", "--for", "gitlab", "--engine", where)
    assert ran.code == 0, ran
    shop.commit()
    own = where == "socket"
    login = {"CI_REGISTRY": guarded.host if own else "registry.gitlab.com", "CI_JOB_ID": token}
    login |= {"CI_REGISTRY_USER": "tester", "CI_REGISTRY_PASSWORD": PASSWORD if own else "of-the-job"}
    login |= {} if own else {"REGISTRY_USER": "tester", "REGISTRY_PASSWORD": PASSWORD}
    made = pipeline(shop, machine, tmp_path / "pipeline", {**login, "CI_COMMIT_TAG": "v1.0.0-rc.1"})
    assert made.run(shop.root / ".gitlab-ci.yml"), made.output
    assert set(made.results) == {"release-test", "release-images"}
    for service in ("api", "web"):
        assert f"{token}-{service}:1.0.0-rc.1" in made.output, made.output
    assert PASSWORD not in made.output
    env = {"DOCKER_CONFIG": str(tmp_path / "pipeline/docker")}
    assert f"release-{token}" not in shop.run("docker", "buildx", "ls", env=env).out
