"""A database for each test: as the stack's was when it became ready, and gone with the test."""

from __future__ import annotations

import json
import signal
import sys

import pytest

from ..conftest import NewProject
from ..projects import Checkout, compose
from ..traces import Traces, until

POSTGRES = "${POSTGRES_IMAGE:-postgres:16}"

STORE = f"""
image: {POSTGRES}
ports: ["5432"]
environment: {{POSTGRES_PASSWORD: of-nobody, POSTGRES_DB: shop}}
volumes: ["./init:/docker-entrypoint-initdb.d:ro"]
"""

BUSY = f"""
image: {POSTGRES}
entrypoint: []
command: psql postgresql://postgres:of-nobody@db/shop -c 'SELECT pg_sleep(3600)'
depends_on: {{db: {{condition: service_healthy}}}}
"""

HEALTHY = """
healthcheck: {test: pg_isready -q -h 127.0.0.1, interval: 1s, retries: 30}
"""

INIT = """
    CREATE ROLE seller;
    CREATE TABLE sold (what text);
    INSERT INTO sold VALUES ('first');
    ALTER DATABASE shop SET search_path TO "$user", public, "A b,c";
    ALTER DATABASE shop SET app.shop TO 'it''s \\ ours';
    ALTER DATABASE shop CONNECTION LIMIT 50;
    REVOKE ALL ON DATABASE shop FROM PUBLIC;
    GRANT CONNECT ON DATABASE shop TO seller WITH GRANT OPTION;
    ALTER ROLE seller IN DATABASE shop SET work_mem TO '5MB';
"""

CONFTEST = """
    import pytest

    try:
        from tasklib.pipeline.inject.tasklib_in_pytest.postgres import Connection
    except ImportError:  # an environment without it
        from tasklib_in_pytest.postgres import Connection

    @pytest.fixture
    def ask():
        def answer(database, sql):
            at = (database.host, database.port, database.user, database.password, database.name)
            connection = Connection(*at, "test")
            try:
                return [row[0] for row in connection.query(sql)]
            finally:
                connection.close()
        return answer
"""

TESTS = """
    import os, pytest
    from urllib.parse import urlsplit

    SAID = (
        "SELECT concat_ws(' ', pg_get_userbyid(datdba), datconnlimit, datacl, encoding, datcollate, "
        "(SELECT array_agg(concat(setrole, setconfig) ORDER BY setrole) FROM pg_db_role_setting "
        "WHERE setdatabase = d.oid)) FROM pg_database d WHERE datname = "
    )

    @pytest.mark.parametrize("number", range(3))
    def test_alone(fresh_database, ask, number):
        assert ask(fresh_database, "SELECT what FROM sold") == ["first"]
        ask(fresh_database, "INSERT INTO sold VALUES ('mine')")
        assert ask(fresh_database, "SELECT count(*) FROM sold") == ["2"]

    def test_like_the_original(fresh_database, ask):
        said = ask(fresh_database, f"{SAID}'{fresh_database.name}'")
        assert said == ask(fresh_database, SAID + "'shop'")
        assert "search_path" in said[0]
        assert ask(fresh_database, "SHOW app.shop") == ["it's \\\\ ours"]

    @pytest.mark.parametrize("number", range(2))
    def test_of_the_worker(worker_database, ask, number):
        ask(worker_database, f"CREATE TABLE of_{number} ()")
        assert ask(worker_database, "SELECT what FROM sold") == ["first"]

    def test_value(fresh_database):
        parts = urlsplit(str(fresh_database))
        assert parts.path == f"/{fresh_database.name}"
        assert (parts.hostname, parts.port) == (fresh_database.host, fresh_database.port)
        assert "of-nobody" not in repr(fresh_database)

    def test_sealed(fresh_database, ask):
        with pytest.raises(Exception, match="not currently accepting connections"):
            ask(fresh_database._replace(name="tasklib_template"), "SELECT 1")
"""

