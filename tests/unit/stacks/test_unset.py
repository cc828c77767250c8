"""Variables that nothing sets, and what they leave behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklib.errors import ConfigError
from tasklib.stacks.compose.source import Source
from tasklib.stacks.unset import not_set, place_of, refuse_bad_images, refuse_unset


def test_an_image_without_its_tag_is_refused_with_service_and_variable() -> None:
    """It is the configuration that is wrong, not the engine that refuses it."""
    rendered = {"services": {"db": {"image": "postgres:16"}, "kafka": {"image": "quay.io/debezium/kafka:"}}}
    with pytest.raises(ConfigError, match=r"kafka: .*no valid image reference") as caught:
        refuse_bad_images(rendered, {"DEBEZIUM_VERSION": "/p/compose.yml:3"}, "/p/compose.yml")
    assert (caught.value.where, caught.value.exit_code) == ("/p/compose.yml:3", 2)
    assert "DEBEZIUM_VERSION" in str(caught.value.remedy)


def test_images_as_the_engine_takes_them_and_services_without_one_are_fine() -> None:
    """What is built needs no name, and others are read as the engine reads them."""
    refuse_bad_images(
        {"services": {"a": {"build": {"context": "/p"}}, "b": {"image": "r.example/b:1"}}}, {}, "f"
    )


@pytest.mark.parametrize(
    ("asks", "line"),
    [("$PW", 3), ("${PW}", 3), ("${PW:?missing}", 3), ("$$PW", None), ("${PWD}", None), ("# $PW", None)],
)
def test_the_first_line_that_asks_for_a_variable_is_its_place(
    tmp_path: Path, asks: str, line: int | None
) -> None:
    """A doubled dollar, a longer name and a comment do not ask; the first file stands for its includes."""
    first, second = tmp_path / "compose.yml", tmp_path / "other.yml"
    first.write_text("services: {}\n")
    second.write_text(f"services:\n  db:\n    {asks}\n")
    assert place_of("PW", [first, second]) == (f"{second}:{line}" if line else str(first))


def test_a_secret_whose_variable_nothing_sets_is_refused() -> None:
    """Before anything is made; what no service uses, and what an env file sets in any form, is fine."""
    rendered = {
        "services": {"web": {"secrets": [{"source": "token"}]}},
        "secrets": {"token": {"environment": "TOKEN"}, "other": {"environment": "OTHER"}, "f": {"file": "x"}},
    }
    with pytest.raises(
        ConfigError, match="the secret token is the value of TOKEN, which is not set"
    ) as caught:
        refuse_unset(rendered, {"PATH"}, ["# TOKEN=x\n"], "/p/compose.yml")
    assert "Export TOKEN" in str(caught.value.remedy)
    for variables, text in (({"TOKEN"}, ""), ((), "A=1\nexport TOKEN=x\n"), ((), "TOKEN: x")):
        refuse_unset(rendered, variables, [text], "/p/compose.yml")


def test_an_env_file_that_is_missing_is_told_with_what_brings_it(tmp_path: Path) -> None:
    """In a new worktree git's ignored .env is not there: its example is."""
    source = Source((tmp_path / "compose.yml",), tmp_path)
    assert not_set(["B", "A"], source.missing_env_files) == "Not set, and without a default: A, B."
    (tmp_path / "env.example").write_text("A=\nB=\n")
    assert "`cp env.example .env`" in str(not_set(["A"], source.missing_env_files))
    assert not_set([], source.missing_env_files) is None
    (tmp_path / ".env").touch()
    assert source.missing_env_files == ()
