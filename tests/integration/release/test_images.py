"""Images built and pushed to a real registry, and what it has afterwards, asked over its own interface."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..conftest import NewProject
from ..projects import Checkout, Ran
from .registry import LOGIN, PASSWORD, Dying, Registry

SERVICES = ("api", "web", "worker")
FILES = {
    f"services/{service}/{name}": text
    for service in SERVICES
    for name, text in {
        "Dockerfile": f"FROM scratch\nCOPY services/{service}/app /app\n",
        "app": f"the {service}\n",
    }.items()
}
PREFIX = "org.opencontainers.image."


def named(host: str, token: str) -> dict[str, str]:
    return {"pyproject.toml": f'[tool.tasklib.images]\nname = "{host}/{token}-{{service}}"\n'}


@pytest.fixture
def shop(project: NewProject, registry: Registry, token: str) -> Checkout:
    """Three services whose images go to the registry."""
    return project({**FILES, **named(registry.host, token)})


def push(checkout: Checkout, version: str, *options: str) -> Ran:
    return checkout.run("tasklib", "release.images", "--version", version, *options)


def test_push(shop: Checkout, registry: Registry, token: str) -> None:
    """Every service's image is pushed as the version and as `latest`, with its digest told and its labels."""
    shop.git("remote", "add", "origin", "https://user:secret@example.com/team/shop.git")
    ran = push(shop, "v1.0.0")
    assert ran.code == 0, ran
    assert ran.out.splitlines() == [
        f"{registry.host}/{token}-{service}:1.0.0@{registry.digest(f'{token}-{service}', '1.0.0')} (latest)"
        for service in SERVICES
    ]
    for service in SERVICES:
        repository = f"{token}-{service}"
        assert registry.tags(repository) == ["1.0.0", "latest"]
        assert registry.digest(repository, "latest") == registry.digest(repository, "1.0.0")
    labels = registry.labels(f"{token}-api", "1.0.0")
    assert labels.pop(f"{PREFIX}created").endswith("Z")
    assert labels == {
        f"{PREFIX}source": "https://example.com/team/shop",
        f"{PREFIX}revision": shop.git("rev-parse", "HEAD").strip(),
        f"{PREFIX}version": "1.0.0",
    }
    assert "secret" not in ran.text


def test_latest(shop: Checkout, registry: Registry, token: str) -> None:
    """A pre-release and a patch of an older version leave `latest` alone; the next version takes it over."""
    repository = f"{token}-api"
    only = ("--name", "api")
    assert push(shop, "2.0.0", *only).code == 0
    latest = registry.digest(repository, "latest")
    for version in ("2.1.0-rc.1", "1.9.1"):
        ran = push(shop, version, *only)
        assert (ran.code, "(latest)" in ran.out) == (0, False), ran
        assert registry.digest(repository, "latest") == latest
    assert "latest stays: 2.0.0 is above 1.9.1" in ran.err
    # What git has a tag of counts before its images are there.
    shop.git("tag", "v2.2.0")
    assert "latest stays: 2.2.0 is above 2.1.0" in push(shop, "2.1.0", *only).err
    found = shop.run("tasklib", "release.images", *only, "--format", "json")
    assert json.loads(found.out) == {
        "version": "2.2.0",
        "images": [
            {
                "service": "api",
                "image": f"{registry.host}/{repository}:2.2.0",
                "digest": registry.digest(repository, "latest"),
                "pushed": True,
                "latest": True,
            }
        ],
    }
    assert registry.tags(repository) == ["1.9.1", "2.0.0", "2.1.0", "2.1.0-rc.1", "2.2.0", "latest"]


def test_again(shop: Checkout, registry: Registry, token: str) -> None:
    """The same version of the same commit is kept as it is; of another commit it is refused."""
    assert push(shop, "1.0.0", "--name", "api").code == 0
    digest = registry.digest(f"{token}-api", "1.0.0")
    again = push(shop, "1.0.0", "--name", "api", "--name", "web")
    assert (again.code, "(latest, was there)" in again.out) == (0, True), again
    assert registry.digest(f"{token}-api", "1.0.0") == digest
    (shop.root / "services/api/app").write_text("changed")
    shop.commit()
    other = push(shop, "1.0.0")
    assert (other.code, "is in the registry already, built from" in other.err) == (2, True), other
    assert registry.tags(f"{token}-worker") == []


