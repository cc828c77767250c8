"""The tool's edges: arguments, versions, commands, the base's recipe."""

from __future__ import annotations

import ast
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev import cli
from dev.commands import attached, last_lines, query, run_logged
from dev.consent import Consent
from dev.environment import node_suits
from dev.errors import CommandFailed, DevError, NoEngine, UsageError
from dev.facts import Reach, host_from, reach_of, version_of
from dev.standins import Base, bootstrap_command
from tasklib.waiting import wait_for

ROOT = Path(cli.__file__).resolve().parents[1]


def test_an_old_python_reaches_its_message() -> None:
    """The entry point parses on Pythons that are far too old, so that they can say what is needed."""
    source = (ROOT / "dev" / "__main__.py").read_text()
    ast.parse(source, feature_version=(3, 4))
    assert "from __future__" not in source


def test_the_tool_needs_only_the_standard_library() -> None:
    """It runs before anything is installed: every import is the standard library's or its own."""
    for path in (ROOT / "dev").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                top = name.partition(".")[0]
                assert top == "dev" or top in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_host_facts_come_from_os_release() -> None:
    """Names are folded to lower case and only the leading number of the version counts."""
    fields = {"ID": "Ubuntu", "VERSION_ID": "24.04", "VERSION_CODENAME": "noble"}
    host = host_from(fields, root=False, systemd=True)
    assert (host.distribution, host.version, host.codename, host.packaged) == ("ubuntu", 24, "noble", True)
    empty = host_from({}, root=True, systemd=False)
    assert (empty.version, empty.packaged, empty.name) == (0, False, "this system")


@pytest.mark.parametrize(
    ("said", "reach"),
    [
        ("permission denied while trying to connect to the Docker daemon socket", Reach.DENIED),
        ("Error response from daemon: client version 1.52 is too new. Maximum supported API version is 1.41",
         Reach.INCOMPATIBLE),
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", Reach.SILENT),
        ("", Reach.SILENT),
    ],
)  # fmt: skip
def test_the_clients_words_are_understood(said: str, reach: Reach) -> None:
    """Being refused and being too new have other remedies than an engine that is not there."""
    assert reach_of(said) is reach


def test_node_versions() -> None:
    """Node 20 before 20.19, 21 and the early 22 cannot run the frontend's tools."""
    suiting = ["v20.19.0", "v20.20.2", "v22.12.0", "v24.19.0"]
    others = ["v18.20.4", "v20.18.1", "v21.7.3", "v22.11.0", "", "not found"]
    assert all(node_suits(version_of(text)) for text in suiting)
    assert not any(node_suits(version_of(text)) for text in others)


def test_unit_tests_come_first() -> None:
    """They are measured, with all examples of properties; the integration tests are not."""
    first, second = cli.suite_runs([])
    assert "--hypothesis-profile=thorough" in first
    assert first[-1] == "tests/unit"
    assert second[-1] == "tests/integration"
    assert ("--cov" in first, "--cov" in second) == (True, False)
    assert second[second.index("--dist") + 1] == "worksteal"


def test_pytest_gets_the_whole_suite_unless_files_are_named(tmp_path: Path) -> None:
    """Options keep both folders; a file or a test of one replaces them; values of options do not count as
    files. No part of the suite has to reach the whole one's coverage."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").touch()
    (selected,) = cli.suite_runs(["-k", "orders"], tmp_path)
    assert selected[-4:] == ["tests/unit", "tests/integration", "-k", "orders"]
    (chosen,) = cli.suite_runs(["tests/test_a.py::test_x"], tmp_path)
    assert chosen[-1] == "tests/test_a.py::test_x"
    assert "tests/unit" not in chosen
    assert "--cov" not in {*selected, *chosen}


def test_a_run_on_this_terminal_gives_its_exit_code(tmp_path: Path) -> None:
    """The code is passed on; what cannot be started is a message."""
    assert attached([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, os.environ) == 3
    with pytest.raises(DevError, match="no-such-program-here cannot be run"):
        attached(["no-such-program-here"], tmp_path, os.environ)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Interrupts are heard, also in a job in the background, which begins without them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_ends_a_run_on_this_terminal(tmp_path: Path, interruptible: None) -> None:
    """Nothing goes on behind the prompt that comes back."""
    mark = tmp_path / "process"
    script = (
        f"import os, pathlib, time; pathlib.Path({str(mark)!r}).write_text(str(os.getpid())); time.sleep(60)"
    )

    def interrupt() -> None:
        wait_for(lambda: mark.exists() and mark.read_text(), timeout=30)
        # To the main thread: a signal that this one takes would be looked at when the other's wait is over.
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    with pytest.raises(KeyboardInterrupt):
        attached([sys.executable, "-c", script], tmp_path, os.environ)
    interrupting.join()
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


def test_only_test_takes_arguments_for_its_child() -> None:
    """Text after -- for a command that has no use for it is refused, not ignored, before anything is done."""
    with pytest.raises(UsageError):
        cli.parse(["demo", "--", "-k", "x"])
    options, extra = cli.parse(["test", "--provide-engine", "--", "-k", "x", "--", "y"])
    assert (options.command, options.provide_engine, extra) == ("test", True, ["-k", "x", "--", "y"])


@pytest.mark.parametrize("arguments", [[], ["tset"], ["test", "-k"], ["images", "--provide"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown command or option, or a shortened one, ends before anything is touched."""
    with pytest.raises(SystemExit) as caught:
        cli.parse(arguments)
    assert caught.value.code == 2
    assert "usage: python3 dev" in capsys.readouterr().err


