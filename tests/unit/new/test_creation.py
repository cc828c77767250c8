"""A new folder is there as a whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklib.errors import UsageError
from tasklib.new.creation import check_free, create

FILES = {"a.txt": "A\n", "deep/b.txt": "B\n"}


def test_the_files_are_there_and_nothing_else_is(tmp_path: Path) -> None:
    """What it was made in is gone."""
    create(tmp_path / "shop", FILES, repository=False)
    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert made == {"shop/a.txt", "shop/deep/b.txt"}
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    """Whoever made it beforehand meant this."""
    (tmp_path / "shop").mkdir()
    check_free(tmp_path / "shop")
    create(tmp_path / "shop", FILES, repository=True)
    assert (tmp_path / "shop" / ".git" / "HEAD").read_text() == "ref: refs/heads/main\n"


def test_what_is_in_the_way(tmp_path: Path) -> None:
    """A folder with something in it, a file, and a link that leads nowhere."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("full", "file", "link"):
        with pytest.raises(UsageError, match=f"{name} is there already"):
            check_free(tmp_path / name)


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    """The second file cannot be written, since the first has the name of its folder."""
    with pytest.raises(UsageError, match="the folder shop cannot be created"):
        create(tmp_path / "shop", {"a": "", "a/b": ""}, repository=False)
    assert list(tmp_path.iterdir()) == []
