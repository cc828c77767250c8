"""What every test has in common."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from importlib.resources import files

# Rewriting asserts takes as long as a fifth of the tests. What pytest makes of a file is kept, as it is by
# default; processes that tests start still hear PYTHONDONTWRITEBYTECODE.
sys.dont_write_bytecode = False

from hypothesis import settings  # noqa: E402 - it is rewritten as well

from tasklib.garbage import look_seldom  # noqa: E402

from .examples import QUICK, THOROUGH, patient  # noqa: E402

# Little of what all tests import is garbage: to look for it so often is a tenth of their time.
look_seldom()

settings.register_profile("quick", patient(QUICK))
settings.register_profile("thorough", patient(THOROUGH))
settings.load_profile("quick")


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
