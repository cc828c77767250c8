"""What a release finds, before it is planned."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from tasklib.release.tag.elsewhere import Mention
from tasklib.release.tag.repository import Remote

__all__ = ["Survey"]


class Survey(Struct, frozen=True):
    """What a release finds.

    ``commit`` and ``branch`` are HEAD's, ``left`` is the branch of a rebase or bisection that is under way,
    ``dirty`` what is not committed, ``tags`` the local tags' objects by name, ``merged`` the tags, here and
    on the remote, that HEAD descends from as far as its history is here (``shallow``: not to its beginning),
    ``remote`` what the remote answered (``None``: there is none), ``behind`` whether it has commits on this
    branch that are not here, ``gone`` whether it had the branch when it was last asked and has it no more.
    ``files`` are the texts of the changelog, of pyproject.toml and of uv.lock by path; ``other_changelog`` is
    one in another form, ``unwritten`` says of what is like a changelog why it is none, ``mentions`` are lines
    that may state a version.
    """

    root: Path
    name: str
    commit: str | None
    branch: str | None
    left: str | None = None
    dirty: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    merged: tuple[str, ...] = ()
    shallow: bool = False
    remote: Remote | None = None
    behind: bool = False
    gone: bool = False
    changelog: Path | None = None
    pyproject: Path | None = None
    lock: Path | None = None
    other_changelog: Path | None = None
    files: Mapping[Path, str] = field(default_factory=dict)
    unwritten: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = ()
