"""What Compose said when it refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklib.errors import ConfigError
from tasklib.stacks.compose import refusals
from tasklib.stacks.compose.refusals import failure
from tasklib.stacks.compose.source import Source

SOURCE = Source((Path("/shop/compose.yml"),), Path("/shop"))


@pytest.mark.parametrize(
    "value",
    ["echo ${A B}\nls -al", "echo ${A B}\n\n  level=warning\n", "echo ${A B}"],
    ids=["lines", "empty", "one"],
)
def test_a_dollar_that_is_no_variables_is_told_by_its_place(value: str) -> None:
    """Compose writes out the whole value after what is wrong: its last line says nothing."""
    what = (
        "invalid interpolation format for services.a.command.\nYou may need to escape any $ with another $."
    )
    error = failure(f"{what}\n{value}\n", ConfigError, SOURCE)
    assert str(error) == (
        "/shop/compose.yml: services.a.command: no variable can be read in `echo ${A B}`\n"
        "Write `${NAME}` for a variable, and `$$` for a dollar that is to stay one."
    )


def test_files_that_include_each_other_are_told() -> None:
    """By their names, not by the last line alone."""
    said = "include cycle detected:\n/shop/compose.yml\n include /shop/b.yml\n include /shop/compose.yml\n"
    error = failure(said, ConfigError, SOURCE)
    assert "its `include` leads back to the file itself: /shop/compose.yml → /shop/b.yml" in str(error)


def test_services_that_extend_each_other_are_told() -> None:
    """By their names and files, not by the last line alone."""
    said = "Circular reference:\n  a in /shop/c.yml\n  extends b in /shop/c.yml\n  extends a in /shop/c.yml\n"
    error = failure(said, ConfigError, SOURCE)
    assert "back to the service itself: a in /shop/c.yml → b in /shop/c.yml → a in /shop/c.yml" in str(error)


def test_a_tab_is_told_by_what_yaml_wants() -> None:
    """The parser speaks of characters and tokens."""
    error = failure("yaml: line 2: found character that cannot start any token\n", ConfigError, SOURCE)
    assert "by spaces, not by tabs" in str(error.remedy)


def test_a_dependency_that_is_not_there_may_be_in_a_profile() -> None:
    """Compose says of both that it is undefined: what chooses profiles is named."""
    said = 'service "web" depends on undefined service "cache": invalid compose project'
    error = failure(said, ConfigError, SOURCE)
    assert error.remedy == "Where cache has a profile, `profiles` in [tool.tasklib] names those to use."


@pytest.mark.parametrize(("more", "line"), [("", ":2"), ("x: ${OTHER}", "")], ids=["one", "two"])
def test_variables_that_are_not_set_are_named_where_compose_refuses_what_is_left(
    tmp_path: Path, more: str, line: str
) -> None:
    """It speaks of an empty value alone; where one variable is missing, that is the place."""
    file = tmp_path / "compose.yml"
    file.write_text(f"services:\n  a: {{image: $IMAGE}}\n{more}\n")
    names = ["IMAGE", *(["OTHER"] if more else [])]
    said = "".join(
        f'level=warning msg="The \\"{name}\\" variable is not set. Defaulting to a blank string."\n'
        for name in names
    )
    error = failure(
        f"{said}service has neither an image nor a build\n", ConfigError, Source((file,), tmp_path)
    )
    assert error.where == f"{file}{line}"
    assert error.remedy == f"Not set, and without a default: {', '.join(names)}."


@pytest.mark.parametrize(
    "said", ["validating /shop/over.yml: additional properties 'imag' not allowed", "undefined network foo"]
)
def test_a_variable_is_not_blamed_for_what_no_empty_value_makes(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt key, a name that is nowhere."""
    monkeypatch.setattr(refusals, "compose_version", lambda: "2.26.1")
    file = tmp_path / "compose.yml"
    file.write_text("services:\n  a: {image: $IMAGE}\n")
    warning = 'level=warning msg="The \\"IMAGE\\" variable is not set. Defaulting to a blank string."\n'
    error = failure(f"{warning}{said}\n", ConfigError, Source((file,), tmp_path))
    assert "IMAGE" not in str(error)
    assert not str(error.where).endswith(":2")


def test_a_version_of_the_api_that_the_engine_does_not_have_is_no_mistake_of_the_file() -> None:
    """DOCKER_API_VERSION asks for it: exit code 3, and what to unset."""
    said = "client version 1.99 is too new. Maximum supported API version is 1.45\n"
    error = failure(said, ConfigError, SOURCE)
    assert (error.exit_code, error.where) == (3, None)
    assert "DOCKER_API_VERSION" in str(error)


@pytest.mark.parametrize(
    "said",
    [
        "validating /shop/compose.yml: services.a Additional property models is not allowed",
        'services.a.pull_policy must be one of the following: "always", "never"',
        'unsupported env_file format "raw"',
    ],
    ids=["key", "word", "format"],
)
def test_what_compose_does_not_know_may_be_newer_than_it(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """A key, or a word that a later version takes for one: which version is here is part of the message."""
    monkeypatch.setattr(refusals, "compose_version", lambda: "2.26.1")
    error = failure(f"{said}\n", ConfigError, SOURCE)
    assert (
        error.remedy
        == "Compose 2.26.1 is installed, which does not know it: is it misspelt, or newer than that?"
    )
