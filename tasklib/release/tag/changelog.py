"""PURE: a changelog in the form of keepachangelog.com, read and moved on by one release."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from msgspec import Struct
from semver import Version

__all__ = ["Section", "newest", "released", "section", "sections"]

_HEADING = re.compile(r"##[ \t]+\[?(?P<name>[^\]\s]+)\]?")
_ANY_HEADING = re.compile(r"\s*#{1,6}(?:\s|$)")
_FENCE = re.compile(r"[ ]{0,3}(?P<mark>`{3,}|~{3,})")
_LINK = re.compile(r"\[[^\]]+\]:\s*\S+")
_COMPARED = re.compile(
    r"^\[unreleased\]:[ \t]*(?P<head>\S+/compare/)(?P<last>\S+?)(?P<dots>\.{2,3})HEAD[ \t]*(?=\r?$)",
    re.IGNORECASE | re.MULTILINE,
)
_UNRELEASED = "unreleased"


class Section(Struct, frozen=True):
    """One version's part: ``name`` as in its heading without brackets, ``body`` below it, stripped.

    ``line`` is the heading's line (from 0), ``end`` the line after its body.
    """

    name: str
    body: str
    line: int
    end: int

    @property
    def is_empty(self) -> bool:
        """Whether it has no lines but headings and blank ones."""
        return all(not line.strip() or _ANY_HEADING.match(line) for line in self.body.splitlines())

    @property
    def version(self) -> Version | None:
        """Its version; ``None`` for the unreleased part and for what is no semantic version."""
        try:
            return Version.parse(self.name.removeprefix("v"))
        except ValueError:
            return None


def sections(text: str) -> tuple[Section, ...]:
    """The parts of a changelog in its order, newest first by convention."""
    lines = text.removeprefix("\ufeff").splitlines()
    heads = list(_headings(lines))
    ends = [*(line for line, _ in heads[1:]), _without_links(lines)]
    return tuple(
        Section(name, "\n".join(lines[line + 1 : end]).strip(), line, max(end, line + 1))
        for (line, name), end in zip(heads, ends, strict=False)
    )


def section(text: str, version: Version | None) -> Section | None:
    """The part of ``version``, or with ``None`` the unreleased one."""
    for found in sections(text):
        if (found.name.lower() == _UNRELEASED) if version is None else (found.version == version):
            return found
    return None


def newest(text: str) -> Version | None:
    """The first version that the changelog has a part for."""
    return next((found.version for found in sections(text) if found.version), None)


def released(text: str, version: Version, day: date) -> str:
    """The same with the unreleased lines as the part of ``version``, and an empty unreleased part above.

    A link that compares with HEAD gets its twin for the version. Without an unreleased part nothing changes.
    """
    unreleased = section(text, None)
    if unreleased is None:
        return text
    lines, end = text.splitlines(), "\r\n" if "\r\n" in text else "\n"
    heading = lines[unreleased.line]
    name = f"[{version}]" if "[" in heading else str(version)
    body = unreleased.body.splitlines()
    rest = lines[unreleased.end :]
    new = [
        *lines[: unreleased.line + 1],
        "",
        f"## {name} - {day.isoformat()}",
        "",
        *body,
        *([""] if rest else []),
        *rest,
    ]
    return _COMPARED.sub(
        lambda link: (
            f"{link[0][: link[0].index(':')]}: {link['head']}v{version}{link['dots']}HEAD{end}"
            f"[{version}]: {link['head']}{link['last']}{link['dots']}v{version}"
        ),
        end.join(new) + end,
    )


def _headings(lines: list[str]) -> Iterator[tuple[int, str]]:
    """The second-level headings outside of code blocks and comments, by line."""
    fence, hidden = "", False
    for number, line in enumerate(lines):
        was_hidden = hidden
        if not fence:
            hidden = _opens(line, hidden)
        if was_hidden:
            continue
        if mark := _FENCE.match(line):
            if not fence:
                fence = mark["mark"]
            elif mark["mark"].startswith(fence) and not line.strip(" `~"):
                fence = ""
        elif not fence and (heading := _HEADING.match(line)):
            yield number, heading["name"]


def _opens(line: str, hidden: bool) -> bool:
    """Whether a comment (``<!-- … -->``) goes on after ``line``, at whose beginning one may."""
    return line.rfind("<!--") > line.rfind("-->") or (hidden and "-->" not in line)


def _without_links(lines: list[str]) -> int:
    """Where the link definitions at the end begin."""
    end = len(lines)
    while end and (not lines[end - 1].strip() or _LINK.fullmatch(lines[end - 1].strip())):
        end -= 1
    return end
