"""What decides what a store initialises, and what is not understood."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tasklib.stacks.baking.recipe import Recipe, can_be_baked, recipe_of, refuse_copies
from tasklib.stacks.baking.unfit import Unfit
from tasklib.stacks.engine.values import ImageConfig
from tasklib.stacks.rewrite import Bake, Facts, isolate

IMAGE = ImageConfig(
    "sha256:1", ("docker-entrypoint.sh",), ("postgres",), {"PATH": "/bin"}, ("/var/lib/postgresql/data",)
)


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    (tmp_path / "1.sql").write_text("CREATE TABLE a (api text);")
    return tmp_path


@pytest.fixture
def config(scripts: Path) -> dict[str, Any]:
    db = {
        "image": "postgres:16",
        "environment": {"POSTGRES_PASSWORD": "x$$y"},
        "ports": [{"target": 5432}],
        "networks": {"default": None},
        "volumes": [
            {"type": "bind", "source": str(scripts), "target": "/docker-entrypoint-initdb.d"},
            {"type": "volume", "source": "data", "target": "/var/lib/postgresql/data"},
        ],
    }
    return {"services": {"db": db, "api": {"image": "api"}}, "volumes": {"data": {}}}


def made(config: Mapping[str, Any], image: ImageConfig = IMAGE) -> Recipe:
    return recipe_of("db", config, image)


def changed(config: Mapping[str, Any], **keys: Any) -> dict[str, Any]:
    other = copy.deepcopy(dict(config))
    other["services"]["db"] |= keys
    return other


def test_the_container_gets_what_the_store_would(config: dict[str, Any], scripts: Path) -> None:
    """But its data elsewhere, and its files to read alone."""
    found = made(config)
    assert found.errand.environment["POSTGRES_PASSWORD"] == "x$y"
    assert not found.errand.environment["PGDATA"].startswith("/var/lib/postgresql")
    assert found.errand.files == ((str(scripts), "/docker-entrypoint-initdb.d"),)
    assert found.command[0] == "postgres"


def test_the_files_options_come_last(config: dict[str, Any]) -> None:
    """Of an option that is given twice the last one counts."""
    found = made(changed(config, command=["-c", "fsync=on"]))
    assert found.errand.command[-2:] == ("-c", "fsync=on")
    assert found.errand.command[:3] == ("postgres", "-c", "fsync=off")


@pytest.mark.parametrize(
    "keys",
    [
        {"ports": [{"target": 5432, "published": "7000"}]},
        {"labels": {"a": "b"}},
        {"healthcheck": {"test": ["CMD", "true"]}},
        {"container_name": "other"},
    ],
)
def test_what_nothing_inside_sees_changes_nothing(keys: dict[str, Any], config: dict[str, Any]) -> None:
    """Two checkouts with the same store share a bake whatever their ports and names."""
    assert made(changed(config, **keys)).key == made(config).key


@pytest.mark.parametrize(
    "keys",
    [
        {"environment": {"POSTGRES_PASSWORD": "z"}},
        {"environment": {"POSTGRES_PASSWORD": "x$$y", "ANY": ""}},
        {"command": ["postgres", "-c", "work_mem=1MB"]},
        {"hostname": "db"},
        {"shm_size": "67108864"},
    ],
)
def test_what_a_script_can_see_is_in_the_key(keys: dict[str, Any], config: dict[str, Any]) -> None:
    """Another value is another bake."""
    assert made(changed(config, **keys)).key != made(config).key


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "1.sql").write_text("SELECT 1;"),
        lambda folder: (folder / "1.sql").chmod(0o700),
        lambda folder: (folder / "1.sql").rename(folder / "2.sql"),
        lambda folder: (folder / "none").mkdir(),
    ],
    ids=["content", "mode", "name", "folder"],
)
def test_any_change_of_a_file_is_in_the_key(
    change: Callable[[Path], object], config: dict[str, Any], scripts: Path
) -> None:
    """Contents, modes, names, and what was added."""
    before = made(config).key
    change(scripts)
    assert made(config).key != before


def test_another_image_is_another_bake(config: dict[str, Any]) -> None:
    """By its id: a name may move."""
    assert made(config, ImageConfig("sha256:2", IMAGE.entrypoint, IMAGE.command)).key != made(config).key


@pytest.mark.parametrize(
    "keys",
    [
        {"build": {"context": "."}},
        {"depends_on": {"api": {"condition": "service_started"}}},
        {"user": "postgres"},
        {"read_only": True},
        {"a_key_of_tomorrow": "x"},
        {"entrypoint": ["/own.sh"]},
        {"command": ["bash", "-c", "postgres"]},
        {"command": ["-p", "6000"]},
        {"command": ["-c", "config_file=/etc/postgresql/own.conf"]},
        {"environment": {"PGPORT": "6000"}},
        {"environment": {"POSTGRES_INITDB_WALDIR": "/var/lib/postgresql/wal"}},
        {"volumes": [{"type": "bind", "source": "/tmp", "target": "/out"}]},
        {"volumes": [{"type": "volume", "source": "data", "target": "/other"}]},
        {"secrets": [{"source": "from-environment", "target": "s"}]},
    ],
)
def test_what_is_not_understood_is_not_baked(keys: dict[str, Any], config: dict[str, Any]) -> None:
    """The store starts as its file says."""
    with pytest.raises(Unfit):
        made(changed(config, **keys))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("2.sh", "curl -s http://example.com || true"),
        ("2.sh", "psql -h api -c 'SELECT 1' || true"),
        ("2.sh", "echo shared_buffers=1MB >> /var/lib/postgresql/data/postgresql.conf"),
    ],
)
def test_a_script_that_would_do_something_else(
    name: str, text: str, config: dict[str, Any], scripts: Path
) -> None:
    """There is no network while it is baked, and the data is elsewhere."""
    (scripts / name).write_text(text)
    with pytest.raises(Unfit):
        made(config)


def test_a_volume_that_another_service_uses(config: dict[str, Any]) -> None:
    """It would not find the data there."""
    config["services"]["api"]["volumes"] = [{"type": "volume", "source": "data", "target": "/d"}]
    with pytest.raises(Unfit):
        made(config)


def test_a_link_among_the_files(config: dict[str, Any], scripts: Path) -> None:
    """What it leads to inside is not what it leads to here."""
    (scripts / "3.sql").symlink_to("/etc/hostname")
    with pytest.raises(Unfit):
        made(config)


@pytest.mark.parametrize("image", ["", "api", "redis:7", "mongo:7"])
def test_what_has_nothing_to_bake(image: str) -> None:
    """It is no matter to speak of."""
    assert not can_be_baked(image)


MARIADB = ImageConfig("sha256:3", ("docker-entrypoint.sh",), ("mysqld",), {}, ("/var/lib/mysql",))


def mariadb(**keys: Any) -> Recipe:
    db = {"image": "mariadb:10.6", "environment": {"MARIADB_ROOT_PASSWORD": "x"}, **keys}
    return recipe_of("db", {"services": {"db": db}}, MARIADB)


def test_a_mariadb_has_its_data_elsewhere_by_an_option() -> None:
    """No variable moves it; the program is the one that the image's own command is."""
    found = mariadb(command=["--sync-binlog=1"])
    assert found.errand.environment == {"MARIADB_ROOT_PASSWORD": "x"}
    assert found.command[:2] == ("mysqld", "--datadir=/var/lib/tasklib/data")
    assert found.command[-1] == "--sync-binlog=1"
    assert found.bake("a:1") == Bake("a:1", {}, found.command)
    assert mariadb(command=["mariadbd"]).command[0] == "mariadbd"