def test_changed(shop: Checkout, registry: Registry, token: str) -> None:
    """--changed builds what changed since the version before."""
    shop.git("tag", "v1.0.0")
    (shop.root / "services/web/app").write_text("changed")
    shop.commit()
    ran = push(shop, "1.1.0", "--changed", "--explain")
    assert (ran.code, ran.out.count("\n")) == (0, 1), ran
    assert "api: out: " in ran.err
    assert [registry.tags(f"{token}-{service}") for service in SERVICES] == [[], ["1.1.0", "latest"], []]
    none = push(shop, "1.1.0", "--base", "HEAD", "--format", "json")
    assert (none.code, json.loads(none.out)["images"]) == (0, [])


def test_build_of_the_stack(project: NewProject, registry: Registry, token: str) -> None:
    """Arguments and Dockerfile come from the service's stack, the last stage from the Dockerfile."""
    made = project(
        {
            **named(registry.host, token),
            "services/api/docker/Dockerfile": """
                FROM scratch AS test
                COPY secret /secret
                FROM scratch
                ARG COLOUR=none
                LABEL colour=$COLOUR
                COPY app /app
                """,
            "services/api/app": "",
            "services/api/secret": "",
            "services/api/deploy/test/docker-compose.yml": """
                services:
                  api:
                    build:
                      context: ../..
                      dockerfile: docker/Dockerfile
                      target: test
                      args: {COLOUR: "${COLOUR:-blue}"}
                """,
        }
    )
    ran = push(made, "1.0.0")
    assert ran.code == 0, ran
    assert registry.labels(f"{token}-api", "1.0.0")["colour"] == "blue"


def test_version_in_the_build(project: NewProject, registry: Registry, token: str) -> None:
    """The version reaches the build: as a variable of Compose files, as an argument where there are none."""
    dockerfile = (
        "FROM scratch\nARG VERSION=none\nARG RELEASE=none\nLABEL seen=$VERSION/$RELEASE\nCOPY . /app\n"
    )
    compose = """
        services:
          web:
            build:
              context: .
              args: {RELEASE: "${VERSION}"}
    """
    made = project(
        {
            **named(registry.host, token),
            "services/api/Dockerfile": dockerfile,
            "services/web/Dockerfile": dockerfile,
            "services/web/docker-compose.yml": compose,
        }
    )
    with (made.root / "pyproject.toml").open("a") as file:
        file.write('\n[tool.tasklib.services.web]\ncompose = "docker-compose.yml"\n')
    made.commit()
    ran = made.run("tasklib", "release.images", "--version", "1.0.0", env={"VERSION": "of the shell"})
    assert ran.code == 0, ran
    seen = {name: registry.labels(f"{token}-{name}", "1.0.0")["seen"] for name in ("api", "web")}
    assert seen == {"api": "1.0.0/none", "web": "none/1.0.0"}


def test_build_fails(shop: Checkout, registry: Registry, token: str) -> None:
    """When one image cannot be built, none is pushed, and the line of its Dockerfile is told."""
    (shop.root / "services/web/Dockerfile").write_text("FROM scratch\nCOPY absent /x\n")
    shop.commit()
    ran = push(shop, "1.0.0")
    assert (ran.code, "services/web/Dockerfile:2" in ran.err) == (4, True), ran
    assert [registry.tags(f"{token}-{service}") for service in SERVICES] == [[], [], []]


def test_a_dirty_tree(shop: Checkout, registry: Registry, token: str) -> None:
    """What is not committed is pushed under nobody's revision; without a push it is only said."""
    (shop.root / "services/web/new").write_text("not committed")
    ran = push(shop, "1.0.0")
    assert (ran.code, "the tree is dirty (services/web/new)" in ran.err) == (2, True), ran
    assert [registry.tags(f"{token}-{service}") for service in SERVICES] == [[], [], []]


