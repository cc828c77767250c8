"""The names that the file's own project gives to what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from tasklib.stacks.rewrite import Isolation, project_names, review

from .support import FACTS, reviewed

OWN = replace(FACTS, projects=("myproj",))


def of_myproj(services: Mapping[str, Any], **sections: Any) -> Isolation:
    return reviewed(services, facts=OWN, **sections)


@pytest.mark.parametrize(
    "line",
    [
        "name: myproj",
        "name:   myproj  # ours",
        'name: "myproj"',
        "name: 'myproj'\r",
        '"name": myproj',
        "name: &project myproj",
        "name: ${PROJECT:-myproj}",
        "name: ${PROJECT-myproj}",
        "name: ${PROJECT:-${OTHER:-myproj}}",
        "name: my$SET",
        'name: "${ENV:-other}"',
    ],
)
def test_the_name_of_a_file_is_read(line: str) -> None:
    """Plain, quoted, with a comment, or from a variable: of the environment, of .env, or its default."""
    text = f"# name: no\nservices:\n  web:\n    name: nested\n{line}\n"
    assert project_names([text], [{"SET": "proj"}], "folder", {"ENV": "myproj"}) == ("myproj",)


def test_the_environment_comes_before_env_files() -> None:
    """A variable that both have is the environment's, as for Compose."""
    assert project_names(["name: ${A}\n"], [{"A": "file"}], "folder", {"A": "shell"}) == ("shell",)


def test_every_file_may_have_a_name() -> None:
    """COMPOSE_PROJECT_NAME and the names of all files count, each once."""
    texts = ["name: base\n", "services: {}\n", "name: over\n"]
    assigned = [{"COMPOSE_PROJECT_NAME": "env"}, {"COMPOSE_PROJECT_NAME": "base"}]
    assert project_names(texts, assigned, "folder", {}) == ("env", "base", "over")


@pytest.mark.parametrize(
    ("text", "folder", "expected"),
    [
        ("services: {}\n", "My Project.v2", ("myprojectv2",)),
        ("services: {}\n", "_-x_y-", ("x_y-",)),
        ("services: {}\n", "ÄÖ", ()),
        ("name: ${NOWHERE}\n", "shop", ("shop",)),
        ("name: >-\n  folded\n", "shop", ("shop",)),
        ("name: named\n", "shop", ("named",)),
    ],
)
def test_the_folder_is_the_name_where_none_is_written(
    text: str, folder: str, expected: tuple[str, ...]
) -> None:
    """Without a name that can be read it is the folder's, normalised as Compose does it."""
    assert project_names([text], [], folder, {}) == expected


@pytest.mark.parametrize("image", ["myproj-web", "myproj_web", "myproj-web:latest"])
def test_the_default_image_of_a_built_service_is_followed(image: str) -> None:
    """What Compose calls the image of a service without a name is used under its new name."""
    build = {"context": "/checkout"}
    services = {"web": {"build": build, "image": None}, "worker": {"image": image}}
    found = of_myproj(services).config["services"]
    assert found["worker"]["image"] == found["web"]["image"] == "test-feature-auth.web:latest"


def test_an_image_that_no_service_gets_by_default_stays() -> None:
    """A service with a name for its image has no default one, so that is somebody else's."""
    services = {"web": {"build": {"context": "/checkout"}, "image": "w"}, "worker": {"image": "myproj-web"}}
    assert of_myproj(services).config["services"]["worker"]["image"] == "myproj-web"


def test_the_default_containers_of_the_file_are_followed() -> None:
    """Namespaces, volumes and links that name them are the file's own, and nothing is refused."""
    services = {
        "vpn": {},
        "app": {"network_mode": "container:myproj-vpn-1", "volumes_from": ["container:myproj_vpn_1"]},
        "web": {"external_links": ["myproj_vpn_1:tunnel"]},
    }
    found = of_myproj(services)
    app = found.config["services"]["app"]
    assert (app["network_mode"], app["volumes_from"]) == ("service:vpn", ["vpn"])
    assert found.config["services"]["vpn"]["networks"]["default"]["aliases"] == ["tunnel"]
    assert not found.problems


def test_a_default_container_name_in_a_value_is_a_host_name_inside() -> None:
    """Only names that values mention become aliases, in whatever value and for the rendered project too."""
    services = {
        "db": {},
        "cache": {},
        "queue": {},
        "idle": {},
        "cli": {
            "environment": {"URL": "postgres://me@myproj-db-1:5432/x", "N": None},
            "command": ["run", "--cache=myproj_cache_1", "xmyproj-idle-1", "myproj-idle-10"],
            "healthcheck": {"test": "nc -z original-queue-1. 80"},
        },
    }
    found = of_myproj(services).config["services"]
    aliases = {key: (service["networks"]["default"] or {}).get("aliases") for key, service in found.items()}
    assert aliases == {
        "db": ["myproj-db-1"],
        "cache": ["myproj_cache_1"],
        "queue": ["original-queue-1"],
        "idle": None,
        "cli": None,
    }
    assert found["cli"]["environment"]["URL"] == "postgres://me@myproj-db-1:5432/x"


