"""The files of a new project, in every layout and of every kind."""

from __future__ import annotations

import itertools
import json
import tomllib
from collections.abc import Iterator

import pytest
import yaml

from tasklib.new.answers import Answers, Kind, NewService
from tasklib.new.rendering import rendered


def every_project() -> Iterator[Answers]:
    """Each kind alone in both layouts, and two kinds in each order."""
    for kind in Kind:
        yield Answers("1.2.0", "shop", (NewService("shop", kind),), single=True, ci="github")
    for number in (1, 2):
        for kinds in itertools.product(Kind, repeat=number):
            services = (NewService(f"x{place}", kind) for place, kind in enumerate(kinds))
            yield Answers("1.2.0", "shop", tuple(services), ci="gitea")


def called(answers: Answers) -> str:
    return ("single " if answers.single else "") + "+".join(service.kind for service in answers.services)


@pytest.fixture(params=every_project(), ids=called)
def files(request: pytest.FixtureRequest) -> dict[str, str]:
    return dict(rendered(request.param))


def test_every_file_is_one_of_its_language(files: dict[str, str]) -> None:
    """Python compiles, TOML, YAML and JSON are read, and nothing of a template is left in any."""
    for name, text in files.items():
        if name.endswith(".py"):
            compile(text, name, "exec")
        elif name.endswith(".toml"):
            tomllib.loads(text)
        elif name.endswith((".yml", ".yaml")):
            assert yaml.safe_load(text)
        elif name.endswith(".json"):
            json.loads(text)
        assert not {"{%", "%}", "{#"} & set(text.split()), name
        assert "{{" not in text.replace("${{", ""), name
        assert text.endswith("\n") or not text, name
        assert all(line == line.rstrip() for line in text.splitlines()), name
