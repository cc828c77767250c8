"""What a Dockerfile takes from its build context."""

from __future__ import annotations

import json
import re
import shlex

from tasklib.stacks.dockerfile.instructions import Instruction, instructions

__all__ = ["REMOTE", "copied", "local_sources"]

REMOTE = re.compile(r"(?i)[a-z][a-z0-9+.-]*://|git@")
"""How a source of ADD begins that is no file of the context."""


def copied(dockerfile: str) -> tuple[str, ...] | None:
    """The patterns below the context that a Dockerfile's text copies or mounts; ``None`` where unsure.

    Unsure are variables in a source, ``ONBUILD``, and what cannot be parsed.
    """
    found: dict[str, None] = {}
    for instruction in instructions(dockerfile):
        if not instruction.complete:
            return None
        match instruction.name:
            case "COPY" | "ADD":
                sources = local_sources(instruction)
            case "RUN":
                sources = _mounted(instruction)
            case "ONBUILD":
                sources = None
            case _:
                sources = ()
        if sources is None:
            return None
        found.update(dict.fromkeys(sources))
    return tuple(found)


def local_sources(found: Instruction) -> tuple[str, ...] | None:
    """The local sources of a COPY or ADD; ``None`` where unsure."""
    if any(flag.text.startswith("--from=") for flag in found.flags):
        return ()
    try:
        paths = json.loads(found.text) if found.text.startswith("[") else shlex.split(found.text)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(path, str) for path in paths):
        return None
    local = tuple(path for path in paths[:-1] if not REMOTE.match(path) and not path.startswith("<<"))
    return None if any("$" in path for path in local) else local


def _mounted(found: Instruction) -> tuple[str, ...] | None:
    """The sources of a RUN's bind mounts from the context; ``None`` where unsure."""
    sources = []
    for flag in found.flags:
        if flag.text.startswith("--mount="):
            given = flag.text.removeprefix("--mount=").split(",")
            options = dict(option.partition("=")[::2] for option in given)
            if options.get("type", "bind") == "bind" and "from" not in options:
                sources.append(options.get("source") or options.get("src") or ".")
    return None if any("$" in path for path in sources) else tuple(sources)
