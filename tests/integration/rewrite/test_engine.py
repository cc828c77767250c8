"""Isolated stacks on a real engine, side by side."""

from __future__ import annotations

import contextlib
import subprocess
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tasklib.isolation import Instance
from tasklib.process import Cancel
from tasklib.project import Shared
from tasklib.stacks.compose.source import Source
from tasklib.stacks.engine.docker.engine import DockerEngine
from tasklib.stacks.images.builds import Builds
from tasklib.stacks.labels import labels
from tasklib.stacks.plan import StackPlan
from tasklib.stacks.preparation import prepare
from tasklib.stacks.rewrite import Facts, as_text, review
from tasklib.state.records import Origin

from .support import POSTGRES, PYTHON, REDIS, compose, docker, render

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def instances() -> Iterator[tuple[Instance, Instance]]:
    """Two instances that nobody else has; whatever they leave on the engine is removed."""
    found = (Instance(f"rw{uuid.uuid4().hex[:10]}"), Instance(f"rw{uuid.uuid4().hex[:10]}"))
    try:
        yield found
    finally:
        for instance in found:
            for stack in (None, "own"):
                with contextlib.suppress(AssertionError):
                    compose("-p", instance.project(stack), "down", "-v", "-t", "0", "--remove-orphans")


def up(config: dict[str, Any], root: Path) -> None:
    compose("-f", "-", "up", "-d", "--wait", "--build", text=as_text(config), root=root)


def execute(config: dict[str, Any], service: str, *command: str) -> str:
    return docker("exec", config["services"][service]["container_name"], *command)


def isolated_file(
    text: str, folder: Path, instance: Instance, stack: str | None = None, **more: Any
) -> dict[str, Any]:
    path = folder / "docker-compose.yml"
    path.write_text(text)
    rendered = render(path, TEST_INSTANCE_ID=instance.id)
    found = review(rendered, instance, stack, facts=Facts(checkout_root=str(folder), **more))
    assert not found.problems
    return found.config


SIDE_BY_SIDE = f"""
services:
  db:
    image: {POSTGRES}
    container_name: rewrite-fixed-db
    environment: {{POSTGRES_PASSWORD: "se$$cret", POSTGRES_DB: shop}}
    ports: ["127.0.0.1:5432:5432", "[::1]:5432:5432"]
    volumes: ["data:/var/lib/postgresql/data"]
    healthcheck: {{test: pg_isready -h 127.0.0.1 -U postgres, interval: 5s, retries: 10}}
    networks: {{net: {{ipv4_address: 172.31.250.10}}}}
    restart: always
  cache:
    image: {REDIS}
    scale: 2
    ports: ["6379"]
    networks: [net]
  app:
    image: {PYTHON}
    command: ["python3", "-c", "import time; time.sleep(600)"]
    environment: {{PRICE: "5$$", HOME_IS: "$${{HOME}}"}}
    depends_on: {{db: {{condition: service_healthy}}, cache: {{condition: service_started}}}}
    networks: [net]
  sidecar:
    image: {PYTHON}
    network_mode: "container:rewrite-fixed-db"
    command: ["python3", "-c", "import time; time.sleep(600)"]
volumes: {{data: {{name: rewrite-fixed-data}}}}
networks:
  net:
    name: rewrite-fixed-net
    driver_opts: {{com.docker.network.bridge.name: br-rewrite}}
    ipam: {{config: [{{subnet: 172.31.250.0/24}}]}}
"""

LOOK_UP = "import socket, sys; print(len(set(a[4][0] for a in socket.getaddrinfo(sys.argv[1], None))))"


