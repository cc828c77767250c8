"""PURE: a proposal as text: a unified diff that `git apply` takes, with a reason for each line above it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from tasklib.adopt.evidence import Place
from tasklib.adopt.proposal import Proposal, Reason

__all__ = ["rendered"]

_WIDEST = 60
_MOST = 4


def rendered(proposal: Proposal, before: Mapping[str, str]) -> Iterator[str]:
    """The lines of the diff; ``before`` are the files as they are."""
    for file in sorted(proposal.files, key=lambda name: (name != "pyproject.toml", name)):
        after = proposal.files[file]
        yield f"# {file}"
        yield from map(_reason, proposal.reasons.get(file, ()))
        yield from diff(file, before.get(file), after)
        yield ""


def diff(file: str, before: str | None, after: str | None) -> Iterator[str]:
    """A unified diff of one file; ``None`` stands for a file that is not there."""
    old = before.splitlines(keepends=True) if before is not None else []
    new = after.splitlines(keepends=True) if after is not None else []
    names = (
        f"a/{file}" if before is not None else "/dev/null",
        f"b/{file}" if after is not None else "/dev/null",
    )
    yield f"diff --git a/{file} b/{file}"
    if before is None:
        yield "new file mode 100644"
    elif after is None:
        yield "deleted file mode 100644"
    for line in difflib.unified_diff(old, new, *names):
        yield line.rstrip("\n")
        if not line.endswith("\n"):
            yield "\\ No newline at end of file"


def questions(proposal: Proposal) -> Iterator[str]:
    """What is not decided, and how it is answered."""
    for question in proposal.questions:
        yield f"question: {question.text}"
        for choice in question.choices:
            what = f"  {choice.what}" if choice.what else ""
            yield f"  --answer {question.key}={choice.answer}{what}{_seen(choice.places)}"


def notes(proposal: Proposal) -> Iterator[str]:
    """What is left to the reader."""
    for note in proposal.notes:
        yield f"note: {note.text}{_seen(note.places)}"


def _reason(reason: Reason) -> str:
    line = reason.line if len(reason.line) <= _WIDEST else f"{reason.line[: _WIDEST - 1]}…"
    return f"#   {line}  <- {reason.why}{_seen(reason.places)}"


def _seen(places: tuple[Place, ...]) -> str:
    unique = list(dict.fromkeys(places))
    texts = [
        f":{place.line}" if index and unique[index - 1].file == place.file else str(place)
        for index, place in enumerate(unique)
    ]
    more = f" and {len(unique) - _MOST} more" if len(unique) > _MOST else ""
    return f" ({', '.join(texts[:_MOST])}{more})" if unique else ""
