"""What a new project may be, and what its answers file says of it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.errors import ConfigError, UsageError
from tasklib.new.answers import ANSWERS, Answers, Kind, NewService, read_answers, services_of, written
from tasklib.release.workflows.files import Forge

SHOP = Answers("1.2.0", "shop", services_of("api,web:node", Kind.PYTHON), ci=Forge.GITHUB)


def test_services_are_listed_with_their_kinds() -> None:
    """What names no kind is of the one that is chosen for all; space around a comma is no part of a name."""
    assert services_of("api, web:node", Kind.COMMAND) == (
        NewService("api", Kind.COMMAND),
        NewService("web", Kind.NODE),
    )


def test_a_kind_that_there_is_not() -> None:
    """The message has those that there are."""
    with pytest.raises(UsageError, match="python, node, command, not"):
        services_of("api:ruby", Kind.PYTHON)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Shop",
        "../shop",
        "/shop",
        "-shop",
        "shop-",
        "a--b",
        "a_b",
        "7shop",
        "schöp",
        "a b",
        "a\n",
        "x" * 41,
    ],
)
def test_a_name_that_does_not_please_everybody(name: str) -> None:
    """Neither a project nor a service can be called what a folder, Compose, npm or Python would refuse."""
    with pytest.raises(UsageError, match="a project cannot be called"):
        Answers("1", name, (NewService("api", Kind.PYTHON),))
    with pytest.raises(UsageError, match="a service cannot be called"):
        Answers("1", "shop", (NewService(name, Kind.PYTHON),))


@pytest.mark.parametrize("name", ["class", "json", "psycopg-pool", "tests"])
def test_a_single_project_called_as_a_module_that_is_needed(name: str) -> None:
    """Its own module has that name, and would hide the other one."""
    with pytest.raises(UsageError, match=r"of Python|the project needs"):
        Answers("1", name, (NewService(name, Kind.PYTHON),), single=True)
    assert Answers("1", name, (NewService(name, Kind.NODE),), single=True).services
    assert Answers("1", "shop", (NewService(name, Kind.PYTHON),)).services


def test_no_two_services_are_called_alike() -> None:
    """Nor is one called as what every stack has."""
    with pytest.raises(UsageError, match="two services are called 'api'"):
        Answers("1", "shop", services_of("api,api:node", Kind.PYTHON))
    for name in ("database", "postgres"):
        with pytest.raises(UsageError, match="the database of every stack"):
            Answers("1", "shop", services_of(name, Kind.PYTHON))


@given(
    st.builds(
        Answers,
        st.sampled_from(["1.2.0", "0.1", "1"]),
        st.sampled_from(["shop", "on", "null"]),
        st.lists(st.sampled_from(["api", "yes", "no", "x1"]), unique=True, min_size=1).map(
            lambda names: tuple(NewService(name, kind) for name, kind in zip(names, Kind, strict=False))
        ),
        ci=st.sampled_from([None, *Forge]),
    )
)
def test_the_answers_file_is_read_as_it_was_written(answers: Answers) -> None:
    """Whatever YAML makes of a name that stands there bare."""
    assert read_answers(written(answers).encode(), ANSWERS) == answers


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"version: '1'\nproject: shop\nservices: [{name: api, kind: python}]\nci: ../x",
        b"version: 1",
        b"{",
        b"\xff\xfe\x00",
        b"&a [*a]",
    ],
)
def test_what_is_no_answers_file(text: bytes) -> None:
    """One line that names the file."""
    with pytest.raises(ConfigError, match=r"not what `new\.project` wrote"):
        read_answers(text, ANSWERS)


def test_an_answers_file_with_a_name_that_leads_elsewhere() -> None:
    """It is checked as what is typed is."""
    data = msgspec.to_builtins(SHOP) | {"project": "../shop"}
    with pytest.raises(ConfigError, match=r"cannot be called '\.\./shop'"):
        read_answers(msgspec.json.encode(data), ANSWERS)
