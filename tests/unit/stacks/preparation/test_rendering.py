"""What Compose is asked before anybody needs the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tasklib.errors import ConfigError
from tasklib.process import Cancel
from tasklib.stacks.compose import compose
from tasklib.stacks.compose.source import Source
from tasklib.stacks.preparation import rendering

ENV = {"TEST_INSTANCE_ID": "main", "LEVEL": "1"}


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source((tmp_path / "compose.yaml",), tmp_path)


@pytest.fixture
def questions(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, str]]:
    """Stands in for Compose: the environments that it was asked with. A LEVEL of "broken" it refuses."""
    asked: list[Mapping[str, str]] = []

    def answer(
        source: Source, project: str, env: Mapping[str, str], cancel: Any, *, on_unset: Callable[[str], None]
    ) -> dict[str, Any]:
        asked.append(env)
        if env["LEVEL"] == "broken":
            raise ConfigError("no such level")
        on_unset("COLOUR")
        return {"name": project, "services": {"db": {"hostname": f"db-{env['TEST_INSTANCE_ID']}"}}}

    monkeypatch.setattr(compose, "render", answer)
    monkeypatch.setattr(rendering, "_ASKED", [])
    return asked


def rendered(source: Source, env: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    unset: list[str] = []
    found, _ = rendering.render(source, "test-main_api", env, Cancel(), unset.append, twice=False)
    return found, unset


def test_an_answer_that_is_asked_for_ahead_is_used_once(
    source: Source, questions: list[Mapping[str, str]]
) -> None:
    """It is the same as if it had been asked then; whoever asks once more may find other files."""
    rendering.render_ahead(source, "test-main_api", ENV, Cancel())
    ahead = rendered(source, ENV)
    assert len(questions) == 1
    assert ahead == rendered(source, ENV)
    assert len(questions) == 2
    assert ahead[1] == ["COLOUR"]
    assert ahead[0]["services"]["db"]["hostname"] == "db-main"


def test_another_question_gets_an_answer_of_its_own(
    source: Source, questions: list[Mapping[str, str]]
) -> None:
    """The id that the engine gave may be another one than was expected."""
    rendering.render_ahead(source, "test-main_api", ENV, Cancel())
    rendering._ASKED[0].answer.result()
    rendered(source, {**ENV, "LEVEL": "2"})
    assert [env["LEVEL"] for env in questions] == ["1", "2"]
    rendered(source, ENV)
    assert [env["LEVEL"] for env in questions] == ["1", "2", "1"], "an old answer was kept"


def test_what_is_wrong_is_told_to_whoever_needs_it(
    source: Source, questions: list[Mapping[str, str]]
) -> None:
    """Asked ahead it says nothing; the question is then asked in the usual way, and answered by that."""
    env = {**ENV, "LEVEL": "broken"}
    rendering.render_ahead(source, "test-main_api", env, Cancel())
    with pytest.raises(ConfigError, match="no such level"):
        rendered(source, env)
