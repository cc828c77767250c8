"""Volumes, mounts, devices, and data stores in memory."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tasklib.project import Shared
from tasklib.stacks.rewrite import base_images, in_memory
from tasklib.stacks.servers import declared_volumes

from .support import FACTS, ROOT, one, reviewed


def volume(source: str | None, target: str, **more: Any) -> dict[str, Any]:
    return {"type": "volume", **({"source": source} if source else {}), "target": target, **more}


def bind(source: str, target: str = "/x", **more: Any) -> dict[str, Any]:
    return {"type": "bind", "source": source, "target": target, **more}


def test_named_volumes_are_the_stacks_own() -> None:
    """A volume's name, fixed or not, is the stack's; its key and options stay."""
    mounts = [volume("data", "/data"), volume("fixed", "/fixed")]
    volumes = {"data": {}, "fixed": {"name": "fixed", "labels": {"a": "b"}}}
    found = reviewed({"api": {"volumes": mounts}}, volumes=volumes)
    assert found.config["volumes"]["data"]["name"] == "test-feature-auth.data"
    assert found.config["volumes"]["fixed"]["name"] == "test-feature-auth.fixed"
    assert found.config["volumes"]["fixed"]["labels"]["a"] == "b"
    assert found.config["services"]["api"]["volumes"] == mounts


def test_a_volume_of_one_letter_is_told_as_what_it_is_read() -> None:
    """Compose takes `d:/data` for a drive and a folder of Windows, and the engine refuses that."""
    (problem,) = reviewed({"api": {"volumes": [{"type": "volume", "target": "d:/data"}]}}).problems
    assert problem.path == "services.api.volumes[0]"
    assert "`d:/data`" in problem.what
    assert "more than one letter" in problem.remedy


def test_anonymous_volumes_become_named_ones() -> None:
    """Each path of each service gets a volume, the same on every run, never one that the file has."""
    services = {
        "api": {"volumes": [volume(None, "/a/b"), volume(None, "/a-b"), "/c"]},
        "web": {"volumes": [volume(None, "/a/b")]},
    }
    first = reviewed(services, volumes={"api.c": {"name": "theirs"}})
    sources = [m["source"] for s in first.config["services"].values() for m in s["volumes"]]
    assert len(set(sources)) == 4
    assert "api.c" not in sources
    assert set(sources) < set(first.config["volumes"])
    assert all(first.config["volumes"][key]["labels"] for key in sources)
    assert first.config == reviewed(services, volumes={"api.c": {"name": "theirs"}}).config


def test_volumes_that_an_image_declares_get_a_name_too() -> None:
    """A declared path that nothing is mounted on would get an anonymous volume; tmpfs and mounts count."""
    facts = replace(FACTS, image_volumes={"app": ("/one", "/two/", "/three", "/four")})
    service = one({"volumes": [bind(f"{ROOT}/x", "/one")], "tmpfs": ["/two:size=1m"]}, facts=facts)
    assert [(m["type"], m["target"]) for m in service["volumes"]] == [
        ("bind", "/one"),
        ("volume", "/three"),
        ("volume", "/four"),
    ]


def test_volumes_of_an_image_still_to_be_built_are_in_its_dockerfile() -> None:
    """The Dockerfile's own VOLUME lines and those of the image it starts from are known before building."""
    text = (
        'FROM go AS build\nVOLUME /no\nFROM --platform=x base AS last\nVOLUME ["/a", "/b c"]\nVOLUME /d /e\n'
    )
    facts = replace(FACTS, dockerfiles={"api": text}, image_volumes={"base": ("/base",)})
    service = one({"build": {"context": "."}}, facts=facts)
    assert [m["target"] for m in service["volumes"]] == ["/base", "/a", "/b c", "/d", "/e"]


