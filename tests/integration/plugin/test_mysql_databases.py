"""The same on a MariaDB: a copy is like the original in all that it is made of, or there is none."""

from __future__ import annotations

import json

import pytest

from tasklib.pipeline.inject.tasklib_in_pytest.mysql import Connection, MysqlError
from tasklib.pipeline.mysql.survey import survey

from ..conftest import NewProject
from ..projects import Checkout, compose

STORE = """
image: ${MARIADB_IMAGE:-mariadb:11}
ports: ["3306"]
environment:
  {MARIADB_ROOT_PASSWORD: of-root, MARIADB_DATABASE: shop, MARIADB_USER: app, MARIADB_PASSWORD: of-nobody}
volumes: ["./init:/docker-entrypoint-initdb.d:ro"]
"""

SHOP = """
    SET NAMES utf8mb4;
    CREATE TABLE maker (
        id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) UNIQUE COMMENT 'of {shop}.`maker`');
    CREATE TABLE `a sold``thing` (
        id INT AUTO_INCREMENT PRIMARY KEY,
        maker INT, `before` INT,
        price DECIMAL(6, 2) NOT NULL DEFAULT 1.5 CHECK (price >= 0),
        twice DECIMAL(8, 2) AS (price * 2) STORED,
        half DECIMAL(8, 2) AS (price / 2) VIRTUAL,
        hidden INT INVISIBLE DEFAULT 4,
        raw VARBINARY(9), said TEXT, kind ENUM('x', 'y'), day DATE NOT NULL DEFAULT '2001-01-01',
        KEY (twice), FULLTEXT KEY (said),
        FOREIGN KEY (maker) REFERENCES maker (id) ON DELETE CASCADE,
        FOREIGN KEY (`before`) REFERENCES `a sold``thing` (id));
    SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
    INSERT INTO maker VALUES (0, 'nobody'), (7, 'one'), (8, 'gone');
    DELETE FROM maker WHERE id = 8;
    INSERT INTO `a sold``thing` (maker, `before`, price, hidden, raw, said, kind, day)
        VALUES (7, NULL, 2, 5, x'00ff27', '😀 \\' it', 'y', '0000-00-00'),
            (0, 1, 3, 6, NULL, NULL, NULL, '2002-02-02');
    CREATE SEQUENCE number START WITH 100;
    CREATE TABLE numbered (id INT DEFAULT nextval(number), part INT) PARTITION BY HASH (part) PARTITIONS 3;
    CREATE TABLE told (what TEXT);
    CREATE FUNCTION more (x INT) RETURNS INT DETERMINISTIC RETURN x + 1;
    CREATE DEFINER = app@'%' VIEW z_early AS SELECT id, name FROM maker;
    CREATE VIEW a_late AS SELECT more(id) AS id, name FROM z_early;
    CREATE PROCEDURE tell (what TEXT) INSERT INTO told VALUES (what);
    CREATE TRIGGER told_again AFTER INSERT ON told FOR EACH ROW SET @told = NEW.what;
    CREATE TRIGGER made AFTER INSERT ON maker FOR EACH ROW CALL tell(concat('made ', NEW.name));
    CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2031-01-01' DISABLE DO DELETE FROM told;
"""

CONFTEST = """
    import pytest

    try:
        from tasklib.pipeline.inject.tasklib_in_pytest.mysql import Connection
    except ImportError:  # an environment without it
        from tasklib_in_pytest.mysql import Connection

    @pytest.fixture
    def connect():
        return lambda database: Connection(database.host, database.port, database.user, database.password)

    @pytest.fixture
    def ask(connect):
        def answer(database, sql):
            connection = connect(database)
            try:
                return connection.query(f"SET NAMES utf8mb4; USE `{database.name}`; " + sql)
            finally:
                connection.close()
        return answer
"""

