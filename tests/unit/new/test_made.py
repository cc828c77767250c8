"""A project that was made: found from within, and changed as a whole or not at all."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tasklib.errors import ConfigError, UsageError
from tasklib.new.answers import ANSWERS, Answers, Kind, NewService, written
from tasklib.new.creation import write
from tasklib.new.made import Made, apply, find_made
from tasklib.new.merging import Outcome

SHOP = Answers("1.2.0", "shop", (NewService("api", Kind.PYTHON),))
BOTH_CHANGED = Outcome("a.txt", "mine\n", "merged\n", conflicts=1)


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(params=["", "sub/shop"], ids=["at the top", "below it"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    """A committed project in a checkout."""
    root = tmp_path / request.param
    write(root, {ANSWERS: written(SHOP), "a.txt": "mine\n", "deep/b.txt": "B\n"})
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "-q", "-m", "change")
    return Made(root, SHOP)


def test_it_is_found_from_within(made: Made) -> None:
    """From its folder and from any below."""
    assert find_made(made.root) == find_made(made.root / "deep") == made


def test_it_is_not_looked_for_outside_of_the_checkout(tmp_path: Path) -> None:
    """A file further up is somebody else's."""
    (tmp_path / ANSWERS).write_text(written(SHOP))
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    with pytest.raises(ConfigError, match="no project that new"):
        find_made(other)


def test_files_are_written_and_removed(made: Made) -> None:
    """New ones in folders that are not there yet, too."""
    apply(made, [Outcome("new/c.txt", None, "C\n"), Outcome("deep/b.txt", "B\n", None)])
    assert (made.root / "new" / "c.txt").read_text() == "C\n"
    assert not (made.root / "deep" / "b.txt").exists()


def test_a_conflict_in_what_git_has(made: Made) -> None:
    """It is written: git brings back what was there."""
    apply(made, [BOTH_CHANGED])
    assert (made.root / "a.txt").read_text() == "merged\n"


def test_a_conflict_in_what_git_does_not_have(made: Made) -> None:
    """Nothing at all is changed, and the file is named."""
    (made.root / "a.txt").write_text("mine, and not committed\n")
    with pytest.raises(UsageError, match=r"not all is committed: a\.txt"):
        apply(made, [Outcome("deep/b.txt", "B\n", None), BOTH_CHANGED])
    assert (made.root / "deep" / "b.txt").exists()


def test_texts_are_of_what_is_there(made: Made) -> None:
    """What is no text is ``None``: a link, a folder, bytes; a line that is no UTF-8 comes back as it was."""
    (made.root / "link").symlink_to("a.txt")
    (made.root / "bytes").write_bytes(b"\x00")
    (made.root / "odd").write_bytes(b"\xff\n")
    found = made.texts(["a.txt", "link", "deep", "bytes", "odd", "nowhere"])
    assert found == {"a.txt": "mine\n", "link": None, "deep": None, "bytes": None, "odd": "\udcff\n"}
    apply(made, [Outcome("odd", found["odd"], f"{found['odd']}more\n")])
    assert (made.root / "odd").read_bytes() == b"\xff\nmore\n"