def test_two_instances_of_a_file_full_of_fixed_names_run_side_by_side(
    instances: tuple[Instance, Instance], tmp_path: Path
) -> None:
    """Names, ports, subnet and volume are each one's own; inside, the old names and values still work."""
    volumes = {REDIS: ("/data",)}
    configs = [isolated_file(SIDE_BY_SIDE, tmp_path, it, image_volumes=volumes) for it in instances]
    for config in configs:
        up(config, tmp_path)
    ports = set()
    for config, instance in zip(configs, instances, strict=True):
        for host in ("db", "rewrite-fixed-db", "cache"):
            expected = "2" if host == "cache" else "1"
            assert execute(config, "app", "python3", "-c", LOOK_UP, host) == expected
        assert execute(config, "app", "printenv", "PRICE", "HOME_IS") == "5$\n${HOME}"
        assert execute(config, "db", "printenv", "POSTGRES_PASSWORD") == "se$cret"
        address = config["services"]["db"]["networks"]["net"]["ipv4_address"]
        assert address in execute(config, "sidecar", "hostname", "-I").split()
        bound = docker("port", config["services"]["db"]["container_name"]).splitlines()
        assert [line.partition(" -> ")[0] for line in bound] == ["5432/tcp"]
        assert bound[0].partition(" -> ")[2].startswith("127.0.0.1:")
        ports.add(bound[0])
        assert "tmpfs" in execute(config, "db", "stat", "-f", "-c", "%T", "/var/lib/postgresql/data")
        for kind in ("container", "network", "volume"):
            filters = [f"--filter=label={key}={value}" for key, value in labels(instance).items() if value]
            found = docker(kind, "ls", "-q", *(["-a"] if kind == "container" else []), *filters).split()
            assert len(found) == {"container": 5, "network": 1, "volume": 3}[kind]
    assert len(ports) == 2


BUILT = f"""
services:
  base:
    image: rewrite-fixed/base
    build:
      context: .
      dockerfile_inline: |
        FROM {PYTHON}
        RUN echo $$HOME-base > /base
        VOLUME /declared
    command: "true"
  web: &web
    image: rewrite-fixed/app:1
    build: {{context: ., dockerfile: app.dockerfile, tags: ["rewrite-fixed/app:extra"]}}
    command: ["python3", "-c", "import time; time.sleep(600)"]
  worker: *web
  job:
    image: rewrite-fixed/app:1
    command: cat /base /app
    pull_policy: always
"""
APP_DOCKERFILE = """FROM rewrite-fixed/base AS one
RUN echo $HOME-app > /app
FROM one
COPY --from=rewrite-fixed/base /base /again
"""


def test_images_that_stand_on_each_other_are_built_under_new_names(
    instances: tuple[Instance, Instance], tmp_path: Path
) -> None:
    """A base, two services of one tag and a user of it build and run; the file's own tags are never made."""
    (tmp_path / "app.dockerfile").write_text(APP_DOCKERFILE)
    instance = instances[0]
    texts = {"web": APP_DOCKERFILE, "worker": APP_DOCKERFILE}
    config = isolated_file(BUILT, tmp_path, instance, dockerfiles=texts)
    found = review(config, instance)
    try:
        compose("-f", "-", "up", "-d", "--build", text=as_text(config), root=tmp_path)
        assert execute(config, "web", "cat", "/base", "/app", "/again") == "/root-base\n/root-app\n/root-base"
        assert execute(config, "worker", "cat", "/app") == "/root-app"
        name = config["services"]["job"]["container_name"]
        assert docker("wait", name) == "0"
        assert docker("logs", name) == "/root-base\n/root-app"
        assert "rewrite-fixed" not in docker("image", "ls", "--format", "{{.Repository}}")
        mounted = docker(
            "inspect", "-f", "{{range .Mounts}}{{.Name}}{{end}}", config["services"]["base"]["container_name"]
        )
        assert mounted == f"{instance.project()}.base.declared"
    finally:
        compose("-p", instance.project(), "down", "-v", "-t", "0")
        for tag in found.built_images:
            subprocess.run(["docker", "image", "rm", tag], capture_output=True, check=False)


STANDING = f"""
services:
  base: &base
    image: rewrite-fixed/base
    build: {{context: ., dockerfile_inline: "FROM {PYTHON}\\nRUN echo base > /base"}}
    command: "true"
  twin: {{<<: *base, image: rewrite-fixed/twin}}
  app:
    build:
      context: .
      dockerfile_inline: "FROM rewrite-fixed/twin\\nCOPY --from=rewrite-fixed/base /base /again"
    command: cat /again
"""


@dataclass(frozen=True)
class Forgetful:
    """Knows nothing of earlier builds; keeps the tags of this one."""

    tags: list[str]

    def built(self, project: str, tags: Iterable[str]) -> None:
        self.tags.extend(tags)

    def origin(self, project: str, tag: str) -> None:
        return None

    def built_id(self, project: str, tag: str) -> None:
        return None

    def remember(self, project: str, ids: Mapping[str, str], origins: Mapping[str, Origin]) -> None:
        pass


