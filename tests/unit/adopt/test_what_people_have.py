"""What repositories of many kinds have in common, and what is easily taken for something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasklib.adopt.proposal import Proposal

from .support import proposed, settings_of

TEST = {"tests/test_a.py": "def test_a(): pass\n"}
POSTGRES = (
    "services:\n  db:\n    image: postgres:16\n    environment: {POSTGRES_PASSWORD: secret}\n"
    "    ports: ['5432:5432']\n"
)
TESTED = "test: db\n\tpytest tests\n\nstop:\n\tdocker compose down\n"
WEB = POSTGRES + "  web:\n    build: .\n    depends_on: [db]\n    volumes: ['.:/app']\n"


def _notes(proposal: Proposal) -> str:
    return "\n".join(note.text for note in proposal.notes)


def _ci(*steps: str, services: str = "", env: str = "") -> dict[str, str]:
    lines = [
        "jobs:",
        "  t:",
        "    runs-on: ubuntu-latest",
        *([f"    env: {env}"] if env else []),
        *([f"    services: {services}"] if services else []),
        "    steps:",
        *(f"      - {step}" for step in steps),
    ]
    return {".github/workflows/t.yml": "\n".join(lines) + "\n"}


CI_POSTGRES = "{postgres: {image: 'postgres:16', env: {POSTGRES_PASSWORD: secret}, ports: ['5432:5432']}}"


@pytest.mark.parametrize(
    "inner",
    [
        'sh -c "python manage.py wait_for_db && python manage.py test"',
        "./wait-for-it.sh db:5432 -- python manage.py test",
        "bash -c './wait-for-it.sh db:5432 -t 30 && python manage.py test'",
    ],
)
def test_what_waits_in_front_of_tests_in_a_container_goes(inner: str, tmp_path: Path) -> None:
    """They are tests, and what they wait for is ready."""
    files = {**_ci(f"run: docker compose run --rm web {inner}"), "docker-compose.yml": WEB, "manage.py": ""}
    proposal = proposed(tmp_path, files)
    assert settings_of(proposal) == {"in": "web", "command": ["python", "manage.py", "test"]}
    assert not proposal.questions


def test_what_waits_in_front_of_tests_here_goes(tmp_path: Path) -> None:
    """As in a container."""
    files = {
        **_ci("run: docker compose up -d db", "run: ./wait-for-it.sh localhost:5432 -- pytest tests"),
        "docker-compose.yml": POSTGRES,
        **TEST,
    }
    assert settings_of(proposed(tmp_path, files)) == {"integration": "tests"}


def test_a_readme_that_goes_into_the_clone(tmp_path: Path) -> None:
    """The folder that somebody clones is the repository."""
    readme = "```sh\ngit clone https://x/shop.git\ncd shop\npytest\n```\n"
    assert settings_of(proposed(tmp_path, {"README.md": readme, **TEST})) == {"unit": "tests"}


def test_what_a_variable_of_a_makefile_would_add_is_no_part_of_the_command(tmp_path: Path) -> None:
    """`$(ARG)` is what somebody adds for once."""
    make = "ARG := $(word 2, $(MAKECMDGOALS))\n\ntest:\n\tpoetry run manage.py test $(ARG) --parallel\n"
    found = settings_of(proposed(tmp_path, {"Makefile": make, "manage.py": "", "shop/tests.py": ""}))
    assert found == {"command": ["poetry", "run", "manage.py", "test", "--parallel"]}


def test_a_target_that_others_need_brings_up_what_they_need(tmp_path: Path) -> None:
    """A server on the developer's machine finds its database by the port that the file says."""
    make = "db:\n\tdocker compose up -d\n\nserve: db\n\tuvicorn shop:app\n\n" + TESTED
    text = (
        proposed(tmp_path, {"Makefile": make, "docker-compose.yml": POSTGRES, **TEST}).files["Makefile"] or ""
    )
    assert "db:\n\tdocker compose up -d\n" in text
    assert "stop:\n\tdocker compose down\n" in text
    assert "test:\n\ttasklib test.integration\n" in text


def test_a_target_that_serves_tests_alone_is_replaced(tmp_path: Path) -> None:
    """And what takes its stack down."""
    make = "db:\n\tdocker compose up -d\n\n" + TESTED + "\nlint:\n\truff check\n"
    text = (
        proposed(tmp_path, {"Makefile": make, "docker-compose.yml": POSTGRES, **TEST}).files["Makefile"] or ""
    )
    assert "tasklib infra.up" in text
    assert "tasklib infra.down" in text


