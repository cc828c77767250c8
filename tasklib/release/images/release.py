"""What is to be built as which version: from the command line, the project and git's tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct, field
from msgspec.structs import replace
from semver import Version

from tasklib import process
from tasklib.checkout import find_checkout
from tasklib.errors import UsageError
from tasklib.project import Project, Service
from tasklib.release.images import names
from tasklib.release.images.attesting import NOTHING, Attesting
from tasklib.release.tag.repository import Repository
from tasklib.release.tag.versions import highest, is_stable, parse, tag_name, tagged_version
from tasklib.shown.cutting import several

__all__ = ["Release", "only", "previous_tag", "reference", "release_of"]


class Release(Struct, frozen=True):
    """What is to be built as which version.

    ``versions`` are those that git has tags of (``shallow``: perhaps not all), ``marks`` the images' labels,
    ``platforms`` what to build for (none: what the engine is), ``push`` whether to push at all, ``attesting``
    what is attested of them.
    """

    project: Project
    version: Version
    services: tuple[Service, ...]
    versions: tuple[Version, ...] = ()
    shallow: bool = False
    marks: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    push: bool = True
    notices: tuple[str, ...] = ()
    attesting: Attesting = NOTHING

    @property
    def by_builder(self) -> bool:
        """Whether the builder pushes, and the images are never on the engine."""
        return len(self.platforms) > 1 or self.attesting.by_builder

    @property
    def revision(self) -> str:
        return self.marks.get(names.REVISION, "")


def release_of(
    project: Project,
    version: str | None,
    services: Sequence[Service],
    *,
    platforms: tuple[str, ...] = (),
    push: bool = True,
    cancel: process.Cancel | None = None,
) -> Release:
    """The release of ``version``, by default the one that HEAD is tagged as.

    Raises :class:`~tasklib.errors.UsageError` where that is none, and where what would be pushed is not what
    its tag names.
    """
    checkout = find_checkout(project.root)
    repository = Repository(checkout, cancel) if checkout.git_dir else None
    commit = repository.head()[0] if repository else None
    tags = repository.tags() if repository else {}
    chosen = parse(version) if version is not None else _tagged_here(project, repository)
    notices = []
    there = repository.commit_of(f"refs/tags/{tag_name(chosen)}") if repository else None
    if there and there != commit:
        what = f"{tag_name(chosen)} is the tag of {there[:10]}, not of what is checked out"
        if push:
            raise UsageError(
                what,
                where=str(project.root),
                remedy=f"`git switch --detach {tag_name(chosen)}` first, or raise the version.",
            )
        notices.append(what)
    if repository and (dirty := repository.dirty(overlooked=True)):
        what = f"the tree is dirty ({several(dirty)}): the images are not what {commit or 'HEAD'} is"
        if push:
            raise UsageError(
                what,
                remedy="Commit, ignore or remove what is not committed, or build without pushing: --no-push.",
            )
        notices.append(what)
    marks = names.labels(
        chosen,
        created=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        revision=commit,
        source=names.public_url(repository.remote_url() or "") if repository else None,
    )
    known = tuple(found for tag in tags if (found := tagged_version(tag)))
    return Release(
        project,
        chosen,
        tuple(services),
        known,
        shallow=repository is not None and repository.is_shallow,
        marks=marks,
        platforms=platforms,
        push=push,
        notices=tuple(notices),
    )


def _tagged_here(project: Project, repository: Repository | None) -> Version:
    here = repository.tags(at="HEAD") if repository else {}
    found = highest(version for tag in here if (version := tagged_version(tag)))
    if found is None:
        raise UsageError(
            "no version is given",
            where=str(project.root),
            remedy="Give it by --version X.Y.Z, or tag the commit vX.Y.Z.",
        )
    return found


def previous_tag(project: Project, version: Version, cancel: process.Cancel | None = None) -> str | None:
    """The tag of the version before ``version`` that HEAD descends from: what it has changed since.

    Of a stable version that is a stable one: what changed before its pre-releases belongs to it, too.
    """
    checkout = find_checkout(project.root)
    if not checkout.git_dir or checkout.unborn:
        return None
    tags = Repository(checkout, cancel).tags(merged="HEAD")
    known = [found for tag in tags if (found := tagged_version(tag)) and found < version]
    before = highest(filter(is_stable, known) if is_stable(version) else known)
    return f"refs/tags/v{before}" if before else None


def only(release: Release, names: Sequence[str]) -> Release:
    """The same for those of its services that are called ``names``."""
    return replace(release, services=tuple(s for s in release.services if s.name in names))


def reference(release: Release, service: Service) -> str:
    """What a service's image will be called."""
    return f"{names.image_name(release.project, service.name)}:{release.version}"
