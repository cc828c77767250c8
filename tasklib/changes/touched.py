"""What of a project a change touches: git's answer and the project's files, put before the pure decision."""

from __future__ import annotations

import re

from tasklib import process
from tasklib.changes.choices import Selection, everything
from tasklib.changes.compared import changed_files, other_checkouts
from tasklib.changes.inputs import stack_facts
from tasklib.changes.outside import outside
from tasklib.changes.selection import select
from tasklib.checkout import existing_branch, find_checkout
from tasklib.errors import UsageError
from tasklib.project import Project

__all__ = ["touched"]

_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def touched(project: Project, base: str | None = None, cancel: process.Cancel | None = None) -> Selection:
    """The services that differ from where this branch left ``base`` (the project's base branch).

    A CI system hands over the commit that was pushed before; where that is empty (a run by schedule or by
    hand) or not here (a new branch, a forced push) nothing can be compared and all are in. Raises
    :class:`~tasklib.errors.UsageError` for a branch that does not exist.
    """
    if base is not None and not base.strip():
        return everything(project, "no commit to compare with was given")
    checkout = find_checkout(project.root)
    named = base or existing_branch(checkout, project.base_branch)
    try:
        changed = changed_files(checkout, named)
    except UsageError as error:
        if not _HASH.fullmatch(named):
            raise
        return everything(project, f"nothing to compare with: {error.what}")
    if not changed:
        return select(project, (), ())
    facts, others = stack_facts(project, cancel), other_checkouts(changed)
    return select(project, facts, changed, outside(project, changed), checkouts=others)