def test_a_target_that_runs_the_program_is_none_of_the_tests(tmp_path: Path) -> None:
    """Where tests use no stack at all, nothing brings one up for them."""
    make = "test:\n\tpytest tests\n\nrun:\n\tdocker compose up -d\n\nkill:\n\tdocker compose down\n"
    text = proposed(tmp_path, {"Makefile": make, "docker-compose.yml": WEB, **TEST}).files["Makefile"] or ""
    assert "run:\n\tdocker compose up -d\n\nkill:\n\tdocker compose down\n" in text


def test_the_same_tests_for_several_servers_are_several(tmp_path: Path) -> None:
    """What would no longer be tested is said, and its job stays."""
    here = "env: {DATABASE_URL: '%s'}"
    files = {
        **_ci(
            f"{{run: pytest tests, {here % 'postgresql://postgres:secret@localhost/shop'}}}",
            f"{{run: pytest tests, {here % 'mysql://root@localhost/shop'}}}",
            services=CI_POSTGRES,
        ),
        "Makefile": "test_sqlite:\n\tpytest tests\n\ntest:\n\tpytest tests\n\nlint:\n\truff check\n",
        "shop.py": 'import os\nURL = os.environ["DATABASE_URL"]\n',
        **TEST,
    }
    proposal = proposed(tmp_path, files)
    assert "not taken over: the same tests with DATABASE_URL=mysql://root@localhost/shop" in _notes(proposal)
    assert ".github/workflows/t.yml" not in proposal.files
    assert "test_sqlite:\n\tpytest tests\n\ntest:\n\ttasklib test.integration\n" in (
        proposal.files["Makefile"] or ""
    )


@pytest.mark.parametrize(
    "servers", [("sqlite://:memory:", "mysql://root:p@localhost/a", "postgres://u@localhost/a")]
)
def test_the_same_tests_with_a_database_in_a_file_need_no_stack(
    servers: tuple[str, ...], tmp_path: Path
) -> None:
    """They are unit tests; those for the server that CI starts are the others, whichever come first."""
    lines = (f"{{run: pytest tests, env: {{DATABASE_URL: '{server}'}}}}" for server in servers)
    files = {
        **_ci(*lines, services=CI_POSTGRES),
        "shop.py": 'import os\nURL = os.environ["DATABASE_URL"]\n',
        **TEST,
    }
    found = settings_of(proposed(tmp_path, files))
    assert found["unit"] == {"paths": "tests", "env": {"DATABASE_URL": "sqlite://:memory:"}}
    assert found["integration"] == "tests"
    assert "postgres" in found["endpoints"]["DATABASE_URL"]


def test_a_list_of_databases_is_no_file(tmp_path: Path) -> None:
    """Though the first of them is one."""
    several = "sqlite+aiosqlite:///a, postgresql+asyncpg://u:p@localhost:5432/a"
    files = {
        **_ci(f"{{run: pytest tests, env: {{DATABASE_URLS: '{several}'}}}}", services=CI_POSTGRES),
        "shop.py": 'import os\nURL = os.environ["DATABASE_URLS"]\n',
        **TEST,
    }
    found = settings_of(proposed(tmp_path, files))
    assert found["integration"] == "tests"
    assert "unit" not in found


def test_a_target_whose_tests_a_shell_finds_stays(tmp_path: Path) -> None:
    """They are some of them, or others."""
    make = (
        "DOCS := $(shell find docs -name '*.py')\n\n"
        "docs-test:\n\tpytest $(DOCS) -q\n\ntest:\n\tpytest tests $(ARGS)\n\nlint:\n\truff check\n"
    )
    text = proposed(tmp_path, {"Makefile": make, **TEST}).files["Makefile"] or ""
    assert "docs-test:\n\tpytest $(DOCS) -q\n\ntest:\n\ttasklib test.unit\n" in text


def test_a_database_elsewhere_on_this_machine_is_none_for_unit_tests(tmp_path: Path) -> None:
    """A script that names the host alone has its server from somebody else."""
    files = {
        **_ci("run: pytest tests", services=CI_POSTGRES),
        "scripts/test-cockroach.sh": "export PG_HOST=localhost\npytest -m 'not slow' tests\n",
        "shop.py": 'import os\nHOST = os.environ["PG_HOST"]\n',
        **TEST,
    }
    assert "unit" not in settings_of(proposed(tmp_path, files))