ONE = """
    def test_one(fresh_database, ask):
        print("rows:", *ask(fresh_database, "SELECT what FROM sold"))
"""

API = "services/api"
FOLDER = f"{API}/tests/integration"
DEPLOY = f"{API}/deploy/test"


def files(*, db: str = STORE, tests: str = TESTS, **others: str) -> dict[str, str]:
    return {
        f"{DEPLOY}/docker-compose.yml": compose(db=db, **others),
        f"{DEPLOY}/init/1.sql": INIT,
        f"{FOLDER}/conftest.py": CONFTEST,
        f"{FOLDER}/test_shop.py": tests,
    }


@pytest.mark.parametrize(
    "words",
    [
        # In an environment that has pytest and not tasklib.
        ("tasklib", "test.service", "--verbose"),
        ("env", "XDIST=1", "tasklib", "test.service", "--verbose"),
        ("pytest", API, "--stack", "own"),
        ("pytest", API, "-n", "4"),
    ],
    ids=["stage", "stage-xdist", "pytest", "pytest-xdist"],
)
def test_each_test_has_its_own(project: NewProject, traces: Traces, words: tuple[str, ...]) -> None:
    """Rows of one are not there for the next, it is like the original, and nobody writes to the template."""
    shop = project(files())
    if "XDIST=1" in words:
        command = [sys.executable, "-m", "pytest", "-n", "2", "tests/integration"]
        shop.write({"pyproject.toml": f"[tool.tasklib.services.api]\ncommand = {json.dumps(command)}\n"})
    ran = shop.run(*words)
    assert ran.code == 0, ran
    assert "8 passed" in ran.text
    assert traces.left() == []


def test_while_others_are_connected(project: NewProject) -> None:
    """A service of the stack that keeps its connection does not stand in the way."""
    shop = project(files(db=STORE + HEALTHY, busy=BUSY))
    ran = shop.run("tasklib", "test.service", "--verbose")
    assert ran.code == 0, ran
    assert "8 passed" in ran.text


@pytest.fixture
def kept(project: NewProject) -> Checkout:
    """A project whose stack is up and stays, with its variables in the environment."""
    shop = project(files(tests=ONE))
    up = shop.run("tasklib", "infra.up", "--name", "api")
    assert up.code == 0, up
    return shop


WRITE = """
    import os
    from tasklib.pipeline.inject.tasklib_in_pytest.databases import _database

    def test_write(ask):
        ask(_database(os.environ["TEST_DB_URL"]), "INSERT INTO sold VALUES ('by hand')")
"""

HANGS = """
    import pathlib, time

    def test_hangs(fresh_database):
        pathlib.Path("hangs").write_text(fresh_database.name)
        while True:
            time.sleep(0.05)
"""

LISTS = """
    def test_list(worker_database, ask):
        print("names:", *ask(worker_database, "SELECT datname FROM pg_database"))
"""


def test_a_kept_stack(kept: Checkout) -> None:
    """What was written to it since is in no copy, whether the run or a shell gives the variables."""
    kept.write({f"{FOLDER}/test_write.py": WRITE})
    wrote = kept.run("pytest", "--stack", "own", f"{FOLDER}/test_write.py")
    assert wrote.code == 0, wrote
    ran = kept.run("pytest", "-s", f"{FOLDER}/test_shop.py")
    assert "rows: first\n" in ran.out, ran
    env = kept.run("tasklib", "infra.env", "--name", "api", "--format", "json")
    try:
        given = kept.run("pytest", "-s", f"{FOLDER}/test_shop.py", env=json.loads(env.out))
        assert "rows: first\n" in given.out, given
    finally:
        assert kept.run("tasklib", "clean").code == 0


