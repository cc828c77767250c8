"""Invoke tasks: ``from tasklib.tasks import namespace as ns``, or single collections of it.

>>> from invoke.collection import Collection
>>> from tasklib.tasks import infra, test
>>> ns = Collection(infra, test)    # and tasks of your own
"""

from __future__ import annotations

from invoke.collection import Collection

from tasklib.tasks.ci import ci
from tasklib.tasks.cleaning import clean
from tasklib.tasks.infrastructure import infra
from tasklib.tasks.releasing import release, tag
from tasklib.tasks.testing import test

__all__ = ["ci", "clean", "infra", "namespace", "release", "test"]

namespace = Collection(test, infra, clean, ci, release)
namespace.add_task(tag, "release-tag")
