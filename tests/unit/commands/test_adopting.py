"""`new.adopt` as it is typed: what it says, and with which code it ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasklib.commands import adopting
from tasklib.commands.adopting import adopt
from tasklib.errors import UsageError
from tests.integration.projects import write

QUESTION = {
    "compose.yml": "services: {db: {image: postgres:16}}",
    "tests/test_a.py": "def test_a(): ...\n",
}


def test_an_open_question_is_code_2_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the option that answers it, and where the evidence stands."""
    write(tmp_path, QUESTION)
    assert adopt(str(tmp_path), write=True, keep_make=False, answers=()) == 2
    said = capsys.readouterr().out
    assert "question: nothing says how the tests in tests are run; do they need the stack?" in said
    assert "  --answer tests=integration  they need compose.yml (compose.yml:1)" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["compose.yml", "tests"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("tests", "takes KEY=VALUE"),
        ("tests=maybe", "takes unit or integration, not 'maybe'"),
        ("test=unit", "there is no such question"),
    ],
)
def test_an_answer_that_does_not_fit(answer: str, said: str, tmp_path: Path) -> None:
    """Is refused with what is asked."""
    write(tmp_path, QUESTION)
    with pytest.raises(UsageError, match=said):
        adopt(str(tmp_path), write=False, keep_make=False, answers=(answer,))


def test_a_folder_without_any_tests(tmp_path: Path) -> None:
    """Says so, and what makes some."""
    write(tmp_path, {"README.md": "Hello\n"})
    with pytest.raises(UsageError, match="nothing here says how it is tested"):
        adopt(str(tmp_path), write=False, keep_make=False, answers=())
    with pytest.raises(UsageError, match="there is no folder"):
        adopt(str(tmp_path / "gone"), write=False, keep_make=False, answers=())


def test_on_a_terminal_a_question_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until it is answered by a number or by the answer itself; then what was proposed is written."""
    write(tmp_path, QUESTION)
    monkeypatch.setattr(adopting, "_checked", lambda *_: True)
    master, slave = os.openpty()
    os.write(master, b"what?\n3\n2\n")
    with os.fdopen(slave) as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        assert adopt(str(tmp_path), write=True, keep_make=False, answers=()) == 0
    os.close(master)
    said = capsys.readouterr()
    assert "  2) integration: they need compose.yml" in said.err
    assert said.err.count("tests (1-2): ") == 3
    assert "wrote noxfile.py, pyproject.toml" in said.out
    assert 'integration = "tests"' in (tmp_path / "pyproject.toml").read_text()


def test_nothing_is_asked_where_nothing_is_to_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Showing the proposal is no reason to stop and wait for somebody."""
    write(tmp_path, QUESTION)
    master, slave = os.openpty()
    with os.fdopen(slave) as terminal:
        monkeypatch.setattr("sys.stdin", terminal)
        assert adopt(str(tmp_path), write=False, keep_make=False, answers=()) == 2
    os.close(master)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["compose.yml", "tests"]