TESTS = """
    import pytest

    PARTS = ("TABLE maker", "TABLE `a sold``thing`", "VIEW a_late", "VIEW z_early", "FUNCTION more",
             "PROCEDURE tell", "TRIGGER made", "EVENT nightly")

    @pytest.mark.parametrize("number", range(3))
    def test_alone(fresh_database, ask, number):
        rows = ask(fresh_database, "SELECT id, name FROM maker ORDER BY id")
        assert rows == [("0", "nobody"), ("7", "one")]
        ask(fresh_database, "INSERT INTO maker (name) VALUES ('mine')")
        assert ask(fresh_database, "SELECT max(id) FROM maker") == [("9",)]
        assert ask(fresh_database, "SELECT what FROM told") == [("made mine",)]
        assert ask(fresh_database, "SELECT max(id) FROM a_late") == [("10",)]
        ask(fresh_database, "DELETE FROM maker")
        assert ask(fresh_database, "SELECT count(*) FROM `a sold``thing`") == [("0",)]

    def test_like_the_original(fresh_database, ask):
        shop = fresh_database._replace(name="shop")
        for part in PARTS:
            one, other = (ask(database, f"SHOW CREATE {part}")[0] for database in (fresh_database, shop))
            assert [x.replace("`shop`.", "") for x in other[:4]] == [
                x.replace(f"`{fresh_database.name}`.", "") for x in one[:4]]
        rows = ("SELECT id, maker, `before`, twice, half, hidden, hex(raw), said, kind, day "
                "FROM `a sold``thing`")
        assert ask(fresh_database, rows) == ask(shop, rows)
        assert ask(fresh_database, rows)[0][5:] == ("5", "00FF27", "😀 ' it", "y", "0000-00-00")
        assert ask(fresh_database, "SELECT database(); INSERT INTO numbered (part) VALUES (1); "
                   "SELECT id >= 100 FROM numbered") == [("1",)]
        assert ask(shop, "SELECT count(*) FROM numbered") == [("0",)]

    @pytest.mark.parametrize("number", range(2))
    def test_of_the_worker(worker_database, ask, number):
        ask(worker_database, f"CREATE TABLE of_{number} (id INT)")
        assert worker_database.url.endswith("/" + worker_database.name)

    def test_still_used(fresh_database, connect):
        connect(fresh_database).query(
            f"USE {fresh_database.name}; START TRANSACTION; INSERT INTO told VALUES ('not committed')")
"""

OTHERS = """
    CREATE DATABASE orders; USE orders;
    CREATE TABLE orders (id INT); CREATE VIEW all_of_them AS SELECT orders.id FROM orders;
    CREATE TRIGGER plain BEFORE INSERT ON orders FOR EACH ROW
        SET NEW.id = (SELECT max(orders.id) FROM orders);

    CREATE DATABASE versioned; CREATE TABLE versioned.t (id INT) WITH SYSTEM VERSIONING;
    CREATE DATABASE elsewhere; CREATE TABLE elsewhere.t (a INT NOT NULL) ENGINE=CSV;
    CREATE DATABASE named; CREATE TABLE named.t (a INT);
    CREATE PROCEDURE named.p () INSERT INTO named.t VALUES (1);
    CREATE DATABASE mixed; CREATE TABLE mixed.t (a INT);
    CREATE VIEW mixed.v AS SELECT t.a FROM mixed.t JOIN named.t AS other;
"""

API = "services/api"
FOLDER = f"{API}/tests/integration"
DEPLOY = f"{API}/deploy/test"


@pytest.fixture
def shop(project: NewProject) -> Checkout:
    return project(
        {
            f"{DEPLOY}/docker-compose.yml": compose(db=STORE),
            f"{DEPLOY}/init/1.sql": SHOP,
            f"{DEPLOY}/init/2.sql": OTHERS,
            f"{FOLDER}/conftest.py": CONFTEST,
            f"{FOLDER}/test_shop.py": TESTS,
        }
    )


def test_copies_and_what_is_not_copied(shop: Checkout) -> None:
    """Like the original and without others' rows, with and without tasklib in the tests' environment.

    They go with their tests; what a copy would get wrong is refused by name.
    """
    up = shop.run("tasklib", "infra.up", "--name", "api")
    assert up.code == 0, up
    try:
        ran = shop.run("tasklib", "test.service", "--verbose")
        assert ran.code == 0, ran
        assert "7 passed" in ran.text
        env = json.loads(shop.run("tasklib", "infra.env", "--name", "api", "--format", "json").out)
        given = shop.run("pytest", "-n", "2", API, env=env)
        assert given.code == 0, given
        assert "7 passed" in given.out
        root = Connection(env["TEST_DB_HOST"], int(env["TEST_DB_PORT"]), "root", "of-root")
        assert root.query("SHOW DATABASES LIKE 'tasklib%'") == [("tasklib_template",)]
        assert [part.name for part in survey(root, "orders").parts] == ["orders", "all_of_them", "plain"]
        for name, why in {
            "versioned": "t is system versioned",
            "elsewhere": "t has the engine CSV",
            "named": "the routine p names the database named",
            "mixed": "the view v is of several databases",
        }.items():
            with pytest.raises(MysqlError, match=why):
                survey(root, name)
        root.close()
    finally:
        assert shop.run("tasklib", "clean").code == 0