def test_a_job_whose_matrix_chooses_its_tests_stays(tmp_path: Path) -> None:
    """One line would run for all of them, or for none."""
    files = {
        **_ci(
            "{run: pytest tests, if: \"${{ matrix.kind == 'a' }}\"}",
            "run: pytest tests\n        if: ${{ matrix.kind == 'b' }}",
            services=CI_POSTGRES,
        ),
        **TEST,
    }
    proposal = proposed(tmp_path, files)
    assert ".github/workflows/t.yml" not in proposal.files
    assert "its matrix chooses which of its tests run" in _notes(proposal)


def test_a_job_with_tests_by_a_script_that_nobody_knows_stays(tmp_path: Path) -> None:
    """Its containers would be gone."""
    files = {**_ci("run: pytest tests", "run: python tests_of_workers.py", services=CI_POSTGRES), **TEST}
    assert ".github/workflows/t.yml" not in proposed(tmp_path, files).files


def test_benchmarks_that_are_left_out_make_no_benchmark(tmp_path: Path) -> None:
    """`--benchmark-skip` is all the other tests."""
    files = {**_ci("run: pytest --benchmark-skip", services=CI_POSTGRES), "setup.py": "", **TEST}
    assert settings_of(proposed(tmp_path, files))["integration"]["command"][-1] == "--benchmark-skip"


def test_packages_of_go_are_named_once(tmp_path: Path) -> None:
    """The top holds what is below it."""
    files = {"go.mod": "module shop\n", "a_test.go": "", "b_test.go": "", "cart/c_test.go": ""}
    assert settings_of(proposed(tmp_path, files)) == {"command": ["go", "test", "./..."]}


def test_a_port_of_libpq_is_that_of_its_server(tmp_path: Path) -> None:
    """Code that reads POSTGRES_HOST may read PGPORT."""
    files = {
        **_ci("run: pytest tests", services=CI_POSTGRES, env="{POSTGRES_HOST: localhost, PGPORT: 5432}"),
        "shop.py": 'import os\nHOST = os.environ["POSTGRES_HOST"]\nPORT = os.environ["PGPORT"]\n',
        **TEST,
    }
    proposal = proposed(tmp_path, files)
    assert settings_of(proposal)["endpoints"] == {
        "POSTGRES_HOST": "{postgres.host}",
        "PGPORT": "{postgres.port}",
    }
    assert "in no variable" not in _notes(proposal)


def test_nested_settings_that_only_an_example_lists(tmp_path: Path) -> None:
    """Code reads DATABASE__HOST in ways that are not seen: what is listed beside it belongs to it.

    A Compose file whose variables come from a file of one's own is not what CI can use.
    """
    files = {
        **_ci(
            "run: pytest tests", services=CI_POSTGRES, env="{DATABASE__HOST: localhost, SECURITY__KEY: abc}"
        ),
        ".env.example": "\n".join(
            ["DATABASE__HOST=localhost", "DATABASE__PORT=5455", "DATABASE__USERNAME=a", "SECURITY__KEY=x"]
        ),
        "docker-compose.yml": POSTGRES.replace("'5432:5432'", "'${DATABASE__PORT}:5432'"),
        **TEST,
    }
    found = settings_of(proposed(tmp_path, files))
    assert found["endpoints"] == {"DATABASE__HOST": "{postgres.host}", "DATABASE__PORT": "{postgres.port}"}
    assert found["env"] == {"DATABASE__USERNAME": "postgres", "SECURITY__KEY": "abc"}


def test_what_a_file_that_everybody_has_says_needs_no_setting(tmp_path: Path) -> None:
    """Where code reads that file; what is libpq's alone is nobody's where no server is meant by it."""
    files = {
        **_ci(
            "run: pytest tests",
            services=CI_POSTGRES,
            env="{DB_URL: 'postgresql://postgres:secret@localhost/a', TOKEN: abc, PGPASSWORD: secret}",
        ),
        ".env": "TOKEN=abc\n",
        "shop.py": 'import os, dotenv\ndotenv.load_dotenv()\nos.environ["DB_URL"], os.environ["TOKEN"]\n',
        **TEST,
    }
    assert set(settings_of(proposed(tmp_path, files))) == {"integration", "endpoints"}


