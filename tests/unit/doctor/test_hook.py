"""The doctor as a hook of pre-commit, by the configuration that the documentation shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
BAD = "services:\n  db:\n    image: postgres:16\n    restart: always\n"


def _pre_commit(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env["PRE_COMMIT_HOME"] = str(cwd / ".git" / "pre-commit")
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]])
    argv = [sys.executable, "-m", "pre_commit", *words]
    return subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_the_hook_that_the_page_shows(tmp_path: Path) -> None:
    """It refuses what has an error, with the finding in sight, and admits what has none."""
    (block,) = re.findall(
        r"```yaml\n(- repo: local\n.*?)```", (ROOT / "docs/doctor.md").read_text(), re.DOTALL
    )
    (tmp_path / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": yaml.safe_load(block)}))
    compose = tmp_path / "deploy" / "test" / "docker-compose.yml"
    compose.parent.mkdir(parents=True)
    compose.write_text(BAD)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "--all"], cwd=tmp_path, check=True)
    refused = _pre_commit("run", "--all-files", cwd=tmp_path)
    assert (refused.returncode, "TL301 db restarts" in refused.stdout) == (1, True), refused
    compose.write_text("services: {}\n")
    subprocess.run(["git", "add", "--all"], cwd=tmp_path, check=True)
    admitted = _pre_commit("run", "--all-files", cwd=tmp_path)
    assert admitted.returncode == 0, admitted


def test_the_hook_that_the_repository_offers(tmp_path: Path) -> None:
    """pre-commit reads it; it adds what the command needs of tasklib-stages and no more."""
    manifest = ROOT / ".pre-commit-hooks.yaml"
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    read = _pre_commit("validate-manifest", str(manifest), cwd=tmp_path)
    assert read.returncode == 0, read
    (hook,) = yaml.safe_load(manifest.read_text())
    (needed,) = hook["additional_dependencies"]
    stages = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"][
        "stages"
    ]
    assert needed in stages
