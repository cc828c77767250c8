"""What containers write into the checkout, and which of that is data."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tasklib.stacks.engine.values import Users
from tasklib.stacks.written import (
    Foreign,
    data_folders,
    foreign_file,
    ownership,
    written_folders,
    written_in_common,
)

Git = Callable[..., str]


def test_only_writable_mounts_of_the_checkout_count(tmp_path: Path) -> None:
    """Links are followed; what is read only, elsewhere, a volume or of no container is left out."""
    for name in ("data", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")

    def bind(source: str, **more: object) -> dict[str, object]:
        return {"type": "bind", "source": str(tmp_path / source), "target": "/x", **more}

    config = {
        "services": {
            "db": {"volumes": [bind("link"), bind("other", read_only=True)]},
            "job": {"volumes": [bind("../else"), {"type": "volume", "source": "v"}], "scale": 1},
            "never": {"volumes": [bind("other")], "scale": 0},
            "plain": {},
        }
    }
    assert written_folders(config, tmp_path) == {tmp_path / "data"}


@pytest.mark.parametrize(("options", "written"), [("bind", True), ("bind,ro", False), ("ro,rbind,rw", True)])
def test_a_volume_may_be_a_folder_of_the_checkout(tmp_path: Path, options: str, written: bool) -> None:
    """Its options say so, as the kernel reads them; `$` stands doubled in what Compose renders."""
    device = {"type": "none", "o": options, "device": f"{tmp_path}/a$$b"}
    mount = {"type": "volume", "source": "data", "target": "/data"}
    config = {
        "services": {"db": {"volumes": [mount, {**mount, "source": "plain"}]}},
        "volumes": {"data": {"driver_opts": device}, "plain": None},
    }
    assert written_folders(config, tmp_path) == ({tmp_path / "a$b"} if written else frozenset())


@pytest.mark.parametrize(
    ("first", "second", "common"),
    [
        (["data"], ["data"], {"data"}),
        (["data"], ["data/pg"], {"data/pg"}),
        (["data/pg", "a"], ["data", "b"], {"data/pg"}),
        (["data"], ["data-2"], set()),
        ([], ["data"], set()),
    ],
)
def test_what_two_write_in_common(first: list[str], second: list[str], common: set[str]) -> None:
    """The same folder or one in the other, whichever comes first."""
    one, other = [Path("/", name) for name in first], [Path("/", name) for name in second]
    expected = {Path("/", name) for name in common}
    assert written_in_common(one, other) == written_in_common(other, one) == expected


def test_folders_with_sources_hold_no_data(repository: Path, git: Git) -> None:
    """Several may mount those at once; a file that only keeps a folder in git is no source."""
    for name in ("src/app.py", "data/.gitkeep", "logs/x"):
        (repository / name).parent.mkdir()
        (repository / name).touch()
    git(repository, "add", "src", "data")
    found = {repository / name for name in ("src", "data", "logs", "missing", "a*b")}
    assert data_folders({*found, repository}, repository) == found - {repository / "src"}


def test_without_git_every_folder_but_the_whole_may_be_data(tmp_path: Path) -> None:
    """Nobody can say what is in it."""
    assert data_folders([tmp_path, tmp_path / "data"], tmp_path) == {tmp_path / "data"}


def test_files_of_others_are_found_where_they_are_new(tmp_path: Path) -> None:
    """However deep; not those that were there before, nor what git keeps; a folder may vanish meanwhile."""
    began = time.time() - 60
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").touch()
    folders, us = [tmp_path / "missing", tmp_path / "a" / "b"], os.getuid()
    assert foreign_file(folders, us, began) is None
    assert foreign_file(folders, us + 1, time.time() + 60) is None
    found = foreign_file(folders, us + 1, began)
    assert found
    assert (found.path, found.owner) == (tmp_path / "a" / "b", us)
    if us == 0:
        os.chown(tmp_path / "a" / "b" / "file", 1234, 1234)
        file = Foreign(tmp_path / "a" / "b" / "file", 1234, False)
        assert foreign_file([tmp_path / "a"], us, began) == file


def test_what_cannot_be_removed_is_named_before_what_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in a folder of one's own can go, whoever has it; one in another's folder cannot."""
    (tmp_path / "a").touch()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "file").touch()
    us = os.getuid()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) == tmp_path)
    assert foreign_file([tmp_path / "a"], us + 1, 0.0) == Foreign(tmp_path / "a", us, False)
    assert foreign_file([tmp_path / "a", tmp_path / "b"], us + 1, 0.0) == Foreign(tmp_path / "b", us, True)


@pytest.mark.parametrize(
    ("users", "remedy"),
    [
        (Users.SAME, '`user: "7:8"` in its service makes it yours'),
        (Users.OURS, '`user: "0:0"` in its service makes it yours'),
        (Users.SHIFTED, '`user: "7:8"` and `userns_mode: host` in its service make it yours'),
    ],
)
def test_what_makes_files_one_s_own_depends_on_the_engine(users: Users, remedy: str) -> None:
    """Rootless, root in a container is the engine's user; with `userns-remap` nobody is who he is inside."""
    said = ownership(Foreign(Path("/x"), 100998, True), "out/x", "7:8", users)
    assert said.startswith("out/x belongs to user 100998: a container wrote it, and you cannot remove")
    assert remedy in said
    assert "cannot change it" in ownership(Foreign(Path("/x"), 0, False), "x", "7:8", users)
