"""Which files of its build context an image is made from, read from its Dockerfile.

The context of most images is the whole project; what decides whether a change touches one is what its
Dockerfile copies. Where that cannot be read with certainty, it is the whole context.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from tasklib.stacks.dockerfile import copied
from tasklib.stacks.dollars import plain

if TYPE_CHECKING:
    from pathspec import PathSpec, Pattern

__all__ = ["BuildContext", "build_context", "read_text"]


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
        """Whether a change of ``path`` (absolute) may change the image.

        A folder (a submodule is one changed path) does where anything in it may.
        """
        if path == self.dockerfile or (self.folder != path and self.folder.is_relative_to(path)):
            return True
        try:
            name = path.relative_to(self.folder).as_posix()
        except ValueError:
            return False
        if name == ".dockerignore" or (
            self.dockerfile and path.name == f"{self.dockerfile.name}.dockerignore"
        ):
            return True
        above = name.split("/")
        taken = self._taken.match_file(name) or any(_reaches_into(above, parts) for parts in self._parts)
        return taken and not self._left_out.match_file(name)

    def leaves_out(self, folder: Path) -> bool:
        """Whether nothing at or below ``folder`` (absolute) is taken, whatever the Dockerfile copies."""
        excepted = any(line.strip().startswith("!") for line in self.ignored)
        return not excepted and self._left_out.match_file(folder.relative_to(self.folder).as_posix())

    @cached_property
    def _taken(self) -> PathSpec[Pattern]:
        return _spec(["."] if self.sources is None else self.sources)

    @cached_property
    def _parts(self) -> tuple[tuple[str, ...], ...]:
        return tuple(PurePosixPath(source.strip("/")).parts for source in self.sources or ())

    @cached_property
    def _left_out(self) -> PathSpec[Pattern]:
        return _spec(line for line in self.ignored if not line.startswith("#"))


def build_context(build: Mapping[str, Any]) -> BuildContext | None:
    """The context of a rendered service's ``build``; ``None`` without one on this machine."""
    folder = Path(plain(build.get("context", "")))
    if not folder.is_absolute():
        return None
    inline = build.get("dockerfile_inline")
    dockerfile = None if inline else folder / plain(build.get("dockerfile", "Dockerfile"))
    ignored = read_text(dockerfile.with_name(f"{dockerfile.name}.dockerignore")) if dockerfile else None
    if ignored is None:
        ignored = read_text(folder / ".dockerignore")
    text = plain(inline) if inline else read_text(dockerfile)
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


def _reaches_into(above: Sequence[str], below: Sequence[str]) -> bool:
    """Whether a pattern names something below a folder; both by their parts."""
    return len(below) > len(above) and all(map(fnmatchcase, above, below))


def _spec(patterns: Iterable[str]) -> PathSpec[Pattern]:
    """Docker's patterns are anchored at the context, those of gitignore only with a leading slash."""
    from pathspec import PathSpec

    lines = []
    for pattern in patterns:
        pattern = pattern.strip()
        exclusion = "!" if pattern.startswith("!") else ""
        name = pattern.removeprefix("!").strip().strip("/")
        name = str(PurePosixPath(name)) if name else ""
        if name:
            lines.append(f"{exclusion}/**" if name == "." else f"{exclusion}/{name}")
    return PathSpec.from_lines("gitignore", lines)
