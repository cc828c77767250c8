"""What the services of a rendered Compose file are made from, and which a change of that touches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasklib.changes import inputs
from tasklib.changes.inputs import stack_facts
from tasklib.changes.selection import select
from tasklib.project import Environment, Project, Service


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two services whose folders hold nothing, a file of the full stack, and what api's Dockerfile says."""
    for name in ("api", "web", "base"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text("FROM scratch\nCOPY app /app\n")
    (compose := tmp_path / "compose.yml").touch()
    services = (Service("api", tmp_path / "api"), Service("web", tmp_path / "web"))
    return Project(tmp_path, "shop", services, compose={Environment.TEST: (compose,)})


def build(root: Path, name: str, **more: Any) -> dict[str, Any]:
    return {"build": {"context": str(root / name), "dockerfile": "Dockerfile", **more}}


def of(kind: str, root: Path) -> dict[str, Any]:
    """A full stack in which api, and nobody else, is made from `base/app` in the way that ``kind`` names."""
    found: dict[str, Any] = {"services": {"api": build(root, "api"), "web": build(root, "web")}}
    services, api = found["services"], found["services"]["api"]
    base = {"image": "shop/base", **build(root, "base")}
    match kind:
        case "from":
            services["base"] = base
            (root / "api/Dockerfile").write_text("ARG BASE=none\nFROM ${BASE}\nCOPY app /app\n")
            api["build"]["args"] = {"BASE": "docker.io/shop/base:latest"}
        case "copy":
            services["base"] = base
            (root / "api/Dockerfile").write_text("FROM scratch\nCOPY --from=shop/base /app /app\n")
        case "context":
            services["base"] = base
            api["build"]["additional_contexts"] = {"base": "service:base"}
        case "image":
            services["base"] = base
            services["worker"] = {"image": "shop/base:latest"}
            api["depends_on"] = {"worker": {"condition": "service_started"}}
        case "secret":
            found["secrets"] = {"key": {"file": str(root / "base/app")}}
            api["build"]["secrets"] = [{"source": "key"}]
        case _:
            device = {"driver_opts": {"type": "none", "o": "bind", "device": str(root / "base")}}
            found["volumes"] = {"data": device}
            api["volumes"] = [{"type": "volume", "source": "data", "target": "/data"}]
    return found


@pytest.mark.parametrize("kind", ["from", "copy", "context", "image", "secret", "volume"])
def test_what_another_service_builds_or_the_file_names(
    project: Project, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Whatever way a file gets into a service, a change of it touches that service; no other one."""
    config = of(kind, project.root)
    monkeypatch.setattr(inputs, "read_config", lambda *_: config)
    found = select(project, stack_facts(project), [project.root / "base/app"])
    assert found.names == ("api",)
