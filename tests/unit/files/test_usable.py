"""What a user is told where a folder of ours cannot be used."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from tasklib.errors import ConfigError
from tasklib.files.usable import usable


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, "Make room there"),
        (errno.EDQUOT, "Make room there"),
        (errno.EMFILE, "Allow more open files"),
        (errno.EACCES, "Let yourself read and write it"),
    ],
)
def test_what_to_do_is_about_what_is_wrong(number: int, told: str) -> None:
    """A full disk, too many open files and missing permissions have remedies of their own."""
    with pytest.raises(ConfigError) as caught, usable(Path("/state"), "locks cannot be taken"):
        raise OSError(number, "no")
    assert str(caught.value.what) == "locks cannot be taken: no"
    assert caught.value.where == "/state"
    assert (caught.value.remedy or "").startswith(told)
