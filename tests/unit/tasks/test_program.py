"""The command `tasklib`: its help, and what it says to whoever mistypes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tasklib import process
from tasklib.errors import ConfigError
from tasklib.options.catalog import COMMANDS
from tasklib.tasks import program


def run(line: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """The exit code, and what was printed."""
    capsys.readouterr()
    try:
        program.run(["tasklib", *line.split()])
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
    return (code, *capsys.readouterr())


def test_without_a_task_it_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command is there; that is no mistake."""
    code, out, _ = run("", capsys)
    assert code == 0
    assert all(command.name.partition(".")[0] in out for command in COMMANDS if not command.name.count("-"))


def test_help_begins_with_the_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    """Then the stages' options, then an example; Invoke's own come last."""
    code, out, _ = run("--help", capsys)
    places = [
        out.index(word) for word in ("test.unit", "Options of the stages", "Example:", "Options of Invoke")
    ]
    assert (code, places) == (0, sorted(places))


STARTS = """
import sys
from tasklib.__main__ import main
sys.argv = ["tasklib", "--version"]
try:
    main()
except SystemExit as left:
    assert not left.code
assert "invoke.context" in sys.modules
assert "asyncio" not in sys.modules, "it costs a tenth of a second"
from invoke import MockContext, Result
assert MockContext(run=Result("said")).run("x").stdout == "said"
"""


def test_the_command_starts_without_what_only_tests_of_tasks_need() -> None:
    """Invoke's imports bring no asyncio with them, and its class for tests works all the same."""
    process.run([sys.executable, "-c", STARTS])


@pytest.mark.parametrize("command", ["test.unit", "doctor", "release.tag", "infra.up"])
def test_help_of_a_task_ends_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With each option in one line, whichever side of the name --help stands."""
    before, after = run(f"--help {command}", capsys), run(f"{command} --help", capsys)
    assert before == after
    assert before[0] == 0
    assert before[1].splitlines()[0].startswith(f"Usage: tasklib {command}")
    assert f"Example: tasklib {command}" in before[1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tset.unit", "unknown task 'tset.unit'\nDid you mean test.unit?"),
        ("zzz", "unknown task 'zzz'\n`tasklib` lists them."),
        ("test.unit --nmae api", "unknown option --nmae of test.unit\nDid you mean --name?"),
        ("test.unit --maxfail 1", "Options of pytest follow `--`: tasklib test.unit -- --maxfail"),
        ("test.unit --jobs abc", "--jobs takes"),
        ("test.unit --jobs 0", "--jobs takes"),
        ("test.unit --name", "--name"),
        ("test.unit --format nice", "--format takes"),
        ("clean --al", "unknown option --al of clean"),
    ],
)
def test_what_is_mistyped_is_answered_with_code_2(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what was meant where something looks like it; what removes is never offered."""
    code, out, err = run(line, capsys)
    assert (code, out) == (2, "")
    assert said in err
    assert "mean --all" not in err


def test_a_home_of_somebody_else_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever of it cannot be read: a folder that is closed, or no folder at all."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    code, out, _ = run("--list", capsys)
    assert code == 0
    assert "infra.up" in out


@pytest.mark.parametrize("content", ["a: [", "[]", "a: !!python/object:os.system x"])
def test_settings_of_invoke_that_are_none_are_named(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With their file; they are the user's mistake, not ours."""
    (tmp_path / ".invoke.yaml").write_text(content)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ConfigError, match=r"invoke\.yaml.*Invoke's settings"):
        run("--list", capsys)
