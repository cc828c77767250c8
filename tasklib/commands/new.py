"""``new.project``, ``new.service`` and ``new.update``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tasklib.commands.console import complain, say, show_difference
from tasklib.errors import UsageError
from tasklib.options.caller import hint

if TYPE_CHECKING:
    from tasklib.new.made import Made
    from tasklib.new.merging import Outcome

__all__ = ["project", "service", "update"]


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
    from tasklib.release.workflows.files import Forge

    if single and services:
        raise UsageError(
            "--single makes one service with the project's name, so --services cannot be given",
            remedy="--kind chooses what it is written in.",
        )
    chosen = (NewService(name, Kind(kind)),) if single else services_of(services or "api", Kind(kind))
    answers = Answers(__version__, name, chosen, single, Forge(ci) if ci else None)
    folder = Path.cwd() / name
    check_free(folder)
    inside = find_checkout(folder.parent).git_dir is not None
    if ci and inside:
        later = hint("ci.workflow", "--for", ci)
        raise UsageError(
            "workflow files belong at the top of a checkout, and this folder is inside of one",
            remedy=f"Leave --ci out; `{later}` in the new folder writes them there.",
        )
    files = rendered(answers)
    if dry:
        for path in files:
            say(f"would write {name}/{path}")
        return
    create(folder, files, repository=not inside)
    say(f"{name}: {len(files)} files. Next: cd {name}, then nox -s unit service integration")


def service(name: str, kind: str, *, dry: bool = False) -> int:
    """Add the service ``name`` to the project around this folder, or with ``dry`` show what that changes.

    What the user changed stays; 2 where both changed the same place, and the user has to decide. Raises
    :class:`~tasklib.errors.TasklibError` before anything is written.
    """
    from tasklib import __version__
    from tasklib.new.answers import Kind, NewService
    from tasklib.new.creation import check_free
    from tasklib.new.made import apply, find_made
    from tasklib.new.rendering import rendered

    made = find_made(Path.cwd())
    if made.answers.single:
        raise UsageError(
            f"{made.answers.project} is a single service without a folder services/: it can have no other",
            remedy="A project made with --services can have several.",
        )
    answers = made.answers.with_service(NewService(name, Kind(kind)))
    check_free(made.root / "services" / name)
    if answers.version != __version__:
        complain(f"note: made by tasklib {answers.version}; conflicts are fewer after `{hint('new.update')}`")
    found = _outcomes(made, rendered(made.answers), rendered(answers), f"without {name}", f"with {name}")
    if dry:
        _show(found)
        return 0
    apply(made, found)
    say(f"services/{name} is there. These files have it, too:")
    for outcome in found:
        if outcome.before != outcome.after and outcome.before is not None:
            say(f"  {outcome.path}")
    return _left(found)


def update(*, write: bool = False) -> int:
    """Show what this version's templates change in the project around this folder; ``write`` does it.

    What the user changed stays; 2 where both changed the same place, and the user has to decide. Raises
    :class:`~tasklib.errors.TasklibError` before anything is written.
    """
    import msgspec
    from packaging.version import Version

    from tasklib import __version__
    from tasklib.new.earlier import rendered_by_its_version
    from tasklib.new.made import apply, find_made
    from tasklib.new.rendering import rendered

    made = find_made(Path.cwd())
    before = made.answers.version
    if before == __version__:
        say(f"nothing to do: this project was made by tasklib {before}, the version that is installed")
        return 0
    if Version(before) > Version(__version__):
        raise UsageError(
            f"this project was made by tasklib {before}, but {__version__} is installed",
            remedy="Update tasklib first.",
        )
    after = rendered(msgspec.structs.replace(made.answers, version=__version__))
    base = rendered_by_its_version(made.answers)
    found = _outcomes(made, base, after, f"tasklib {before}", f"tasklib {__version__}")
    _show(found)
    if not write:
        complain(f"nothing was changed; --write brings the project from {before} to {__version__}")
        return 0
    apply(made, found)
    say(f"updated from {before} to {__version__}")
    return _left(found)


def _outcomes(
    made: Made, base: Mapping[str, str], theirs: Mapping[str, str], before: str, after: str
) -> list[Outcome]:
    from tasklib.new.merging import merged, outcomes

    words = ("yours", before, after)
    ours = made.texts({*base, *theirs})
    return list(outcomes(base, theirs, ours, lambda mine, old, new: merged(mine, old, new, words)))


def _show(found: Sequence[Outcome]) -> None:
    for outcome in found:
        if outcome.before != outcome.after:
            show_difference(outcome.path, outcome.before or "", outcome.after or "")
        elif outcome.note:
            say(f"{outcome.path}: {outcome.note}")


def _left(found: Sequence[Outcome]) -> int:
    """Say what the user has to look at; 2 where something is to be decided."""
    for outcome in found:
        if outcome.note:
            complain(f"{outcome.path}: {outcome.note}")
    conflicts = [outcome for outcome in found if outcome.conflicts]
    for outcome in conflicts:
        places = "a place was" if outcome.conflicts == 1 else f"{outcome.conflicts} places were"
        complain(f"{outcome.path}: {places} changed by both: each is marked by <<<<<<<, choose there")
    return 2 if conflicts else 0
