"""What images are called, what their labels say, and which one is the latest."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semver import Version

from tasklib.errors import ConfigError
from tasklib.project import Project, Service
from tasklib.release.images.names import (
    Image,
    config,
    image_name,
    is_latest,
    labels,
    lacking,
    platforms,
    public_url,
    rows,
    split_name,
    versions,
)
from tasklib.release.tag.versions import highest, is_stable, parse

ROOT = Path("/project")
SERVICES = (Service("api", ROOT / "services/api"), Service("Web", ROOT / "services/Web"))


def project(template: str | None, single: bool = False) -> Project:
    return Project(ROOT, "shop", SERVICES, image_name=template, single=single)


def test_name() -> None:
    """The service's name goes into the template; a single-service project needs no place for it."""
    assert image_name(project("registry.example.com:5000/team/shop-{service}"), "api") == (
        "registry.example.com:5000/team/shop-api"
    )
    assert image_name(project("[::1]:5000/shop-{service}"), "api") == "[::1]:5000/shop-api"
    assert image_name(project("shop", single=True), "api") == "shop"


@pytest.mark.parametrize(
    ("template", "service", "said"),
    [
        (None, "api", "the images have no name yet"),
        ("registry.example.com/shop", "api", "same for every service"),
        ("registry.example.com/{service}", "Web", "registry.example.com/Web is not a valid name"),
        ("registry.example.com/{service}:1", "api", "is not a valid name for an image"),
        ("https://registry.example.com/{service}", "api", "is not a valid name for an image"),
        ("user:password@registry.example.com/{service}", "api", "is not a valid name for an image"),
        ("--output={service}", "api", "is not a valid name for an image"),
        ("{service} x", "api", "is not a valid name for an image"),
    ],
)
def test_no_name(template: str | None, service: str, said: str) -> None:
    """A template that is missing or makes no valid name is refused with what to write."""
    with pytest.raises(ConfigError, match=said):
        image_name(project(template), service)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("registry.example.com/a/b", ("registry.example.com", "a/b")),
        ("127.0.0.1:5000/a", ("127.0.0.1:5000", "a")),
        ("localhost/a", ("localhost", "a")),
        ("team/a", ("docker.io", "team/a")),
        ("redis", ("docker.io", "library/redis")),
    ],
)
def test_split(name: str, split: tuple[str, str]) -> None:
    """A name's registry is told from its repository as Docker does it."""
    assert split_name(name) == split


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("https://example.com/team/shop.git", "https://example.com/team/shop"),
        ("https://user:token@example.com/team/shop.git", "https://example.com/team/shop"),
        ("https://token@example.com:8443/team/shop/", "https://example.com:8443/team/shop"),
        ("git@example.com:team/shop.git", "https://example.com/team/shop"),
        ("ssh://git@example.com:2222/team/shop.git", "https://example.com/team/shop"),
        ("/srv/git/shop.git", None),
        ("../shop", None),
        ("file:///srv/git/shop.git", None),
        ("https://example.com/team/shop.git?private_token=x#y", "https://example.com/team/shop"),
        ("https://example.com:port/team/shop", None),
        ("https://[example.com/team/shop", None),
        ("ext::ssh -i key example.com %S /shop", None),
        ("", None),
    ],
)
def test_source(remote: str, url: str | None) -> None:
    """A remote becomes an address to look at, without the login in it; a path becomes none."""
    assert public_url(remote) == url


def test_labels() -> None:
    """The labels are those of the OCI specification; what is not known is left out."""
    assert labels(parse("1.2.0"), created="2024-01-01T00:00:00Z", revision="abc", source="https://a/b") == {
        "org.opencontainers.image.version": "1.2.0",
        "org.opencontainers.image.created": "2024-01-01T00:00:00Z",
        "org.opencontainers.image.revision": "abc",
        "org.opencontainers.image.source": "https://a/b",
    }
    assert "org.opencontainers.image.source" not in labels(parse("1.2.0"), created="x")


@pytest.mark.parametrize(
    ("version", "known", "latest"),
    [
        ("1.0.0", [], True),
        ("1.0.1", ["1.0.0", "1.0.1"], True),
        ("1.0.1", ["1.0.0", "2.0.0"], False),
        ("1.0.1", ["2.0.0-rc.1"], True),
        ("2.0.0-rc.1", ["1.0.0"], False),
        ("0.1.0", [], True),
    ],
)
def test_latest(version: str, known: list[str], latest: bool) -> None:
    """Only the highest stable version is the latest."""
    assert is_latest(parse(version), map(parse, known)) is latest


NUMBER = st.integers(0, 3)
VERSIONS = st.builds(Version, NUMBER, NUMBER, NUMBER, st.none() | st.just("rc.1"))


@given(st.lists(VERSIONS, min_size=1))
def test_latest_after_any_history(released: list[Version]) -> None:
    """Whatever is released in which order, `latest` ends at the highest stable version."""
    latest, known = None, []
    for version in released:
        known.append(version)
        if is_latest(version, known):
            latest = version
    assert latest == highest(version for version in released if is_stable(version))


def test_config() -> None:
    """The builds get the image's name and the labels, beside the labels they have; a dollar stays one."""
    definitions = {"api": {"context": "/project", "labels": {"a": "b"}, "args": {"C": "$$d"}}}
    made = config(definitions, [Image("api", "registry/shop-api", "1.0.0")], {"x": "a$b"})
    assert made == {
        "services": {
            "api": {
                "image": "registry/shop-api:1.0.0",
                "build": {"context": "/project", "labels": {"a": "b", "x": "a$$b"}, "args": {"C": "$$d"}},
            }
        }
    }


def test_rows() -> None:
    """An image that is not in the registry is told as not pushed."""
    there = Image("api", "shop-api", "1.0.0", "sha256:1", latest=True)
    found = rows([there, Image("web", "shop-web", "1.0.0")])
    assert [(row["pushed"], row["latest"]) for row in found] == [(True, True), (False, False)]
    assert str(there) == "shop-api:1.0.0@sha256:1 (latest)"


def test_platforms() -> None:
    """Platforms are separated by commas; none is the engine's own."""
    assert platforms("linux/amd64, linux/arm64") == ("linux/amd64", "linux/arm64")
    assert platforms(None) == platforms("") == ()


@pytest.mark.parametrize(
    ("wanted", "there", "found"),
    [
        ("", "linux/amd64", ""),
        ("linux/amd64", "linux/amd64,linux/arm64", ""),
        ("linux/arm64/v8", "linux/arm64", ""),
        ("linux/arm64", "linux/arm64/v8", ""),
        ("linux/arm/v6", "linux/arm/v7", "linux/arm/v6"),
        ("linux/amd64,linux/arm64", "linux/amd64", "linux/arm64"),
    ],
)
def test_lacking_platforms(wanted: str, there: str, found: str) -> None:
    """What was pushed for fewer platforms than are asked for now is not what is asked for."""
    assert lacking(platforms(wanted), platforms(there)) == platforms(found)


def test_versions_of_a_registry() -> None:
    """Its tags are versions with or without a v; what else there is says nothing."""
    assert versions(["1.0.0", "v2.0.0", "latest", "vv3.0.0", "inputs-4.0.0"]) == [
        parse("1.0.0"),
        parse("2.0.0"),
    ]
