"""What plain ``docker compose`` has to be told to speak to a stack of ours as we would."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from glob import escape
from pathlib import Path

from tasklib.files.full import is_full
from tasklib.files.whole import PRIVATE, write_whole
from tasklib.project.compose_files import EXPORTED_FILES
from tasklib.stacks.compose.source import Source
from tasklib.stacks.preparation import Prepared
from tasklib.stacks.rewrite import as_text
from tasklib.stacks.rewrite.override import override_file
from tasklib.state.store import State
from tasklib.state.unkept import note_unkept

__all__ = ["forget_plain", "plain_compose"]

_FOLDER = "compose"


def plain_compose(prepared: Prepared, state: State) -> Iterator[tuple[str, str]]:
    """The variables by which plain Compose finds the isolated stack, wherever it is typed.

    COMPOSE_FILE adds to the project's files an override that makes them the stack that is up: whatever plain
    Compose makes anew is isolated, labelled and removed with the rest. Where the files' paths do not start in
    the folder of the first one, a file of ours includes them all and says where. On a full disk there is
    neither, and Compose says so.
    """
    source = prepared.plan.source
    name = f"{prepared.project}@{prepared.instance.checkout}"
    override = state.root / _FOLDER / f"{name}.yml"
    files = os.pathsep.join(map(str, (*source.files, override)))
    try:
        _write_privately(override, override_file(prepared.rendered, prepared.config))
        if source.directory != source.files[0].parent:
            whole = override.with_name(f"{name}.whole.yml")
            _write_privately(whole, _including(source, override))
            files = str(whole)
    except OSError as error:
        if not is_full(error):
            raise
        note_unkept("compose", state.root)
    yield "COMPOSE_PROJECT_NAME", prepared.project
    yield "COMPOSE_FILE", files
    if source.engine:
        yield from source.engine.exports.items()
    yield EXPORTED_FILES, files
    if source.env_files:
        yield "COMPOSE_ENV_FILES", ",".join(map(str, source.env_files))
    if source.profiles:
        yield "COMPOSE_PROFILES", ",".join(source.profiles)
    # The files may have put these numbers anywhere: with others, plain Compose would make new containers.
    yield from ((variable, str(port)) for variable, port in sorted(prepared.facts.ports.items()))


def _including(source: Source, override: Path) -> str:
    """A file that is made of the stack's: no variable tells plain Compose where their paths start."""
    whole = {
        "path": [*map(str, source.files), str(override)],
        "project_directory": str(source.directory),
        "env_file": [str(path) for path in source.env_files],
    }
    kept = {key: value for key, value in whole.items() if value}
    return as_text({"include": [kept]}).replace("$", "$$") + "\n"


def forget_plain(state: State, checkout: str, projects: Callable[[str], bool]) -> None:
    """Remove what was written for a checkout's Compose ``projects``: those that this says yes to."""
    for path in (state.root / _FOLDER).glob(f"*@{escape(checkout)}.*yml"):
        if projects(path.name.rpartition("@")[0]):
            path.unlink(missing_ok=True)


def _write_privately(path: Path, text: str) -> None:
    """Put ``text`` in place of what ``path`` held, readable by its user alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, text.encode(), mode=PRIVATE)
