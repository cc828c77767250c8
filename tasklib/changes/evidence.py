"""What is known of a checkout's runs: which targets passed on which content, and what the last run showed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from tasklib.changes.choices import Selection
from tasklib.changes.compared import other_checkouts
from tasklib.changes.inputs import stack_facts
from tasklib.changes.known import changes_since, known_passes, proof
from tasklib.changes.outside import outside
from tasklib.changes.selection import select
from tasklib.changes.surroundings import Rest, differences, rest_of
from tasklib.changes.tree import differing, tree_of
from tasklib.checkout import Checkout, find_checkout
from tasklib.errors import TasklibError
from tasklib.instance.identity import checkout_id
from tasklib.project import Project
from tasklib.results import Outcome, RunResult, Target
from tasklib.shown.ages import ago
from tasklib.shown.cutting import several
from tasklib.state.passes import Pass, Passes
from tasklib.state.store import State, default_state

__all__ = ["Content", "Evidence"]

_TOLD = 3
"""Differences that are named for one target."""

_MOST_OBJECTS = 3000
"""Objects of earlier trees that are kept; with more of them all are forgotten."""


class Content(Struct, frozen=True):
    """All that the tests of a checkout depend on: its tree, and what else there is."""

    tree: str
    rest: Rest


class Evidence(Struct, frozen=True):
    """What the state folder knows of one project of one checkout."""

    project: Project
    checkout: Checkout
    state: State
    id: str

    @classmethod
    def of(cls, project: Project, state: State | None = None) -> Evidence:
        checkout = find_checkout(project.root)
        return cls(project, checkout, state or default_state(), checkout_id(checkout, project.root))

    @property
    def last_run(self) -> Path:
        """The file of the last run's events."""
        return self.state.root / f"{State.name('last', self.id, self._folder)}.jsonl"

    def content(self, env: Mapping[str, str]) -> Content | None:
        """What is there now; ``None`` where that cannot be told: outside git, too much is ignored."""
        if self.checkout.git_dir is None:
            return None
        try:
            rest = rest_of(self.project, self.checkout, env)
            return None if rest is None else Content(tree_of(self.checkout, self._trees), rest)
        except (TasklibError, OSError):
            return None

    def known(self, targets: Iterable[Target], now: Content | None) -> dict[Target, Pass]:
        """The targets that passed on all that they depend on."""
        if now is None:
            return {}
        return known_passes(
            targets,
            self._passes.all(),
            now.tree,
            now.rest.digest,
            lambda before: differing(self.checkout, self._trees, before, now.tree),
            self._touched,
        )

    def unlike(self, targets: Iterable[Target], now: Content | None) -> dict[Target, str]:
        """Why each of these targets is not known to pass: what is another one since its last pass."""
        if now is None:
            why = "what it depends on cannot be told outside git, nor with many ignored files"
            return dict.fromkeys(targets, why)
        passes, rests = self._passes.all(), self._passes.rests()

        def of_rest(before: str) -> tuple[str, ...] | None:
            told = rests.get(before)
            return None if told is None else differences(told, now.rest.told, self.checkout.root)

        found = {}
        for target in targets:
            mine = (p for p in passes if (p.stage, p.service) == (target.stage.value, target.service))
            known = next(mine, None)
            if known is None:
                found[target] = "it has not passed in this checkout yet"
                continue
            reasons = changes_since(
                known,
                (now.tree, now.rest.digest),
                of_rest,
                lambda before: differing(self.checkout, self._trees, before, now.tree),
                self._touched,
            )
            found[target] = f"{several(reasons, _TOLD, join='; ')}; it passed {ago(time.time() - known.at)}"
        return found

    def proof(self, targets: Iterable[Target], env: Mapping[str, str]) -> Mapping[Target, Pass | None]:
        """Each target with its pass on exactly what is there now, if it has one."""
        now = self.content(env)
        if now is None:
            return dict.fromkeys(targets)
        return proof(targets, self._passes.all(), now.tree, now.rest.digest)

    def remember(self, before: Content | None, after: Content | None, result: RunResult) -> None:
        """Keep the passes of a whole run of its targets, unless the content changed under it."""
        if before is None or after is None or before.tree != after.tree:
            return
        if not before.rest.holds_after(after.rest):
            return
        now = time.time()
        passes = [
            Pass(r.target.stage.value, r.target.service, after.tree, after.rest.digest, now, r.counts.passed)
            for r in result.targets
            if r.outcome is Outcome.PASSED
        ]
        if passes:
            self._passes.add(passes, after.rest.told)
        if sum(1 for _ in self._trees.rglob("*")) > _MOST_OBJECTS:
            shutil.rmtree(self._trees, ignore_errors=True)

    @property
    def _folder(self) -> str:
        root = self.checkout.root
        inside = self.project.root.is_relative_to(root) and self.project.root != root
        return self.project.root.relative_to(root).as_posix() if inside else "."

    @property
    def _passes(self) -> Passes:
        return Passes(self.state, self.id, self._folder)

    @property
    def _trees(self) -> Path:
        return self.state.root / State.name("trees", self.id)

    def _touched(self, files: Iterable[Path]) -> Selection:
        changed = list(files)
        facts, others = stack_facts(self.project), other_checkouts(changed)
        return select(self.project, facts, changed, outside(self.project, changed), checkouts=others)