def test_the_images_to_ask_for_volumes_are_those_that_are_there() -> None:
    """Images that are pulled and images that others are built on, not those still to be built."""
    services = {
        "db": {"image": "postgres:16"},
        "api": {"image": "mine", "build": {"context": "."}},
        "web": {"build": {"context": ".", "dockerfile_inline": "FROM node AS a\nFROM nginx:1"}},
        "odd": {"build": {"context": "."}},
    }
    dockerfiles = {"api": "FROM python:3.12", "odd": "FROM $X"}
    assert base_images({"services": services}, dockerfiles) == {"postgres:16", "python:3.12", "nginx:1"}


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("postgres:16-alpine", ("/var/lib/postgresql/data",)),
        ("docker.io/library/postgres:18", ("/var/lib/postgresql",)),
        ("postgres", ()),
        ("team/postgres:16", ()),
        ("redis", ("/data",)),
        (f"redis:7@sha256:{'ab' * 32}", ("/data",)),
    ],
)
def test_official_images_are_known_before_they_are_pulled(image: str, expected: tuple[str, ...]) -> None:
    """The volumes of official images, by version where it matters; nobody else's images are guessed at."""
    assert declared_volumes(image) == expected


PG_DATA = volume("data", "/var/lib/postgresql/data")


def driver_options(services: dict[str, dict[str, Any]], *, facts: Any = FACTS, **volumes: Any) -> Any:
    config = reviewed(services, facts=facts, volumes={"data": {}, **volumes}).config
    return config["volumes"]["data"].get("driver_opts")


@pytest.mark.parametrize(
    ("image", "target"),
    [
        ("postgres:16", "/var/lib/postgresql/data"),
        ("postgres:18", "/var/lib/postgresql"),
        ("tasklib-standin/postgres", "/var/lib/postgresql/data"),
        ("mysql:8", "/var/lib/mysql"),
        ("mariadb", "/var/lib/mysql/"),
        ("mongo:7", "/data/db"),
        ("redis", "/data"),
        ("valkey/valkey", "/data"),
        ("rabbitmq:3-management", "/var/lib/rabbitmq"),
        ("bitnami/postgresql:15", "/bitnami/postgresql"),
        ("docker.elastic.co/elasticsearch/elasticsearch:8.1.0", "/usr/share/elasticsearch/data"),
    ],
)
def test_a_data_stores_volume_lives_in_memory(image: str, target: str) -> None:
    """The data folder of a known store, mounted by it alone, is a tmpfs volume."""
    service = {"image": image, "volumes": [volume("data", target)]}
    assert driver_options({"db": service}) == {"type": "tmpfs", "device": "tmpfs"}


@pytest.mark.parametrize(
    "services",
    [
        {"db": {"image": "app", "volumes": [PG_DATA]}},
        {"db": {"image": "postgres", "volumes": [volume("data", "/docker-entrypoint-initdb.d")]}},
        {
            "db": {"image": "postgres", "volumes": [PG_DATA]},
            "b": {"image": "b", "volumes": [volume("data", "/b")]},
        },
        {"db": {"image": "postgres", "volumes": [PG_DATA]}, "b": {"image": "b", "volumes_from": ["db:ro"]}},
        {"db": {"image": "postgres", "volumes": [{**PG_DATA, "read_only": True}]}},
        {"db": {"image": "postgres", "volumes": [{**PG_DATA, "volume": {"subpath": "x"}}]}},
        {"db": {"image": "postgres", "volumes": [PG_DATA], "mem_limit": "268435456"}},
        {
            "db": {
                "image": "postgres",
                "volumes": [PG_DATA],
                "deploy": {"resources": {"limits": {"memory": "1"}}},
            }
        },
        {"db": {"image": "postgres", "volumes": [PG_DATA], "user": "postgres"}},
        {"db": {"image": "postgres", "volumes": [PG_DATA], "build": {"context": "."}}},
    ],
)
def test_other_volumes_stay_on_disk(services: Any) -> None:
    """Unknown images and paths, shared or read-only volumes, limited memory, unknown users: on disk."""
    assert driver_options(services) is None


def test_the_project_can_keep_data_on_disk() -> None:
    """A kept stack, `all`, the volume or the service named as persistent: nothing lives in memory."""
    services = {"db": {"image": "postgres", "volumes": [PG_DATA]}}
    for names in ("all", "data", "db"):
        assert driver_options(services, facts=replace(FACTS, persistent=frozenset({names}))) is None
    assert driver_options(services, facts=replace(FACTS, kept=True)) is None
    assert driver_options(services, facts=replace(FACTS, persistent=frozenset({"other"}))) is not None


