"""What tests on a real engine share: the engine, projects of their own, and proof that nothing is left."""

from __future__ import annotations

import gc
import os
import secrets
import signal
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import docker
import docker.errors
import pytest
import requests.exceptions

from dev.chosen import chosen_images

from .projects import OFFICIAL, Checkout, command_environment, copy_example, write
from .traces import Traces, processes_of, until

NewProject = Callable[..., Checkout]

# Before any module of tests is read: some name images in their constants.
os.environ.update(chosen_images(os.environ))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs an engine, so that `-m "not engine"` leaves it out."""
    here = Path(__file__).parent
    for item in items:
        if "engine" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.engine)
        if os.environ.get("CI") and item.path.is_relative_to(here):
            # A loaded runner may break a promise of seconds once; a mistake breaks it every time.
            item.add_marker(pytest.mark.flaky(reruns=2))


@pytest.fixture(scope="session", autouse=True)
def signals() -> None:
    """Commands start as from a terminal: a job in the background has some signals ignored."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def bytecode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What one interpreter compiles the next one finds, in a folder of this run's and not beside the sources.

    Environments are made anew for most tests, and compiling pytest takes longer than a small suite.
    """
    base = tmp_path_factory.getbasetemp()
    run = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", str(run / "bytecode"))
        yield


@pytest.fixture(scope="session")
def engine() -> Iterator[Any]:
    """The engine's API. Without one the test is skipped, on a CI system it fails."""
    reason = ""
    try:
        client = docker.from_env(timeout=60)
        client.ping()
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        reason = f"no Docker engine answers ({error}); `python3 dev test --provide-engine` brings one"
    reason = reason or _images_missing(client.api)
    if reason:
        with warnings.catch_warnings():
            # The SDK, which is asked here without ours around it, leaves its socket open when it fails.
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    yield client.api
    client.close()


def _images_missing(engine: Any) -> str:
    """Why the engine has not got all the images that the tests use; empty when it has."""
    for variable, official in OFFICIAL.items():
        name = os.environ.get(variable) or official
        try:
            engine.inspect_image(name)
        except docker.errors.NotFound:
            return f"the image {name} is not here; `python3 dev setup` provides it"
    return ""


@pytest.fixture
def token() -> str:
    """Part of every name that this test causes on the engine."""
    return secrets.token_hex(4)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state folder of this test's user."""
    return tmp_path / "state"


@pytest.fixture
def traces(engine: Any, token: str, state: Path) -> Iterator[Traces]:
    """What this test has on the engine; once it has ended, nothing may be left, nor any process."""
    found = Traces(engine, token)
    try:
        yield found
        ended = until(lambda: not processes_of(state))
        left = found.left() + ([] if ended else [f"process {line}" for line in processes_of(state)])
        assert not left, f"left behind: {left}"
    finally:
        found.remove()


@pytest.fixture
def project(tmp_path: Path, token: str, state: Path, traces: Traces) -> NewProject:
    """``project(files, branch="feature/{token}")`` commits files to a new repository on that branch."""

    def make(files: Mapping[str, str], branch: str = "feature/{token}", name: str = "shop") -> Checkout:
        made = _checkout(tmp_path / name, branch.format(token=token), state)
        write(made.root, files)
        made.commit()
        return made

    return make


@pytest.fixture
def example(tmp_path: Path, token: str, state: Path, traces: Traces) -> Checkout:
    """A repository with a copy of example-project, on a branch of its own."""
    made = _checkout(tmp_path / "example", f"feature/{token}", state)
    copy_example(made.root, traces.mark)
    made.commit()
    return made


def _checkout(root: Path, branch: str, state: Path) -> Checkout:
    root.mkdir()
    made = Checkout(root, branch, command_environment(state))
    made.git("init", "-q", "-b", branch)
    return made
