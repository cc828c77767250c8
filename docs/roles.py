"""Docstrings name things as Sphinx does; the site's generator wants them as references in Markdown."""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":(?:class|func|meth|mod|attr|exc|data):`~?([\w.]+)`")


class Roles(griffe.Extension):
    """A role becomes the last part of the name that it has."""

    def on_instance(self, *, node: Any, obj: griffe.Object, agent: Any, **kwargs: Any) -> None:
        if obj.docstring:
            obj.docstring.value = _ROLE.sub(_as_reference, obj.docstring.value)


def _as_reference(match: re.Match[str]) -> str:
    """What the page of the API has no place for stays its name."""
    name = match[1].rpartition(".")[2]
    return f"`{name}`"