@pytest.mark.parametrize(
    "keys",
    [
        {"command": ["--datadir=/data"]},
        {"command": ["-P3307"]},
        {"command": ["--server-id=2"]},
        {"command": ["--log_bin"]},
        {"command": ["--defaults-file=/etc/own.cnf"]},
        {"environment": {"MARIADB_RANDOM_ROOT_PASSWORD": "1"}},
        {"environment": {"MARIADB_ROOT_PASSWORD": "x", "MARIADB_MASTER_HOST": "other"}},
        {"healthcheck": {"test": ["CMD-SHELL", 'test "$$(healthcheck.sh --connect)" = ""']}},
        {"healthcheck": {"test": ["CMD", "/own/healthcheck.sh", "--connect"]}},
        {"healthcheck": {"test": ["CMD", "healthcheck.sh", "--datadir=/var/lib/mysql", "--connect"]}},
        {"healthcheck": {"test": ["CMD-SHELL", "test -d /var/lib/mysql/shop"]}},
    ],
)
def test_a_mariadb_that_is_not_baked(keys: dict[str, Any]) -> None:
    """It listens elsewhere, knows others, tells its password once, or is asked in its data's folder."""
    with pytest.raises(Unfit):
        mariadb(**keys)


TOLD = (
    "--datadir=/var/lib/tasklib/data",
    "--defaults-extra-file=/var/lib/tasklib/data/.my-healthcheck.cnf",
)


