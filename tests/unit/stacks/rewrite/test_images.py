"""Built images, who uses them, and Dockerfiles that start from them."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tasklib.isolation import Instance
from tasklib.stacks.rewrite.images import built_name

from .support import FACTS, reviewed

BUILD = {"context": "/checkout", "dockerfile": "Dockerfile"}


def build(**more: Any) -> dict[str, Any]:
    return {**BUILD, **more}


def test_a_built_image_has_a_name_of_the_stacks_own() -> None:
    """The image is named after stack and service, with a tag for people; the file's tags are gone."""
    service = {
        "image": "team/api:1.0",
        "build": build(tags=["team/api:latest"], labels={"a": "b"}, args={"X": "1"}),
    }
    found = reviewed({"price-db": service})
    api = found.config["services"]["price-db"]
    assert api["image"] == "test-feature-auth.price-db:latest"
    assert api["build"] == build(
        tags=["test-feature-auth-price-db:latest"], labels={"a": "b"}, args={"X": "1"}
    )
    assert found.built_images == ("test-feature-auth.price-db:latest", "test-feature-auth-price-db:latest")


def test_the_tag_for_people_is_left_out_where_two_branches_would_share_it() -> None:
    """`feature` with `auth-api` and `feature-auth` with `api` would both be test-feature-auth-api."""
    services = {"api": {"build": build()}, "auth-api": {"build": build()}}
    assert reviewed(services).built_images == (
        "test-feature-auth.api:latest",
        "test-feature-auth.auth-api:latest",
    )


def test_an_image_that_is_not_built_stays() -> None:
    """An image of a registry is used as it is, pull policy included."""
    service = {"image": "postgres:16", "pull_policy": "always"}
    found = reviewed({"db": service}).config["services"]["db"]
    assert (found["image"], found["pull_policy"]) == ("postgres:16", "always")


def test_whoever_uses_a_built_image_follows_it() -> None:
    """An image that another service builds is used under its new name and is not pulled."""
    services = {
        "api": {"image": "team/api", "build": build(tags=["team/api:dev"])},
        "worker": {"image": "docker.io/team/api:latest", "pull_policy": "always"},
        "beat": {"image": "team/api:dev"},
        "nameless": {"build": build(), "image": None},
        "other": {"image": "original-nameless"},
    }
    found = reviewed(services).config["services"]
    assert found["worker"]["image"] == found["beat"]["image"] == found["api"]["image"]
    assert "pull_policy" not in found["worker"]
    assert found["other"]["image"] == found["nameless"]["image"]


def test_two_services_that_build_one_tag_build_two() -> None:
    """Each builder gets a tag of its own, so that none says the other's exists already."""
    services = {name: {"image": "team/app", "build": build()} for name in ("web", "worker")}
    found = reviewed({**services, "job": {"image": "team/app"}}).config["services"]
    assert found["web"]["image"] != found["worker"]["image"]
    assert found["job"]["image"] in (found["web"]["image"], found["worker"]["image"])


def test_a_build_policy_is_kept_and_a_pull_policy_is_not() -> None:
    """`pull_policy: build` means what it says; a pull of the stack's own name would find nothing."""
    services = {
        "a": {"build": build(), "pull_policy": "build"},
        "b": {"build": build(), "pull_policy": "always"},
    }
    found = reviewed(services).config["services"]
    assert found["a"]["pull_policy"] == "build"
    assert "pull_policy" not in found["b"]


DOCKERFILE = """# syntax=docker/dockerfile:1
ARG BASE="team/base"
FROM ${BASE} AS first
FROM --platform=$BUILDPLATFORM team/base:latest AS second
COPY --chown=1 --from=team/base /a /a
COPY --from=first /b /b
RUN --mount=type=bind,from=team/base,target=/x echo $HOME team/base
FROM second
"""


def test_a_dockerfile_that_starts_from_a_built_image_gets_its_new_name() -> None:
    """FROM, also by an ARG, COPY --from and mounts follow; stages, commands and `$` stay as they were."""
    services = {
        "base": {"image": "team/base", "build": build()},
        "app": {"build": build(args={"B": "team/base"})},
    }
    facts = replace(FACTS, dockerfiles={"app": DOCKERFILE, "base": "FROM debian"})
    found = reviewed(services, facts=facts).config["services"]["app"]
    new = "test-feature-auth.base:latest"
    inline = found["build"]["dockerfile_inline"].replace("$$", "$")
    expected = (
        DOCKERFILE.replace("team/base:latest", "BASE").replace("team/base", "BASE").replace("BASE", new)
    )
    expected = expected.replace(f'ARG {new}="{new}"', 'ARG BASE="team/base"').replace(f"${{{new}}}", new)
    assert inline == expected.replace(f"$HOME {new}", "$HOME team/base")
    assert "dockerfile" not in found["build"]
    assert found["build"]["args"] == {"B": new}
    assert found["depends_on"] == {"base": {"condition": "service_started", "required": True}}


