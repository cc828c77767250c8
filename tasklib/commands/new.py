"""``new.project``, ``new.service`` and ``new.update``."""

from __future__ import annotations

from pathlib import Path

from tasklib.commands.console import say
from tasklib.errors import UsageError

__all__ = ["project"]


def project(
    name: str,
    *,
    services: str = "",
    kind: str = "python",
    single: bool = False,
    ci: str = "",
    dry: bool = False,
) -> None:
    """Make the folder ``name`` here with a project in it, or with ``dry`` only list its files.

    ``services`` is a list by commas, each with its ``:kind`` where that is not ``kind``; ``single`` is a
    project that is its own service. Raises :class:`~tasklib.errors.UsageError` before anything is written.
    """
    from tasklib import __version__
    from tasklib.checkout import find_checkout
    from tasklib.new.answers import Answers, Kind, NewService, services_of
    from tasklib.new.creation import check_free, create
    from tasklib.new.rendering import rendered

    if single and services:
        raise UsageError(
            "--single is one service, called as the project is: it takes no --services",
            remedy="--kind says what it is written in.",
        )
    chosen = (NewService(name, Kind(kind)),) if single else services_of(services or "api", Kind(kind))
    answers = Answers(__version__, name, chosen, single, ci)
    folder = Path.cwd() / name
    check_free(folder)
    inside = find_checkout(folder.parent).git_dir is not None
    if ci and inside:
        raise UsageError(
            "workflow files belong at the top of a checkout, and this folder is inside of one",
            remedy=f"Leave --ci out; `tasklib ci.workflow --for {ci}` in the new folder writes them there.",
        )
    files = rendered(answers)
    if dry:
        for path in files:
            say(f"would write {name}/{path}")
        return
    create(folder, files, repository=not inside)
    say(f"{name}: {len(files)} files. What is next: cd {name}, then nox -s unit service integration")
