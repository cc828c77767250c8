"""The three stages of a small project on a real engine: what passes, what fails, and what is left of it."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from .conftest import NewProject
from .projects import PYTHON, compose
from .traces import Observer, Traces, until

SERVED = compose(
    api=f"""
        image: {PYTHON}
        command: sh -c 'echo ready to sell; exec python -u -m http.server 8000'
        ports: ["8000"]
    """
)

UNIT = "def test_price(): assert 2 * 3 == 6\n"

ANSWERS = """
    import os, urllib.request

    def test_answers():
        assert urllib.request.urlopen(os.environ["TEST_API_URL"] + "/").status == 200
"""

SHOP = {
    "services/api/tests/unit/test_price.py": UNIT,
    "services/api/tests/integration/test_api.py": ANSWERS,
    "services/api/deploy/test/docker-compose.yml": SERVED,
    "services/web/tests/unit/test_page.py": UNIT,
    "tests/integration/test_shop.py": ANSWERS,
    "deploy/test/docker-compose.yml": SERVED,
    "noxfile.py": "from tasklib.sessions import register\nregister()\n",
}

SINGLE_COLLECTIONS = """
    from invoke import Collection, task
    from tasklib.tasks import infra, test

    @task
    def hello(c):
        print("hello")

    ns = Collection(hello, infra)
    ns.add_collection(test, name="check")
"""


def test_the_same_stages_with_every_front_end(project: NewProject, traces: Traces) -> None:
    """Nox, the console command without a tasks.py, and collections under names of the project's own."""
    shop = project(SHOP)
    stages = [
        "unit api: 1 passed (…)",
        "unit web: 1 passed (…)",
        "service api: 1 passed (…)",
        "integration shop: 1 passed (…)",
    ]
    with Observer(traces.token) as observer:
        tasklib = shop.run("tasklib", "test")
    assert (tasklib.code, sorted(tasklib.told)) == (
        0,
        sorted([*stages, "PASSED: 4 passed in 4 targets (…)."]),
    ), tasklib
    assert observer.projects == {f"test-feature-{traces.token}", f"test-feature-{traces.token}_api"}
    assert traces.left() == []

    nox = shop.run("nox", "-s", "unit", "service", "integration")
    summaries = {"PASSED: 2 passed in 2 targets (…).", "PASSED: 1 passed in 1 target (…)."}
    assert (nox.code, {*nox.told}) == (0, {*stages, *summaries}), nox
    assert traces.left() == []

    shop.write({"tasks.py": SINGLE_COLLECTIONS})
    invoke = shop.run("invoke", "hello", "check.service", "--name", "api")
    assert invoke.code == 0, invoke
    assert invoke.told == ["hello", "service api: 1 passed (…)", "PASSED: 1 passed in 1 target (…)."]
    assert "check.integration" in shop.run("invoke", "--list").out


def test_a_failing_unit_test_stops_the_stages_that_follow(project: NewProject, traces: Traces) -> None:
    """Exit code 1, the failure and little else; no container was ever started."""
    failing = "def test_price():\n    total = 2 * 3\n    assert total == 7, 'the total is wrong'\n"
    shop = project({**SHOP, "services/api/tests/unit/test_price.py": failing})
    with Observer(traces.token) as observer:
        ran = shop.run("tasklib", "test")
    assert ran.code == 1, ran
    assert observer.containers == {}
    assert "AssertionError: the total is wrong" in ran.text
    assert "services/api/tests/unit/test_price.py:3" in ran.text
    assert "tasklib test.unit --name api -k tests/unit/test_price.py::test_price" in ran.text
    assert "skipped: service api, integration shop: unit failed" in ran.told
    assert ran.told[-1].startswith("FAILED (unit api): 1 failed, 1 passed in 2 targets, 2 targets skipped")
    assert len(ran.lines) <= 12, ran


WAITING = """
    import pathlib, time

    def test_waits():
        until = time.monotonic() + 60
        while not pathlib.Path("end").exists():
            assert time.monotonic() < until
            time.sleep(0.02)
        assert pathlib.Path("end").read_text() == "passed"
"""


