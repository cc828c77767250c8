"""What runs leave for others to find, per engine: who runs now, what is kept, which images were built.

Records are written by the process they are about and read by ``clean``, by the reaper and by the next run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import replace

from tasklib.state.liveness import ProcessIdentity, is_alive
from tasklib.state.store import State

__all__ = ["Checkouts", "Images", "Kept", "KeptStack", "Origin", "Run", "Runs", "Seen"]


class Run(Struct, frozen=True):
    """One run: its process, the checkout and instance it is for, and the Compose projects it has up.

    ``root`` is the project's folder, ``command`` what the user typed, ``started`` seconds since the epoch,
    ``around`` what was in a project before its tests and is not ours, where they were to begin.
    """

    id: str
    process: ProcessIdentity
    checkout: str
    instance: str
    root: str
    command: str = ""
    started: float = field(default_factory=time.time)
    projects: tuple[str, ...] = ()
    around: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def alive(self) -> bool | None:
        """Whether its process runs; ``None`` (unknown) counts as alive."""
        return is_alive(self.process)


class Runs:
    """The runs on one engine. A run adds a Compose project before its first resource exists."""

    def __init__(self, state: State, engine: str) -> None:
        self._state = state
        self._folder = State.name("runs", engine)

    def start(self, run: Run) -> None:
        self._state.keep(self._name(run.id), run)

    def add(self, run: str, project: str) -> None:
        """``project`` belongs to ``run`` from now."""
        self._change(run, lambda known: known | {project})

    def discard(self, run: str, project: str) -> None:
        """Nothing of ``project`` is left, or another run or the user has it now."""
        self._change(run, lambda known: known - {project})

    def saw(self, run: str, project: str, there: tuple[str, ...]) -> None:
        """Tests of ``run`` begin in ``project``, in which are ``there`` that are not ours."""
        with self._state.lock(self._folder):
            if known := self.get(run):
                self._state.keep(self._name(run), replace(known, around={**known.around, project: there}))

    def finish(self, run: str) -> None:
        """Forget ``run``: nothing of it is left."""
        with self._state.lock(self._folder):
            self._state.remove(self._name(run))

    def get(self, run: str) -> Run | None:
        return self._state.read(self._name(run), Run)

    def all(self) -> tuple[Run, ...]:
        """Every recorded run, the oldest first; the dead ones are those that could not clean up."""
        found = self._state.records(self._folder, Run).values()
        return tuple(sorted(found, key=lambda run: (run.started, run.id)))

    def _change(self, run: str, change: Callable[[frozenset[str]], frozenset[str]]) -> None:
        with self._state.lock(self._folder):
            known = self.get(run)
            if known is not None:
                projects = tuple(sorted(change(frozenset(known.projects))))
                around = {project: there for project, there in known.around.items() if project in projects}
                changed = replace(known, projects=projects, around=around)
                kept = self._state.keep(self._name(run), changed)
                if not kept and not projects:
                    self._state.remove(self._name(run))  # It says more than there is.

    def _name(self, run: str) -> str:
        return f"{self._folder}/{State.name(run)}"


class KeptStack(Struct, frozen=True):
    """A stack that outlives its run on purpose (``infra.up``, ``--keep``), since ``at`` (epoch s).

    One that stays only to be looked at, since its tests failed, goes at ``until`` (0: there is no such time).
    """

    project: str
    checkout: str
    instance: str
    root: str
    at: float = field(default_factory=time.time)
    until: float = 0.0


class Kept:
    """The stacks on one engine that nobody removes by himself."""

    def __init__(self, state: State, engine: str) -> None:
        self._state = state
        self._folder = State.name("kept", engine)

    def add(self, stack: KeptStack) -> None:
        """Without this record the next run would take the stack for one that was left behind."""
        self._state.write(self._name(stack.project), stack)

    def discard(self, project: str) -> None:
        self._state.remove(self._name(project))

    def get(self, project: str) -> KeptStack | None:
        return self._state.read(self._name(project), KeptStack)

    def keeps(self, project: str, checkout: str) -> bool:
        """Whether ``checkout`` keeps it, as far as can be told: a record of another version might say so."""
        known = self.get(project)
        return known.checkout == checkout if known else self._state.holds(self._name(project))

    def all(self) -> tuple[KeptStack, ...]:
        return tuple(self._state.records(self._folder, KeptStack).values())

    def _name(self, project: str) -> str:
        return f"{self._folder}/{State.name(project)}"


class Origin(Struct, frozen=True):
    """What an image was built from: the digest of its inputs, its id, and when (seconds since the epoch)."""

    inputs: str
    image: str
    at: float = field(default_factory=time.time)


class _Built(Struct, frozen=True):
    project: str
    checkout: str
    tags: tuple[str, ...]
    origins: dict[str, Origin] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)


class Images:
    """The exact tags and ids of the images built on one engine, per Compose project and checkout.

    Images carry no label (containers and images made from them would inherit it): this is how they are found.
    """

    def __init__(self, state: State, engine: str) -> None:
        self._state = state
        self._folder = State.name("images", engine)

    def add(self, project: str, checkout: str, tags: Iterable[str]) -> None:
        """``tags`` are about to be built for ``project``; whoever had one of them before has it no more."""
        new = frozenset(tags)
        with self._state.lock(self._folder):
            for (other, owner), known in self.all().items():
                if known & new and (other, owner) != (project, checkout):
                    self._write(other, owner, known - new)
            self._write(project, checkout, self.of(project, checkout) | new)

    def expect(self, project: str, checkout: str, tags: Iterable[str]) -> None:
        """``tags`` may be built for ``project`` by others; those that another checkout has stay its."""
        new = frozenset(tags)
        with self._state.lock(self._folder):
            had = self.all()
            taken = frozenset[str]().union(*(had[key] for key in had.keys() - {(project, checkout)}))
            mine = had.get((project, checkout), frozenset[str]())
            if not new - taken <= mine:
                self._write(project, checkout, mine | (new - taken))

    def forget(self, project: str, checkout: str, tags: Iterable[str] | None = None) -> None:
        """``tags`` (all of the project's) exist no longer."""
        with self._state.lock(self._folder):
            left = frozenset() if tags is None else self.of(project, checkout) - set(tags)
            self._write(project, checkout, left)

    def of(self, project: str, checkout: str) -> frozenset[str]:
        built = self._built(project, checkout)
        return frozenset(built.tags if built else ())

    def origin(self, project: str, checkout: str, tag: str) -> Origin | None:
        """What the image ``tag`` of the project was last built from, where that is known."""
        built = self._built(project, checkout)
        return built.origins.get(tag) if built else None

    def ids(self, project: str, checkout: str) -> Mapping[str, str]:
        """The ids of what was built under the project's tags, where building has ended."""
        built = self._built(project, checkout)
        if built is None:
            return {}
        return {tag: origin.image for tag, origin in built.origins.items()} | built.ids

    def remember(
        self, project: str, checkout: str, ids: Mapping[str, str], origins: Mapping[str, Origin]
    ) -> None:
        """Tags and ids of what was built, and from what; tags that are not the project's are left out."""
        with self._state.lock(self._folder):
            self._write(project, checkout, self.of(project, checkout), ids, origins)

    def all(self) -> dict[tuple[str, str], frozenset[str]]:
        """The tags by (project, checkout)."""
        found = self._state.records(self._folder, _Built).values()
        return {(built.project, built.checkout): frozenset(built.tags) for built in found}

    def _built(self, project: str, checkout: str) -> _Built | None:
        return self._state.read(self._name(project, checkout), _Built)

    def _write(
        self,
        project: str,
        checkout: str,
        tags: frozenset[str],
        ids: Mapping[str, str] = MappingProxyType({}),
        origins: Mapping[str, Origin] = MappingProxyType({}),
    ) -> None:
        name, known = self._name(project, checkout), self._built(project, checkout)
        if tags:
            known = known or _Built(project, checkout, ())
            from_what = {tag: o for tag, o in {**known.origins, **origins}.items() if tag in tags}
            built = {tag: image for tag, image in {**known.ids, **ids}.items() if tag in tags}
            self._state.keep(name, _Built(project, checkout, tuple(sorted(tags)), from_what, built))
        else:
            self._state.remove(name)

    def _name(self, project: str, checkout: str) -> str:
        return f"{self._folder}/{State.name(f'{project}@{checkout}')}"


class Seen(Struct, frozen=True):
    """Where a project of a checkout was last seen, its checkout's git directory, and its folder below that.

    ``git_dir`` is "" outside git.
    """

    checkout: str
    host: str
    root: str
    git_dir: str = ""
    below: str = ""


class Checkouts:
    """Where the checkouts of one machine that ever had something up were last seen."""

    def __init__(self, state: State, host: str) -> None:
        self._state = state
        self._host = host
        self._folder = State.name("checkouts", host)

    def seen(self, checkout: str, root: str, *, git_dir: str = "", below: str = "") -> None:
        """The project's folder of ``checkout`` is ``root``."""
        now = Seen(checkout, self._host, root, git_dir, below)
        if self.get(checkout) != now:
            self._state.keep(self._name(checkout), now)

    def get(self, checkout: str) -> Seen | None:
        return self._state.read(self._name(checkout), Seen)

    def all(self) -> tuple[Seen, ...]:
        found = self._state.records(self._folder, Seen).values()
        return tuple(seen for seen in found if seen.host == self._host)

    def forget(self, checkout: str) -> None:
        self._state.remove(self._name(checkout))

    def _name(self, checkout: str) -> str:
        return f"{self._folder}/{State.name(checkout)}"
