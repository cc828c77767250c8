"""What Compose said when it refused, as an error that names the file and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from tasklib.errors import ConfigError, EngineError, TasklibError, engine_stopped
from tasklib.options.likeness import meant
from tasklib.project.places import way_to
from tasklib.shown.cutting import shorten
from tasklib.stacks.address import is_unreachable
from tasklib.stacks.compose.output import last_words, unset_variables
from tasklib.stacks.compose.program import compose_version
from tasklib.stacks.compose.source import Source
from tasklib.stacks.unset import not_set, place_of

__all__ = ["engine_problem", "failure", "no_such_service"]

_MISSING = re.compile(r"env file (/.+?) not found")
"""How Compose says that a file of variables is not there."""

_INTERPOLATION = re.compile(r"invalid interpolation format for (?P<path>\S+?)\.?\n.*\n(?P<value>.*\S.*)")
"""A value with a `$` that Compose can make nothing of; it is written out to its last line."""


_UNKNOWN = re.compile(
    r"dditional propert.* not allowed|must be one of the following|unsupported env_file format"
)
"""How Compose says that its schema has no such key, or no such word for it."""

_UNDEFINED = re.compile(r'depends on undefined service "?([\w.-]+)')
"""How Compose says that there is no such service, or none in the profiles that are used."""

_VERSION = re.compile(r"(client version \S+ is too (?:new|old)\. [^\n\"]*)")
"""How the engine refuses the version of its API that DOCKER_API_VERSION asks for."""


def failure(text: str, kind: type[TasklibError], source: Source) -> TasklibError:
    """A ``kind`` of error with Compose's last words in ``text``; where the engine is why, that."""
    lines = [line for line in text.strip().splitlines() if line.strip() and "level=warning" not in line]
    last = last_words(lines[-1]) if lines else "Compose said nothing"
    if problem := engine_problem(text):
        return problem
    named = next((str(path) for path in source.files if str(path) in last), None)
    what = last.replace(f"{named}: ", "") if named else last
    missing = _MISSING.search(last)
    # A word that Compose does not know, or a name that is nowhere, is no empty value's doing.
    unset = () if missing or _UNKNOWN.search(last) or "undefined" in last else unset_variables(text)
    remedy = not_set(unset, source.missing_env_files)
    if dollar := _INTERPOLATION.search(text):
        what = f"{dollar['path']}: no variable can be read in `{shorten(dollar['value'].strip(), 120)}`"
        remedy = "Write `${NAME}` for a variable, and `$$` for a dollar that is to stay one."
    if "found character that cannot start any token" in last:
        remedy = "YAML is indented by spaces, not by tabs, and quotes what begins with @ or `."
    if lacking := _UNDEFINED.search(last):
        remedy = f"Where {lacking[1]} has a profile, `profiles` in [tool.tasklib] names those to use."
    if "include cycle detected" in text:
        around = " → ".join(dict.fromkeys(line.strip().removeprefix("include ") for line in lines[1:]))
        what, remedy = f"its `include` leads back to the file itself: {around}", "Leave one of them out."
    if "Circular reference:" in text:
        around = " → ".join(line.strip().removeprefix("extends ") for line in lines if " in /" in line)
        what, remedy = f"its `extends` leads back to the service itself: {around}", "Leave one of them out."
    if missing:
        what, remedy = f"the env file {missing[1]} is not there", way_to(Path(missing[1]))
    if _UNKNOWN.search(last):
        version = compose_version()
        remedy = (
            f"Compose {version} is installed, which does not know it: is it misspelt, or newer than that?"
        )
    where = place_of(unset[0], source.files) if len(unset) == 1 else named or source.where
    return kind(what, where=where, remedy=remedy)


def no_such_service(said: str, source: Source, known: Iterable[str]) -> ConfigError:
    """What was asked for by ``needs`` or ``in`` is none of the ``known`` services."""
    name = said.partition("no such service: ")[2].split(":")[0].split()[0]
    return ConfigError(
        f"`needs` or `in` names {name}, which is no service of this Compose file",
        where=source.where,
        remedy=f"{meant(name, known)} Its services are: {', '.join(sorted(known))}.".lstrip(),
    )


def engine_problem(text: str) -> EngineError | None:
    """Why nothing can work at all, where that is so: no Compose, no engine."""
    if (
        "is not a docker command" in text
        or "unknown shorthand flag" in text
        or "unknown flag: --project" in text
    ):
        return EngineError(
            "Docker Compose v2 is missing",
            remedy="Install the Compose plugin: https://docs.docker.com/compose/install",
        )
    if is_unreachable(text):
        return engine_stopped()
    if found := _VERSION.search(text):
        return EngineError(
            f"Docker's {found[1]}", remedy="Unset DOCKER_API_VERSION: which one, is negotiated."
        )
    return None
