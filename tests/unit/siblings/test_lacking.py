"""A missing file is named with the checkout that has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklib.errors import ConfigError
from tasklib.siblings.lacking import brings, found_elsewhere, missing_paths
from tasklib.stacks.lacking import refuse_lacking
from tasklib.state.liveness import host_id
from tasklib.state.records import Checkouts
from tasklib.state.store import default_state

from ..conftest import Git


@pytest.fixture
def main(repository: Path, git: Git) -> Path:
    (repository / ".gitignore").write_text("certs/\n")
    (repository / "tracked").write_text("tracked")
    git(repository, "add", "--all")
    git(repository, "commit", "-qm", "files")
    (repository / "certs").mkdir()
    (repository / "certs/dev.pem").write_text("pem")
    return repository


@pytest.fixture
def worktree(main: Path, git: Git, tmp_path: Path) -> Path:
    git(main, "worktree", "add", "-q", "-b", "other", str(tmp_path / "other"))
    return tmp_path / "other"


def test_another_worktree_has_it(main: Path, worktree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that brings it, from where the user is."""
    missing = worktree / "certs/dev.pem"
    there = found_elsewhere(missing)
    assert there == main / "certs/dev.pem"
    monkeypatch.chdir(worktree)
    assert f"`cp -p -- {there} certs/dev.pem`" in brings(there, missing)
    assert f"`cp -Rp -- {main}/certs certs`" in brings(main / "certs", worktree / "certs")


def test_the_main_one_lacks_what_a_worktree_has(main: Path, worktree: Path) -> None:
    """It works both ways; what is here is not missing."""
    (worktree / "certs").mkdir()
    (worktree / "certs/new.pem").write_text("new")
    assert found_elsewhere(main / "certs/new.pem") == worktree / "certs/new.pem"
    assert found_elsewhere(main / "certs/dev.pem") is None


def test_a_clone_that_was_seen_has_it(main: Path, git: Git, tmp_path: Path) -> None:
    """One whose origin this is, and one of the same origin; not any other repository."""
    clones = [tmp_path / "one", tmp_path / "two"]
    for number, clone in enumerate(clones):
        git(main, "clone", "-q", str(main), str(clone))
        Checkouts(default_state(), host_id()).seen(f"clone{number}", str(clone))
    assert found_elsewhere(clones[0] / "certs/dev.pem") is None, "the main one has not been seen"
    (clones[1] / "certs").mkdir()
    (clones[1] / "certs/two.pem").write_text("two")
    assert found_elsewhere(clones[0] / "certs/two.pem") == clones[1] / "certs/two.pem"
    assert found_elsewhere(main / "certs/two.pem") == clones[1] / "certs/two.pem"
    git(clones[1], "remote", "set-url", "origin", "https://example.com/another.git")
    assert found_elsewhere(clones[0] / "certs/two.pem") is None


def test_what_is_tracked_or_a_link_is_not_offered(main: Path, worktree: Path, tmp_path: Path) -> None:
    """The one is a matter of branches, the other may lead anywhere."""
    (worktree / "tracked").unlink()
    assert found_elsewhere(worktree / "tracked") is None
    (main / "certs/link").symlink_to(main / "certs/dev.pem")
    assert found_elsewhere(worktree / "certs/link") is None
    assert found_elsewhere(tmp_path / "elsewhere/certs/dev.pem") is None


def test_a_stack_is_not_started_without_its_files(main: Path, worktree: Path) -> None:
    """Secrets, configs and what is mounted: with where it is, what needs it and what brings it."""
    compose = worktree / "docker-compose.yml"

    def refused(**config: object) -> str:
        with pytest.raises(ConfigError) as caught:
            refuse_lacking({"services": {}, **config}, compose, worktree)
        assert caught.value.where == str(compose)
        return f"{caught.value.what} {caught.value.remedy}"

    missing = str(worktree / "certs/dev.pem")
    said = refused(secrets={"pem": {"file": missing}})
    assert said.startswith(
        f"the secret pem is {missing}, which is not there Another checkout has it: `cp -p -- "
    )
    assert "the config pem is" in refused(configs={"pem": {"file": missing}})
    mount = {"type": "bind", "source": missing, "target": "/pem"}
    assert "what api has mounted at /pem is" in refused(services={"api": {"volumes": [mount]}})
    folder = {"type": "bind", "source": str(worktree / "certs"), "target": "/certs", "read_only": True}
    assert "`cp -Rp" in refused(services={"api": {"volumes": [folder]}})


def test_a_volume_that_is_a_folder_needs_it(worktree: Path, tmp_path: Path) -> None:
    """The engine makes none for it; one outside of the checkout may be on the engine's machine."""
    compose, there = worktree / "docker-compose.yml", worktree / "there"
    there.mkdir()

    def volume(device: Path, options: str = "bind") -> dict[str, object]:
        own = {"type": "none", "o": options, "device": str(device)}
        return {"services": {}, "volumes": {"data": {"driver_opts": own}, "plain": None}}

    with pytest.raises(ConfigError, match=r"the volume data is .*gone, which is not there") as caught:
        refuse_lacking(volume(worktree / "gone"), compose, worktree)
    assert caught.value.remedy == f"`mkdir -p {worktree / 'gone'}`"
    for config in (volume(there), volume(tmp_path / "gone"), volume(worktree / "gone", "size=1m")):
        refuse_lacking(config, compose, worktree)


def test_folders_that_the_engine_makes_are_left_to_it(main: Path, worktree: Path) -> None:
    """One to be written, and what no checkout has."""
    mounts = [
        {"type": "bind", "source": str(worktree / "certs"), "target": "/certs"},
        {"type": "bind", "source": str(worktree / "data"), "target": "/data", "read_only": True},
        {"type": "bind", "source": str(worktree), "target": "/all"},
        {"type": "volume", "source": "data", "target": "/x"},
    ]
    refuse_lacking({"services": {"api": {"volumes": mounts}}}, worktree, worktree)


def test_what_failures_say(tmp_path: Path) -> None:
    """Python's and Node's words; what is there by now is not missing."""
    (tmp_path / "here").touch()
    texts = [
        "FileNotFoundError: [Errno 2] No such file or directory: 'certs/dev.pem'",
        "Error: ENOENT: no such file or directory, open '/abs/dev.pem'",
        "FileNotFoundError: [Errno 2] No such file or directory: 'here'",
        "AssertionError: 'certs' is no directory",
    ]
    assert list(missing_paths(texts, tmp_path)) == [tmp_path / "certs/dev.pem", Path("/abs/dev.pem")]
