"""The id of a branch, and what may be built from it."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasklib.isolation import (
    Instance,
    instance_id,
    is_compose_name,
    is_plain_id,
    project_name,
    readable_image,
    resource_name,
    slug,
    with_hash,
)

ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?")
COMPOSE_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]*")
CONTAINER = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
IMAGE = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*")
HOST_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")

NAMES = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="ab/-_.AÄ\ud800", max_size=30),
    st.from_regex(r"[a-z0-9/-]{1,24}", fullmatch=True),
)
KEYS = st.from_regex(r"[a-zA-Z0-9._-]{1,6}", fullmatch=True)
SMALL_KEYS = st.text(alphabet="ab._-", min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("branch", "expected"),
    [
        ("main", "main"),
        ("feature/auth", "feature-auth"),
        ("a" * 20, "a" * 20),
        ("v2", "v2"),
        ("feature/authentication-api", "feature-aut-kpeva7m7"),
        ("feature/authentication-ui", "feature-aut-glx7j6gi"),
        ("Main", "main-ag6wdfp4"),
        ("fix_it", "fix-it-cej6kttr"),
        ("a--b", "a-b-pugmdlzf"),
        ("-x", "x-imeontqe"),
        ("größe", "gr-e-77lpwn4m"),
        ("日本", "lwjg6nrb"),
        ("$(reboot); 'x'", "reboot-x-n6fdgfrk"),
        ("", "uahypmki"),
    ],
)
def test_golden(branch: str, expected: str) -> None:
    """These ids are the same on every machine and in every release."""
    assert instance_id(branch) == expected


def test_same_in_another_process() -> None:
    """No id depends on the hash seed of the interpreter."""
    code = "from tasklib.isolation import instance_id; print(instance_id('Ünïcode/' + 'x' * 50))"
    ids = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert ids == {instance_id("Ünïcode/" + "x" * 50)}


@given(NAMES)
@example("")
@example("-")
@example("/" * 30)
@example("x" * 200)
def test_valid_everywhere(branch: str) -> None:
    """Any branch gives an id that projects, containers, images and host names can hold."""
    found = instance_id(branch)
    assert ID.fullmatch(found)
    assert "--" not in found
    assert is_plain_id(found)
    assert HOST_LABEL.fullmatch(found)
    assert IMAGE.fullmatch(found)
    assert COMPOSE_PROJECT.fullmatch(project_name(found))
    assert is_compose_name(project_name(found, "Any stack!"))
    assert CONTAINER.fullmatch(resource_name(project_name(found), "api"))
    assert IMAGE.fullmatch(readable_image(project_name(found), "Any Service").removesuffix(":latest"))


@given(NAMES, NAMES)
def test_different_names_different_ids(one: str, other: str) -> None:
    """Only names that are equal once ``/`` is ``-`` share an id."""
    same = one.replace("/", "-") == other.replace("/", "-")
    # The free form of a name is kept as it is; everything else is told apart by its own hash.
    assert (instance_id(one) == instance_id(other)) <= same


@given(NAMES)
def test_an_id_is_its_own_id(branch: str) -> None:
    """Taking the id of an id changes nothing, so it can be passed on as a branch."""
    assert instance_id(instance_id(branch)) == instance_id(branch)


def test_large_sample() -> None:
    """Tens of thousands of branch names of every awkward kind give as many ids."""
    words = ["feature", "Feature", "fix", "auth", "authentication", "api", "ui", "größe", "日本", "x" * 30]
    joints = ["/", "_", ".", "--", " ", "#"]
    names = {
        a + joint + b + other + c + str(number)
        for a, b, c in itertools.product(words, repeat=3)
        for joint, other in itertools.product(joints, repeat=2)
        for number in range(1)
    }
    assert len(names) > 30_000
    assert len({instance_id(name) for name in names}) == len({name.replace("/", "-") for name in names})


@given(st.lists(st.tuples(NAMES, st.none() | NAMES, SMALL_KEYS | KEYS), min_size=2, max_size=8))
@example([("feature", None, "auth-api"), ("feature/auth", None, "api")])
@example([("feature", None, "api_data"), ("feature", "api", "data")])
@example([("a", "b", "c"), ("a", None, "b.c")])
def test_no_two_share_a_name(triples: list[tuple[str, str | None, str]]) -> None:
    """(instance, stack, key) can be read off the name of a container, network or volume."""
    names: dict[str, tuple[str, str | None, str]] = {}
    for branch, stack, key in triples:
        instance = instance_id(branch)
        parts = (instance, None if stack is None else slug(stack), key)
        assert names.setdefault(resource_name(project_name(instance, stack), key), parts) == parts


@given(st.text(alphabet="ab-", min_size=1, max_size=6), st.none() | st.text(alphabet="ab-_A", max_size=6))
def test_a_project_names_its_instance(instance: str, stack: str | None) -> None:
    """The first underscore of a project's name ends the instance, whatever the stack is called."""
    name = project_name(instance, stack).removeprefix("test-")
    assert name.partition("_")[0] == instance
    assert ("_" in name) == (stack is not None)


def test_with_hash_differs_from_the_plain_id() -> None:
    """The id of a checkout that came second depends on the checkout and still shows the branch."""
    ids = {with_hash("feature/auth", f"feature/auth\0{checkout}") for checkout in ("a", "b")}
    assert len(ids | {instance_id("feature/auth")}) == 3
    assert all(found.startswith("feature-aut-") and ID.fullmatch(found) for found in ids)


def test_prefix_of_an_instance() -> None:
    """A project's own prefix starts all its names."""
    instance = Instance("main", prefix="ci")
    assert (instance.project(), instance.project("api")) == ("ci-main", "ci-main_api")
