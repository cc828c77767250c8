"""What is typed or configured wrong: one or two clear lines, the contract's exit code, never a traceback.

None of these commands gets as far as an engine.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .projects import Checkout, command_environment, compose

FILES = {
    "noxfile.py": "from tasklib.sessions import register\nregister()\n",
    "tasks.py": "from tasklib.tasks import namespace as ns\n",
    "services/api/tests/unit/test_api.py": "def test_price(): pass\ndef test_stock(): pass\n",
    "services/api/deploy/test/docker-compose.yml": compose(api="image: nowhere.invalid/api"),
    "services/api/tests/integration/test_api.py": "def test_served(): raise AssertionError\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Checkout:
    """A project with one service, on a machine whose engine nobody can reach."""
    root = tmp_path / "shop"
    root.mkdir()
    env = command_environment(tmp_path / "state") | {"DOCKER_HOST": f"unix://{tmp_path}/no.sock"}
    checkout = Checkout(root, "main", env)
    checkout.git("init", "-q", "-b", "main")
    checkout.write(FILES)
    checkout.commit()
    return checkout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            "test.service --name aip",
            2,
            ["error: shop has no service 'aip'", "Did you mean 'api'? Known: api."],
        ),
        ("infra.up --name aip", 2, ["error: shop has no service 'aip'", "Did you mean 'api'? Known: api."]),
        ("test --jobs abc", 2, ["error: --jobs takes a number of at least 1, not 'abc'"]),
        ("test --jobs 0", 2, ["error: --jobs takes a number of at least 1, not '0'"]),
        ("test.unit --format jsn", 2, ["error: --format takes auto, live, plain or json, not 'jsn'"]),
        ("infra.env --format xml", 2, ["error: --format takes shell, dotenv or json, not 'xml'"]),
        ("infra.up --env tset", 2, ["error: --env takes test, dev or prod, not 'tset'"]),
        ("infra.config --file gone.yml", 2, ["error: gone.yml: there is no such Compose file"]),
        (
            "test.service",
            3,
            [
                "error: no Docker engine answers at DOCKER_HOST={DOCKER_HOST} (its socket does not exist)",
                "Start it, or unset DOCKER_HOST to use this machine's own engine.",
            ],
        ),
        (
            "clean",
            3,
            [
                "error: no Docker engine answers at DOCKER_HOST={DOCKER_HOST} (its socket does not exist)",
                "Start it, or unset DOCKER_HOST to use this machine's own engine.",
            ],
        ),
    ],
)
def test_both_commands_refuse_alike(shop: Checkout, words: str, code: int, said: list[str]) -> None:
    """Invoke with a tasks.py and the console command say the same and exit the same."""
    expected = [line.format(**shop.env) for line in said]
    for program in ("invoke", "tasklib"):
        ran = shop.run(program, *words.split())
        assert (ran.code, ran.lines) == (code, expected), ran


@pytest.mark.parametrize(
    ("words", "invoke", "tasklib"),
    [
        (
            "test.service --name",
            ["Flag --name needed value and was not given one!"],
            ["error: --name needs a value"],
        ),
        ("test.unit -k", ["Flag -k needed value and was not given one!"], ["error: -k needs a value"]),
        (
            "test.service --nmae api",
            ["No idea what '--nmae' is!"],
            [
                "error: unknown option --nmae of test.service",
                "Did you mean --name? `tasklib --help test.service` lists them.",
            ],
        ),
        (
            "test.servcie",
            ["No idea what 'test.servcie' is!"],
            ["error: unknown task 'test.servcie'", "Did you mean test.service? `tasklib` lists them."],
        ),
        (
            "test.unit api",
            ["No idea what 'api' is!"],
            ["error: unknown task 'api'", "`tasklib` lists them."],
        ),
    ],
)
def test_what_cannot_be_parsed_is_wrong_usage(
    shop: Checkout, words: str, invoke: list[str], tasklib: list[str]
) -> None:
    """Invoke keeps its own words and exit code 1; the console command exits 2 and offers the nearest name."""
    for program, code, said in (("invoke", 1, invoke), ("tasklib", 2, tasklib)):
        ran = shop.run(program, *words.split())
        assert (ran.code, ran.lines) == (code, said), ran


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--name aip", "shop has no service 'aip'. Did you mean 'api'? Known: api"),
        ("--name", "--name needs a value"),
        ("--jobs abc", "--jobs takes a number of at least 1, not 'abc'"),
        (
            "--nmae api",
            "unknown argument --nmae of service. Did you mean --name? `nox -s service -- --help` lists",
        ),
        (
            "",
            "no Docker engine answers at DOCKER_HOST={DOCKER_HOST} (its socket does not exist). "
            "Start it, or unset DOCKER_HOST to use this machine's own engine",
        ),
    ],
)
def test_nox_fails_the_session_with_the_reason(shop: Checkout, words: str, said: str) -> None:
    """A session that cannot run says why in its own line; Nox exits 1."""
    ran = shop.run("nox", "-s", "service", "--", *words.split())
    assert ran.code == 1, ran
    first, last = ran.text.splitlines()
    assert first == "nox > Running session service"
    assert last.startswith(f"nox > Session service aborted: {said.format(**shop.env)}"), ran


@pytest.mark.parametrize(
    ("host", "said", "helps"),
    [
        (
            "ssh://build@builder.invalid",
            "no ssh connection to builder.invalid (",
            "`ssh -l build builder.invalid docker version`",
        ),
        (
            "tcp://127.0.0.1:1",
            "no Docker engine answers at DOCKER_HOST=tcp://127.0.0.1:1 (connection refused)",
            "DOCKER_HOST",
        ),
    ],
)
def test_an_engine_elsewhere_that_does_not_answer_is_told_before_anything_starts(
    shop: Checkout, host: str, said: str, helps: str
) -> None:
    """Exit code 3, two lines, with the way back."""
    ran = shop.run("tasklib", "test.service", env={"DOCKER_HOST": host})
    assert ran.code == 3, ran
    assert ran.lines[0].startswith(f"error: {said}")
    assert helps in ran.lines[1]
    assert len(ran.lines) == 2


@pytest.mark.parametrize(
    ("env", "config", "said"),
    [
        ({"DOCKER_CONTEXT": "big"}, None, "there is no Docker context big, which DOCKER_CONTEXT names"),
        ({}, '{"currentContext": "big"}', "{folder}/config.json: there is no Docker context big"),
        ({}, "[]", "{folder}/config.json: it is not a JSON object"),
        ({}, '{"proxies": []', "{folder}/config.json: it is not JSON"),
        ({}, '{"proxies": []}', "{folder}/config.json: proxies: expected `object`, got `array`"),
    ],
)
@pytest.mark.parametrize("words", ["test.service", "infra.status", "infra.up --env prod --yes"])
def test_settings_that_name_no_engine_are_told_with_their_file(
    shop: Checkout, tmp_path: Path, words: str, env: dict[str, str], config: str | None, said: str
) -> None:
    """Exit code 3: no other engine is used in silence, and nobody sees a traceback."""
    folder = tmp_path / "docker"
    folder.mkdir()
    if config is not None:
        (folder / "config.json").write_text(config)
    shop.write({"deploy/prod/docker-compose.yml": "services: {api: {image: api}}\n"})
    ran = shop.run("tasklib", *words.split(), env={"DOCKER_HOST": "", "DOCKER_CONFIG": str(folder), **env})
    assert (ran.code, len(ran.err.splitlines()) <= 2) == (3, True), ran
    assert ran.err.startswith(f"error: {said.format(folder=folder)}"), ran


def test_a_state_folder_that_cannot_be_used_is_told_in_two_lines(shop: Checkout) -> None:
    """The message says which folder it is and what helps."""
    ran = shop.run("tasklib", "test.unit", env={"XDG_STATE_HOME": "/proc/nowhere"})
    assert (ran.code, len(ran.err.splitlines())) == (2, 2), ran
    assert ran.err.startswith("error: /proc/nowhere: the state folder cannot be used: "), ran


def test_unit_tests_need_no_engine(shop: Checkout) -> None:
    """They pass where no engine can be reached."""
    ran = shop.run("tasklib", "test.unit")
    assert (ran.code, ran.told) == (0, ["unit api: 2 passed (…)", "PASSED: 2 passed in 1 target (…)."]), ran


def test_a_single_run_of_pipeline_says_early_that_no_engine_is_there(shop: Checkout) -> None:
    """Before unit tests take their time."""
    ran = shop.run("tasklib", "test")
    assert ran.code == 3, ran
    assert "unit" not in ran.text


@pytest.mark.parametrize(
    ("pyproject", "said"),
    [
        (
            "[tool.tasklib]\nname = 'shop'\nservcies = {}\n",
            [
                "error: pyproject.toml:3: unknown key `servcies` in [tool.tasklib]",
                "Did you mean `services`? Known keys: ",
            ],
        ),
        (
            "[tool.tasklib.services.aip]\nunit = 'tests'\n",
            [
                "error: pyproject.toml:1: `services.aip`: there is no service in ",
                "Did you mean `api`? A service elsewhere needs its `path`.",
            ],
        ),
        (
            "[tool.tasklib]\njobs = 'many'\n",
            ["error: pyproject.toml:2: `jobs`: expected an integer, got a string"],
        ),
        ("[tool.tasklib\n", ["error: pyproject.toml:1: is not valid TOML: "]),
    ],
)
def test_a_configuration_that_cannot_be_followed_names_its_line(
    shop: Checkout, pyproject: str, said: list[str]
) -> None:
    """File, line and the nearest key; exit code 2 with every task that reads it."""
    shop.write({"pyproject.toml": pyproject})
    for words in ("test.unit", "infra.id", "clean"):
        ran = shop.run("tasklib", words)
        assert ran.code == 2, ran
        assert len(ran.lines) == len(said)
        assert all(line.startswith(start) for line, start in zip(ran.lines, said, strict=True)), ran


def test_a_project_without_services_and_tests_says_where_it_looked(shop: Checkout) -> None:
    """Two lines and exit code 2, whichever command asks; Nox skips what follows."""
    shop.git("rm", "-rq", "services")
    for words in (["tasklib", "test"], ["invoke", "infra.up"], ["tasklib", "infra.status"]):
        ran = shop.run(*words)
        assert ran.code == 2, ran
        assert len(ran.lines) == 2
        assert "no services and no tests found" in ran.lines[0]
        assert "services/<name>/" in ran.lines[1]
    nox = shop.run("nox")
    assert nox.code == 1
    assert "Session unit aborted" in nox.text
    assert "service: skipped (unit failed)" in nox.text
    assert "Traceback" not in nox.text


def test_the_bare_command_lists_the_tasks(shop: Checkout) -> None:
    """`tasklib` alone exits 0, in any folder, and names the tasks of every collection."""
    for cwd in ("", "services/api", ".."):
        ran = shop.run("tasklib", cwd=cwd)
        assert ran.code == 0, ran
        for name in ("test.unit", "test.service", "infra.up", "infra.env", "clean.stale"):
            assert name in ran.out


def test_a_dry_run_only_says_what_would_run(shop: Checkout) -> None:
    """`--dry` names the targets without an engine, in the order they would run."""
    ran = shop.run("invoke", "--dry", "test")
    assert (ran.code, ran.lines) == (0, ["would run unit api", "would run service api"]), ran
    ran = shop.run("tasklib", "--dry", "infra.up", "--name", "api")
    assert (ran.code, ran.lines) == (0, ["would bring up the stack of api"]), ran


@pytest.mark.parametrize(
    ("argv", "passed"),
    [
        (["invoke", "test.unit", "-k", "price"], 1),
        (["tasklib", "test.unit", "-k", "price or stock"], 2),
        (["invoke", "test.unit", "--", "-k", "price or stock"], 2),
        (["tasklib", "test.unit", "--", "-k", "not price", "--strict-markers"], 1),
        (["nox", "-s", "unit", "--", "-k", "price"], 1),
        (["nox", "-s", "unit", "--", "--name", "api", "--", "-k", "price or stock"], 2),
    ],
)
def test_the_runners_own_options_reach_it(shop: Checkout, argv: list[str], passed: int) -> None:
    """`-k`, and what stands after `--` (with Nox: after the second one), words with spaces included."""
    ran = shop.run(*argv)
    assert (ran.code, ran.told[0]) == (0, f"unit api: {passed} passed (…)"), ran


def test_a_keyword_that_is_in_no_test_is_not_a_pass(shop: Checkout) -> None:
    """Exit code 2 where nothing ran; Nox skips a session while the keyword may be another one's."""
    told = [
        "skipped: unit api: no test matches -k 'prcie'",
        "SKIPPED: no tests in 0 targets, 1 target skipped (…).",
    ]
    ran = shop.run("tasklib", "test.unit", "-k", "prcie")
    assert (ran.code, ran.told) == (2, [*told, "error: no test ran"]), ran
    nox = shop.run("nox", "-s", "unit", "--", "-k", "prcie")
    assert (nox.code, nox.told) == (1, told), nox
    assert "Session unit aborted: no test ran" in nox.text


def test_commands_work_from_any_folder_of_the_project(shop: Checkout) -> None:
    """A service's folder belongs to the project around it."""
    ran = shop.run("tasklib", "test.unit", cwd="services/api/tests")
    assert (ran.code, ran.told[0]) == (0, "unit api: 2 passed (…)"), ran


def test_an_id_that_compose_refuses_is_wrong_usage(shop: Checkout) -> None:
    """TEST_INSTANCE_ID set by hand is checked before anything else."""
    ran = shop.run("tasklib", "infra.id", env={"TEST_INSTANCE_ID": "Feature/Auth"})
    assert ran.code == 2, ran
    assert ran.lines[0] == "error: TEST_INSTANCE_ID='Feature/Auth' cannot be part of a Compose project's name"
    assert shop.run("tasklib", "infra.id", env={"TEST_INSTANCE_ID": "auth"}).lines == ["auth"]
    assert shop.run("tasklib", "infra.id").lines == ["main"]
