"""pytest alone, as an editor starts it in a service's folder: it has its stack, and leaves nothing."""

from __future__ import annotations

import json
import signal

import pexpect
import pytest

from ..conftest import NewProject
from ..projects import PYTHON, Checkout, compose
from ..traces import Observer, Traces, until

SERVED = compose(
    api=f"""
        image: {PYTHON}
        command: sh -c 'echo ready to sell; exec python -u -m http.server 8000'
        ports: ["8000"]
    """
)

CONFTEST = """
    import os

    URL = os.environ["TEST_API_URL"]  # as early as this
"""

ANSWERS = """
    import os, urllib.request

    def test_answers():
        assert urllib.request.urlopen(os.environ["TEST_API_URL"] + "/").status == 200
"""

ASKS = """
    import urllib.request

    def test_answers(stack):
        assert urllib.request.urlopen(stack.url("api")).status == 200

    def test_logs(stack):
        assert any("ready to sell" in line for line in stack.logs())

    def test_names(stack):
        assert stack.project_name.endswith("_api")
"""

FAILS = """
    import os, urllib.request

    def test_fails():
        urllib.request.urlopen(os.environ["TEST_API_URL"] + "/missing-page")
"""

WAITS = """
    import pathlib, time

    def test_waits():
        pathlib.Path("testing").touch()
        while not pathlib.Path("end").exists():
            time.sleep(0.02)
"""

SHOP = {
    "services/api/tests/unit/test_price.py": "def test_price(): assert 2 * 3 == 6\n",
    "services/api/tests/integration/test_api.py": ANSWERS,
    "services/api/deploy/test/docker-compose.yml": SERVED,
    "tests/integration/test_shop.py": ANSWERS,
    "deploy/test/docker-compose.yml": SERVED,
}

API = "services/api"
TESTS = f"{API}/tests/integration"


@pytest.fixture
def shop(project: NewProject) -> Checkout:
    return project(SHOP)


