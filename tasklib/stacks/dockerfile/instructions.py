"""A Dockerfile's text as instructions, each character of which knows where in the text it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

__all__ = ["Instruction", "Word", "instructions"]

_DIRECTIVE = re.compile(r"#\s*(?P<key>[A-Za-z][A-Za-z0-9]*)\s*=\s*(?P<value>.+?)\s*$")
_HEREDOC = re.compile(r"\d*<<(?P<dash>-?)(?P<quote>[\"']?)(?P<name>[^<\"'\s]+)(?P=quote)")
_WITH_HEREDOCS = ("ADD", "COPY", "RUN")
_BLANK = " \t\r\v\f"


class Word(Struct, frozen=True):
    """A word as written, quotes included, and the range of the text that it takes."""

    text: str
    start: int
    end: int


class Instruction(Struct, frozen=True):
    """One whole instruction: its name in capitals, and the rest with continued lines joined.

    ``places`` holds where in the Dockerfile each character of ``rest`` stands, ``start`` is where the name
    does. ``complete`` is false where the text ends in the middle of it. Comments and the bodies of
    here-documents are no part of it.
    """

    name: str
    rest: str
    places: tuple[int, ...]
    complete: bool = True
    start: int = 0

    @property
    def words(self) -> tuple[Word, ...]:
        """The rest, split at blanks outside quotes."""
        return tuple(_words(self.rest, self.places))

    @property
    def flags(self) -> tuple[Word, ...]:
        """The options before the arguments: ``--from=build``."""
        words = self.words
        count = next((n for n, word in enumerate(words) if not word.text.startswith("--")), len(words))
        return words[:count]

    @property
    def arguments(self) -> tuple[Word, ...]:
        return self.words[len(self.flags) :]

    @property
    def text(self) -> str:
        """The arguments as they stand, without the options before them."""
        flags = self.flags
        return self.rest[self.places.index(flags[-1].end - 1) + 1 :].strip() if flags else self.rest

    def triggered(self) -> Instruction | None:
        """The instruction that an ONBUILD holds for later."""
        return _instruction(self.rest, self.places, self.complete) if self.name == "ONBUILD" else None


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions of a Dockerfile, as the engine's builder reads them."""
    lines = list(_lines(text))
    escape = _escape([line for line, _ in lines])
    continued = re.compile(rf"(?:^|(?<!{escape})){escape}[ \t]*$")
    at = 0
    while at < len(lines):
        rest, complete = "", False
        places: list[int] = []
        while at < len(lines) and not complete:
            line, start = lines[at]
            at += 1
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            end = continued.search(line)
            kept = line[: end.start()] if end else line
            rest += kept
            places += range(start, start + len(kept))
            complete = end is None
        if not rest.strip():
            continue
        found = _instruction(rest, tuple(places), complete)
        for name, dashed in _heredocs(found):
            ended = False
            while at < len(lines) and not ended:
                line = lines[at][0]
                ended = (line.lstrip("\t") if dashed else line) == name
                at += 1
            if not ended:
                found = replace(found, complete=False)
        yield found


def _lines(text: str) -> Iterator[tuple[str, int]]:
    """Each line without its end, and where it starts."""
    start = 1 if text.startswith("\ufeff") else 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield text[start:end].removesuffix("\r"), start
        start = end + 1


def _escape(lines: list[str]) -> str:
    """The character that continues a line, as a regular expression; directives stand before all else."""
    for line in lines:
        directive = _DIRECTIVE.match(line.strip())
        if directive is None:
            break
        if directive["key"].lower() == "escape" and directive["value"] in ("\\", "`"):
            return re.escape(directive["value"])
    return re.escape("\\")


def _instruction(text: str, places: tuple[int, ...], complete: bool) -> Instruction:
    body = text.lstrip(_BLANK)
    skipped = len(text) - len(body)
    name = re.match(r"[^ \t\r\v\f]*", body)
    length = name.end() if name else 0
    rest = body[length:].lstrip(_BLANK)
    start = skipped + len(body) - len(rest)
    rest = rest.rstrip(_BLANK)
    at = places[skipped] if skipped < len(places) else 0
    return Instruction(body[:length].upper(), rest, places[start : start + len(rest)], complete, at)


def _heredocs(found: Instruction) -> Iterator[tuple[str, bool]]:
    """The name that ends each here-document of an instruction, and whether tabs may stand before it."""
    inner = found.triggered() or found
    if inner.name in _WITH_HEREDOCS:
        for word in inner.words:
            if document := _HEREDOC.fullmatch(word.text):
                yield document["name"], bool(document["dash"])


def _words(text: str, places: tuple[int, ...]) -> Iterator[Word]:
    start, quote = -1, ""
    for at, character in enumerate(text):
        if character in _BLANK and not quote:
            if start >= 0:
                yield Word(text[start:at], places[start], places[at - 1] + 1)
            start = -1
            continue
        start = at if start < 0 else start
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
    if start >= 0:
        yield Word(text[start:], places[start], places[-1] + 1)