def test_copies_of_killed_tests_go(kept: Checkout) -> None:
    """The next session removes what one left that had no time to, and nothing of one that still runs."""
    kept.write({f"{FOLDER}/test_hangs.py": HANGS, f"{FOLDER}/test_lists.py": LISTS})
    try:
        env = json.loads(kept.run("tasklib", "infra.env", "--name", "api", "--format", "json").out)
        hanging = kept.start("pytest", f"{FOLDER}/test_hangs.py", env=env)
        mark = kept.root / "hangs"
        assert until(lambda: mark.exists() and mark.read_text()), hanging.text
        beside = kept.run("pytest", "-s", f"{FOLDER}/test_lists.py", env=env)
        assert mark.read_text() in beside.out, beside
        hanging.process.send_signal(signal.SIGKILL)
        hanging.wait()
        afterwards = kept.run("pytest", "-s", f"{FOLDER}/test_lists.py", env=env)
        assert "names: " in afterwards.out, afterwards
        assert mark.read_text() not in afterwards.out
    finally:
        assert kept.run("tasklib", "clean").code == 0


def test_a_stack_from_before(project: NewProject) -> None:
    """Nobody knows what was written to it: a plain line says how it starts anew."""
    shop = project(files(tests="def test_nothing(): ...\n"))
    up = shop.run("tasklib", "infra.up", "--name", "api")
    assert up.code == 0, up
    shop.write({f"{FOLDER}/test_shop.py": ONE})
    ran = shop.run("tasklib", "test.service")
    assert ran.code == 1, ran
    assert "the database of this stack was not kept as it was when it became ready" in ran.text
    assert "Traceback" not in ran.text
    assert shop.run("tasklib", "infra.down").code == 0


LOGINS = """
    #!/bin/sh
    psql -U postgres -c "
        SET password_encryption = 'md5'; CREATE ROLE digest LOGIN SUPERUSER PASSWORD 'of-nobody';
        SET password_encryption = 'scram-sha-256'; CREATE ROLE scram LOGIN SUPERUSER PASSWORD 'of-nobody';
        CREATE ROLE plain LOGIN SUPERUSER PASSWORD 'of-nobody'; CREATE ROLE trust LOGIN SUPERUSER;"
    for row in 'digest all md5' 'plain all password' 'scram all scram-sha-256' 'trust all trust'; do
        sed -i "1i host all $row" "$PGDATA/pg_hba.conf"
    done
"""

LOG_IN = """
    import os, pytest
    from tasklib.pipeline.inject.tasklib_in_pytest.databases import _database
    from tasklib.pipeline.inject.tasklib_in_pytest.postgres import PostgresError
    from tasklib.pipeline.inject.tasklib_in_pytest.wire import DatabaseError

    @pytest.fixture
    def database(): return _database(os.environ["TEST_DB_URL"])

    @pytest.mark.parametrize("user", ["digest", "plain", "scram", "trust"])
    def test_log_in(database, ask, user):
        assert ask(database._replace(user=user), "SELECT current_user") == [user]

    @pytest.mark.parametrize("user", ["digest", "plain", "scram"])
    def test_wrong_password(database, ask, user):
        with pytest.raises(PostgresError, match="password authentication failed"):
            ask(database._replace(user=user, password="another"), "SELECT 1")

    def test_errors(database, ask):
        with pytest.raises(PostgresError, match="division by zero"):
            ask(database, "SELECT 1 / 0")
        with pytest.raises(PostgresError, match="does not exist"):
            ask(database._replace(name="no-such"), "SELECT 1")
        with pytest.raises(DatabaseError, match="nobody answers"):
            ask(database._replace(port=1), "SELECT 1")
        assert ask(database, "SELECT NULL") == [None]
"""


def test_ways_to_log_in(project: NewProject) -> None:
    """By every login that a server of today asks for; what goes wrong has the server's own words."""
    shop = project(files(tests=LOG_IN) | {f"{DEPLOY}/init/2.sh": LOGINS})
    ran = shop.run("pytest", FOLDER, "--stack", "own")
    assert ran.code == 0, ran
    assert "8 passed" in ran.out
