"""The plugin as a project's own tests use it: in a pytest of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tasklib import process

Run = Callable[..., process.Completed]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """``run(test, "--option", TEST_API_URL="…")`` writes a test and runs pytest on it."""

    def work(test: str, *options: str, conftest: str = "", **variables: str) -> process.Completed:
        (tmp_path / "test_it.py").write_text(test)
        (tmp_path / "conftest.py").write_text(conftest)
        (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\nfilterwarnings = error\n")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEST_", "PYTEST"))}
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
        return process.run(argv, cwd=tmp_path, env={**kept, **variables}, check=False)

    return work


def test_integration_is_an_option_of_every_project(run: Run) -> None:
    """Known where nobody defines it, with its value; a project's own definition stays."""
    test = "def test_it(request): assert request.config.getoption('--integration') is {}\n"
    assert run(test.format(False)).code == 0
    assert run(test.format(True), "--integration").code == 0
    own = "def pytest_addoption(parser): parser.addoption('--integration', action='store', default='none')\n"
    assert run("def test_it(request): assert request.config.option.integration == 'all'\n",
               "--integration=all", conftest=own).code == 0  # fmt: skip


def test_endpoints_come_from_the_variables(run: Run) -> None:
    """Host, port, URL and further ports by service name, dashes and all."""
    test = """
def test_it(endpoint, endpoints, instance_id):
    api = endpoint("price-api")
    assert (api.host, api.port, api.url) == ("127.0.0.1", 32768, "http://127.0.0.1:32768/v1")
    assert str(api) == api.url
    assert api.ports == {8000: 32768, 9000: 32769}
    assert endpoint("database").port == 5432
    assert sorted(endpoints) == ["database", "price_api"]
    assert instance_id == "feature-auth"
"""
    variables = {
        "TEST_PRICE_API_HOST": "127.0.0.1",
        "TEST_PRICE_API_PORT": "32768",
        "TEST_PRICE_API_PORT_8000": "32768",
        "TEST_PRICE_API_PORT_9000": "32769",
        "TEST_PRICE_API_URL": "http://127.0.0.1:32768/v1",
        "TEST_DATABASE_URL": "postgresql://test:test@localhost:5432/testdb",
        "TEST_INSTANCE_ID": "feature-auth",
    }
    done = run(test, **variables)
    assert done.code == 0, done.stdout


def test_a_missing_endpoint_fails_with_what_to_do(run: Run) -> None:
    """One plain message without a traceback: the variable, what is known, the command."""
    done = run("def test_it(endpoint): endpoint('api')\n", TEST_REDIS_URL="redis://127.0.0.1:6379")
    assert done.code == 1
    assert "no endpoint of 'api': TEST_API_URL is not set. Known: redis." in done.stdout
    assert "tasklib infra.up" in done.stdout
    assert "Traceback" not in done.stdout
    done = run("def test_it(instance_id): pass\n")
    assert "TEST_INSTANCE_ID is not set" in done.stdout


def test_waiting_and_the_marker_are_there(run: Run) -> None:
    """wait_for as a fixture, and `fullstack` under strict markers."""
    test = """
import pytest

@pytest.mark.fullstack
def test_it(wait_for):
    assert wait_for(iter([0, "", "ready"]).__next__, timeout=5) == "ready"
"""
    done = run(test)
    assert done.code == 0, done.stdout


def test_the_plugin_costs_next_to_nothing(run: Run) -> None:
    """A pytest with tasklib installed imports neither Docker, rich, nox nor invoke."""
    test = """
import sys

def test_it():
    heavy = {"docker", "rich", "nox", "invoke", "asyncio", "tasklib.stacks", "msgspec"}
    assert "tasklib.pytest_plugin" in sys.modules
    assert not heavy.intersection(sys.modules)
    ours = [name for name in sys.modules if name.startswith("tasklib.pipeline.")]
    assert all(name.startswith("tasklib.pipeline.inject") for name in ours)
"""
    done = run(test, "-p", "no:anyio")  # a plugin of others, which may be installed
    assert done.code == 0, done.stdout


def test_both_plugins_live_together(run: Run, tmp_path: Path) -> None:
    """Injected into an environment that has tasklib: one option, one stream of events."""
    from tasklib.pipeline.runners.pytest import INJECT

    events = tmp_path / "events"
    events.touch()
    test = "def test_it(request, endpoints): assert request.config.getoption('--integration')\n"
    options = ("-p", "tasklib_in_pytest.plugin", "--integration")
    done = run(test, *options, PYTHONPATH=str(INJECT), TASKLIB_EVENTS=str(events))
    assert done.code == 0, done.stdout
    assert events.read_text().count('"e":"finish"') == 1
