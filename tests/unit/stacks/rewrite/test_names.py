"""Names of containers, and what refers to them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tasklib.isolation import Instance
from tasklib.stacks.labels import CHECKOUT, CONTAINER, HOST, INSTANCE, MADE_OF, SERVICE, STACK, labels
from tasklib.stacks.rewrite import review

from .support import FACTS, one, reviewed, stack_of


def test_every_container_has_a_name_that_no_other_stack_can_have() -> None:
    """Branch `feature` with `auth-api` and branch `feature/auth` with `api` get different names."""
    first = reviewed({"auth-api": {}}, instance="feature").config["services"]["auth-api"]["container_name"]
    second = reviewed({"api": {}}, instance="feature-auth").config["services"]["api"]["container_name"]
    assert (first, second) == ("test-feature.auth-api", "test-feature-auth.api")


def test_a_fixed_name_stays_a_host_name_inside() -> None:
    """The old container name is an alias on every network of the service."""
    service = one(
        {"container_name": "my_db", "networks": {"default": None, "back": {"aliases": ["x"]}}},
        networks={"default": {}, "back": {}},
    )
    assert service["container_name"] == "test-feature-auth.api"
    assert service["networks"]["default"]["aliases"] == ["my_db"]
    assert service["networks"]["back"]["aliases"] == ["x", "my_db"]


def test_the_alias_stays_off_shared_networks() -> None:
    """On an external network the old name would answer for other stacks, unless there is no other network."""
    networks = {"default": {}, "proxy": {"external": True, "name": "proxy"}}
    both = one({"container_name": "c", "networks": {"default": None, "proxy": None}}, networks=networks)
    assert both["networks"] == {"default": {"aliases": ["c"]}, "proxy": None}
    alone = one({"container_name": "c", "networks": {"proxy": None}}, networks=networks)
    assert alone["networks"] == {"proxy": {"aliases": ["c"]}}


def probed(name: str, other: str, stack: str | None, **more: tuple[str, str]) -> Any:
    names = {"api": (name, other), **more}
    config = stack_of({key: {"container_name": mine} for key, (mine, _) in names.items()})
    probe = stack_of({key: {"container_name": theirs} for key, (_, theirs) in names.items()})
    found = review(config, "feature-auth", stack, facts=replace(FACTS, probe=probe)).config["services"]
    return found["api"]["container_name"]


def test_a_name_that_the_file_scopes_itself_is_kept() -> None:
    """A name that another TEST_INSTANCE_ID changes stays; a service's own stack appends its name."""
    assert probed("app-feature-auth-db", "app-probe-db", None) == "app-feature-auth-db"
    assert probed("app-feature-auth-db", "app-probe-db", "price") == "app-feature-auth-db_price"
    assert probed("app-db", "app-db", None) == "test-feature-auth.api"


def test_scoped_names_that_two_branches_could_share_are_not_kept() -> None:
    """`<id>-api` beside `<id>-auth-api` is one name for `feature-auth` and for `feature`: neither is kept."""
    other = ("feature-auth-auth-api", "probe-auth-api")
    assert probed("feature-auth-api", "probe-api", None, **{"auth-api": other}) == "test-feature-auth.api"
    far = ("feature-auth-db", "probe-db")
    assert probed("feature-auth-api", "probe-api", None, db=far) == "feature-auth-api"


def test_references_to_containers_follow_them() -> None:
    """`container:` in namespaces and volumes_from, and external links, name services afterwards."""
    services = {
        "vpn": {"container_name": "gluetun"},
        "app": {
            "network_mode": "container:gluetun",
            "pid": "container:gluetun",
            "ipc": "container:gluetun",
            "volumes_from": ["container:gluetun:ro", "vpn"],
        },
        "web": {"external_links": ["gluetun:tunnel", "gluetun"], "links": ["vpn"]},
        "old": {"network_mode": "container:original-vpn-1"},
    }
    found = reviewed(services)
    app, web = found.config["services"]["app"], found.config["services"]["web"]
    assert (app["network_mode"], app["pid"], app["ipc"]) == ("service:vpn",) * 3
    assert app["volumes_from"] == ["vpn:ro", "vpn"]
    assert web["links"] == ["vpn"]
    assert found.config["services"]["vpn"]["networks"]["default"]["aliases"] == ["tunnel", "gluetun"]
    assert "external_links" not in web
    assert found.config["services"]["old"]["network_mode"] == "service:vpn"
    assert not found.problems


def test_external_links_that_go_round_still_do() -> None:
    """Two services that link each other by container name get aliases, which wait for nobody."""
    services = {
        "a": {"container_name": "one", "external_links": ["two:b-side"]},
        "b": {"container_name": "two", "external_links": ["one"]},
        "c": {"external_links": ["two:a"]},
    }
    found = reviewed(services).config["services"]
    assert all("external_links" not in service for service in found.values())
    assert "links" not in found["a"]
    assert "links" not in found["b"]
    assert found["b"]["networks"]["default"]["aliases"] == ["b-side", "two"]
    assert found["a"]["networks"]["default"]["aliases"] == ["one"]
    assert found["c"]["links"] == ["b:a"]