def test_images_that_stand_on_each_other_are_built_for_several_stacks(
    instances: tuple[Instance, Instance], tmp_path: Path
) -> None:
    """What another stack of the run built already is there under this one's names before it is stood on."""
    instance = instances[0]
    tags: list[str] = []
    engine = DockerEngine.connect()
    builds = Builds(engine, Forgetful(tags))
    try:
        for stack in (None, "own"):
            config = isolated_file(STANDING, tmp_path, instance, stack)
            source = Source((tmp_path / "docker-compose.yml",), tmp_path)
            builds.build(source, config, {}, lambda line: None, Cancel())
            image = config["services"]["app"]["image"]
            assert (
                docker("run", "--rm", "--label", f"rewrite={instance.id}", image, "cat", "/again") == "base"
            )
    finally:
        engine.close()
        for tag in tags:
            subprocess.run(["docker", "image", "rm", tag], capture_output=True, check=False)


SLEEP = "python3 -c 'import time; time.sleep(600)'"
ZOO = f"""
services:
  a:
    image: {PYTHON}
    container_name: rewrite-zoo
    ipc: shareable
    command: &sleep {SLEEP}
    volumes: [/kept]
    networks:
      six: {{ipv4_address: 172.31.249.200, ipv6_address: "2001:db8:7::200"}}
      wide: {{ipv4_address: 172.30.9.9}}
  b:
    image: {PYTHON}
    command: *sleep
    ipc: "container:rewrite-zoo"
    pid: "container:rewrite-zoo"
    volumes_from: ["container:rewrite-zoo"]
    external_links: ["rewrite-zoo:tied"]
    networks: [six]
    extra_hosts: ["zoo.local:172.31.249.200"]
  c:
    image: {PYTHON}
    command: *sleep
    network_mode: bridge
    links: [d]
  d:
    image: {PYTHON}
    command: *sleep
    network_mode: bridge
    user: "65534"
    stop_grace_period: 1m
    logging: {{driver: syslog, options: {{syslog-address: "udp://192.0.2.1:514"}}}}
    healthcheck: {{test: ["CMD", "true"], interval: 0m1.5s, start_period: 1h2m3.5s, start_interval: 1s}}
networks:
  six:
    enable_ipv6: true
    ipam:
      config:
        - subnet: 172.31.249.0/24
          gateway: 172.31.249.254
          ip_range: 172.31.249.0/28
          aux_addresses: {{x: 172.31.249.1}}
        - {{subnet: "2001:db8:7::/64", gateway: "2001:db8:7::1"}}
  wide: {{driver: overlay, attachable: true, ipam: {{config: [{{subnet: 172.30.0.0/16}}]}}}}
"""


def test_addresses_and_shared_namespaces_work_in_two_instances(
    instances: tuple[Instance, Instance], tmp_path: Path
) -> None:
    """Static addresses of both families, shared memory, processes and volumes, links, host entries."""
    for instance in instances:
        config = isolated_file(ZOO, tmp_path, instance)
        up(config, tmp_path)
        own = config["services"]["a"]["networks"]
        addresses = execute(config, "a", "hostname", "-I").split()
        assert {own["six"]["ipv4_address"], own["six"]["ipv6_address"], own["wide"]["ipv4_address"]} <= set(
            addresses
        )
        assert own["six"]["ipv4_address"] in execute(config, "b", "getent", "hosts", "zoo.local")
        for host in ("a", "rewrite-zoo", "tied"):
            execute(config, "b", "getent", "hosts", host)
        execute(config, "a", "touch", "/kept/file", "/dev/shm/file")
        execute(config, "b", "ls", "/kept/file", "/dev/shm/file")
        assert execute(config, "b", "cat", "/proc/1/cmdline") == execute(
            config, "a", "cat", "/proc/1/cmdline"
        )
        execute(config, "c", "getent", "hosts", "d")
        assert docker("logs", config["services"]["d"]["container_name"]) == ""


SCOPED = f"""
services:
  db:
    image: {REDIS}
    container_name: rewrite-${{TEST_INSTANCE_ID}}-db
    ports: ["6379:6379"]
"""