@pytest.mark.parametrize(
    ("test", "moved"),
    [
        (
            ["CMD", "healthcheck.sh", "--connect", "--innodb_initialized"],
            ("CMD", "healthcheck.sh", *TOLD, "--connect", "--innodb_initialized"),
        ),
        (
            ["CMD", "timeout", "2", "/usr/local/bin/healthcheck.sh", "--su", "mysql", "--connect"],
            ("CMD", "timeout", "2", "/usr/local/bin/healthcheck.sh", "--su", "mysql", *TOLD, "--connect"),
        ),
        (
            "healthcheck.sh --su-mysql --connect || healthcheck.sh --connect",
            (
                "CMD-SHELL",
                f"healthcheck.sh --su-mysql {' '.join(TOLD)} --connect || "
                f"healthcheck.sh {' '.join(TOLD)} --connect",
            ),
        ),
        (
            ["CMD", "bash", "-c", "healthcheck.sh --su=mysql --connect"],
            ("CMD", "bash", "-c", f"healthcheck.sh --su=mysql {' '.join(TOLD)} --connect"),
        ),
        (["CMD-SHELL", "mysqladmin ping -h localhost -p$$MYSQL_ROOT_PASSWORD"], ()),
        (["NONE"], ()),
    ],
)
def test_its_own_health_check_is_told_where_the_data_is(test: object, moved: tuple[str, ...]) -> None:
    """Before its tests and after whose rights it takes, which makes it forget what stood before."""
    found = mariadb(healthcheck={"test": test})
    assert found.health_test == moved
    assert found.key == mariadb().key


def test_a_health_check_that_is_mounted_over_the_images(tmp_path: Path) -> None:
    """It may know none of those options."""
    (tmp_path / "healthcheck.sh").write_text("exit 0")
    mount = {"type": "bind", "source": str(tmp_path), "target": "/usr/local/bin", "read_only": True}
    with pytest.raises(Unfit):
        mariadb(volumes=[mount], healthcheck={"test": ["CMD", "healthcheck.sh"]})


@pytest.mark.parametrize(("line", "fit"), [("max_connections = 7", True), ("server_id=3", False)])
def test_settings_that_are_mounted_into_a_mariadb(line: str, fit: bool, tmp_path: Path) -> None:
    """They are in the key; two servers that know each other have to be told apart."""
    (tmp_path / "own.cnf").write_text(f"[mysqld]\n{line}\n")
    mount = {"type": "bind", "source": str(tmp_path), "target": "/etc/mysql/conf.d", "read_only": True}
    if fit:
        assert mariadb(volumes=[mount]).key != mariadb().key
    else:
        with pytest.raises(Unfit):
            mariadb(volumes=[mount])


@pytest.mark.parametrize("image", ["mysql:8.4", "mariadb:11", "percona:8.0"])
def test_mysql_and_its_like_can_be_baked(image: str) -> None:
    """By the same start script; where another one runs, its entry point tells."""
    assert can_be_baked(image)


def test_the_rewritten_store(config: dict[str, Any]) -> None:
    """It starts from the bake, which nobody pulls; the rest of its environment stays."""
    bake = Bake("tasklib-bake/postgres:1", {"PGDATA": "/elsewhere"}, ("postgres", "-c", "fsync=off"))
    isolated = isolate(config, "main", facts=Facts(bakes={"db": bake}))
    db = isolated["services"]["db"]
    assert (db["image"], db["pull_policy"]) == ("tasklib-bake/postgres:1", "never")
    assert db["environment"] == {"POSTGRES_PASSWORD": "x$$y", "PGDATA": "/elsewhere"}
    assert db["command"] == ["postgres", "-c", "fsync=off"]
    assert isolate(isolated, "main", facts=Facts(bakes={"db": bake})) == isolated


def test_the_rewritten_health_check(config: dict[str, Any]) -> None:
    """All of it stays but what it asks."""
    checked = changed(config, healthcheck={"test": ["CMD", "healthcheck.sh"], "retries": 7})
    bake = Bake("tasklib-bake/mariadb:1", {}, ("mariadbd",), ("CMD", "healthcheck.sh", "--datadir=/d"))
    found = isolate(checked, "main", facts=Facts(bakes={"db": bake}))["services"]["db"]["healthcheck"]
    assert found["test"] == ["CMD", "healthcheck.sh", "--datadir=/d"]
    assert found["retries"] == 7


def test_what_a_copy_would_not_do_is_not_baked_elsewhere(tmp_path: Path) -> None:
    """A folder that is mounted hides what the image has there; secrets are for those who are given them."""
    script = tmp_path / "1.sql"
    script.touch()
    refuse_copies({}, [(str(script), "/docker-entrypoint-initdb.d/1.sql")])
    with pytest.raises(Unfit, match="is no file"):
        refuse_copies({}, [(str(tmp_path), "/docker-entrypoint-initdb.d")])
    with pytest.raises(Unfit, match="it has secrets"):
        refuse_copies({"secrets": [{"source": "password"}]}, [(str(script), "/run/secrets/password")])
