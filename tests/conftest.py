"""What every test has in common."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib.resources import files

from hypothesis import HealthCheck, settings

# How long an example takes is the machine's affair: tests fail for what is wrong, never for being slow.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def _variables_of_agents(value: object) -> Iterator[str]:
    """The variables by which the library knows an agent, wherever they stand in its rules."""
    if isinstance(value, dict):
        if value.get("type") in ("env_set", "env_value"):
            yield str(value["name"])
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _variables_of_agents(one)


# Tests see what people see, also where a coding agent runs them.
_AGENTS = json.loads(files("detect_agent").joinpath("agents.json").read_text(encoding="utf-8"))
for _name in ("AI_AGENT", "PI_CODING_AGENT", *_variables_of_agents(_AGENTS)):
    os.environ.pop(_name, None)
