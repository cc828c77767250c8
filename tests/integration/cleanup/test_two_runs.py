"""One instance, two runs at once: the second waits, says for whom, and neither disturbs the other."""

from __future__ import annotations

import signal
from pathlib import Path

from ..conftest import NewProject
from ..projects import Checkout, compose
from ..traces import Traces, until
from .support import SERVED, Run, gone_within

SERVICES = ("api", "web", "pay")


def first_of(shop: Checkout) -> Run:
    """A run that uses the stack of api."""
    run = Run(shop, "tasklib", "test.service")
    run.until(lambda: (run.marks / "testing").exists())
    (run.marks / "testing").unlink()
    return run


def test_the_second_waits_and_says_for_whom(shop: Checkout, traces: Traces, state: Path) -> None:
    """It names command, process and folder, and starts once the first has ended."""
    first = first_of(shop)
    second = Run(shop, "tasklib", "test.service")
    second.until(lambda: "waiting for test-" in second.text)
    assert (
        f"_api, which is in use by `tasklib test.service` (pid {first.process.pid}) in {shop.root}"
        in second.text
    )
    assert not (first.marks / "testing").exists(), "its tests have not begun"
    (first.marks / "end").write_text("0")
    assert (first.wait(), second.wait()) == (0, 0), second.text
    assert not gone_within(traces, state)


def test_who_waits_can_be_interrupted(shop: Checkout, traces: Traces) -> None:
    """The run that is waited for goes on undisturbed."""
    first = first_of(shop)
    second = Run(shop, "tasklib", "test.service")
    second.until(lambda: "waiting for test-" in second.text)
    second.send(signal.SIGINT)
    assert second.wait() == 130
    assert traces.states() == {"running"}
    (first.marks / "end").write_text("0")
    assert first.wait() == 0, first.text


def test_who_waits_takes_over_from_the_killed_cleanly(shop: Checkout, traces: Traces, state: Path) -> None:
    """The reaper of the dead run never touches the stack of its successor."""
    first = first_of(shop)
    second = Run(shop, "tasklib", "test.service")
    second.until(lambda: "waiting for test-" in second.text)
    before = {row["Id"] for row in traces.containers()}
    first.send(signal.SIGKILL, group=True)
    first.wait()
    second.until(lambda: (second.marks / "testing").exists())
    now = {row["Id"] for row in traces.containers()}
    assert not now & before
    log = state / "tasklib" / "reaper.log"
    assert until(lambda: "removed (" in log.read_text(), 10), log.read_text()
    assert {row["Id"] for row in traces.containers()} == now
    (second.marks / "end").write_text("0")
    assert second.wait() == 0, second.text
    assert not gone_within(traces, state)


def test_infra_down_and_clean_do_not_take_it_away(shop: Checkout, traces: Traces) -> None:
    """Both name the run that is in the way and exit with 2; --force removes all the same."""
    first = first_of(shop)
    for argv in (("infra.down", "--name", "api"), ("clean",)):
        ran = shop.run("tasklib", *argv)
        assert ran.code == 2, ran
        assert f"is in use by `tasklib test.service` (pid {first.process.pid}) in {shop.root}" in ran.err
        assert traces.states() == {"running"}
    assert shop.run("tasklib", "infra.status").code == 0
    assert shop.run("tasklib", "clean", "--force").code == 0
    assert not traces.left_of_stacks()
    (first.marks / "end").write_text("0")
    assert first.wait() == 0, first.text


def test_two_whole_runs_with_many_stacks_do_not_wait_for_each_other_for_ever(
    project: NewProject, traces: Traces, state: Path
) -> None:
    """Each has several stacks at once and wants those of the other: both come to their end."""
    files = {
        "pyproject.toml": "\n".join(
            f'[tool.tasklib.services.{name}]\ncommand = ["true"]' for name in SERVICES
        ),
        "deploy/test/docker-compose.yml": compose(**dict.fromkeys(SERVICES, SERVED)),
        "tests/integration/test_all.sh": "",
    }
    for name in SERVICES:
        files[f"services/{name}/deploy/test/docker-compose.yml"] = compose(**{name: SERVED})
        files[f"services/{name}/tests/integration/README"] = "`true` does it\n"
    shop = project(files)
    runs = [Run(shop, "tasklib", "test.service", "--jobs", jobs) for jobs in ("1", "3")]
    runs += [Run(shop, "tasklib", "infra.up", "--name", "pay", "--name", "api")]
    assert [run.wait() for run in runs] == [0, 0, 0], runs[0].text
    assert shop.run("tasklib", "clean").code == 0
    assert not gone_within(traces, state)


def test_a_run_inside_the_run_it_would_wait_for_is_refused(shop: Checkout, traces: Traces) -> None:
    """A test that runs tasklib in its own checkout would wait for itself; other stacks are free."""
    shop.write({"services/api/tests.sh": 'cd ../.. && tasklib test.service > "$MARKS/inner" 2>&1\n'})
    run = Run(shop, "tasklib", "test.service")
    assert run.wait() == 1, run.text
    inner = (run.marks / "inner").read_text()
    assert "is in use by the run that started this one: `tasklib test.service`" in inner
    assert not traces.left()


def test_a_run_inside_a_run_has_its_own_instance(
    shop: Checkout, traces: Traces, token: str, state: Path
) -> None:
    """With an id of its own the inner run passes, and so does the outer one."""
    shop.write(
        {
            "services/api/tests.sh": """
                if [ -n "$INNER" ]; then exit 0; fi
                cd ../..
                INNER=1 TEST_INSTANCE_ID="inner-$TOKEN" tasklib test.service > "$MARKS/inner" 2>&1
            """
        }
    )
    run = Run(shop, "tasklib", "test.service", env={"TOKEN": token})
    assert run.wait() == 0, run.text + (run.marks / "inner").read_text()
    assert "PASSED" in (run.marks / "inner").read_text()
    assert not gone_within(traces, state)
