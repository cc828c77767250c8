"""What containers write into the checkout, and which of that is data."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tasklib.stacks.written import data_folders, foreign_file, written_folders, written_in_common

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
    assert foreign_file(folders, us + 1, began) == tmp_path / "a" / "b"
    if us == 0:
        os.chown(tmp_path / "a" / "b" / "file", 1234, 1234)
        assert foreign_file([tmp_path / "a"], us, began) == tmp_path / "a" / "b" / "file"