def test_only_built(shop: Checkout, registry: Registry, token: str, traces: object) -> None:
    """--no-push builds, and needs no registry; a dry run does not even build."""
    registry.kill()
    dry = shop.run("tasklib", "--dry", "release.images", "--version", "1.0.0")
    assert dry.out.splitlines()[0] == f"would build {registry.host}/{token}-api:1.0.0"
    ran = push(shop, "1.0.0", "--no-push")
    assert (ran.code, ran.out.splitlines()[0]) == (0, f"{registry.host}/{token}-api:1.0.0"), ran


def test_usage(shop: Checkout) -> None:
    """A missing version, a wrong one, and a platform that this builder cannot build are refused."""
    nothing = shop.run("tasklib", "release.images")
    assert (nothing.code, "--version X.Y.Z" in nothing.err) == (2, True)
    assert push(shop, "latest").code == 2
    assert push(shop, "1.0.0", "--name", "apj").code == 2
    several = push(shop, "1.0.0", "--platform", "linux/amd64,linux/arm64", "--no-push")
    assert (several.code, "docker buildx create" in several.err) in [(3, True), (0, False)], several


def test_registry_that_dies(project: NewProject, registry: Registry, token: str) -> None:
    """A registry dies half-way: what is out is told, `latest` is not begun, and the next run completes it."""

    def others_are_out() -> bool:
        return all(registry.tags(f"{token}-{service}") == ["1.0.0"] for service in ("api", "web"))

    front = Dying(registry, f"PUT /v2/{token}-worker/manifests/1.0.0", others_are_out)
    shop = project({**FILES, **named(front.host, token)})
    try:
        ran = push(shop, "1.0.0")
        out = f"{front.host}/{token}"
        assert ran.code == 1, ran
        assert f"error: not pushed: {out}-worker:1.0.0 (" in ran.err
        assert f"Pushed: {out}-api:1.0.0, {out}-web:1.0.0." in ran.err
        assert [line.partition("@")[0] for line in ran.out.splitlines()] == [
            f"{out}-api:1.0.0",
            f"{out}-web:1.0.0",
        ]
        front.armed = False
        registry.start()
        before = registry.digest(f"{token}-api", "1.0.0")
        assert registry.tags(f"{token}-api") == ["1.0.0"]
        again = push(shop, "1.0.0")
        assert (again.code, again.out.count("was there")) == (0, 2), again
        assert [registry.tags(f"{token}-{service}") for service in SERVICES] == [["1.0.0", "latest"]] * 3
        assert registry.digest(f"{token}-api", "latest") == before
    finally:
        front.close()
        # What was not out was built again: the first build of it has no name any more.
        mine = f"label=org.opencontainers.image.revision={shop.git('rev-parse', 'HEAD').strip()}"
        shop.run("docker", "image", "prune", "--force", "--filter", mine)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Registry]:
    """A registry that takes nobody without a password."""
    made = Registry(tmp_path / "guarded", login=LOGIN)
    yield made
    made.kill()


def test_credentials(project: NewProject, guarded: Registry, token: str, tmp_path: Path) -> None:
    """The login comes from Docker's own store and is in no output; without one nothing is built."""
    shop = project({**FILES, **named(guarded.host, token)})
    folder = tmp_path / "docker"
    folder.mkdir()
    env = {"DOCKER_CONFIG": str(folder)}
    argv = ("tasklib", "release.images", "--version", "1.0.0", "--name", "api")
    refused = shop.run(*argv, env=env)
    assert (refused.code, "building" in refused.err) == (2, False), refused
    assert f"{guarded.host} takes no push without a login; nothing was built" in refused.err
    assert f"`docker login {guarded.host}`" in refused.err
    wrong = base64.b64encode(b"tester:wrong").decode()
    (folder / "config.json").write_text(json.dumps({"auths": {guarded.host: {"auth": wrong}}}))
    refused = shop.run(*argv, env=env)
    assert (refused.code, "building" in refused.err) == (2, False), refused
    assert f"{guarded.host} does not accept the login" in refused.err
    assert "is pushed" not in refused.err
    login = base64.b64encode(f"tester:{PASSWORD}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {guarded.host: {"auth": login}}}))
    for _ in range(2):
        ran = shop.run(*argv, "--verbose", env=env)
        assert (ran.code, "does not answer" in ran.err, "answered 401" in ran.err) == (0, False, False), ran
        assert PASSWORD not in ran.text
        assert login not in ran.text
    assert "was there" in ran.out