def test_a_file_of_variables_that_is_copied_first(tmp_path: Path) -> None:
    """Where the stack asks for it, or people are told so."""
    files = {
        "Makefile": "test:\n\tdocker compose run web pytest\n",
        "README.md": "```\ncp .env.example .env\n```\n",
    }
    files |= {"docker-compose.yml": WEB, ".env.example": "A=1\n", **TEST}
    proposal = proposed(tmp_path, files)
    assert "a fresh worktree lacks .env: `cp .env.example .env` first" in _notes(proposal)
    assert proposal.copies == {".env": ".env.example"}


def test_an_env_file_of_the_stack_is_copied_first(tmp_path: Path) -> None:
    """Also where CI does not say it."""
    files = {**_ci("run: docker compose run web pytest"), ".env.example": "A=1\n", **TEST}
    files |= {"docker-compose.yml": WEB + "    env_file: [.env]\n"}
    assert proposed(tmp_path, files).copies == {".env": ".env.example"}


@pytest.mark.parametrize(
    "code",
    [
        'class Base(BaseSettings):\n    pass\n\n\nclass Config(Base):\n    URL: str = "redis://localhost:6379"\n',
        'class Config(BaseSettings):\n    URL: str = (\n        "redis://localhost:6379"\n    )\n',
        'import os\nURL = os.getenv("SHOP_URL")\n',
    ],
)
def test_code_that_is_told_a_port_of_the_stack_is_a_question(code: str, tmp_path: Path) -> None:
    """By what it falls back to, or by the example of a file of variables."""
    files = {
        "Makefile": "test:\n\tpytest tests\n",
        "docker-compose.yml": "services:\n  cache: {image: redis, ports: ['6379:6379']}\n",
        "shop.py": f"from pydantic_settings import BaseSettings\n\n\n{code}",
        ".env.example": "SHOP_URL=redis://localhost:6379\n",
        **TEST,
    }
    assert [question.key for question in proposed(tmp_path, files).questions] == ["tests"]
    answered = proposed(tmp_path, files, answers={"tests": "integration"})
    assert [*settings_of(answered)["endpoints"].values()] == ["redis://{cache:6379}"]


def test_a_port_that_stands_apart_from_its_host(tmp_path: Path) -> None:
    """Tests that name both cannot be told another one."""
    files = {
        **_ci("run: docker compose up -d", "run: pytest tests"),
        "docker-compose.yml": POSTGRES,
        "tests/test_a.py": "DB = dict(\n    host='localhost',\n    user='shop',\n    port=5432,\n)\n",
    }
    assert "tests name port 5432 of localhost" in _notes(proposed(tmp_path, files))


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("tests/global-setup.js", "await dockerCompose.upAll({ cwd: __dirname });\n"),
        ("tests/conftest.py", 'subprocess.run(["docker", "compose", "up", "-d"])\n'),
        ("tests/setup.ts", "execSync('docker-compose -f tests/compose.yml up -d')\n"),
    ],
)
def test_tests_that_bring_up_a_stack_by_themselves(file: str, code: str, tmp_path: Path) -> None:
    """It is the same one for all checkouts, which no setting changes."""
    files = {"package.json": '{"scripts": {"test": "jest"}}', "tests/a.test.js": "", file: code}
    assert "tests bring up a stack by themselves" in _notes(proposed(tmp_path, files))


def test_words_about_a_stack_bring_up_none(tmp_path: Path) -> None:
    """An error that says what to type."""
    files = {
        "Makefile": "test:\n\tpytest tests\n",
        "tests/test_a.py": 'raise OSError("start it: docker compose up -d")\n',
    }
    assert "by themselves" not in _notes(proposed(tmp_path, files))


def test_a_script_test_of_a_package_needs_no_folders(tmp_path: Path) -> None:
    """What starts its tests knows them: Nx, nps and their like."""
    files = {"package.json": '{"scripts": {"test": "nx test"}}', "e2e/a.spec.ts": "", "src/b.spec.ts": ""}
    assert settings_of(proposed(tmp_path, files)) == {}


