"""What tests depend on beside the checkout's tree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tasklib.changes.surroundings import Rest, differences, rest_of
from tasklib.checkout import find_checkout
from tasklib.project import Project, Service

Digest = Callable[..., str | None]


@pytest.fixture
def rest(repository: Path) -> Digest:
    """Tells the digest of the surroundings, with the variables that are given."""
    ignored = (".env", "data/", "*.pem", "*.log", ".coverage", ".venv/", "__pycache__/", "")
    (repository / ".gitignore").write_text("\n".join(ignored))
    compose = repository / "compose.yml"
    compose.write_text("services: {db: {image: 'postgres:${TAG}'}}\n")
    api = repository / "services" / "api"
    api.mkdir(parents=True)
    project = Project(repository, "shop", (Service("api", api, compose=(compose,)),))

    def digest(**env: str) -> str | None:
        found = rest_of(project, find_checkout(repository), env)
        return found.digest if found else None

    return digest


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(".env", id="an env file of the stack"),
        pytest.param("services/api/.env", id="an env file of a service"),
        pytest.param("services/api/key.pem", id="a certificate"),
        pytest.param("data/seed/rows.csv", id="what a container may mount"),
        pytest.param("services/api/.venv/pyvenv.cfg", id="the environment that is installed"),
    ],
)
def test_an_ignored_file_that_may_be_in_use_counts(repository: Path, rest: Digest, name: str) -> None:
    """Its edit is another content, taking it back the same again."""
    path = repository / name
    path.parent.mkdir(parents=True, exist_ok=True)
    missing = rest()
    path.write_text("one")
    first = rest()
    path.write_text("two")
    second = rest()
    path.write_text("one")
    assert len({missing, first, second}) == 3
    assert rest() == first


@pytest.mark.parametrize(
    "name", ["run.log", "services/api/__pycache__/x.pyc", ".coverage", "data/__pycache__/x", ".venv/lib/x.py"]
)
def test_what_runs_leave_behind_does_not(repository: Path, rest: Digest, name: str) -> None:
    """Every run would void what the one before proved."""
    before = rest()
    path = repository / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("changed")
    assert rest() == before


def test_a_variable_that_the_files_name_counts(rest: Digest) -> None:
    """Others do not."""
    assert rest(TAG="16") != rest(TAG="17")
    assert rest(TAG="16", OTHER="x") == rest(TAG="16")


def test_too_many_files_are_never_the_same(
    repository: Path, rest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading them would take as long as testing."""
    monkeypatch.setattr("tasklib.changes.surroundings._MOST", 2)
    for number in range(3):
        (repository / "data").mkdir(exist_ok=True)
        (repository / "data" / str(number)).touch()
    assert rest() is None


def test_what_a_run_installs_does_not_void_it() -> None:
    """The first run in a fresh checkout makes its environment; an edit of anything else does."""
    before = Rest({".env": "1"})
    assert before.holds_after(Rest({".env": "1", ".venv/pyvenv.cfg": "x"}, frozenset({".venv/pyvenv.cfg"})))
    assert not before.holds_after(Rest({".env": "1", "key.pem": "x"}))
    assert not before.holds_after(Rest({".env": "2"}))
    assert not before.holds_after(Rest({}))


def test_what_is_another_one_is_told_in_words(tmp_path: Path) -> None:
    """By its name, and by no value: variables may hold secrets."""
    here = {"python": "3.12", "tasklib": "1", "$TAG": repr("16"), "$KEY": repr(None), f"{tmp_path}/.env": "a"}
    there = {"python": "3.13", "tasklib": "1", "$TAG": repr("17"), "$KEY": repr("hush")}
    there |= {f"{tmp_path}/api/.venv/pyvenv.cfg": "b"}
    before, now = Rest(here).told, Rest(there).told
    assert differences(before, now, tmp_path) == (
        "$KEY is set",
        "$TAG has another value",
        ".env is gone",
        "api/.venv is another environment",
        "it passed with another Python",
    )
    assert differences(now, before, tmp_path)[0] == "$KEY is not set"
    assert differences(now, now, tmp_path) == ()
    assert "hush" not in str(now)
