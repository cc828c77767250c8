"""A MariaDB starts from what it initialised before, as a Postgres does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ..projects import Checkout
from ..traces import Traces
from .test_bakes import COMPOSE, down, image_of, up

STORE = """
image: ${MARIADB_IMAGE:-mariadb:11}
command: ["--max-connections=77", "--character-set-server=utf8mb4"]
ports: ["3306"]
environment: {
  MARIADB_ROOT_PASSWORD_FILE: /run/secrets/root, MARIADB_DATABASE: shop, MARIADB_USER: app,
  MARIADB_PASSWORD: of-nobody }
volumes: ["./init:/docker-entrypoint-initdb.d:ro"]
secrets: [root]
healthcheck: {test: [CMD, healthcheck.sh, --connect, --innodb_initialized], interval: 1s, retries: 60}
"""

SECRET = "secrets: {root: {file: ./root.txt}}\n"


@pytest.fixture
def ask(engine: Any, traces: Traces) -> Callable[[str], str]:
    """``ask(sql)``: what the only database answers, over its port, to the user that the file names."""

    def answer(sql: str) -> str:
        (row,) = traces.containers()
        argv = ["mariadb", "-h", "127.0.0.1", "--protocol=tcp", "-uapp", "-pof-nobody", "-BNe", sql, "shop"]
        started = engine.exec_create(row["Id"], argv)["Id"]
        said = engine.exec_start(started).decode().strip()
        assert engine.exec_inspect(started)["ExitCode"] == 0, said
        return str(said)

    return answer


def test_it_initialises_once_and_anew_where_a_script_changed(
    shop: Callable[..., Checkout], bakes: Callable[[], list[str]], ask: Callable[[str], str], traces: Traces
) -> None:
    """The same data, users and settings, without what was written; a changed value is never served old.

    Its health check is the image's own, which reads in the folder of the data, wherever that is.
    """
    made = shop(db=STORE)
    path = made.root / COMPOSE
    path.write_text(path.read_text() + SECRET)
    made.write({"deploy/test/root.txt": "of-root"})
    up(made)
    (tag,) = bakes()
    assert image_of(traces) == tag
    assert ask("SELECT what, @@max_connections FROM made") == "first\t77"
    ask("INSERT INTO made VALUES ('written')")
    down(made)
    up(made)
    assert bakes() == [tag]
    assert ask("SELECT what FROM made") == "first"
    made.write({"deploy/test/root.txt": "of-another"})
    up(made)
    assert len(bakes()) == 2
    assert ask("SELECT what FROM made") == "first"