def test_memory_belongs_to_the_user_that_runs() -> None:
    """A numeric user owns its folder; PGDATA elsewhere is known as well."""
    service = {
        "image": "postgres",
        "user": "999:998",
        "environment": {"PGDATA": "/pg"},
        "volumes": [volume("data", "/pg")],
    }
    assert driver_options({"db": service}) == {"type": "tmpfs", "device": "tmpfs", "o": "uid=999,gid=998"}


@pytest.mark.parametrize(
    "options",
    [
        {"type": "nfs", "o": "addr=10.0.0.1,rw", "device": ":/export"},
        {"type": "cifs", "o": "username=x", "device": "//nas/share"},
        {"type": "none", "o": "bind", "device": "/srv/data"},
        {"type": "ext4", "device": "/dev/sdb1"},
    ],
)
def test_volumes_that_lie_elsewhere_are_a_problem(options: dict[str, str]) -> None:
    """Network and host folders behind a volume are the same for every instance, whatever it is called."""
    services = {"api": {"volumes": [volume("data", "/data")]}}
    volumes = {"data": {"driver_opts": options}}
    assert len(reviewed(services, volumes=volumes).problems) == 1
    shared = replace(FACTS, shared=Shared(volumes=frozenset({"data"})))
    assert not reviewed(services, volumes=volumes, facts=shared).problems
    read = {"api": {"volumes": [volume("data", "/data", read_only=True)]}}
    assert not reviewed(read, volumes=volumes).problems
    only = {"data": {"driver_opts": {**options, "o": f"{options.get('o', '')},ro"}}}
    assert not reviewed(services, volumes=only).problems