def test_without_a_terminal_nothing_is_permitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Off a terminal the option is the only permission; the message says so in two lines."""
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(NoEngine) as caught:
        Consent(given=False).ask("No Docker Engine answers.", "start the Docker Engine")
    assert str(caught.value).splitlines() == [
        "No Docker Engine answers.",
        "To let this tool start the Docker Engine, add --provide-engine.",
    ]
    Consent(given=True).ask("No Docker Engine answers.", "start the Docker Engine")


def test_the_base_trusts_what_the_host_trusts() -> None:
    """The bootstrap checks with the host's keyring, takes its mirror, and copies its CA bundle."""
    base = Base(("trixie", "bookworm"), ("main",), "https://mirror.example/debian", "/keys/debian.gpg")
    command = bootstrap_command(base, "trixie", Path("/state/base.tar"), bundle=True)
    assert command[-3:] == ["trixie", "/state/base.tar", "https://mirror.example/debian"]
    assert "--keyring=/keys/debian.gpg" in command
    assert any(word.startswith("--customize-hook=copy-in ") for word in command)
    ubuntu = Base(("noble",), ("main", "universe"), "https://mirror.example/ubuntu", "")
    plain = bootstrap_command(ubuntu, "noble", Path("/state/base.tar"), bundle=False)
    assert not any(word.startswith(("--customize-hook", "--keyring")) for word in plain)
    assert "--components=main,universe" in plain


def test_a_failed_command_shows_the_end_of_its_log(tmp_path: Path) -> None:
    """The error names the log, the exit code and the last lines."""
    log = tmp_path / "x.log"
    with pytest.raises(CommandFailed) as caught:
        run_logged([sys.executable, "-c", "print('first'); print('last'); raise SystemExit(7)"], log)
    assert caught.value.returncode == 7
    assert last_lines(log, 1) == ("last",)
    assert str(log) in str(caught.value)
    assert str(caught.value).endswith("last")


def test_a_missing_program_is_an_answer_not_a_traceback(tmp_path: Path) -> None:
    """A program that is not there gives code 127 to a query and a CommandFailed to a run."""
    assert query(["no-such-program-here"]).code == 127
    with pytest.raises(CommandFailed):
        run_logged(["no-such-program-here"], tmp_path / "x.log")


def test_a_query_has_a_deadline() -> None:
    """A client that hangs does not hang the tool."""
    started = time.monotonic()
    answer = query([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0.3)
    assert (answer.code, answer.ok) == (124, False)
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(("typed", "permitted"), [("y", True), ("YES ", True), ("", False), ("n", False)])
def test_on_a_terminal_the_answer_decides(
    typed: str, permitted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a yes permits; it is asked once, and anything else changes nothing on the machine."""
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return typed

    monkeypatch.setattr("dev.consent.on_terminal", lambda: True)
    monkeypatch.setattr("builtins.input", answer)
    consent = Consent(given=False)
    if not permitted:
        with pytest.raises(NoEngine):
            consent.ask("No Docker Engine answers.", "start the Docker Engine")
        return
    consent.ask("No Docker Engine answers.", "start the Docker Engine")
    consent.ask("mmdebstrap is missing.", "install mmdebstrap")
    assert asked == ["dev: No Docker Engine answers. Shall I start the Docker Engine? [y/N] "]
