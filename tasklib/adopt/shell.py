"""PURE: the commands of shell text, each with its line, its folder and its variables.

No shell is imitated: what is decided at run time (conditions, loops, substitutions) is read as if it all
happened once, in the order in which it is written.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from tasklib.adopt.evidence import Command, Place

__all__ = ["Line", "commands", "joined", "logical_lines"]

_KEYWORDS = frozenset(
    {"if", "then", "else", "elif", "do", "while", "until", "!", "{", "time", "exec", "sudo", "env"}
)
_CLOSING = frozenset({"fi", "done", "esac", "}", ";;"})
_ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<value>.*)", re.DOTALL)
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)(?::?[-=](?P<default>[^}]*))?\}|(?P<plain>[A-Za-z_]\w*))")
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)|`([^`]*)`")
_HERE = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?")
_BOTH = re.compile(r"\d?>&\d|&(?=>)")
"""What sends one stream where another goes."""
_UNKNOWN = "$?"
_SCRIPT_FOLDER = "\1"
_TOP = "\2"
_MOST_JOINED = 60
_MOST_TURNS = 50
_LOOP = re.compile(r"\bfor\s+(?P<name>\w+)\s+in\s+(?P<words>[^;$`*?]+?)\s*;\s*do\b(?P<body>.*?);?\s*\bdone\b")
_LOOP_BEGINS = re.compile(r"\s*for\s+(?P<name>\w+)\s+in\s+(?P<words>[^;$`*?]+?)\s*(?:;\s*do)?\s*")


class Line(Struct, frozen=True):
    """A logical line of shell, and where it begins."""

    number: int
    text: str


class _State(Struct):
    file: str
    folder: str
    script_folder: str
    known: dict[str, str] = field(default_factory=dict)
    exported: dict[str, str] = field(default_factory=dict)
    stack: list[str] = field(default_factory=list)


def logical_lines(lines: Iterable[tuple[int, str]]) -> Iterator[Line]:
    """Lines with those that go on joined: a backslash at the end, an open quote; here-documents left out."""
    begun: tuple[int, list[str]] | None = None
    ends_at = ""
    for number, raw in lines:
        if ends_at:
            ends_at = "" if raw.strip() == ends_at else ends_at
            continue
        start, parts = begun or (number, [])
        going_on = raw.rstrip().endswith("\\")
        parts.append(raw.rstrip().removesuffix("\\") if going_on else raw)
        text = (" " if len(parts) > 1 else "").join(part.strip() for part in parts)
        if (going_on or not _closed(text)) and len(parts) < _MOST_JOINED:
            begun = (start, parts)
            continue
        begun = None
        if here := _HERE.search(text):
            ends_at = here[1]
        yield Line(start, text)
    if begun:
        yield Line(begun[0], " ".join(part.strip() for part in begun[1]))


def commands(
    lines: Iterable[tuple[int, str]],
    file: str,
    folder: str = "",
    *,
    env: Mapping[str, str] | None = None,
    known: Mapping[str, str] | None = None,
    each_alone: bool = False,
) -> Iterator[Command]:
    """The simple commands of numbered ``lines`` of ``file``, started in ``folder``.

    ``env`` is set for all of them, ``known`` are variables of the file itself; ``each_alone``: every line is
    a shell of its own, as in a Makefile.
    """
    state = _State(file, folder, posixpath.dirname(file), dict(known or {}), dict(env or {}))
    for line, names in _unrolled([*logical_lines(lines)]):
        before = state.folder
        state.known |= names
        yield from _commands_of(line, state)
        if each_alone:
            state.folder = before


def _unrolled(lines: Sequence[Line]) -> Iterator[tuple[Line, Mapping[str, str]]]:
    """Lines with what a loop over words that stand there gives its variable, once for each of them."""
    at = 0
    while at < len(lines):
        line = lines[at]
        text = _LOOP.sub(_repeated, line.text)
        begun = _LOOP_BEGINS.fullmatch(text)
        body = _body(lines, at) if begun else 0
        if begun and body:
            yield Line(line.number, text), {}
            for word in begun["words"].split()[:_MOST_TURNS]:
                for inner, names in _unrolled(lines[at + 1 : body]):
                    yield inner, {begun["name"]: word.strip("\"'"), **names}
            at = body
        else:
            yield Line(line.number, text), {}
        at += 1


def _repeated(found: re.Match[str]) -> str:
    variable = re.compile(rf"\$(?:\{{{found['name']}\}}|{found['name']}\b)")
    words = [word.strip("\"'") for word in found["words"].split()[:_MOST_TURNS]]
    head = f"for {found['name']} in {found['words']}; "
    return head + "; ".join(variable.sub(lambda _, word=word: word, found["body"]) for word in words)


def _body(lines: Sequence[Line], at: int) -> int:
    """The index of the ``done`` that ends the loop that begins at ``at``; 0 where there is none."""
    depth = 0
    for index in range(at, len(lines)):
        words = re.findall(r"\b(?:for|while|until|done)\b", re.sub(r"[\"'].*?[\"']", "", lines[index].text))
        depth += sum(-1 if word == "done" else 1 for word in words)
        if depth <= 0:
            return index
    return 0


def joined(folder: str, path: str) -> str:
    """``path`` as seen from ``folder``, both relative to the repository; "" is its top."""
    found = posixpath.normpath(posixpath.join(folder, path))
    return "" if found == "." else found


def _commands_of(line: Line, state: _State) -> Iterator[Command]:
    text = _BOTH.sub(" ", _substituted(line.text, state))
    words: list[str] = []
    for token in [*_tokens(text), ";"]:
        if token and set(token) <= set(";&|()") and token != "":
            if words:
                yield from _command(words, line, state)
                words = []
            for character in token:
                if character == "(":
                    state.stack.append(state.folder)
                elif character == ")" and state.stack:
                    state.folder = state.stack.pop()
        else:
            words.append(token)


def _tokens(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|()")
    lexer.whitespace_split = True
    lexer.commenters = ""
    found: list[str] = []
    try:
        for token in lexer:
            if token.startswith("#"):
                break
            found.append(token)
    except ValueError:
        pass  # A quote that is never closed: what came before it counts.
    return found


def _command(words: list[str], line: Line, state: _State) -> Iterator[Command]:
    own: dict[str, str] = {}
    started = ""
    words = list(_without_redirections(words))
    while words:
        word = words[0]
        assigned = _ASSIGNMENT.fullmatch(word)
        if assigned:
            own[assigned["name"]] = assigned["value"]
        elif word in ("export", "local", "readonly", "declare"):
            for part in words[1:]:
                if exported := _ASSIGNMENT.fullmatch(part):
                    state.known[exported["name"]] = exported["value"]
                    if word == "export":
                        state.exported[exported["name"]] = exported["value"]
                elif word == "export" and part in state.known:
                    state.exported[part] = state.known[part]
            return
        elif word not in _KEYWORDS and not (started == "env" and word == _UNKNOWN):
            break
        else:
            started = word if word in _KEYWORDS else started
        words = words[1:]
    if not words:
        state.known |= own
        return
    if words[0] in _CLOSING:
        return
    if words[0] in ("cd", "pushd"):
        state.folder = _entered(state, words[1:])
        return
    plain = tuple(_path_from(word, state) for word in words)
    yield Command(Place(state.file, line.number), plain, state.folder, {**state.exported, **own})


def _without_redirections(words: Iterable[str]) -> Iterator[str]:
    into = False
    for word in words:
        if not into and not re.match(r"\d?>|<", word):
            yield word
        into = not into and bool(re.fullmatch(r"\d?>{1,2}|<", word))


def _entered(state: _State, words: list[str]) -> str:
    target = next((word for word in words if not word.startswith("-")), "")
    if target.startswith(_SCRIPT_FOLDER):
        return joined(state.script_folder, target[1:].lstrip("/") or ".")
    if target.startswith(_TOP):
        return joined("", target[1:].lstrip("/") or ".")
    if _UNKNOWN in target or posixpath.isabs(target) or not target:
        return state.folder
    return joined(state.folder, target)


def _path_from(word: str, state: _State) -> str:
    """A word that names the script's own folder, or the repository's top, as a path from where it is."""
    for mark, base in ((_SCRIPT_FOLDER, state.script_folder), (_TOP, "")):
        if mark in word:
            before, _, after = word.partition(mark)
            path = joined(base, after.lstrip("/") or ".")
            return before + (
                posixpath.relpath(path or ".", state.folder or ".") if path or state.folder else "."
            )
    return word


def _substituted(text: str, state: _State) -> str:
    def value(found: re.Match[str]) -> str:
        name = found["braced"] or found["plain"]
        if name in state.known:
            return state.known[name]
        return found["default"] if found["default"] else found[0]

    def output(found: re.Match[str]) -> str:
        inner = (found[1] or found[2] or "").strip()
        if found_on_path := re.match(r"(?:which|command -v|type -p) +([\w.-]+)", inner):
            return found_on_path[1]
        if found_in_stack := re.search(r"\bdocker[ -]compose\b.* ps (?:-q|--quiet) ([\w.-]+)", inner):
            return found_in_stack[1]  # its container, as good as by its name
        if "--show-toplevel" in inner or (inner == "pwd" and not state.folder):
            return _TOP
        if inner.startswith("dirname") and re.search(r"\$\{?(0|BASH_SOURCE)", inner):
            return _SCRIPT_FOLDER
        if inside := re.search(rf"cd\s+\S*?([{_SCRIPT_FOLDER}{_TOP}][^\s\"'&;]*)", inner):
            return inside[1]
        return _UNKNOWN

    for _ in range(5):
        text, count = _SUBSTITUTION.subn(output, text)
        if not count:
            break
    for _ in range(3):
        replaced = _VARIABLE.sub(value, text)
        if replaced == text:
            break
        text = replaced
    return text


def _closed(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError as error:
        return "quotation" not in str(error)
    return True
