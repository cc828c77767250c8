"""Files of this machine as archives that an engine unpacks in a container."""

from __future__ import annotations

import os
import socket
import tarfile
import tempfile
from pathlib import Path

import pytest

from tasklib.errors import ConfigError
from tasklib.stacks import archive as archives
from tasklib.stacks.archive import Copied, archive, digest_of


def entries(*files: Copied) -> dict[str, tarfile.TarInfo]:
    with archive(files) as packed, tarfile.open(fileobj=packed) as tar:
        return {entry.name: entry for entry in tar}


def test_a_file_keeps_its_mode_and_owner_unless_others_are_asked_for(tmp_path: Path) -> None:
    """The numbers count: names of users mean others in a container."""
    path = tmp_path / "key"
    path.write_text("secret")
    path.chmod(0o640)
    kept = entries(Copied(str(path), "run/secrets/key"))["run/secrets/key"]
    assert (kept.mode, kept.uid, kept.gid, kept.uname, kept.size) == (0o640, os.getuid(), os.getgid(), "", 6)
    asked = entries(Copied(str(path), "key", 0o400, 101, 102))["key"]
    assert (asked.mode, asked.uid, asked.gid) == (0o400, 101, 102)


def test_a_folder_comes_with_all_that_is_in_it(tmp_path: Path) -> None:
    """Links inside stay links, a link that is named is followed; a socket is no file."""
    folder = tmp_path / "conf"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a b;$c").write_text("x")
    (folder / "link").symlink_to("deep/a b;$c")
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{short}/s")
        Path(short, "s").rename(folder / "socket")
        (tmp_path / "named").symlink_to("conf")
        found = entries(Copied(str(tmp_path / "named"), "."))
    assert {name.removeprefix("./") for name in found} == {".", "deep", "deep/a b;$c", "link"}
    assert [entry.issym() for name, entry in found.items() if name.endswith("link")] == [True]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """As a mistake of the project's files, not of tasklib."""
    with pytest.raises(ConfigError, match="cannot be copied into a container") as refused:
        archive([Copied(str(tmp_path / "gone"), "x")])
    assert refused.value.where == str(tmp_path / "gone")


def test_many_files_are_one_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is left out, and it need not fit in memory."""
    monkeypatch.setattr(archives, "_IN_MEMORY", 1000)
    for number in range(100):
        (tmp_path / f"{number}").write_text("x" * 100)
    with archive([Copied(str(tmp_path), ".")]) as packed, tarfile.open(fileobj=packed) as tar:
        assert sum(entry.isreg() for entry in tar) == 100
        assert Path(f"/proc/self/fd/{packed.fileno()}").readlink().name.endswith("(deleted)")


def test_a_digest_is_another_one_after_any_change(tmp_path: Path) -> None:
    """Content, mode, names and links; looking alone changes nothing."""
    folder = tmp_path / "conf"
    folder.mkdir()
    (folder / "a").write_text("1")
    seen = {digest_of(folder)}
    assert digest_of(folder) in seen

    def write() -> None:
        (folder / "a").write_text("22")

    def make() -> None:
        (folder / "b").mkdir()

    def link() -> None:
        (folder / "c").symlink_to("a")

    for change in (write, make, link, lambda: (folder / "a").chmod(0o600), lambda: (folder / "c").unlink()):
        change()
        assert digest_of(folder) not in seen
        seen.add(digest_of(folder))