def test_volumes_that_lie_in_the_checkout_or_in_memory_are_fine() -> None:
    """A bind volume inside the checkout and a tmpfs of the file's own need no permission."""
    services = {"api": {"volumes": [volume("a", "/a"), volume("b", "/b")]}}
    volumes = {
        "a": {"driver_opts": {"type": "none", "o": "bind", "device": f"{ROOT}/data"}},
        "b": {"driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "size=10m"}},
    }
    found = reviewed(services, volumes=volumes)
    assert not found.problems
    assert found.config["volumes"]["b"]["driver_opts"] == volumes["b"]["driver_opts"]


@pytest.mark.parametrize("external", [{"external": True}, {"external": {"name": "prod-data"}}])
def test_external_volumes_are_a_problem_unless_shared(external: Any) -> None:
    """What others made is refused by name, and left as it is where the project shares it."""
    services = {"api": {"volumes": [volume("data", "/data")]}}
    volumes = {"data": {"name": "prod-data", **external}}
    [problem] = reviewed(services, volumes=volumes).problems
    assert 'shared.volumes = ["prod-data"]' in problem.remedy
    found = reviewed(
        services, volumes=volumes, facts=replace(FACTS, shared=Shared(volumes=frozenset({"prod-data"})))
    )
    assert not found.problems
    assert found.config["volumes"]["data"] == {"name": "prod-data", "external": True}


def test_a_driver_that_is_told_where_to_keep_data_is_a_problem() -> None:
    """A plugin with options keeps every instance's data in one place; without any, the name decides."""
    services = {"api": {"volumes": [volume("data", "/data")]}}
    told = {"data": {"driver": "vieux/sshfs", "driver_opts": {"sshcmd": "me@host:/x"}}}
    assert len(reviewed(services, volumes=told).problems) == 1
    assert not reviewed(services, volumes={"data": {"driver": "convoy"}}).problems


@pytest.mark.parametrize(
    "mount",
    [
        bind("/var/run/docker.sock"),
        bind("/var/run/docker.sock", read_only=True),
        bind("/run/docker.sock"),
        bind("/run/user/1000/docker.sock"),
        bind("/run/podman/podman.sock"),
        bind("/var/run", read_only=True),
        bind("/"),
        bind("/srv/data"),
        bind("/checkout-other/data"),
        bind("/checkout/../etc"),
        bind("/sys/fs/cgroup"),
        bind("/tmp/.X11-unix"),
        {"type": "npipe", "source": r"\\.\pipe\docker_engine", "target": "x"},
    ],
)
def test_the_engine_and_writable_folders_outside_are_problems(mount: dict[str, Any]) -> None:
    """The engine's socket in any mode, and folders outside the checkout that can be written, are refused."""
    [problem] = reviewed({"api": {"volumes": [mount]}}).problems
    assert problem.path == "services.api.volumes[0]"
    shared = Shared(mounts=frozenset({mount["source"]}))
    assert not reviewed({"api": {"volumes": [mount]}}, facts=replace(FACTS, shared=shared)).problems


@pytest.mark.parametrize(
    "mount",
    [
        bind(ROOT),
        bind(f"{ROOT}/data"),
        bind("./data"),
        bind("/srv/data", read_only=True),
        bind("/", read_only=True),
        bind("/proc", read_only=True),
        bind("/dev/net/tun"),
        {"type": "tmpfs", "target": "/tmp"},
    ],
)
def test_what_cannot_disturb_anyone_is_allowed(mount: dict[str, Any]) -> None:
    """The checkout, read-only folders, shareable devices and tmpfs need no permission."""
    found = reviewed({"api": {"volumes": [mount]}})
    assert not found.problems
    assert found.config["services"]["api"]["volumes"] == [mount]


def test_what_is_only_ever_read_is_mounted_read_only() -> None:
    """/etc/localtime and its like are given without `:ro` in many files."""
    found = reviewed({"api": {"volumes": [bind("/etc/localtime", "/etc/localtime")]}})
    assert not found.problems
    assert found.config["services"]["api"]["volumes"][0]["read_only"] is True


def test_a_dollar_in_a_path_is_one_however_it_is_rendered() -> None:
    """Compose doubles each: a checkout in such a folder is no other folder, and messages say its name."""
    facts = replace(FACTS, checkout_root="/a$b", real_paths={"/link$": "/a$b/data"})
    mounts = [bind("/a$$b/out"), bind("/link$$"), bind("/x$$y/out")]
    (problem,) = reviewed({"api": {"volumes": mounts}}, facts=facts).problems
    assert problem.path == "services.api.volumes[2]"
    assert "/x$y/out" in problem.what
    assert "/x$y/out" in problem.remedy


def test_without_a_checkout_nothing_is_inside() -> None:
    """Where no root is known, every writable absolute mount counts as outside."""
    facts = replace(FACTS, checkout_root=None)
    assert reviewed({"api": {"volumes": [bind("/checkout/x")]}}, facts=facts).problems


@pytest.mark.parametrize(
    ("device", "allowed"),
    [
        ({"source": "/dev/fuse", "target": "/dev/fuse", "permissions": "rwm"}, True),
        ("/dev/net/tun", True),
        ("/dev/dri/renderD128:/dev/dri/renderD128", True),
        ("vendor.com/gpu=all", True),
        ("/dev/ttyUSB0:/dev/ttyUSB0", False),
        ({"source": "/dev/sda", "target": "/dev/sda"}, False),
    ],
)
def test_devices_that_one_alone_can_use_are_problems(device: Any, allowed: bool) -> None:
    """Two instances would fight for a serial port or a disk, not for a GPU or a tunnel."""
    assert bool(reviewed({"api": {"devices": [device]}}).problems) is not allowed
    shared = replace(FACTS, shared=Shared(mounts=frozenset({"/dev/ttyUSB0", "/dev/sda"})))
    assert not reviewed({"api": {"devices": [device]}}, facts=shared).problems


@pytest.mark.parametrize("key", ["pid", "ipc", "uts"])
def test_the_hosts_namespaces_are_problems(key: str) -> None:
    """Processes, memory and host name of the machine are everybody's."""
    assert [problem.path for problem in reviewed({"api": {key: "host"}}).problems] == [f"services.api.{key}"]
    assert not reviewed({"api": {key: "private"}}).problems


def test_the_engines_api_is_a_problem_without_a_mount_too() -> None:
    """`use_api_socket` gives the socket by another name."""
    assert reviewed({"api": {"use_api_socket": True}}).problems


def test_configs_and_secrets_keep_their_content() -> None:
    """Names are the stack's; files, content and variables stay; a swarm's are refused."""
    configs = {"a": {"name": "fixed", "content": "x $$y"}, "b": {"file": "/checkout/b"}}
    secrets = {"s": {"environment": "TOKEN"}, "t": {"external": True, "name": "prod"}}
    found = reviewed({"api": {}}, configs=configs, secrets=secrets)
    assert found.config["configs"]["a"] == {"name": "test-feature-auth.a", "content": "x $$y"}
    assert found.config["configs"]["b"]["file"] == "/checkout/b"
    assert found.config["secrets"]["s"] == {"environment": "TOKEN", "name": "test-feature-auth.s"}
    assert [problem.path for problem in found.problems] == ["secrets.t"]


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        ({"type": "none", "o": "bind", "device": "/outside"}, True),
        ({"type": "none", "o": "bind,ro", "device": "/outside"}, False),
        ({"type": "none", "o": "bind,ro,rw", "device": "/outside"}, True),
        ({"type": "none", "o": "bind,rw,ro", "device": "/outside"}, False),
        ({"type": "tmpfs", "o": "bind", "device": "/outside"}, True),
        ({"type": "tmpfs", "o": "size=1m", "device": "tmpfs"}, False),
        ({"type": "none", "o": "bind", "device": "/checkout/data"}, False),
        ({"type": "none", "o": "bind", "device": "/checkout/link"}, True),
        ({"type": "none", "o": "bind", "device": "/checkout/socket"}, True),
        ({"type": "none", "o": "bind", "device": "/home/me/checkout/data"}, False),
    ],
)
def test_a_volumes_options_are_read_as_the_kernel_reads_them(options: dict[str, str], refused: bool) -> None:
    """The last of `ro` and `rw` counts, binding comes before the type, and links lead where they lead."""
    facts = replace(FACTS, real_paths=LINKS)
    mounts = [volume("data", "/data")]
    found = reviewed({"api": {"volumes": mounts}}, facts=facts, volumes={"data": {"driver_opts": options}})
    assert bool(found.problems) is refused


