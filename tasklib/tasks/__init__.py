"""Invoke tasks: ``from tasklib.tasks import namespace as ns``, or single collections of it.

>>> from invoke.collection import Collection
>>> from tasklib.tasks import infra, test
>>> ns = Collection(infra, test)    # and tasks of your own
"""

from __future__ import annotations

from tasklib.errors import NotInstalled
from tasklib.options.catalog import COMMANDS, command

try:
    from invoke.collection import Collection

    from tasklib.tasks.strict import StrictTask
except ModuleNotFoundError as error:
    if not (error.name or "").startswith("invoke"):
        raise
    raise NotInstalled("Invoke") from error

__all__ = ["agents", "ci", "clean", "doctor", "infra", "namespace", "new", "release", "test"]


def _collection(name: str) -> Collection:
    return Collection(name, *(StrictTask(found) for found in COMMANDS if found.collection == name))


test = _collection("test")
infra = _collection("infra")
clean = _collection("clean")
ci = _collection("ci")
release = _collection("release")
new = _collection("new")

namespace = Collection(test, infra, clean, ci, release, new)
namespace.add_task(StrictTask(command("release.tag")), "release-tag")
doctor = StrictTask(command("doctor"))
namespace.add_task(doctor)
agents = StrictTask(command("agents"))
namespace.add_task(agents)
