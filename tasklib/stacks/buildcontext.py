"""Which files of its build context an image is made from, read from its Dockerfile.

The context of most images is the whole project; what decides whether a change touches one is what its
Dockerfile copies. Where that cannot be read with certainty, it is the whole context.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from pathspec import PathSpec, Pattern

__all__ = ["REMOTE", "BuildContext", "build_context", "copied", "instructions", "read_text"]

REMOTE = re.compile(r"(?i)[a-z][a-z0-9+.-]*://|git@")
"""How a source of ADD begins that is no file of the context."""
_ESCAPE = re.compile(r"(?im)\A(?:\s*#[^\n]*\n)*?\s*#\s*escape\s*=\s*(?P<character>\S)")
_HEREDOC = re.compile(r"(?<!\S)\d*<<-?(?P<quote>[\"']?)(?P<word>[^\s\"'<]+)(?P=quote)(?!\S)")
_MOUNT = re.compile(r"--mount=(?P<options>\S+)")


@dataclass(frozen=True)
class BuildContext:
    """The build context ``folder`` (absolute) of one image.

    ``dockerfile`` is its Dockerfile (absolute, ``None`` if written inline), ``sources`` the patterns below
    the context that it copies (``None``: may be anything), ``ignored`` the lines of its .dockerignore.
    """

    folder: Path
    dockerfile: Path | None = None
    sources: tuple[str, ...] | None = None
    ignored: tuple[str, ...] = ()

    def holds(self, path: Path) -> bool:
        """Whether a change of ``path`` (absolute) may change the image."""
        if path == self.dockerfile:
            return True
        try:
            name = path.relative_to(self.folder).as_posix()
        except ValueError:
            return False
        if name == ".dockerignore" or (
            self.dockerfile and path.name == f"{self.dockerfile.name}.dockerignore"
        ):
            return True
        return self._taken.match_file(name) and not self._left_out.match_file(name)

    def leaves_out(self, folder: Path) -> bool:
        """Whether nothing at or below ``folder`` (absolute) is taken, whatever the Dockerfile copies."""
        excepted = any(line.strip().startswith("!") for line in self.ignored)
        return not excepted and self._left_out.match_file(folder.relative_to(self.folder).as_posix())

    @cached_property
    def _taken(self) -> PathSpec[Pattern]:
        return _spec(["."] if self.sources is None else self.sources)

    @cached_property
    def _left_out(self) -> PathSpec[Pattern]:
        return _spec(line for line in self.ignored if not line.startswith("#"))


def build_context(build: Mapping[str, Any]) -> BuildContext | None:
    """The context of a rendered service's ``build``; ``None`` without one on this machine."""
    folder = Path(str(build.get("context", "")))
    if not folder.is_absolute():
        return None
    inline = build.get("dockerfile_inline")
    dockerfile = None if inline else folder / str(build.get("dockerfile", "Dockerfile"))
    ignored = read_text(dockerfile.with_name(f"{dockerfile.name}.dockerignore")) if dockerfile else None
    if ignored is None:
        ignored = read_text(folder / ".dockerignore")
    text = str(inline) if inline else read_text(dockerfile)
    return BuildContext(
        folder,
        dockerfile,
        None if text is None else copied(text),
        tuple((ignored or "").splitlines()),
    )


def read_text(path: Path | None) -> str | None:
    """What a file holds; ``None`` where there is none that can be read."""
    try:
        return path.read_text(errors="replace") if path else None
    except OSError:
        return None


def _spec(patterns: Iterable[str]) -> PathSpec[Pattern]:
    """Docker's patterns are anchored at the context, those of gitignore only with a leading slash."""
    lines = []
    for pattern in patterns:
        pattern = pattern.strip()
        exclusion = "!" if pattern.startswith("!") else ""
        name = pattern.removeprefix("!").strip().strip("/")
        name = str(PurePosixPath(name)) if name else ""
        if name:
            lines.append(f"{exclusion}/**" if name == "." else f"{exclusion}/{name}")
    return PathSpec.from_lines("gitignore", lines)


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
