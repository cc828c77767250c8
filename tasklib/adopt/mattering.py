"""PURE: which of the variables that are set for tests these may depend on."""

from __future__ import annotations

import re

from tasklib.adopt.evidence import Evidence
from tasklib.adopt.names import ASIDE, LIBPQ
from tasklib.adopt.shell import joined

__all__ = ["matters", "read"]

_KNOWN = re.compile(rf"{LIBPQ.pattern}|(DJANGO_|FLASK_|NODE_ENV|PYTHONPATH|AWS_)\w*")
_LOADS = re.compile(r"env_file\s*=|dotenv|read_env\(|\bdecouple\b|--env-file")
"""How code takes variables from a file."""


def matters(name: str, value: str, folder: str, evidence: Evidence) -> bool:
    """Whether tests in ``folder`` may depend on ``name`` being set to ``value``.

    Something reads it, or a file of variables lists it for code that reads it in ways that are not seen here;
    and it is no more than what a file that everybody has says anyway.
    """
    listed = any(one.name == name for one in evidence.values)
    if (
        ASIDE.fullmatch(name)
        or "$" in value
        or not (listed or _KNOWN.fullmatch(name) or read(name, evidence))
    ):
        return False
    return not (listed and _loaded(name, value, folder, evidence))


def read(name: str, evidence: Evidence) -> bool:
    """Whether code is seen to read a variable."""
    return any(variable.name == name for variable in evidence.variables)


def _loaded(name: str, value: str, folder: str, evidence: Evidence) -> bool:
    files = {".env", joined(folder, ".env")}
    same = any(one.place.file in files and (one.name, one.value) == (name, value) for one in evidence.values)
    return same and any(_LOADS.search(text) for file, text in evidence.texts.items() if file not in files)
