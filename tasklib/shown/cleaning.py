"""PURE: text that others wrote, without what would steer a terminal or a CI system.

Sources of facts: ECMA-48; the runner of GitHub Actions, which takes ``::`` for a command at the start of
a line and ``##[`` anywhere in it; the agents of Azure Pipelines (``##[``, ``##vso[``) and of TeamCity
(``##teamcity[``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = [
    "clean",
    "clean_line",
    "colours_kept",
    "harmless_json",
    "in_actions",
    "in_ci",
    "neutral",
    "obeys",
    "unmarked",
    "visible",
]

# ECMA-48: control sequences, operating system commands and their like up to their terminator, other escapes.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
# Control characters; those that reorder text, so that a log could show something else than it holds; and
# tags, which spell out letters that nobody sees, but for programs that read along.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)


def clean(text: str) -> str:
    """``text`` without escape sequences and control characters; only newlines stay, tabs become spaces.

    A line that was drawn over itself (a progress bar) keeps what it showed last.
    """
    if text.isprintable():
        return text
    text = _ESCAPES.sub("", text).replace("\r\n", "\n")
    if "\r" in text:
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return _CONTROLS.sub("", text.expandtabs(4))


def clean_line(text: str) -> str:
    """The same in one line."""
    return clean(text).replace("\n", " ")


_COLOURS = re.compile(r"(\x1b\[[0-9;:]*m)")


def colours_kept(line: str) -> str:
    """``line`` cleaned but for its colours, which end with it."""
    if "\x1b" not in line:
        return clean(line)
    parts = _COLOURS.split(line)
    kept = "".join(part if _COLOURS.fullmatch(part) else clean(part) for part in parts)
    return f"{kept}\x1b[0m" if len(parts) > 1 else kept


def visible(name: str) -> str:
    """A name in one line, whatever it holds: control characters become escapes."""
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in name)


def harmless_json(text: str) -> str:
    """The same JSON, spelled such that no runner finds a command in it."""
    return _COMMAND.sub(r"\\u0023#", text)


def in_ci(env: Mapping[str, str]) -> bool:
    """Whether a CI system started us: all of them say so in the same way."""
    return env.get("CI", "").lower() not in ("", "0", "false")


def in_actions(env: Mapping[str, str]) -> bool:
    """Whether this is a job of GitHub or Gitea Actions."""
    return "true" in (env.get("GITHUB_ACTIONS"), env.get("GITEA_ACTIONS"))


def obeys(env: Mapping[str, str]) -> bool:
    """Whether a CI system that started us takes lines of what we print for commands."""
    return in_actions(env) or env.get("TF_BUILD", "").lower() == "true" or "TEAMCITY_VERSION" in env


_COMMAND = re.compile(r"##(?=\w*\[)")


def neutral(text: str) -> str:
    """``text`` such that no CI system takes a line of it for a command."""
    if "##" not in text and "::" not in text:
        return text
    return "\n".join(map(_neutral, text.split("\n")))


def unmarked(text: str) -> str:
    """``text`` without what is a command wherever it stands."""
    return _COMMAND.sub("## ", text)


def _neutral(line: str) -> str:
    line = unmarked(line)
    return line.replace("::", ": :", 1) if line.lstrip().startswith("::") else line
