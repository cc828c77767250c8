"""What a created container cannot mount is copied into it."""

from __future__ import annotations

from pathlib import Path

from tasklib.stacks.filling import fill
from tasklib.stacks.rewrite import CopyIn, LocalState
from tests.memory_engine import MemoryEngine


def test_a_container_gets_the_files_of_its_own_service(tmp_path: Path) -> None:
    """Files where they belong, folders with all that is in them, nobody else's."""
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "a").write_text("1")
    (tmp_path / "key").write_text("secret")
    file, folder = LocalState(folder=False, digest=""), LocalState(folder=True, digest="")
    engine = MemoryEngine()
    api = engine.add_container("test-main", "api")
    fill(
        engine,
        api,
        [
            CopyIn("api", str(conf), "/etc/conf", folder),
            CopyIn("api", str(tmp_path / "key"), "/run/secrets/key", file),
            CopyIn("db", str(tmp_path / "key"), "/other", file),
        ],
    )
    found = {path.replace("/./", "/"): content for path, content in engine.files[api.id].items()}
    assert found == {"/etc/conf/a": b"1", "/run/secrets/key": b"secret"}
