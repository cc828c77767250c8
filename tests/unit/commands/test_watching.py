"""What --watch says where it cannot."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from tasklib.commands.testing import run_stages
from tasklib.errors import UsageError


def test_without_the_library_a_line_says_what_to_install(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything runs."""
    (repository / "tests/unit").mkdir(parents=True)
    (repository / "tests/unit/test_it.py").write_text("def test_it(): ...\n")
    monkeypatch.chdir(repository)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "watchfiles" else found(name, *more)
    )
    with pytest.raises(UsageError, match="watchfiles, which is not installed") as caught:
        run_stages(["unit"], watch=True)
    assert "tasklib-stages[watch]" in str(caught.value)


@pytest.mark.parametrize(
    ("option", "chosen"),
    [({"shard": (1, 2)}, "--shard"), ({"changed": True}, "--changed"), ({"base": "main"}, "--base")],
)
def test_what_chooses_once_does_not_watch(option: dict[str, Any], chosen: str) -> None:
    """What is saved later would be tested or not by what was changed before."""
    with pytest.raises(UsageError, match=f"{chosen} chooses once") as caught:
        run_stages(["unit"], watch=True, **option)
    assert "Leave one of them out" in str(caught.value)
