"""Who else is in the Compose project of a stack: what is left of ours goes, what is not ours stays.

Compose knows a project by one label that anybody can set. It would take a container with a service's label
for its own and replace it, and with ``--remove-orphans`` take away all those it does not know.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from tasklib.errors import StackError, TasklibError
from tasklib.instance.identity import INSTANCE_ID
from tasklib.isolation import Instance
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import (
    FOLDER_LABEL,
    ONE_OFF_LABEL,
    PROJECT_LABEL,
    SERVICE_LABEL,
    Resource,
)
from tasklib.stacks.labels import CHECKOUT, owner_labels
from tasklib.stacks.preparation import checkout_root

__all__ = ["left_by_tests", "made_meanwhile", "make_room", "names_of", "others", "refuse_strangers"]


def make_room(engine: Engine, project: str, instance: Instance, services: Collection[str]) -> None:
    """Remove our containers of services that are not in the stack any more, and nobody else's.

    Raises :class:`~tasklib.errors.StackError` where Compose would replace a container that is not ours.
    """
    found = engine.owned({PROJECT_LABEL: project}, kinds=("container",))
    ours = [resource for resource in found if owner_labels(instance).items() <= resource.labels.items()]
    strangers = [resource for resource in found if resource not in ours]
    refuse_strangers(project, services, strangers, engine.inherited({PROJECT_LABEL: project}))
    orphans = [r for r in ours if r.labels.get(SERVICE_LABEL) not in services and not _is_one_off(r.labels)]
    if orphans:
        engine.remove(orphans)


def others(engine: Engine, project: str) -> tuple[Resource, ...]:
    """What is in a Compose project and carries no label of ours."""
    found = engine.owned({PROJECT_LABEL: project}, kinds=("container", "network", "volume"))
    return tuple(resource for resource in found if CHECKOUT not in resource.labels)


def names_of(resources: Collection[Resource]) -> tuple[str, ...]:
    """What tells each from all others, to be written down."""
    return tuple(sorted(f"{resource.kind} {resource.id}" for resource in resources))


def made_meanwhile(before: Collection[str], now: Collection[Resource], root: Path) -> tuple[Resource, ...]:
    """What tests made in a stack's project, of Compose files of their own (``-f``) in the checkout ``root``.

    ``now`` are the :func:`others` after the tests, ``before`` the :func:`names_of` those before them. The
    variables of a stack name its project, and not its files then. Networks and volumes, which do not say
    whose files made them, count where nobody else has a container in the project.
    """
    new = tuple(resource for resource in now if not {*names_of([resource])} & {*before})
    ours = tuple(resource for resource in new if _is_in(resource.labels.get(FOLDER_LABEL, ""), root))
    alone = all(resource in ours for resource in now if resource.kind == "container")
    return new if alone else ours


def left_by_tests(
    engine: Engine, project: str, before: Collection[str] | None, root: str
) -> tuple[Resource, ...]:
    """The same of a run that has just died: of the project in ``root``, ``before`` which it wrote down what
    was there (``None``: it never came so far)."""
    if before is None or not Path(root).is_dir() or not (found := others(engine, project)):
        return ()
    try:
        return made_meanwhile(before, found, checkout_root(Path(root)))
    except (TasklibError, OSError):
        return ()  # Unknown is not ours.


def _is_in(folder: str, root: Path) -> bool:
    """Whether a folder is one of this checkout's; another one may lie inside it."""
    path = Path(folder)
    try:
        return path.is_absolute() and path.is_dir() and checkout_root(path) == root
    except OSError:  # somebody else's, which may not be looked into
        return False


def refuse_strangers(
    project: str,
    services: Collection[str],
    strangers: Collection[Resource],
    inherited: Collection[Resource],
) -> None:
    """PURE: raise :class:`~tasklib.errors.StackError` for the first that stands for one of ``services``.

    ``strangers`` carry the label of the project, ``inherited`` have ours from their image.
    """
    for resource in (*inherited, *strangers):
        if resource.labels.get(SERVICE_LABEL) not in services or _is_one_off(resource.labels):
            continue
        what = f"the container {resource.name} is in {project} and not ours: Compose would replace it"
        if resource in inherited:
            what = f"the container {resource.name} is from an image of {project}: Compose would replace it"
            remedy = "Remove it, or start it with `--label com.docker.compose.project=`."
        elif resource.labels.get(CHECKOUT):
            what = f"the container {resource.name} of {project} belongs to another checkout or user"
            remedy = f"End it there, or give this checkout an id of its own: set {INSTANCE_ID}."
        else:
            remedy = f"Remove it, or give this checkout another id: set {INSTANCE_ID}."
        raise StackError(what, remedy=remedy)


def _is_one_off(labels: Mapping[str, str]) -> bool:
    """Whether it is of ``docker compose run``, which belongs to a service and does not stand for it."""
    return labels.get(ONE_OFF_LABEL, "").lower() == "true"