def test_what_tox_installs(tmp_path: Path) -> None:
    """What some factors alone have is left out."""
    deps = "dj5: Django>=5\n    pytest\n    pytest-xdist>=3\n    -r{toxinidir}/more.txt\n"
    tox = f"[testenv]\ndeps =\n    {deps}commands = pytest -n 4 {{posargs}}\n"
    files = {**_ci("run: docker compose up -d", "run: tox"), "docker-compose.yml": POSTGRES, "setup.py": ""}
    files |= {"tox.ini": tox, "more.txt": "", **TEST}
    command = settings_of(proposed(tmp_path, files))["integration"]["command"]
    assert "--with pytest-xdist>=3" in " ".join(command)
    assert "--with-requirements more.txt" in " ".join(command)
    assert "Django" not in " ".join(command)


def test_a_script_that_generates_runs_no_tests(tmp_path: Path) -> None:
    """`mvn verify` for the description of an API."""
    files = {"scripts/generate-openapi-spec.sh": "#!/bin/sh\n./mvnw verify\n", "pom.xml": "", "mvnw": ""}
    files |= {"src/test/java/ATest.java": ""}
    assert settings_of(proposed(tmp_path, files)) == {"command": ["./mvnw", "test"]}


def test_tests_that_a_file_of_variables_sends_to_a_server(tmp_path: Path) -> None:
    """Only what they name of a stack is brought up; a database that it does not make is said."""
    files = {
        "package.json": '{"scripts": {"test": "jest --config jest.json"}}',
        "src/config.ts": "import { get } from 'env-var';\nget('DB_HOST'); get('DB_PORT'); get('DB_NAME');\n",
        "tests/user.e2e-spec.ts": "",
        ".env.test": "DB_HOST=localhost\nDB_PORT=5432\nDB_NAME=shop_tests\n",
        "docker/compose.yml": POSTGRES + "  admin: {image: pgadmin, ports: ['5050:80']}\n",
    }
    assert [question.key for question in proposed(tmp_path, files).questions] == ["tests"]
    answered = proposed(tmp_path, files, answers={"tests": "integration"})
    found = settings_of(answered)
    assert found["needs"] == ["db"]
    assert found["endpoints"] == {"DB_HOST": "{db.host}", "DB_PORT": "{db.port}"}
    assert "env" not in found
    assert "DB_NAME is shop_tests, which the stack does not make" in _notes(answered)


@pytest.mark.parametrize(
    ("scripts", "wanted"),
    [
        ({"test": "yarn build && yarn setup && yarn only"}, {"unit": [], "integration": "__tests__"}),
        (
            {"test": "eslint .", "test:db": "npm run build && npm run setup && npm run only"},
            {"unit": [], "integration": {"command": ["npm", "run", "test:db"]}},
        ),
    ],
)
def test_what_a_script_builds_before_its_tests_stays(
    scripts: dict[str, str], wanted: dict[str, object], tmp_path: Path
) -> None:
    """With the steps in it: a new checkout has nothing built."""
    common = {"build": "tsc", "setup": "./scripts/seed-db.sh", "only": "jest"}
    call = [*scripts][-1].replace("test", "npm test") if len(scripts) == 1 else "npm run test:db"
    files = {
        **_ci(f"run: {call}", services=CI_POSTGRES),
        "package.json": json.dumps({"scripts": {**common, **scripts}}, indent=1),
        "scripts/seed-db.sh": "#!/bin/sh\n",
        "__tests__/a.test.ts": "",
    }
    assert settings_of(proposed(tmp_path, files)) == wanted


def test_what_a_script_builds_before_vitest_stays(tmp_path: Path) -> None:
    """vitest is started without the script by itself: what that builds and migrates would be lost."""
    scripts = {"build": "tsc", "migrate": "prisma migrate deploy"}
    scripts["test"] = "npm run build && npm run migrate && vitest run"
    files = {
        **_ci("run: npm test", services=CI_POSTGRES),
        "package.json": json.dumps({"scripts": scripts}, indent=1),
        "test/a.test.ts": "",
    }
    found = settings_of(proposed(tmp_path, files))
    assert found == {"unit": [], "integration": {"command": ["npm", "run", "test"]}}


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("`postgres://shop@${process.env.DB_HOST}/shop`", True),
        ("`postgres://shop@${process.env.DB_HOST}:${process.env.DB_PORT}/shop`", False),
        ("`the host is ${process.env.DB_HOST}/`", False),
    ],
)
def test_an_address_that_is_made_without_a_port(address: str, found: bool, tmp_path: Path) -> None:
    """Whatever the variable of the port is set to."""
    files = {
        **_ci("run: npm test", services=CI_POSTGRES, env="{DB_HOST: localhost, DB_PORT: 5432}"),
        "package.json": '{"scripts": {"test": "jest"}}',
        "tests/a.test.ts": "",
        "src/db.ts": f"connect({address}, process.env.DB_PORT);\n",
    }
    proposal = proposed(tmp_path, files)
    assert ("an address is made of DB_HOST without a port" in _notes(proposal)) is found
    assert settings_of(proposal)["endpoints"]["DB_PORT"] == "{postgres.port}"