def test_a_name_scoped_by_the_file_works_in_two_stacks_of_an_instance(
    instances: tuple[Instance, Instance], tmp_path: Path
) -> None:
    """The full stack keeps the file's own name; a service's stack of the same file runs beside it."""
    instance = instances[0]
    path = tmp_path / "docker-compose.yml"
    path.write_text(SCOPED)
    probe = render(path, TEST_INSTANCE_ID="probe")
    full = isolated_file(SCOPED, tmp_path, instance, probe=probe)
    own = isolated_file(SCOPED, tmp_path, instance, "own", probe=probe)
    assert full["services"]["db"]["container_name"] == f"rewrite-{instance.id}-db"
    assert own["services"]["db"]["container_name"] == f"rewrite-{instance.id}-db_own"
    for config in (full, own):
        up(config, tmp_path)
        assert execute(config, "db", "redis-cli", "ping") == "PONG"


SHARED = f"""
services:
  app:
    image: {REDIS}
    volumes: ["theirs:/theirs", "/anonymous"]
volumes: {{theirs: {{external: true, name: NAME}}}}
"""


def test_a_shared_volume_is_used_and_survives(instances: tuple[Instance, Instance], tmp_path: Path) -> None:
    """What the project shares is used as it is and is there after the stack is gone; the rest is not."""
    instance = instances[0]
    name = f"rewrite-{instance.id}-theirs"
    docker("volume", "create", name)
    try:
        shared = Shared(volumes=frozenset({name}))
        config = isolated_file(SHARED.replace("NAME", name), tmp_path, instance, shared=shared)
        up(config, tmp_path)
        execute(config, "app", "touch", "/theirs/mine", "/anonymous/mine")
        compose("-f", "-", "down", "-v", "-t", "0", text=as_text(config), root=tmp_path)
        left = docker("volume", "ls", "-q", "--filter", f"name={instance.id}").split()
        assert left == [name]
    finally:
        docker("volume", "rm", "-f", name)


GOES_BY_ITS_NAME = f"""
name: ${{APP:-rewrite-shop}}
services:
  db: {{image: {PYTHON}, command: &sleep {SLEEP}, init: true}}
  api: {{image: {PYTHON}, command: *sleep, init: true, scale: 2}}
  beside: {{image: {PYTHON}, command: *sleep, init: true, network_mode: "container:rewrite-shop-db-1"}}
  web:
    build: {{context: ., dockerfile_inline: "FROM {PYTHON}"}}
    command: *sleep
    init: true
    environment: {{DB: "rewrite-shop-db-1:5432", API: "http://rewrite-shop_api_1", B: rewrite-shop-api-2}}
    external_links: ["rewrite-shop_db_1:linked", "rewrite-shop_api_2:further"]
  worker: {{image: rewrite-shop-web, command: *sleep, init: true, network_mode: rewrite-shop_default}}
"""


def test_a_file_that_goes_by_its_own_project_name_runs(
    instances: tuple[Instance, Instance], tmp_path: Path
) -> None:
    """Image, namespace, network, links and host names that say the file's own project are the stack's."""
    instance, path = instances[0], tmp_path / "docker-compose.yml"
    path.write_text(GOES_BY_ITS_NAME)
    prepared = prepare(StackPlan(Source((path,), tmp_path)), instance, None)
    config, resolve = (
        prepared.isolation.config,
        "import socket, sys; print(socket.gethostbyname(sys.argv[1]))",
    )
    assert prepared.facts.projects == ("rewrite-shop",)
    assert not prepared.isolation.problems
    try:
        up(config, tmp_path)
        for service in ("web", "worker"):
            addresses = {
                name: execute(config, service, "python3", "-c", resolve, name)
                for name in ("db", "rewrite-shop-db-1", "rewrite-shop-api-2", "rewrite-shop_api_1")
            }
            assert addresses["rewrite-shop-db-1"] == addresses["db"]
            assert len(set(addresses.values())) == 3
        assert execute(config, "web", "python3", "-c", resolve, "linked") == addresses["db"]
        further = execute(config, "web", "python3", "-c", resolve, "further")
        assert further == addresses["rewrite-shop-api-2"]
    finally:
        compose("-p", instance.project(), "down", "-v", "-t", "0")
        for tag in prepared.isolation.built_images:
            subprocess.run(["docker", "image", "rm", tag], capture_output=True, check=False)
