"""What an engine is known by, whatever speaks Docker's API."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tasklib.stacks.engine.docker.answers.facts import facts_from


def known_by(components: list[str], **info: Any) -> str:
    said = {"ID": str(uuid4()), "ServerVersion": "5", "NCPU": 2, "Name": "here", **info}
    version = {"ApiVersion": "1.41", "Components": [{"Name": name} for name in components]}
    return facts_from(said, version, "http+docker://localhost").id


def test_podman_is_known_by_where_it_keeps_its_images() -> None:
    """Its own id is another one in each answer; each user has an engine of his own."""
    parts = ["Podman Engine", "Conmon", "OCI Runtime (crun)"]
    mine = known_by(parts, DockerRootDir="/home/me/.local/share/containers/storage")
    assert known_by(parts, DockerRootDir="/home/me/.local/share/containers/storage") == mine
    assert known_by(parts, DockerRootDir="/var/lib/containers/storage") != mine
    assert known_by(parts, DockerRootDir="/home/me/.local/share/containers/storage", Name="there") != mine


def test_docker_says_who_it_is() -> None:
    """As it always did."""
    for components in (["Engine", "containerd", "runc"], []):
        assert known_by(components, ID="c0ffee", DockerRootDir="/var/lib/docker") == "c0ffee"
