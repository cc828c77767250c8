"""Which images the set-up chose on this machine, for tests and benchmarks that somebody starts by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["chosen_images"]

_WRITTEN = Path(__file__).resolve().parent.parent / "example-project" / "deploy" / "test" / ".env"
"""One of the files that the set-up writes where it uses stand-ins."""


def chosen_images(env: Mapping[str, str]) -> dict[str, str]:
    """The images' variables by name; none where `env` holds any such already, or official ones are used."""
    if any(name.endswith("_IMAGE") for name in env) or not _WRITTEN.is_file():
        return {}
    rows = (line.partition("=") for line in _WRITTEN.read_text(encoding="utf-8").splitlines())
    return {name: image for name, equals, image in rows if equals and name.endswith("_IMAGE")}
