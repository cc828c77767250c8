"""What is attested of released images, by an engine whose store can keep it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ..cleanup.engines import own_engine, short_folder, why_not
from ..conftest import NewProject
from ..projects import Checkout
from .registry import BESIDE, beside

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


def test_provenance_goes_with_the_image(project: NewProject, tmp_path: Path) -> None:
    """The index in the registry has it beside the image, without the arguments of the build; the same version
    of the same commit is kept."""
    shop = project(
        {
            "pyproject.toml": f'[tool.tasklib.images]\nname = "{BESIDE}/{{service}}"\n'
            'attestations = ["provenance"]\n',
            "services/api/Dockerfile": "FROM scratch\nARG VERSION\nARG TOKEN=hidden-value\nCOPY . /app\n",
        }
    )
    shop.git("remote", "add", "origin", "https://user:hidden-word@example.com/team/shop.git")
    settings = tmp_path / "daemon.json"
    settings.write_text(json.dumps({"features": {"containerd-snapshotter": True}}))
    with own_engine(short_folder(), [f"--config-file={settings}"]) as engine:
        env = {"DOCKER_HOST": engine.host}

        def asked(*argv: str) -> Any:
            whole = {**os.environ, **env}
            done = subprocess.run(engine.within(*argv), env=whole, capture_output=True, text=True, check=True)
            return json.loads(done.stdout)

        with beside([engine], tmp_path / "registry"):
            _release(shop, engine.within("tasklib", "release.images", "--version", "1.0.0"), env)
            raw = ("docker", "buildx", "imagetools", "inspect", "--raw")
            image, attested = asked(*raw, f"{BESIDE}/api:1.0.0")["manifests"]
            assert attested["annotations"]["vnd.docker.reference.digest"] == image["digest"]
            [layer] = asked(*raw, f"{BESIDE}/api@{attested['digest']}")["layers"]
            statement = asked("curl", "-sf", f"http://{BESIDE}/v2/api/blobs/{layer['digest']}")
            assert "slsa.dev/provenance" in statement["predicateType"]
            assert "hidden" not in json.dumps(statement)
            again = _release(shop, engine.within("tasklib", "release.images", "--version", "1.0.0"), env)
            assert "(latest, was there)" in again


def _release(shop: Checkout, argv: list[str], env: dict[str, str]) -> str:
    ran = shop.run(*argv, env=env)
    assert (ran.code, "provenance" in ran.err) == (0, False), ran
    return ran.out