LINKS = {
    "/checkout/link": "/outside",
    "/checkout/socket": "/run/docker.sock",
    "/home/me/checkout": "/checkout",
    "/home/me/checkout/data": "/checkout/data",
}


@pytest.mark.parametrize(
    ("source", "shared", "problem"),
    [
        ("/checkout/link", (), "/checkout/link (in fact /outside) of the host writable"),
        ("/checkout/socket", (), "lets the container control"),
        ("/checkout/link", ("/outside",), ""),
        ("/checkout/link", ("/checkout",), "in fact /outside"),
        ("/home/me/checkout/data", (), ""),
    ],
)
def test_a_mounts_links_are_followed(source: str, shared: tuple[str, ...], problem: str) -> None:
    """Out of the checkout, to the engine's socket, and into the checkout by another name."""
    facts = replace(FACTS, real_paths=LINKS, shared=Shared(mounts=frozenset(shared)))
    mounts = [{"type": "bind", "source": source, "target": "/data"}]
    found = reviewed({"api": {"volumes": mounts}}, facts=facts).problems
    assert [problem in one.what for one in found] == ([True] if problem else [])


def test_what_is_in_memory_is_told_by_the_isolated_config() -> None:
    """The data of a known store is lost with its container, that of any other service is not."""
    data = {"type": "volume", "source": "data", "target": "/data"}
    other = {**data, "source": "files"}
    services = {"cache": {"image": "redis:7", "volumes": [data]}, "web": {"volumes": [other]}}
    config = reviewed(services, volumes={"data": {}, "files": {}}).config
    assert in_memory(config) == {"cache"}
    facts = replace(FACTS, persistent=frozenset({"cache"}))
    assert in_memory(reviewed(services, facts=facts, volumes={"data": {}, "files": {}}).config) == frozenset()