@pytest.mark.parametrize(
    ("call", "file", "text"),
    [
        ("make test", "Makefile", "test:\n\tpytest tests\n\nlint:\n\truff check\n"),
        ("tox", "tox.ini", "[testenv]\ncommands = pytest tests\n"),
    ],
)
def test_what_is_set_for_a_call_is_set_for_what_it_starts(
    call: str, file: str, text: str, tmp_path: Path
) -> None:
    """A job's variables reach the tests behind a target, as they do behind a script."""
    files = {
        **_ci(f"run: {call}", services=CI_POSTGRES, env="{DB_HOST: localhost, DB_PORT: 5432}"),
        file: text,
        "shop.py": 'import os\nos.environ["DB_HOST"], os.environ["DB_PORT"]\n',
        **TEST,
    }
    found = settings_of(proposed(tmp_path, files))["endpoints"]
    assert found == {"DB_HOST": "{postgres.host}", "DB_PORT": "{postgres.port}"}


def test_tests_that_only_django_finds(tmp_path: Path) -> None:
    """By its own runner; what it writes for a new app tests nothing."""
    files = {
        "manage.py": "",
        "requirements.txt": "django\n",
        "shop/tests.py": "class A:\n    def test_a(self): ...\n",
    }
    start = "uv run --no-project --isolated --with-requirements requirements.txt"
    assert settings_of(proposed(tmp_path, files)) == {"command": f"{start} python manage.py test".split()}
    empty = {**files, "shop/tests.py": "from django.test import TestCase\n\n# Create your tests here.\n"}
    assert not proposed(tmp_path, empty).settings


def test_djangos_tests_that_pytest_is_told_of(tmp_path: Path) -> None:
    """They may be functions, none of which Django's runner would run, and it would be content."""
    files = {
        "manage.py": "",
        "requirements.txt": "django\npytest-django\n",
        "pytest.ini": "[pytest]\npython_files = tests.py test_*.py\n",
        "shop/tests.py": "def test_a(db): ...\n",
    }
    assert "command" not in str(settings_of(proposed(tmp_path / "own", files)))
    shared = {**files, "shop/tests.py": "from shop.checks import *\n", "pytest.ini": ""}
    assert "manage.py" in str(settings_of(proposed(tmp_path / "shared", shared)))


def test_a_stack_that_comes_up_after_the_tests_stays(tmp_path: Path) -> None:
    """Something else looks at it, and takes it down."""
    after = ["docker compose up -d", "scripts/check-url.sh localhost:8082", "docker compose down"]
    files = {
        **_ci("run: docker compose build", "run: pytest tests", *(f"run: {line}" for line in after)),
        "docker-compose.yml": WEB,
        **TEST,
    }
    text = proposed(tmp_path, files).files.get(".github/workflows/t.yml")
    text = text or files[".github/workflows/t.yml"]
    assert [line for line in after if f"run: {line}\n" not in text] == []


def test_a_loop_over_folders_that_a_shell_finds_goes_into_packages(tmp_path: Path) -> None:
    """Into those with tests of the language, however deep, and into no files."""
    make = (
        "DIRS := $(shell find . -name go.mod -exec dirname {} \\;)\n\n"
        'test:\n\tset -e; for dir in $(DIRS); do \\\n\t  (cd "$${dir}" && go test ./...); \\\n\tdone\n'
    )
    folders = ["", "driver/pg/", "empty/"]
    files = {f"{folder}go.mod": "module a" for folder in folders}
    files |= {"a_test.go": "", "driver/pg/b_test.go": "", "docs/package.json": "{}", "Makefile": make}
    found = settings_of(proposed(tmp_path, files))
    assert found["unit"] == {"command": ["go", "test", "./..."]}
    assert [*found["services"]] == ["pg"]


