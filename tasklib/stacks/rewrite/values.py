"""The texts of a config in which programs are told where something is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["HEALTH_CHECK", "contents", "used_contents", "values"]

HEALTH_CHECK = "healthcheck.test"


def values(service: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Where in the service (long form) a text stands, and the text."""
    for key, value in (service.get("environment") or {}).items():
        if value is not None:
            yield key, str(value)
    for key in ("command", "entrypoint"):
        if value := service.get(key):
            yield key, _joined(value)
    if test := (service.get("healthcheck") or {}).get("test"):
        yield HEALTH_CHECK, _joined(test)
    for key, value in (service.get("labels") or {}).items():
        yield f"labels.{key}", str(value)
    build = service.get("build")
    if isinstance(build, dict):
        for key, value in (build.get("args") or {}).items():
            yield f"build.args.{key}", str(value)


def contents(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The key of each config that is written out in the file, and its text."""
    for key, part in (config.get("configs") or {}).items():
        if text := part.get("content"):
            yield key, str(text)


def used_contents(config: Mapping[str, Any], service: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The same of the configs that a service uses, with the place in the file instead of the key."""
    used = {
        entry.get("source") if isinstance(entry, Mapping) else entry for entry in service.get("configs") or []
    }
    for key, text in contents(config):
        if key in used:
            yield f"configs.{key}.content", text


def _joined(words: str | list[Any]) -> str:
    return words if isinstance(words, str) else "\n".join(map(str, words))
