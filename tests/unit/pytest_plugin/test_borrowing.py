"""The stack of one pytest session, with lenders that answer without an engine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tasklib.errors import TasklibError, UsageError
from tasklib.lending import client
from tasklib.lending.client import Lent, NotLent
from tasklib.process import SCRATCH
from tasklib.pytest_plugin.borrowing import Borrowing, is_asked
from tasklib.pytest_plugin.workers import Asked, Controller

LENT = Lent("test-main", "the full stack", {"TEST_API_URL": "http://127.0.0.1:1"}, kept=False, seconds=1.0)


class Loan:
    """What a lender gives: a stack or nothing, with a container that says one line."""

    def __init__(self, lent: Lent | None) -> None:
        self.lent = lent
        self.closed = 0

    def logs(self, since: float = 0.0) -> tuple[str, ...]:
        return (f"api: said since {since:g}",)

    def close(self) -> None:
        self.closed += 1


class Lender:
    """Stands in for the process that lends: what it was asked for, and what it gives."""

    def __init__(self) -> None:
        self.gives: Lent | TasklibError | None = LENT
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.loans: list[Loan] = []

    def borrow(self, stack: str, paths: Sequence[Path], *_: object, **__: object) -> Loan:
        self.asked.append((stack, tuple(path.name for path in paths)))
        if isinstance(self.gives, TasklibError):
            raise self.gives
        self.loans.append(Loan(self.gives))
        return self.loans[-1]


@pytest.fixture
def lender(monkeypatch: pytest.MonkeyPatch) -> Lender:
    found = Lender()
    monkeypatch.setattr(client, "borrow", found.borrow)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    return found


@pytest.fixture
def plain(tmp_path: Path) -> pytest.Config:
    return config(tmp_path)


def config(folder: Path, **said: Any) -> pytest.Config:
    """A session in ``folder`` whose command line said so."""
    words = {"stack": None, "markexpr": "", "stack_fresh": False, "file_or_dir": [], **said}
    return cast(
        "pytest.Config",
        SimpleNamespace(
            known_args_namespace=SimpleNamespace(**words),
            getini=lambda name: [] if name == "testpaths" else "",
            getoption=lambda name, default=None: said.get(name, default),
            invocation_params=SimpleNamespace(dir=folder),
            rootpath=folder,
            pluginmanager=SimpleNamespace(getplugin=lambda name: None),
            option=SimpleNamespace(color="no", code_highlight="no"),
        ),
    )


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ({}, False),
        ({"stack": "none"}, False),
        ({"stack": "auto"}, True),
        ({"stack": "own", "collectonly": True}, False),
        ({"stack": "full", "help": True}, False),
    ],
)
def test_a_stack_is_brought_up_where_tests_are_to_run(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    said: Mapping[str, Any],
    asked: bool,
) -> None:
    """Not for a question to pytest, and never by a worker of xdist."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    assert is_asked(config(tmp_path, **said)) is asked
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    assert not is_asked(config(tmp_path, **said))