def test_a_script_that_names_packages_of_another_folder(tmp_path: Path) -> None:
    """It is started beside its folder."""
    script = "COMPONENT=1 go test -v ./test/component\n"
    files = {
        "services/asset/scripts/test-component.sh": script,
        "services/asset/go.mod": "module a",
        "services/asset/test/component/a_test.go": "",
    }
    assert [*settings_of(proposed(tmp_path, files))] == ["services"]


def test_services_of_ready_made_images_test_what_they_are_given(tmp_path: Path) -> None:
    """Each in the folder that it mounts."""
    stack = (
        "services:\n  py: {build: ./py, volumes: ['./py:/app']}\n"
        "  js:\n    image: node:22\n    volumes: ['./js:/app:cached']\n"
    )
    files = {
        "docker-compose.yml": stack,
        "Makefile": "test:\n\tdocker compose run py pytest\n\tdocker compose run js npm test\n",
        "py/requirements.txt": "",
        "js/package.json": "{}",
    }
    found = settings_of(proposed(tmp_path, files))
    assert {name: one["in"] for name, one in found["services"].items()} == {"py": "py", "js": "js"}
    assert "in" not in found


def test_python_beside_tests_of_another_language_in_one_folder(tmp_path: Path) -> None:
    """Nothing says how any of them are run: Python's are found."""
    files = {
        "pyproject.toml": "",
        "package.json": '{"devDependencies": {"vitest": "4"}}',
        "h/static/tests/a.test.js": "",
        "tests/unit/h/a_test.py": "",
        "tests/functional/b_test.py": "",
        "docker-compose.yml": WEB,
    }
    found = settings_of(proposed(tmp_path, files))
    assert found["integration"] == "tests/functional"


def test_pyenv_starts_what_stands_behind_it(tmp_path: Path) -> None:
    """As other launchers of environments do."""
    make = "test:\n\tpyenv exec pytest tests\n"
    text = proposed(tmp_path, {"Makefile": make + "\nlint:\n\truff check\n", **TEST}).files["Makefile"] or ""
    assert "test:\n\ttasklib test.unit\n" in text


def test_a_schema_of_prisma_says_where_the_database_is(tmp_path: Path) -> None:
    """Though no line of the code names the variable: Prisma reads it from `.env`."""
    schema = 'datasource db {\n  provider = "postgresql"\n  url      = env("DATABASE_URL")\n}\n'
    files = {
        "prisma/schema.prisma": schema,
        ".env.example": "DATABASE_URL=postgresql://postgres:password@localhost:5432/shop\n",
        "docker-compose.yml": POSTGRES,
        "package.json": '{"scripts": {"test": "vitest", "it": "docker compose up -d && npm test"}}',
        "Makefile": "test:\n\tdocker compose up -d\n\tnpx prisma migrate dev\n\tnpm test\n",
        "src/a.test.ts": "",
    }
    found = settings_of(proposed(tmp_path, files))
    assert found["endpoints"] == {"DATABASE_URL": "postgresql://postgres:password@{db:5432}/shop"}


def test_a_readme_means_the_folder_with_the_tests(tmp_path: Path) -> None:
    """Where there is one, and nothing at the top that describes a package."""
    readme = "Run:\n```sh\ndocker-compose up --build backend\n```\nTest:\n```sh\npytest\n```\n"
    files = {
        "README.md": readme,
        "docker-compose.yml": "services: {backend: {build: ./backend}}",
        "backend/requirements.txt": "pytest\n",
        "backend/test_main.py": "def test_a(): pass\n",
    }
    found = settings_of(proposed(tmp_path, files))
    assert found["services"]["backend"]["path"] == "backend"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('load_dotenv(".env.test", override=True)', True),
        ('load_dotenv(".env.test")', False),
        ("load_dotenv(override=False)", False),
    ],
)
def test_a_file_of_variables_that_wins_is_told(line: str, said: bool, tmp_path: Path) -> None:
    """What a run gives would come to nothing."""
    files = {
        "docker-compose.yml": POSTGRES,
        "Makefile": "test:\n\tdocker compose up -d\n\tpytest tests\n",
        "shop.py": 'import os\nURL = os.environ.get("DB_URL", "postgresql://u:p@localhost:5432/a")\n',
        "tests/conftest.py": f"from dotenv import load_dotenv\n\n{line}\n",
        **TEST,
    }
    proposal = proposed(tmp_path, files)
    assert "endpoints" in settings_of(proposal)
    told = [str(place) for note in proposal.notes if "override" in note.text for place in note.places]
    assert told == (["tests/conftest.py:3"] if said else [])
