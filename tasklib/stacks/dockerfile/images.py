"""The images that a Dockerfile names: which, where, and what the last stage stands on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct, field

from tasklib.stacks.dockerfile.instructions import Instruction, Word, instructions
from tasklib.stacks.references import parse_reference

__all__ = ["ImageName", "bases", "final_base", "image_names", "rename_bases", "volumes_in"]

_NOTHING: Mapping[str, str] = MappingProxyType({})
_VARIABLE = re.compile(
    r"\$(?:(?P<plain>\w+)|\{(?P<braced>\w+)(?:(?P<sign>:?[-+])(?P<word>[^{}]*))?\})", re.ASCII
)

_GIVEN = re.compile(r"(?i)(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT)|TARGETSTAGE|BUILDKIT_\w+|\w+_PROXY")
"""Arguments that a builder has without being told; every other one is empty where nothing sets it."""


class ImageName(Struct, frozen=True):
    """A place that names an image: the range of the text, and the image with its variables filled in.

    ``image`` is ``None`` where a variable is not known.
    """

    image: str | None
    start: int
    end: int


class _Stage(Struct):
    """``base``: the image or the earlier stage that it stands on."""

    base: ImageName | _Stage
    names: tuple[str, ...]
    volumes: list[str] = field(default_factory=list)


def image_names(text: str, arguments: Mapping[str, str] = _NOTHING) -> tuple[ImageName, ...]:
    """What ``FROM``, ``COPY --from`` and mounts name, but for the file's own stages.

    ``arguments`` are those of the build; they come before the defaults of ``ARG`` lines ahead of any stage.
    """
    return _read(text, arguments)[1]


def bases(text: str, arguments: Mapping[str, str] = _NOTHING) -> tuple[str, ...]:
    """Every image that a build of the file may use, as far as their names are known."""
    return tuple(dict.fromkeys(found.image for found in image_names(text, arguments) if found.image))


def rename_bases(text: str, names: Mapping[str, str], arguments: Mapping[str, str] = _NOTHING) -> str:
    """The same Dockerfile with the images of ``names`` (old → new) under their new names.

    Everything else, a word that names none of them included, stays as it is written.
    """
    for found in sorted(image_names(text, arguments), key=lambda found: found.start, reverse=True):
        if new := names.get(found.image or ""):
            text = text[: found.start] + new + text[found.end :]
    return text


def final_base(text: str, arguments: Mapping[str, str] = _NOTHING, target: str | None = None) -> str | None:
    """The image that the stage ``target`` (the last one) stands on, through stages of the file.

    ``None`` where there is none, or one whose name is not known.
    """
    base = _chosen(_read(text, arguments)[0], target)
    while isinstance(base, _Stage):
        base = base.base
    return base.image if base else None


def volumes_in(text: str, target: str | None = None) -> tuple[str, ...]:
    """The absolute paths that ``VOLUME`` declares in the stage ``target`` (the last one) and below it."""
    stage, found = _chosen(_read(text, _NOTHING)[0], target), []
    while isinstance(stage, _Stage):
        found.append(stage.volumes)
        stage = stage.base
    paths = (path for volumes in reversed(found) for path in volumes)
    return tuple(dict.fromkeys(path for path in paths if path.startswith("/") and "$" not in path))


def _chosen(stages: list[_Stage], target: str | None) -> _Stage | ImageName | None:
    if target:
        return next((stage for stage in stages if target.lower() in stage.names), None)
    return stages[-1] if stages else None


def _read(text: str, arguments: Mapping[str, str]) -> tuple[list[_Stage], tuple[ImageName, ...]]:
    stages: list[_Stage] = []
    named: list[ImageName] = []
    known: dict[str, str] = {}
    for found in instructions(text):
        if found.name == "ARG" and not stages:
            _declare(found, arguments, known)
        elif found.name == "FROM" and found.arguments:
            base, *rest = found.arguments
            filled = _filled(base.text, known)
            image = filled if filled and parse_reference(filled) else None
            stage = next((stage for stage in stages if image and image.lower() in stage.names[:-1]), None)
            name = ImageName(image, base.start, base.end)
            names = [rest[1].text.lower()] if len(rest) > 1 and rest[0].text.upper() == "AS" else []
            stages.append(_Stage(stage or name, (*names, str(len(stages)))))
            if stage is None:
                named.append(name)
        elif found.name == "VOLUME" and stages:
            stages[-1].volumes += _paths(found)
        else:
            own = {name for stage in stages for name in stage.names}
            named += (
                n for n in _taken_from(found.triggered() or found) if (n.image or "").lower() not in own
            )
    return stages, tuple(named)


def _declare(found: Instruction, arguments: Mapping[str, str], known: dict[str, str]) -> None:
    for word in found.words:
        name, equals, default = word.text.partition("=")
        value = arguments.get(name, _filled(default, known) if equals else None)
        if value is not None:
            known[name] = value


def _filled(text: str, known: Mapping[str, str]) -> str | None:
    """A word without its quotes and with its variables filled in; ``None`` where one is not known."""
    unknown = False

    def value(found: re.Match[str]) -> str:
        nonlocal unknown
        name, sign, word = found["plain"] or found["braced"], found["sign"] or "", found["word"] or ""
        have = known.get(name)
        if have is None and _GIVEN.fullmatch(name):
            unknown = True
        present = bool(have) if sign.startswith(":") else have is not None
        if sign.endswith("+"):
            return word if present else ""
        if sign.endswith("-"):
            return (have or "") if present else word
        return have or ""

    filled = _VARIABLE.sub(value, re.sub(r"[\"']", "", text))
    return None if unknown or "$" in filled else filled


def _taken_from(found: Instruction) -> Iterator[ImageName]:
    """What an instruction's options name as the source of files."""
    for flag in found.flags:
        if found.name in ("COPY", "ADD") and flag.text.startswith("--from="):
            yield _part(flag, len("--from="), flag.text.removeprefix("--from="))
        elif found.name == "RUN" and flag.text.startswith("--mount="):
            at = len("--mount=")
            for option in flag.text[at:].split(","):
                if option.startswith("from="):
                    yield _part(flag, at + len("from="), option.removeprefix("from="))
                at += len(option) + 1


def _part(word: Word, start: int, text: str) -> ImageName:
    """The end of an option; where the option is continued on another line, nobody can tell its place."""
    whole = word.end - word.start == len(word.text)
    place = word.start + start
    return ImageName(text if whole and "$" not in text else None, place, place + len(text))


def _paths(found: Instruction) -> Iterable[str]:
    try:
        paths = json.loads(found.rest)
    except (ValueError, RecursionError):
        paths = [word.text for word in found.words]
    return [path for path in paths if isinstance(path, str)] if isinstance(paths, list) else []
