"""Dockerfiles that stand in a Compose file are written somewhere that goes."""

from __future__ import annotations

from pathlib import Path

from tasklib.process import SCRATCH
from tasklib.stacks.compose.inline import inline_room


def test_inline_dockerfiles_go_with_the_build() -> None:
    """Compose leaves them in its temporary folder."""
    with inline_room({"services": {"api": {"build": {"dockerfile_inline": "FROM scratch"}}}}) as room:
        folder = Path(room["TMPDIR"])
        assert folder.name.startswith(SCRATCH)
        (folder / "dockerfile123").mkdir()
    assert not folder.exists()


def test_other_builds_keep_their_temporary_folder() -> None:
    """A client that is confined sees other folders than we do."""
    with inline_room({"services": {"api": {"build": {"context": "."}}, "db": {"image": "postgres"}}}) as room:
        assert room == {}
