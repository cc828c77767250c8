"""What a known server is told: by variables, by files that these name, on its command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct

from tasklib.stacks.references import parse_reference
from tasklib.stacks.servers.listening import listening
from tasklib.stacks.servers.model import Server

__all__ = ["Settings", "read_settings"]

_VARIABLE = re.compile(
    r"\$(?:\{(?P<braced>\w+)(?::?-(?P<default>[^}]*))?\}|(?P<plain>\w+)"
    r"|\(\s*(?:cat\s|<)\s*[\"']?(?P<file>[^\s\"')]+)[\"']?\s*\))"
)
_SHELL = re.compile(r"(?:.*/)?(?:ba|da|a|z|k)?sh")
_SCRIPT_FLAG = re.compile(r"-[a-z]*c")


class Settings(Struct, frozen=True):
    """What a URL needs besides its address; "" stands for what the server goes without.

    ``secure``: whether its ports with the scheme ``https`` have TLS; ``ports``: where it was told to listen.
    """

    user: str = ""
    password: str = ""
    database: str = ""
    query: str = ""
    secure: bool = True
    ports: tuple[int, ...] = ()


def read_settings(
    server: Server,
    image: str,
    environment: Mapping[str, str],
    arguments: Sequence[str] = (),
    text_of: Callable[[str], str | None] = lambda path: None,
) -> Settings:
    """The settings of a server of ``image`` with this environment and command line (entry point first).

    ``text_of`` gives what the file at a path inside the container holds, ``None`` where that is not known.
    """

    def value(names: Sequence[str]) -> str:
        for name in names:
            if found := environment.get(name) or _of_file(environment.get(f"{name}_FILE", ""), text_of):
                return found
        return ""

    words = list(_words(arguments, environment, text_of))
    words += [word for name in server.argument_variables for word in _split(environment.get(name, ""))]
    login = next((login for login in server.logins if value(login.user)), None)
    if login is None and server.logins:
        login = server.logins[-1]
    user = _option(words, server.user_options) or (login and (value(login.user) or login.default)) or ""
    password = (
        _option(words, server.password_options)
        or _line(words, server.password_lines, text_of)
        or (login and value(login.password))
        or ""
    )
    return Settings(
        user,
        password,
        value(server.database) or server.default_database,
        "&".join(query for option, query in server.queries if _has(words, option)),
        _is_secure(server, image, environment),
        listening(words, environment),
    )


def _of_file(path: str, text_of: Callable[[str], str | None]) -> str:
    """What the images' start scripts take from a file: all but the line breaks at its end."""
    return (text_of(path) or "").rstrip("\n") if path else ""


def _is_secure(server: Server, image: str, environment: Mapping[str, str]) -> bool:
    if server.secure_from is None:
        return True
    reference = parse_reference(image)
    if reference and reference.version is not None and reference.version < server.secure_from:
        return False
    return not any(environment.get(name, "").lower() == off for name, off in server.secure_unless)


def _words(
    arguments: Sequence[str], environment: Mapping[str, str], text_of: Callable[[str], str | None]
) -> Iterator[str]:
    """The words of a command line, with a shell's script taken apart and its variables filled in."""
    for index, word in enumerate(arguments):
        before = arguments[max(index - 2, 0) : index]
        if len(before) == 2 and _SHELL.fullmatch(before[0]) and _SCRIPT_FLAG.fullmatch(before[1]):
            yield from _script(word, environment, text_of)
        else:
            yield word


def _script(text: str, environment: Mapping[str, str], text_of: Callable[[str], str | None]) -> Iterator[str]:
    values: list[str] = []

    def keep(found: re.Match[str]) -> str:
        if found["file"]:
            value = _of_file(found["file"], text_of)
        else:
            value = environment.get(found["braced"] or found["plain"], "") or found["default"] or ""
        values.append(value)
        return f"\0{len(values) - 1}\0"

    # Split first, filled in afterwards: what a variable holds is no part of the script.
    for word in _split(_VARIABLE.sub(keep, text)):
        yield re.sub(r"\0(\d+)\0", lambda found: values[int(found[1])], word)


def _split(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:
        return text.split()


def _line(words: Sequence[str], names: Sequence[str], text_of: Callable[[str], str | None]) -> str:
    """The value of a setting in the files that the command line names: ``requirepass secret``."""
    for path in words if names else ():
        for line in (text_of(path) or "").splitlines() if path.startswith("/") else ():
            found = _split(line)
            if len(found) == 2 and found[0] in names:
                return found[1]
    return ""


def _option(words: Sequence[str], names: Sequence[str]) -> str:
    """The value of a command line's option, as ``--name value`` or ``--name=value``; the last one counts."""
    found = ""
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            found = value if equals else (words[index + 1] if index + 1 < len(words) else "")
    return found


def _has(words: Sequence[str], option: str) -> bool:
    """Whether a switch or an option is given: ``--insecure``, ``--insecure=true``."""
    return any(word == option or word.startswith(f"{option}=") for word in words)
