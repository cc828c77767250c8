"""The images a Dockerfile starts from or copies from, and giving them other names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

__all__ = ["bases", "final_base", "rename_bases", "volumes_in"]

_FROM = re.compile(r"(?im)^(?P<head>[ \t]*FROM[ \t]+(?:--[a-z]+=\S+[ \t]+)*)(?P<image>[^\s#]+)(?P<tail>.*)$")
_GLOBAL = re.compile(r"(?im)^(?P<head>[ \t]*ARG[ \t]+\w+=[\"']?)(?P<image>[^\s\"']+)(?P<tail>.*)$")
_COPY = re.compile(
    r"(?im)^(?P<head>[ \t]*(?:COPY|ADD)[ \t]+(?:--\S+[ \t]+)*?--from=)(?P<image>[^\s]+)(?P<tail>.*)$"
)
_MOUNT = re.compile(r"(?im)^(?P<head>[ \t]*RUN[ \t].*?--mount=\S*?\bfrom=)(?P<image>[^\s,]+)(?P<tail>.*)$")
_VOLUME = re.compile(r"(?im)^[ \t]*VOLUME[ \t]+(.+?)[ \t]*$")
_STAGE = re.compile(r"(?im)^[ \t]*FROM[ \t].*?[ \t]AS[ \t]+(?P<name>\S+)")


def bases(text: str) -> tuple[str, ...]:
    """Every image that ``FROM``, ``COPY --from``, a mount or the default of an early ``ARG`` may name.

    Names of the file's own stages are none.
    """
    stages = {found["name"].lower() for found in _STAGE.finditer(text)}
    found: dict[str, None] = {}

    def note(image: str) -> str:
        if image.lower() not in stages and not image.isdigit():
            found[image] = None
        return image

    _each(text, note)
    return tuple(found)


def rename_bases(text: str, names: Mapping[str, str]) -> str:
    """The same Dockerfile with the images of ``names`` (old → new) replaced where :func:`bases` looks."""
    return _each(text, lambda image: names.get(image, image))


def _each(text: str, change: Callable[[str], str]) -> str:
    def line(found: re.Match[str]) -> str:
        return f"{found['head']}{change(found['image'])}{found['tail']}"

    start = _FROM.search(text)
    early, rest = (text[: start.start()], text[start.start() :]) if start else (text, "")
    early = _GLOBAL.sub(line, early)
    for pattern in (_FROM, _COPY, _MOUNT):
        rest = pattern.sub(line, rest)
    return early + rest


def final_base(text: str) -> str | None:
    """The image that the last stage stands on, through stages of the file; ``None`` where it is not plain."""
    stages: dict[str, str] = {}
    base = None
    for found in _FROM.finditer(text):
        base = stages.get(found["image"].lower(), found["image"])
        if name := _STAGE.search(found[0]):
            stages[name["name"].lower()] = base
    return None if base is None or "$" in base else base


def volumes_in(text: str) -> tuple[str, ...]:
    """The absolute paths that ``VOLUME`` declares in the last stage."""
    starts = [found.start() for found in _FROM.finditer(text)]
    found: list[str] = []
    for line in _VOLUME.findall(text[starts[-1] if starts else 0 :]):
        try:
            paths = json.loads(line)
        except ValueError:
            paths = line.split()
        found += [
            path for path in paths if isinstance(path, str) and path.startswith("/") and "$" not in path
        ]
    return tuple(dict.fromkeys(found))
