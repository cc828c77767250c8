"""Dockerfiles read: instructions, what they copy, and the images they start from."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping

__all__ = ["REMOTE", "bases", "copied", "final_base", "instructions", "rename_bases", "volumes_in"]

REMOTE = re.compile(r"(?i)[a-z][a-z0-9+.-]*://|git@")
"""How a source of ADD begins that is no file of the context."""
_ESCAPE = re.compile(r"(?im)\A(?:\s*#[^\n]*\n)*?\s*#\s*escape\s*=\s*(?P<character>\S)")
_HEREDOC = re.compile(r"(?<!\S)\d*<<-?(?P<quote>[\"']?)(?P<word>[^\s\"'<]+)(?P=quote)(?!\S)")
_MOUNT = re.compile(r"--mount=(?P<options>\S+)")


def copied(dockerfile: str) -> tuple[str, ...] | None:
    """The patterns below the context that a Dockerfile's text copies or mounts; ``None`` where unsure.

    Unsure are variables in a source, ``ONBUILD``, and what cannot be parsed.
    """
    found: dict[str, None] = {}
    for word, rest in instructions(dockerfile):
        match word:
            case "COPY" | "ADD":
                sources = _sources(rest)
            case "RUN":
                sources = _mounted(rest)
            case "ONBUILD" | "":
                sources = None
            case _:
                sources = ()
        if sources is None:
            return None
        found.update(dict.fromkeys(sources))
    return tuple(found)


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Whole instructions: the word in capitals, and the rest with continued lines joined.

    Comments and the bodies of here-documents are left out. The last one is ``("", …)`` where the text ends
    in the middle of something.
    """
    directive = _ESCAPE.search(text)
    escape = re.escape(directive["character"] if directive else "\\")
    continued = re.compile(rf"(?:^|(?<!{escape})){escape}[ \t]*$")
    lines = iter(text.splitlines())
    whole = ""
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        whole += line.strip()
        if continued.search(whole):
            whole = continued.sub(" ", whole)
            continue
        word, _, rest = whole.replace("\t", " ").partition(" ")
        yield word.upper(), rest.strip()
        if word.upper() in ("COPY", "ADD", "RUN"):
            for document in _HEREDOC.finditer(whole):
                if not any(body.strip() == document["word"] for body in lines):
                    yield "", whole
        whole = ""
    if whole:
        yield "", whole


def _sources(arguments: str) -> tuple[str, ...] | None:
    """The local sources of a COPY or ADD; ``None`` where unsure."""
    words = arguments.split()
    flags = [word for word in words if word.startswith("--")]
    if any(flag.startswith("--from=") for flag in flags):
        return ()
    rest = arguments
    for flag in flags:
        rest = rest.replace(flag, "", 1)
    try:
        paths = json.loads(rest) if rest.lstrip().startswith("[") else shlex.split(rest)
    except ValueError:
        return None
    found = tuple(path for path in paths[:-1] if not REMOTE.match(path) and not path.startswith("<<"))
    return None if any("$" in path for path in found) else found


def _mounted(arguments: str) -> tuple[str, ...] | None:
    """The sources of a RUN's bind mounts from the context; ``None`` where unsure."""
    found = []
    for mount in _MOUNT.finditer(arguments):
        options = dict(option.partition("=")[::2] for option in mount["options"].split(","))
        if options.get("type", "bind") == "bind" and "from" not in options:
            found.append(options.get("source") or options.get("src") or ".")
    return None if any("$" in path for path in found) else tuple(found)


_FROM = re.compile(r"(?im)^(?P<head>[ \t]*FROM[ \t]+(?:--[a-z]+=\S+[ \t]+)*)(?P<image>[^\s#]+)(?P<tail>.*)$")
_GLOBAL = re.compile(r"(?im)^(?P<head>[ \t]*ARG[ \t]+\w+=[\"']?)(?P<image>[^\s\"']+)(?P<tail>.*)$")
_COPY = re.compile(
    r"(?im)^(?P<head>[ \t]*(?:COPY|ADD)[ \t]+(?:--\S+[ \t]+)*?--from=)(?P<image>[^\s]+)(?P<tail>.*)$"
)
_MOUNT_FROM = re.compile(
    r"(?im)^(?P<head>[ \t]*RUN[ \t].*?--mount=\S*?\bfrom=)(?P<image>[^\s,]+)(?P<tail>.*)$"
)
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
    for pattern in (_FROM, _COPY, _MOUNT_FROM):
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