@pytest.mark.parametrize("pruned", [False, True])
def test_containers_are_created_while_unit_tests_run(
    project: NewProject, traces: Traces, engine: Any, pruned: bool
) -> None:
    """None is started before they have passed; what someone removes meanwhile is created again."""
    shop = project({**SHOP, "services/api/tests/unit/test_price.py": WAITING})
    with shop.during("tasklib", "test") as running:
        assert until(lambda: len(traces.containers()) == 2), running.text
        assert traces.states() == {"created"}
        for row in traces.containers() if pruned else ():
            engine.remove_container(row["Id"])
        (shop.root / "services/api/end").write_text("passed")
        ran = running.wait()
    assert ran.code == 0, ran


def test_what_was_created_for_nothing_goes(project: NewProject, traces: Traces) -> None:
    """After a failing unit test nothing is kept: there never was a stack to keep."""
    shop = project({**SHOP, "services/api/tests/unit/test_price.py": WAITING})
    with shop.during("tasklib", "test", "--keep") as running:
        assert until(lambda: len(traces.containers()) == 2), running.text
        (shop.root / "services/api/end").write_text("failed")
        ran = running.wait()
    assert ran.code == 1, ran
    assert traces.left() == []


def test_no_more_stacks_are_created_ahead_than_run_at_once(project: NewProject, traces: Traces) -> None:
    """With `--jobs 1` the full stack and that of the first service, until it is the second one's turn."""
    shop = project(
        {
            **SHOP,
            "services/api/tests/unit/test_price.py": WAITING,
            "services/web/tests/integration/test_api.py": ANSWERS,
            "services/web/deploy/test/docker-compose.yml": SERVED,
        }
    )
    with shop.during("tasklib", "test", "--jobs", "1") as running:
        own = f"test-feature-{traces.token}"
        assert until(lambda: traces.projects() == {own, f"{own}_api"}), running.text
        assert not until(lambda: f"{own}_web" in traces.projects(), 1.0)
        (shop.root / "services/api/end").write_text("passed")
        ran = running.wait()
    assert ran.code == 0, ran


def test_a_pull_that_never_ends_does(project: NewProject, traces: Traces) -> None:
    """Creating has the patience that becoming ready has, and says what it waited for."""
    with socket.create_server(("127.0.0.1", 0)) as registry:
        image = f"127.0.0.1:{registry.getsockname()[1]}/never/there:1"
        shop = project(
            {
                **SHOP,
                "services/api/deploy/test/docker-compose.yml": compose(api=f"image: {image}"),
                "pyproject.toml": "[tool.tasklib]\ntimeout.ready = 2\n",
            }
        )
        ran = shop.run("tasklib", "test.service")
    assert ran.code == 4, ran
    assert "the stack of api was not ready after 2 s, waiting for api (not created)" in ran.text


def test_a_failing_service_test_shows_the_log_of_its_stack(project: NewProject, traces: Traces) -> None:
    """The assertion, and the lines that the stack's container wrote meanwhile; the stack itself is gone, and
    nothing of the integration tests was loaded."""
    failing = """
        import os, urllib.error, urllib.request, pytest

        def test_finds_the_order():
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(os.environ["TEST_API_URL"] + "/orders/17")
            assert caught.value.code == 200, "order 17 is missing"
    """
    loaded = "import pathlib\npathlib.Path('loaded').touch()\n"
    shop = project(
        {
            **SHOP,
            "services/api/tests/integration/test_api.py": failing,
            "tests/integration/conftest.py": loaded,
        }
    )
    with Observer(traces.token) as observer:
        ran = shop.run("tasklib", "test")
    assert ran.code == 1, ran
    assert not (shop.root / "loaded").exists()
    assert "order 17 is missing" in ran.text
    assert '"GET /orders/17 HTTP/1.1" 404' in ran.text
    assert "skipped: integration shop: service failed" in ran.told
    assert f"test-feature-{traces.token}_api" in observer.projects
    assert traces.left() == []
    assert len(ran.lines) <= 25, ran


def test_nox_skips_the_stages_after_a_failure_and_nothing_else(project: NewProject) -> None:
    """The project's own sessions run on, and Nox exits 1."""
    noxfile = """
        import nox
        from tasklib.sessions import register

        register("unit", "service", "integration")

        @nox.session(python=False)
        def lint(session):
            session.log("no lint")
    """
    failing = {"services/web/tests/unit/test_page.py": "def test_page(): assert False\n"}
    shop = project({**SHOP, **failing, "noxfile.py": noxfile})
    ran = shop.run("nox", "-s", "unit", "service", "lint", "integration")
    assert ran.code == 1, ran
    for line in (
        "nox > Session service skipped: unit failed.",
        "nox > no lint",
        "nox > Session lint was successful.",
        "nox > Session integration skipped: unit failed.",
    ):
        assert any(found.startswith(line.removesuffix(".")) for found in ran.text.splitlines()), ran
    assert "infra-up" not in shop.run("nox", "--list").out


