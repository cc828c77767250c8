"""What `new.project` and `new.service` refuse: in a line or two, with code 2, and nothing is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..projects import Checkout, command_environment


@pytest.fixture
def empty(tmp_path: Path, state: Path) -> Checkout:
    """An empty folder outside of git."""
    folder = tmp_path / "empty"
    folder.mkdir()
    return Checkout(folder, "", command_environment(state))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["../shop"], "a project cannot be called '../shop'"),
        (["-shop"], "unknown option -"),
        (["shop;ls"], "a project cannot be called 'shop;ls'"),
        ([], "new.project needs what stands after it"),
        (["shop", "--services", "api,api"], "two services are called 'api'"),
        (["shop", "--services", "api,../x"], "a service cannot be called '../x'"),
        (["shop", "--services", ","], "a project needs at least one service"),
        (["shop", "--services", "api:ruby"], "'api:ruby': a service's kind is"),
        (["json", "--single"], "the project cannot be called 'json'"),
        (["shop", "--single", "--services", "api"], "--single makes one service"),
        (["shop", "--kind", "ruby"], "--kind takes python, node or command, not 'ruby'"),
        (["shop", "--ci", "travis"], "--ci takes github"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_made(empty: Checkout, words: list[str], said: str) -> None:
    """Before anything is written."""
    ran = empty.run("tasklib", "new.project", *words)
    assert (ran.code, ran.out) == (2, ""), ran
    assert said in ran.err
    assert len(ran.err.splitlines()) <= 2
    assert list(empty.root.iterdir()) == []


def test_a_name_that_is_taken(empty: Checkout) -> None:
    """By a folder with something in it, which stays as it is."""
    empty.write({"shop/notes.txt": "mine\n"})
    ran = empty.run("tasklib", "new.project", "shop")
    assert (ran.code, "is not empty" in ran.err) == (2, True), ran
    assert [path.name for path in (empty.root / "shop").iterdir()] == ["notes.txt"]


def test_dry(empty: Checkout) -> None:
    """It names what it would write, and writes nothing."""
    ran = empty.run("tasklib", "--dry", "new.project", "shop")
    assert (ran.code, "would write shop/noxfile.py" in ran.out.splitlines()) == (0, True), ran
    assert list(empty.root.iterdir()) == []


def test_inside_of_a_checkout(empty: Checkout) -> None:
    """It becomes no repository within another, and workflow files are not put where no forge reads them."""
    empty.git("init", "-q")
    refused = empty.run("tasklib", "new.project", "shop", "--ci", "github")
    assert (refused.code, "top of a checkout" in refused.err) == (2, True), refused
    made = empty.run("tasklib", "new.project", "shop")
    assert made.code == 0, made
    assert not (empty.root / "shop" / ".git").exists()


def test_a_service_where_there_is_no_place_for_one(empty: Checkout) -> None:
    """In another project, in a single service, under a name that is taken; each is as it was."""
    nowhere = empty.run("tasklib", "new.service", "web")
    assert (nowhere.code, "no project that new.project made" in nowhere.err) == (2, True), nowhere

    assert empty.run("tasklib", "new.project", "one", "--single").code == 0
    single = empty.run("tasklib", "new.service", "web", cwd="one")
    assert (single.code, "single service" in single.err) == (2, True), single

    assert empty.run("tasklib", "new.project", "shop").code == 0
    empty.write({"shop/services/web/notes.txt": "mine\n"})
    taken = empty.run("tasklib", "new.service", "web", cwd="shop")
    again = empty.run("tasklib", "new.service", "api", cwd="shop")
    assert (taken.code, "is not empty" in taken.err) == (2, True), taken
    assert (again.code, "two services are called 'api'" in again.err) == (2, True), again
    assert [path.name for path in (empty.root / "shop/services/web").iterdir()] == ["notes.txt"]
