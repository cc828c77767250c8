"""Files that appear whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tasklib.files.whole import open_fresh, write_whole


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_reader_has_the_old_or_the_new(tmp_path: Path) -> None:
    """Who has the file open reads on what was there; nothing else stays in the folder."""
    path = tmp_path / "a"
    path.write_text("old")
    with path.open() as reader:
        write_whole(path, b"new")
        assert (reader.read(), path.read_text()) == ("old", "new")
    assert names(tmp_path) == ["a"]


def test_the_mode_is_kept_or_the_one_asked_for(tmp_path: Path) -> None:
    """An executable stays one; a new file is as the user's others, a private one private from the start."""
    path, new, usual = tmp_path / "a", tmp_path / "new", tmp_path / "usual"
    path.touch(mode=0o750)
    usual.touch()
    write_whole(path, b"x")
    write_whole(new, b"x")
    assert (mode(path), mode(new)) == (0o750, mode(usual))
    write_whole(path, b"x", mode=0o600)
    assert mode(path) == 0o600


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What it leads to is written, also where that was not there yet."""
    link, target = tmp_path / "link", tmp_path / "real"
    link.symlink_to("real")
    for content in (b"first", b"second"):
        write_whole(link, content)
        assert (link.is_symlink(), target.read_bytes()) == (True, content)


@pytest.mark.parametrize("name", ["folder", "no/such/folder"])
def test_what_cannot_be_written_changes_nothing(tmp_path: Path, name: str) -> None:
    """The error is the system's, and no half of a file is left."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=f"{name}'$"):
        write_whole(tmp_path / name, b"x")
    assert names(tmp_path) == ["folder"]
    assert names(tmp_path / "folder") == []


def test_a_fresh_file_takes_the_place_at_once(tmp_path: Path) -> None:
    """What is written as it comes is there for whoever looks, and the old one for whoever had it open."""
    path = tmp_path / "a"
    path.write_text("old")
    with path.open() as reader, open_fresh(path, mode=0o600) as writer:
        writer.write("new")
        writer.flush()
        assert (reader.read(), path.read_text(), mode(path)) == ("old", "new", 0o600)