def test_plain_nox_runs_the_three_stages_and_nothing_else(project: NewProject) -> None:
    """Sessions that change something (infra-down, clean) wait until they are named."""
    shop = project(SHOP)
    listed = shop.run("nox", "--list").out.splitlines()
    assert [line.split()[1] for line in listed if line.startswith("* ")] == ["unit", "service", "integration"]
    assert {line.split()[1] for line in listed if line.startswith("- ")} >= {
        "test",
        "infra-up",
        "infra-down",
        "clean",
    }


def test_a_container_that_comes_up_at_its_third_restart_is_waited_for(project: NewProject) -> None:
    """An api that waits for its database by crashing passes; a job that exits 0 is done, not lost."""
    stack = compose(
        api=f"""
            image: {PYTHON}
            command: >-
              sh -c 'echo x >> /tmp/tries; test $$(wc -l < /tmp/tries) -ge 4 || exit 1;
              exec python -m http.server 8000'
            restart: always
            ports: ["8000"]
        """,
        migration=f"""
            image: {PYTHON}
            command: echo migrated
        """,
        report=f"""
            image: {PYTHON}
            command: echo reported
            depends_on: {{migration: {{condition: service_completed_successfully}}}}
        """,
    )
    shop = project({**SHOP, "services/api/deploy/test/docker-compose.yml": stack})
    ran = shop.run("tasklib", "test.service")
    assert (ran.code, ran.told[0]) == (0, "service api: 1 passed (…)"), ran


def test_a_restart_that_never_helps_ends_long_before_the_deadline(project: NewProject) -> None:
    """What crashes for ever is told with its exit code and its last words."""
    stack = compose(
        api=f"""
            image: {PYTHON}
            command: sh -c 'echo still no database; exit 9'
            restart: always
            ports: ["8000"]
        """
    )
    shop = project(
        {
            **SHOP,
            "services/api/deploy/test/docker-compose.yml": stack,
        }
    )
    ran = shop.run("tasklib", "test.service")
    assert ran.code == 4, ran
    assert "api keeps ending with code 9 (6 restarts, and nothing else is awaited)" in ran.told[0], ran
    assert ran.told[1:3] == ["  container logs:", "  api | still no database"], ran


def test_nox_skips_a_stage_that_has_no_tests(project: NewProject) -> None:
    """A project of unit tests alone passes all three sessions; an empty stage by itself is an error."""
    shop = project(
        {
            "services/api/tests/unit/test_price.py": UNIT,
            "noxfile.py": SHOP["noxfile.py"],
            "tests/unit/test_a.py": UNIT,
        }
    )
    all_three = shop.run("nox", "-s", "unit", "service", "integration")
    assert (all_three.code, all_three.told[-1]) == (0, "PASSED: 2 passed in 2 targets (…)."), all_three
    assert "Session service skipped: no service tests in shop." in all_three.text
    alone = shop.run("nox", "-s", "service")
    assert (alone.code, "no service tests in shop" in alone.text) == (1, True), alone


def test_a_single_service_project_has_two_stages(project: NewProject) -> None:
    """Its own stack is the full stack: the service stage says in one line that integration covers it."""
    shop = project(
        {
            "tests/unit/test_price.py": UNIT,
            "tests/integration/test_shop.py": ANSWERS,
            "deploy/test/docker-compose.yml": SERVED,
            "noxfile.py": SHOP["noxfile.py"],
            "Dockerfile": "FROM scratch\n",
        }
    )
    ran = shop.run("tasklib", "test")
    assert (ran.code, ran.told) == (
        0,
        [
            "unit shop: 1 passed (…)",
            "integration shop: 1 passed (…)",
            "PASSED: 2 passed in 2 targets (…).",
        ],
    ), ran
    service = shop.run("tasklib", "test.service")
    covered = "service: nothing to do, shop is a single service: integration covers it"
    assert (service.code, service.lines) == (0, [covered]), service
    nox = shop.run("nox", "-s", "unit", "service", "integration")
    assert nox.code == 0, nox
