"""Image references are read as the engine reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.stacks.references import Reference, parse_reference, same_image

DIGEST = f"sha256:{'ab' * 32}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres", Reference("docker.io", "library/postgres")),
        ("team/postgres:16.3-alpine", Reference("docker.io", "team/postgres", "16.3-alpine")),
        ("index.docker.io/redis", Reference("docker.io", "library/redis")),
        ("localhost/app", Reference("localhost", "app")),
        ("LOCAL.example:5000/a/b/c", Reference("LOCAL.example:5000", "a/b/c")),
        ("[::1]:5000/app:1", Reference("[::1]:5000", "app", "1")),
        (f"r.example/app:1@{DIGEST}", Reference("r.example", "app", "1", DIGEST)),
        (f"app@{DIGEST}", Reference("docker.io", "library/app", "", DIGEST)),
    ],
)
def test_a_reference_has_a_registry_a_repository_a_tag_and_a_digest(text: str, expected: Reference) -> None:
    """Docker Hub and its folder of official images are meant where nothing is said."""
    assert parse_reference(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "App", "quay.io/debezium/kafka:", "app:", ":1", "app@sha256:12", "a//b", "app:1:2", "-app", "app\n"],
)
def test_what_the_engine_would_refuse_is_no_reference(text: str) -> None:
    """Such as one that an unset variable leaves without a tag."""
    assert parse_reference(text) is None


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("app", "docker.io/library/app:latest"),
        ("team/app:1", "docker.io/team/app:1"),
        ("docker.io/team/app:1", "docker.io/team/app:1"),
        ("localhost/app", "localhost/app:latest"),
        ("r.example:5000/app", "r.example:5000/app:latest"),
        (f"app@{DIGEST}", f"docker.io/library/app@{DIGEST}"),
        ("${IMAGE}", "${IMAGE}"),
        ("", ""),
    ],
)
def test_two_ways_to_write_an_image_are_one(image: str, full: str) -> None:
    """Registry, namespace and tag have defaults; what is no reference is the same as itself alone."""
    assert same_image(image) == full


@pytest.mark.parametrize(
    ("image", "familiar", "version"),
    [
        ("library/postgres:16.3", "postgres", 16),
        ("valkey/valkey:v8", "valkey/valkey", 8),
        ("quay.io/a/b:latest", "quay.io/a/b", None),
    ],
)
def test_people_write_less(image: str, familiar: str, version: int | None) -> None:
    """The repository without what goes without saying, and the number of its version."""
    found = parse_reference(image)
    assert found is not None
    assert (found.familiar, found.version) == (familiar, version)


parts = st.from_regex(r"[a-z0-9]{1,4}([._-][a-z0-9]{1,4}){0,2}", fullmatch=True)


@given(
    st.sampled_from(["docker.io", "localhost", "r.example:5000", "10.0.0.1:80"]),
    st.lists(parts, min_size=2, max_size=4).map("/".join),
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True),
    st.sampled_from(["", DIGEST]),
)
def test_a_reference_in_full_is_read_as_what_it_was(
    registry: str, repository: str, tag: str, digest: str
) -> None:
    """Writing and reading are each other's inverse."""
    reference = Reference(registry, repository, tag, digest)
    assert parse_reference(str(reference)) == reference
