"""What surrounds a command: a project's own names, help, closed pipes, Nox's switches, mistakes of ours.

None of these commands gets as far as an engine.
"""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from .projects import Checkout, command_environment

NOXFILE = "from tasklib.sessions import register\nregister()\n"
FILES = {
    "noxfile.py": NOXFILE,
    "tasks.py": "from tasklib.tasks import namespace as ns\n",
    "services/api/tests/unit/test_api.py": "def test_price(): raise AssertionError\n",
    "services/web/tests/unit/test_web.py": "def test_page(): pass\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Checkout:
    """A project of two services, one of them with a failing unit test, where no engine can be reached."""
    root = tmp_path / "shop"
    root.mkdir()
    env = command_environment(tmp_path / "state") | {"DOCKER_HOST": f"unix://{tmp_path}/no.sock"}
    checkout = Checkout(root, "main", env)
    checkout.git("init", "-q", "-b", "main")
    checkout.write(FILES)
    checkout.commit()
    return checkout


def rerun_line(text: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.strip().startswith("rerun: ")]
    return shlex.split(line.partition("rerun: ")[2])


OWN_NAMES = """
from invoke import Collection
from tasklib.tasks import test
ns = Collection()
ns.add_collection(test, "checks")
"""

OWN_TASK = """
from invoke import Collection
from tasklib.tasks import test
ns = Collection()
ns.add_task(test["unit"], "quick")
"""

OWN_PROGRAM = """
import sys
from invoke import Program
from tasklib.tasks import namespace
Program(namespace=namespace, version="1").run()
"""


@pytest.mark.parametrize(
    ("file", "text", "typed", "rerun"),
    [
        ("tasks.py", OWN_NAMES, "invoke checks", "invoke checks.unit"),
        ("tasks.py", OWN_TASK, "invoke quick", "invoke quick"),
        ("more.py", OWN_NAMES, "invoke -c more checks.unit", "invoke --collection more checks.unit"),
        ("run.py", OWN_PROGRAM, "python run.py test.unit", "python run.py test.unit"),
        ("other.py", NOXFILE, "nox -f other.py -s unit", "nox -f other.py -s unit --"),
        ("other.py", "", "python -m tasklib test.unit", "python -m tasklib test.unit"),
    ],
)
def test_the_command_that_repeats_a_failure_works_as_it_is_printed(
    shop: Checkout, file: str, text: str, typed: str, rerun: str
) -> None:
    """In the program's and the project's own words; typed again, it runs that test and no other."""
    shop.write({file: text})
    ran = shop.run(*typed.split(), *(["--"] if "nox" in typed else []), "--format", "plain")
    assert ran.code == 1, ran
    words = rerun_line(ran.out)
    assert words == [*rerun.split(), "--name", "api", "-k", "test_price"]
    again = shop.run(*words, *["--format", "plain"])
    assert again.code == 1, again
    assert "FAILED (unit api): 1 failed in 1 target" in again.out


@pytest.mark.parametrize("session", ["unit", "infra-up", "clean", "release-tag"])
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_a_session_explains_its_options(shop: Checkout, session: str, flag: str) -> None:
    """After `--`, nothing runs, and the last line is an example."""
    ran = shop.run("nox", "-s", session, "--", flag)
    assert ran.code == 0, ran
    assert ran.out.startswith(f"Usage: nox -s {session} -- [OPTIONS]")
    assert ran.out.splitlines()[-1].startswith(f"Example: nox -s {session}")


def test_the_commands_own_help_has_its_options_first_and_invokes_last(shop: Checkout) -> None:
    """With an example between them."""
    ran = shop.run("tasklib", "--help")
    assert ran.code == 0, ran
    ours, example, core = (ran.out.index(part) for part in ("--name SERVICE", "Example: ", "--write-pyc"))
    assert ours < example < core


@pytest.mark.parametrize("program", ["tasklib", "invoke"])
@pytest.mark.parametrize("command", ["test.unit", "doctor", "new.project", "ci.merge"])
def test_help_after_a_command_is_its_help(shop: Checkout, program: str, command: str) -> None:
    """Also of a command that takes a word, which Invoke takes --help for."""
    ran = shop.run(program, command, "--help")
    assert ran.code == 0, ran
    assert f"{program} {command}" in ran.out or "Docstring" in ran.out
    assert not (shop.root / "--help").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("clean -- --al", "unknown argument --al of clean. `nox -s clean -- --help` lists what it takes"),
        ("infra-up -- --dri", "Did you mean --dry? `nox -s infra-up -- --help` lists what it takes"),
        ("unit -- -x", "Options of pytest follow a second `--`: nox -s unit -- -- -x"),
    ],
)
def test_an_unknown_argument_is_answered_with_what_helps(shop: Checkout, words: str, said: str) -> None:
    """With what looks like it, unless that would agree to something, or with where pytest's own go."""
    ran = shop.run("nox", "-s", *words.split())
    assert ran.code == 1, ran
    assert said in ran.text


def test_nox_runs_nothing_where_it_only_installs(shop: Checkout) -> None:
    """`nox --install-only` passes, whatever the session."""
    ran = shop.run("nox", "--install-only", "-s", "unit", "clean", "infra-up")
    assert ran.code == 0, ran
    assert "1 failed" not in ran.text