def test_further_replicas_have_default_names_too() -> None:
    """Number two is the service that stands for it, in references and as a host name."""
    services = {
        "api": {"scale": 2},
        "side": {"network_mode": "container:myproj-api-2"},
        "web": {"external_links": ["myproj_api_2:second"], "environment": {"A": "myproj-api-1,myproj-api-2"}},
    }
    found = of_myproj(services)
    assert not found.problems
    config = found.config["services"]
    assert config["side"]["network_mode"] == "service:api.2"
    assert config["web"]["links"] == ["api.2:second"]
    assert config["api"]["networks"]["default"]["aliases"] == ["myproj-api-1"]
    assert config["api.2"]["networks"]["default"]["aliases"] == ["api", "myproj-api-2"]


def test_a_content_that_names_a_container_counts() -> None:
    """A config written out in the file names hosts as variables do."""
    content = {"nginx": {"content": "proxy_pass http://myproj-db-1:80;"}}
    found = of_myproj({"db": {}}, configs=content).config["services"]["db"]
    assert found["networks"]["default"]["aliases"] == ["myproj-db-1"]


def test_a_service_that_is_called_so_keeps_its_name() -> None:
    """A default name that is another service's key, or another's container_name, is that one's."""
    services = {
        "db": {},
        "myproj-db-1": {},
        "api": {},
        "other": {"container_name": "myproj-api-1"},
        "cli": {"environment": {"A": "myproj-db-1", "B": "myproj-api-1"}},
    }
    found = of_myproj(services).config["services"]
    assert found["db"]["networks"]["default"] is None
    assert found["api"]["networks"]["default"] is None
    assert found["other"]["networks"]["default"]["aliases"] == ["myproj-api-1"]


def test_the_default_networks_of_the_file_are_followed() -> None:
    """`network_mode` that names one joins it; one with a name of its own has no default one."""
    networks = {"default": {"name": "original_default"}, "back": {"name": "fixed"}}
    services = {
        "web": {"networks": {"default": None, "back": None}},
        "joined": {"network_mode": "myproj_default"},
        "foreign": {"network_mode": "myproj_back"},
    }
    found = of_myproj(services, networks=networks)
    assert found.config["services"]["joined"]["networks"] == {"default": None}
    assert [problem.path for problem in found.problems] == ["services.foreign.network_mode"]


def test_values_that_name_a_default_network_or_volume_are_pointed_out() -> None:
    """Programs that ask the engine by name are told the old one."""
    service = {
        "environment": {"NETWORK": "myproj_default", "DATA": "myproj_data:/backup", "FIXED": "myproj_named"},
        "volumes": [{"type": "volume", "source": "data", "target": "/d"}],
    }
    volumes = {"data": {"name": "original_data"}, "named": {"name": "own"}}
    found = of_myproj({"cli": service}, volumes=volumes)
    assert {(hint.variable, hint.what.split(", which")[0]) for hint in found.hints} == {
        ("NETWORK", "names the network myproj_default"),
        ("DATA", "names the volume myproj_data"),
    }
    assert {hint.what.split()[-4] for hint in found.hints} == {
        "test-feature-auth.default",
        "test-feature-auth.data",
    }


def test_isolating_twice_is_isolating_once() -> None:
    """Aliases for default names are there already the second time."""
    services = {
        "web": {"build": {"context": "/checkout"}, "image": None},
        "worker": {"image": "myproj-web", "environment": {"URL": "http://myproj-web-1"}},
        "joined": {"network_mode": "myproj_default"},
    }
    first = of_myproj(services)
    again = review(first.config, "feature-auth", facts=OWN)
    assert (again.config, again.changes) == (first.config, ())


def test_a_default_name_in_a_mounted_file_is_an_alias() -> None:
    """Settings that a container is given as a file may name others as Compose calls them; others may not."""
    facts = replace(FACTS, projects=("shop",), mounted=("upstream web { server shop-web-1:8000; }",))
    services = reviewed({"web": {}, "proxy": {}}, facts=facts).config["services"]
    assert services["web"]["networks"]["default"]["aliases"] == ["shop-web-1"]
    assert not (services["proxy"]["networks"]["default"] or {}).get("aliases")
