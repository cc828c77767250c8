"""What tasklib-stages says of itself: the version, and the requirements, of the code that it is bound to."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_SAME = ("authors", "classifiers", "keywords", "requires-python", "urls", "version")
_FRONT_ENDS = "stages"
"""The extra that lists what the front ends need."""

_OWN = frozenset((_FRONT_ENDS, "dev"))
"""Extras that are nothing for whoever installs this one."""

_PICTURE = re.compile(r"\]\((docs/images/[^)]+)\)")
_LINK = re.compile(r"\]\((?![a-z]+:|#)([^)]+)\)")


class Hook(MetadataHookInterface):
    """Reads ../pyproject.toml, in a source distribution its copy."""

    def update(self, metadata: dict[str, Any]) -> None:
        own = Path(self.root)
        root = own / "from" if (own / "from").is_dir() else own.parent
        code = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        metadata.update({key: code[key] for key in _SAME})
        name, version = code["name"], code["version"]
        # Exactly that version: the two are one release, and nobody tests any other pair.
        metadata["dependencies"] = [f"{name}[{_FRONT_ENDS}]=={version}"]
        extras = sorted(code["optional-dependencies"].keys() - _OWN)
        metadata["optional-dependencies"] = {extra: [f"{name}[{extra}]=={version}"] for extra in extras}
        text = (root / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": _on_pypi(text, code["urls"]["Source"])}


def _on_pypi(text: str, source: str) -> str:
    """Links within the repository lead nowhere there."""
    raw = source.replace("github.com", "raw.githubusercontent.com")
    text = _PICTURE.sub(rf"]({raw}/main/\1)", text)
    return _LINK.sub(rf"]({source}/blob/main/\1)", text)