@pytest.mark.parametrize("spread", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_one_stack_a_session(shop: Checkout, traces: Traces, spread: tuple[str, ...]) -> None:
    """It is there before a conftest is loaded, one however many processes test, and gone afterwards."""
    shop.write({f"{TESTS}/conftest.py": CONFTEST, f"{TESTS}/test_more.py": ANSWERS})
    with Observer(traces.token) as observer:
        ran = shop.run("pytest", "--stack", "auto", *spread, cwd=API)
    assert ran.code == 0, ran
    assert "3 passed" in ran.out
    assert observer.projects == {f"test-feature-{traces.token}_api"}
    assert ran.out.splitlines()[0] == "tasklib: bringing up the stack of api"
    assert ran.out.count("tasklib: ") == 2
    assert traces.left() == []


@pytest.mark.parametrize("spread", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_test_that_asks_brings_it_up(shop: Checkout, traces: Traces, spread: tuple[str, ...]) -> None:
    """The fixture is enough: nothing is configured, no worker brings up another stack."""
    shop.write({f"{TESTS}/test_asks.py": ASKS})
    with Observer(traces.token) as observer:
        ran = shop.run("pytest", *spread, "tests/integration/test_asks.py", cwd=API)
    assert ran.code == 0, ran
    assert observer.projects == {f"test-feature-{traces.token}_api"}
    assert ran.out.count("tasklib: the stack of api is up") == 1
    assert traces.left() == []


def test_the_full_stack_for_integration_tests(shop: Checkout, traces: Traces) -> None:
    """By where the tests are, from the ini option too."""
    shop.write({"pytest.ini": "[pytest]\ntasklib_stack = auto\n"})
    with Observer(traces.token) as observer:
        ran = shop.run("pytest", "tests/integration")
    assert ran.code == 0, ran
    assert observer.projects == {f"test-feature-{traces.token}"}


def test_tests_that_need_no_stack_get_none(shop: Checkout, traces: Traces) -> None:
    """Unit tests, questions and a session that says so, where there is not even an engine."""
    nowhere = {"DOCKER_HOST": "unix:///nowhere"}
    for words in (["tests/unit"], ["--collect-only"], ["--stack", "none", "tests/unit"]):
        ran = shop.run("pytest", "--stack", "auto", *words, cwd=API, env=nowhere)
        assert ran.code == 0, ran
        assert "tasklib: " not in ran.text


def test_tests_of_two_stacks_are_refused(shop: Checkout) -> None:
    """A usage error that names the two commands; each of them works."""
    ran = shop.run("pytest", "--stack", "auto")
    assert ran.code == pytest.ExitCode.USAGE_ERROR, ran
    assert ran.err.splitlines() == [
        "ERROR: these tests need 2 stacks, but one pytest session has one",
        "Run them one after another: `pytest --stack own services/api/tests/integration`, "
        "`pytest --stack full tests/integration`",
        "",
    ]
    for words in (["own", TESTS], ["full", "tests/integration"]):
        ran = shop.run("pytest", "--stack", *words)
        assert ran.code == 0, ran


def test_a_failed_test_shows_what_the_containers_said(shop: Checkout) -> None:
    """As a section of its report."""
    shop.write({f"{TESTS}/test_fails.py": FAILS})
    ran = shop.run("pytest", "--stack", "own", cwd=API)
    assert ran.code == 1, ran
    _, _, section = ran.out.partition(f"- Logs of test-feature-{shop.branch.partition('/')[2]}_api -")
    assert '"GET /missing-page HTTP/1.1" 404' in section


def test_a_stack_that_does_not_come_up_ends_pytest(shop: Checkout, traces: Traces) -> None:
    """Two lines after what its container said, no traceback, nothing left."""
    broken = compose(api=f"image: {PYTHON}\ncommand: sh -c 'echo no money; exit 3'\nports: ['8000']")
    shop.write({f"{API}/deploy/test/docker-compose.yml": broken})
    ran = shop.run("pytest", "--stack", "own", cwd=API)
    assert ran.code == pytest.ExitCode.USAGE_ERROR, ran
    assert "api | no money" in ran.err
    assert "api" in ran.err.splitlines()[-2] + ran.err.splitlines()[-3]
    assert "Traceback" not in ran.text
    assert traces.left() == []


def test_a_kept_stack_is_used_and_stays(shop: Checkout, traces: Traces) -> None:
    """No container is made anew, and `infra.down` ends it."""
    assert shop.run("tasklib", "infra.up", "--name", "api").code == 0
    before = [row["Id"] for row in traces.containers()]
    ran = shop.run("pytest", "--stack", "own", cwd=API)
    assert ran.code == 0, ran
    assert "tasklib: the stack of api was up and stays" in ran.out
    assert [row["Id"] for row in traces.containers()] == before
    assert shop.run("tasklib", "infra.down").code == 0


def test_given_variables_are_enough(shop: Checkout, traces: Traces) -> None:
    """What `infra.env` says of this checkout is believed, no engine asked; of another one it is not."""
    assert shop.run("tasklib", "infra.up", "--name", "api").code == 0
    env = json.loads(shop.run("tasklib", "infra.env", "--name", "api", "--format", "json").out)
    ran = shop.run("pytest", "--stack", "own", cwd=API, env={**env, "DOCKER_HOST": "unix:///nowhere"})
    assert ran.code == 0, ran
    other = shop.worktree(f"other/{traces.token}")
    with Observer(traces.token) as observer:
        ran = other.run("pytest", "--stack", "own", cwd=API, env=env)
    assert ran.code == 0, ran
    assert f"test-other-{traces.token}_api" in observer.projects
    assert shop.run("tasklib", "infra.down").code == 0


def test_under_tasklib_nothing_is_started(shop: Checkout, traces: Traces) -> None:
    """The fixture finds the run's own stack, its logs included."""
    shop.write(
        {
            f"{TESTS}/test_asks.py": ASKS,
            f"{API}/pytest.ini": "[pytest]\ntasklib_stack = own\n",
            "pyproject.toml": '[tool.tasklib]\nservices.api.command = ["python", "-m", "pytest"]\n',
        }
    )
    with Observer(traces.token) as observer:
        ran = shop.run("tasklib", "test.service")
    assert ran.code == 0, ran
    assert "4 passed" in ran.text
    assert observer.projects == {f"test-feature-{traces.token}_api"}


@pytest.mark.parametrize("spread", [(), ("-n", "2")], ids=["alone", "xdist"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_a_session_that_is_ended(
    shop: Checkout, traces: Traces, number: signal.Signals, spread: tuple[str, ...]
) -> None:
    """Killed in the middle of its tests; a process that a test forked lives on, and holds nothing."""
    shop.write(
        {
            f"{TESTS}/test_api.py": f"""
                import os, pathlib, time

                def test_forks():
                    if os.fork() == 0:
                        os.setsid()
                        until = time.monotonic() + 600  # longer than is waited for what is left
                        while not pathlib.Path("over").exists() and time.monotonic() < until:
                            time.sleep(0.02)
                        os._exit(0)
                {WAITS.replace(chr(10), chr(10) + " " * 12)}
            """
        }
    )
    with_stack = shop.start("pytest", "--stack", "own", *spread, "tests/integration", cwd=API)
    folder = shop.root / API
    assert until((folder / "testing").exists), with_stack.text
    assert traces.containers()
    with_stack.process.send_signal(number)
    assert until(lambda: not traces.left()), with_stack.text
    (folder / "over").touch()
    (folder / "end").touch()
    with_stack.wait()


def test_an_interrupt_while_the_stack_comes_up(shop: Checkout, traces: Traces) -> None:
    """pytest ends as interrupted, without a traceback, once the stack is gone."""
    slow = SERVED.replace("ports:", "healthcheck: {test: ['CMD', 'false'], retries: 900}\n    ports:")
    shop.write({f"{API}/deploy/test/docker-compose.yml": slow})
    running = shop.start("pytest", "--stack", "own", cwd=API)
    assert until(lambda: "running" in traces.states()), running.text
    running.process.send_signal(signal.SIGINT)
    ran = running.wait()
    assert ran.code == pytest.ExitCode.INTERRUPTED, ran
    assert "Traceback" not in ran.text
    assert traces.left() == []


def test_the_debugger_has_the_terminal(shop: Checkout, traces: Traces) -> None:
    """`--pdb`: what is typed reaches it, Ctrl-C too, and the stack is there until it is left."""
    shop.write({f"{TESTS}/test_fails.py": FAILS})
    terminal: pexpect.spawn[str] = pexpect.spawn(
        "pytest",
        ["--stack", "own", "--pdb", "tests/integration/test_fails.py"],
        cwd=str(shop.root / API),
        env=dict(shop.env),
        encoding="utf-8",
        timeout=60,
    )
    terminal.expect("the stack of api is up")
    terminal.expect(r"\(Pdb\) ")
    terminal.sendline(
        "import os, urllib.request as r; print('found', r.urlopen(os.environ['TEST_API_URL']).status)"
    )
    terminal.expect("found 200")
    terminal.expect(r"\(Pdb\) ")
    terminal.sendintr()
    terminal.expect(r"\(Pdb\) ")
    assert traces.states() == {"running"}
    terminal.sendline("q")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert traces.left() == []