def test_a_base_that_is_put_together_of_arguments_follows() -> None:
    """`ARG TAG=dev`, `FROM shop/base:${TAG}`: what it comes to is what another service builds."""
    text = "ARG TAG=dev\nFROM shop/base:${TAG}\n"
    services = {
        "base": {"image": "shop/base:1", "build": build()},
        "app": {"build": build(args={"TAG": "1"})},
        "other": {"build": build()},
    }
    facts = replace(FACTS, dockerfiles={"app": text, "other": text})
    found = reviewed(services, facts=facts).config["services"]
    expected = "ARG TAG=dev\nFROM test-feature-auth.base:latest\n"
    assert found["app"]["build"]["dockerfile_inline"] == expected
    assert found["app"]["depends_on"] == {"base": {"condition": "service_started", "required": True}}
    assert "dockerfile_inline" not in found["other"]["build"]


def test_an_order_that_is_there_already_is_not_added() -> None:
    """What waits for the base already, through others too, waits no more; nothing waits for itself."""
    services = {
        "base": {"image": "team/base", "build": build(dockerfile_inline="FROM team/base")},
        "middle": {"depends_on": {"base": {"condition": "service_started"}}},
        "app": {
            "depends_on": {"middle": {"condition": "service_started"}},
            "build": build(dockerfile_inline="FROM team/base\nRUN echo $$X"),
        },
    }
    found = reviewed(services).config["services"]
    assert set(found["app"]["depends_on"]) == {"middle"}
    assert found["app"]["build"]["dockerfile_inline"] == "FROM test-feature-auth.base:latest\nRUN echo $$X"
    assert found["base"]["build"]["dockerfile_inline"] == "FROM team/base"


def test_contexts_that_name_a_built_image_follow() -> None:
    """docker-image:// contexts name the new image; service contexts and folders stay."""
    contexts = {
        "a": "docker-image://team/base:latest",
        "b": "service:base",
        "c": "/checkout/c",
        "d": "docker-image://x",
    }
    services = {
        "base": {"image": "team/base", "build": build()},
        "app": {"build": build(additional_contexts=contexts)},
    }
    found = reviewed(services).config["services"]["app"]["build"]["additional_contexts"]
    assert found == {**contexts, "a": "docker-image://test-feature-auth.base:latest"}


def test_a_named_context_comes_before_an_image_of_its_name() -> None:
    """What a context stands for in FROM is not the image that another service builds."""
    text = "FROM team/base\nCOPY --from=src / /"
    contexts = {"team/base:latest": "service:base", "src": "/checkout/src"}
    services = {
        "base": {"image": "team/base", "build": build()},
        "src": {"image": "src", "build": build()},
        "app": {"build": build(dockerfile_inline=text, additional_contexts=contexts)},
    }
    found = reviewed(services).config["services"]["app"]["build"]
    assert (found["dockerfile_inline"], found["additional_contexts"]) == (text, contexts)


keys = st.from_regex(r"[a-zA-Z0-9._-]{1,40}", fullmatch=True)
projects = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,40}", fullmatch=True)


instances = st.builds(Instance, st.just("main"), st.text("ab", min_size=1), st.text("ab", min_size=1))


@given(projects, keys, instances, projects, keys, instances)
def test_image_names_are_valid_and_never_meet(
    project: str, key: str, instance: Instance, other: str, other_key: str, other_instance: Instance
) -> None:
    """Every project and key make a repository that registries accept; others, and others' ones, differ."""
    name = built_name(project, key, instance)
    repository, _, tag = name.rpartition(":")
    assert re.fullmatch(r"[\w][\w.-]{0,127}", tag)
    # The grammar of the reference library.
    assert re.fullmatch(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*", repository)
    if (project, key, instance) != (other, other_key, other_instance):
        assert name != built_name(other, other_key, other_instance)
    assert built_name(project, key, Instance("main")) == f"{repository}:latest"