@pytest.mark.parametrize(
    "service",
    [
        {"network_mode": "container:theirs"},
        {"pid": "container:theirs"},
        {"ipc": "container:theirs"},
        {"volumes_from": ["container:theirs"]},
        {"external_links": ["theirs:x"]},
    ],
)
def test_containers_of_others_are_a_problem(service: dict[str, Any]) -> None:
    """A container that no service of the file is cannot be isolated, and the problem names it."""
    [problem] = reviewed({"api": service}).problems
    assert "theirs" in problem.what
    assert problem.path.startswith("services.api.")


def test_labels_say_whose_it_is_on_all_but_images() -> None:
    """Containers, networks and volumes carry instance, checkout, host and stack; builds carry none."""
    instance = Instance("main", checkout="c1", host="h1")
    config = stack_of(
        {
            "api": {
                "build": {"context": "."},
                "labels": {"mine": "1"},
                "volumes": [{"type": "volume", "source": "v", "target": "/v"}],
            }
        },
        volumes={"v": {}},
    )
    isolated = review(config, instance, "api").config
    expected = labels(instance, "api")
    assert (expected[INSTANCE], expected[CHECKOUT], expected[STACK]) == ("main", "c1", "api")
    assert expected[HOST].startswith("h1")
    own = isolated["services"]["api"]["labels"]
    assert own.pop(MADE_OF)
    assert own == {"mine": "1", **expected, CONTAINER: "test-main_api.api"}
    assert isolated["networks"]["default"]["labels"] == expected
    assert isolated["volumes"]["v"]["labels"] == expected
    assert "labels" not in isolated["services"]["api"]["build"]
    full = review(config, instance).config["volumes"]["v"]["labels"]
    assert full[STACK] == "full"
    assert review(config, instance, "full").config["volumes"]["v"]["labels"][STACK] != "full"


def test_replicas_become_services_that_answer_to_one_name() -> None:
    """Three replicas are three services with names of their own, one alias, and all are waited for."""
    services = {
        "api": {
            "scale": 3,
            "deploy": {"replicas": 3, "labels": {"x": "y"}},
            "build": {"context": "."},
            "ports": [{"target": 80, "published": "80-82"}],
            "volumes": [{"type": "volume", "target": "/data"}],
        },
        "web": {"depends_on": {"api": {"condition": "service_healthy"}}},
    }
    config = reviewed(services).config
    found = config["services"]
    assert list(found) == ["api", "web", "api.2", "api.3"]
    assert len({service["container_name"] for service in found.values()}) == 4
    assert all("scale" not in s and "replicas" not in s.get("deploy", {}) for s in found.values())
    assert found["api.2"]["networks"]["default"]["aliases"] == ["api"]
    assert found["api.3"]["labels"][SERVICE] == "api"
    assert found["api.2"]["image"] == found["api"]["image"]
    assert "build" not in found["api.2"]
    assert set(found["web"]["depends_on"]) == {"api", "api.2", "api.3"}
    sources = {found[key]["volumes"][0]["source"] for key in ("api", "api.2", "api.3")}
    assert len(sources) == 3


@pytest.mark.parametrize("count", [0, 1])
def test_no_replicas_need_no_copies(count: int) -> None:
    """A service that is scaled to none or one stays what it is."""
    config = reviewed({"api": {"scale": count, "deploy": {"replicas": count}}}).config
    assert list(config["services"]) == ["api"]
    assert config["services"]["api"]["scale"] == count


def test_a_copy_takes_no_key_that_exists() -> None:
    """A service that is called like a copy would be keeps its key."""
    config = reviewed({"api": {"scale": 2}, "api.2": {"image": "other"}}).config
    assert len(config["services"]) == 3
    assert config["services"]["api.2"]["image"] == "other"


def test_profiles_are_chosen_already() -> None:
    """What rendering left in starts without naming its profile again."""
    assert "profiles" not in one({"profiles": ["debug"]})


def test_what_no_profile_chose_and_nobody_requires_is_not_waited_for() -> None:
    """Compose would miss it in what it is given; what is required stays, for it to say so."""
    wanted = {"cache": {"condition": "service_healthy", "required": False}, "db": {"required": True}}
    assert one({"depends_on": wanted})["depends_on"] == {"db": {"required": True}}


def test_two_prefixes_on_one_branch_share_no_name_of_the_file() -> None:
    """`data-${TEST_INSTANCE_ID}` is scoped by the id alone, which both have."""
    config = stack_of({"api": {}}, volumes={"data": {"name": "data-main"}})
    facts = replace(FACTS, probe=stack_of({"api": {}}, volumes={"data": {"name": "data-other"}}))
    names = {
        review(config, Instance("main", prefix=prefix), facts=facts).config["volumes"]["data"]["name"]
        for prefix in ("test", "shop", "bank")
    }
    assert len(names) == 3