def test_stages_fail_fast_in_processes_of_their_own(shop: Checkout) -> None:
    """Under `nox -j` each session is one; a failure of the first is known to the next all the same."""
    own = "import nox\n@nox.session(python=False, allow_parallel=True)\ndef docs(session): pass\n"
    shop.write({"noxfile.py": NOXFILE + own})
    for _ in range(2):
        ran = shop.run("nox", "--allow-parallel", "-j", "2", "-s", "unit", "service", "docs")
        assert ran.code == 1, ran
        assert "Session service skipped: unit failed." in ran.text
        assert "Session docs was successful" in ran.text
    assert shop.run("nox", "-s", "unit", "--", "--name", "web").code == 0, "another run starts anew"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("set -o pipefail; tasklib ci.matrix | true", 141),
        ("set -o pipefail; tasklib -l | true", 141),
        ("set -o pipefail; invoke infra.id | true", 141),
        ("set -o pipefail; tasklib test.unit --name web | true", 0),
        ("tasklib ci.matrix >&-", 0),
        ("tasklib test.unit --name web >&- 2>&- <&-", 0),
        ("invoke test.unit --name web >&-", 0),
        ("tasklib ci.matrix > /dev/full", 2),
        ("tasklib -l > /dev/full", 2),
    ],
)
def test_output_that_nobody_takes_makes_no_noise(shop: Checkout, line: str, code: int) -> None:
    """A reader who has gone, a closed stream, a full disk: no traceback, not the code of failed tests."""
    ran = shop.run("bash", "-c", line)
    assert ran.code == code, ran
    assert "Traceback" not in ran.text
    assert "Exception ignored" not in ran.text
    assert len(ran.err.splitlines()) <= 2


@pytest.mark.parametrize("program", ["tasklib test.unit", "invoke test.unit", "nox -s unit"])
def test_a_mistake_of_ours_is_two_lines_that_name_its_traceback(
    shop: Checkout, tmp_path: Path, program: str
) -> None:
    """Exit code 70, which Nox says in words."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import tasklib.commands.testing as t\n"
        "def run_stages(*a, **k): raise KeyError('o\\x1b[31mdd')\n"
        "t.run_stages = run_stages\n"
    )
    ran = shop.run(*program.split(), env={"PYTHONPATH": str(broken)})
    assert ran.code == (1 if "nox" in program else 70), ran
    assert "tasklib itself failed: KeyError: 'o" in ran.text
    assert "Traceback" not in ran.text
    assert "\x1b" not in ran.text
    (kept,) = [Path(word.rstrip(".")) for word in ran.text.split() if "-traceback-" in word]
    path = kept if kept.exists() else kept.with_suffix(".log")
    assert "raise KeyError" in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("flag", ["--pdb", "--trace"])
def test_a_debugger_is_refused_with_the_command_to_type(shop: Checkout, flag: str) -> None:
    """Typed in the folder that it names, it runs the tests with what was asked for."""
    ran = shop.run("tasklib", "test.unit", "--name", "web", "--", flag)
    assert ran.code == 2, ran
    said, typed = ran.lines
    assert said.startswith(f"error: {flag} needs the terminal")
    again = shop.run("bash", "-c", typed.removeprefix("Type: "))
    assert "1 passed" in again.out, again
    assert flag in typed


def test_a_debugger_of_tests_with_a_stack_is_told_how_to_bring_it_up(shop: Checkout) -> None:
    """First the stack, then its variables, then pytest."""
    shop.write(
        {
            "services/api/deploy/test/docker-compose.yml": "services: {api: {image: nowhere.invalid/api}}\n",
            "services/api/tests/integration/test_api.py": "def test_served(): pass\n",
        }
    )
    ran = shop.run("invoke", "test.service", "--", "--pdb")
    assert ran.code == 2, ran
    steps = ran.lines[1].removeprefix("Type: ").split(" && ")
    assert steps[0] == "invoke infra.up --name api"
    assert steps[1] == 'eval "$(invoke infra.env --name api)"'
    assert steps[-1].endswith("--pdb")


@pytest.mark.parametrize(
    ("flag", "shown"),
    [
        ("--co", "test_page"),
        ("--collect-only", "test_page"),
        ("--fixtures", "tmp_path"),
        ("--version", "pytest "),
        ("--help", "--maxfail"),
    ],
)
def test_what_pytest_only_shows_is_shown(shop: Checkout, flag: str, shown: str) -> None:
    """No test is run, so none fails, and nothing is missing."""
    ran = shop.run("tasklib", "test.unit", "--", flag)
    assert ran.code == 0, ran
    assert shown in ran.out
    assert "unit api:" in ran.out


def test_a_command_that_takes_no_keyword_is_repeated_whole(shop: Checkout) -> None:
    """With `-k` it would be left out."""
    report = "<testsuite><testcase classname='t' name='test_a'><failure message='no'/></testcase></testsuite>"
    shop.write(
        {
            "pyproject.toml": "[tool.tasklib.services.api]\n"
            "command = ['sh', '-c', 'cat report.xml > $1; exit 1', 'sh', '{junit}']\n",
            "services/api/report.xml": report,
        }
    )
    ran = shop.run("tasklib", "test.unit", "--name", "api", "--format", "plain")
    assert ran.code == 1, ran
    assert rerun_line(ran.out) == ["tasklib", "test.unit", "--name", "api"]