def test_its_variables_are_set_until_it_is_given_back(
    lender: Lender, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The environment is what it was afterwards, and the stack is asked for by where the tests are."""
    monkeypatch.delenv("TEST_API_URL", raising=False)
    (tmp_path / "test_a.py").touch()
    borrowing = Borrowing(config(tmp_path, stack="own", file_or_dir=["test_a.py::test_x"]))
    borrowing.begin()
    assert lender.asked == [("own", ("test_a.py",))]
    assert os.environ["TEST_API_URL"] == "http://127.0.0.1:1"
    borrowing.need([tmp_path])
    assert len(lender.asked) == 1
    borrowing.close()
    assert "TEST_API_URL" not in os.environ
    assert lender.loans[0].closed == 1
    assert borrowing.logs() == ()


def test_what_cannot_be_brought_up_ends_pytest_with_what_the_containers_said(
    plain: pytest.Config, lender: Lender
) -> None:
    """As a mistake in how pytest was called: no traceback."""
    lender.gives = NotLent("db did not become ready", 4, ["db: no space left"])
    with pytest.raises(pytest.UsageError, match=r"db: no space left\ndb did not become ready"):
        Borrowing(plain).begin()


def test_a_test_that_needs_a_stack_has_one_or_is_told_why_not(
    plain: pytest.Config, lender: Lender, tmp_path: Path
) -> None:
    """Brought up when the test asks; `--stack none` refuses, and so does a place that tells of no stack."""
    with pytest.raises(UsageError, match="Leave `--stack none` out"):
        Borrowing(config(tmp_path, stack="none")).need([tmp_path])
    lender.gives = None
    with pytest.raises(UsageError, match=r"which stack .* needs\n.*--stack own"):
        Borrowing(plain).need([tmp_path])
    assert lender.loans[0].closed == 1


def test_what_whoever_started_us_has_brought_up_is_used(
    plain: pytest.Config, lender: Lender, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A run of tasklib's, or a shell that has the variables."""
    monkeypatch.setenv("TEST_INSTANCE_ID", "main")
    monkeypatch.setenv("TEST_API_URL", "http://127.0.0.1:2")
    borrowing = Borrowing(plain)
    borrowing.begin()
    borrowing.need([tmp_path])
    assert lender.asked == []


def test_only_a_failed_test_shows_what_the_containers_said_since_it_began(
    plain: pytest.Config, lender: Lender
) -> None:
    """Ten of them at most: each costs a question."""
    borrowing = Borrowing(plain)
    borrowing.begin()
    shown = []
    try:
        for number in range(12):
            for when, failed in (("setup", False), ("call", True), ("teardown", False)):
                report: Any = SimpleNamespace(
                    nodeid=f"t{number}", start=number + 0.5, when=when, failed=failed, sections=[]
                )
                borrowing.pytest_runtest_logreport(report)
                shown += report.sections
    finally:
        borrowing.close()
    assert shown == [("Logs of test-main", f"api: said since {number + 0.5}") for number in range(10)]


def test_workers_ask_their_controller(plain: pytest.Config, lender: Lender, tmp_path: Path) -> None:
    """The first question has the stack brought up, all are answered; afterwards nobody answers."""
    borrowing = Borrowing(plain)
    node: Any = SimpleNamespace(workerinput={})
    borrowing.pytest_configure_node(node)
    assert node.workerinput[Asked.UP] is False
    asked = Asked(node.workerinput[Asked.ADDRESS])
    try:
        assert asked.stack([str(tmp_path)]) == asked.stack([str(tmp_path)]) == LENT.variables
        assert asked.logs(3) == ("api: said since 3",)
        assert len(lender.asked) == 1
    finally:
        borrowing.close()
    with pytest.raises(UsageError, match="does not answer"):
        asked.stack([])


def test_what_a_controller_cannot_bring_up_is_told_to_every_worker(
    plain: pytest.Config, lender: Lender, tmp_path: Path
) -> None:
    """It is tried once."""
    lender.gives = NotLent("no engine", 3)
    borrowing = Borrowing(plain)
    controller = Controller(borrowing._answer)
    folder = Path(controller.address).parent
    assert folder.name.startswith(SCRATCH), "one that is swept where we are killed"
    try:
        for _ in range(2):
            with pytest.raises(UsageError, match="no engine"):
                Asked(controller.address).stack([str(tmp_path)])
    finally:
        controller.close()
    assert not folder.exists()
    assert len(lender.asked) == 1


def test_a_worker_gets_what_its_controller_has(
    plain: pytest.Config, lender: Lender, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It borrows nothing itself, and what the containers said it hears from there."""
    monkeypatch.delenv("TEST_API_URL", raising=False)
    controller = Controller(
        lambda request: {"logs": ["db: hello"]} if "logs" in request else {"variables": LENT.variables}
    )
    cast("Any", plain).workerinput = {Asked.ADDRESS: controller.address}
    worker = Borrowing(plain)
    try:
        worker.need([tmp_path])
        assert os.environ["TEST_API_URL"] == "http://127.0.0.1:1"
        assert worker.logs() == ("db: hello",)
    finally:
        worker.close()
        controller.close()
    assert lender.asked == []
