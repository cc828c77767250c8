"""PURE: what a failed test is told by, from all that failed in it."""

from __future__ import annotations

from collections.abc import Sequence

from tasklib.pipeline.runners import texts, wire

__all__ = ["message_of", "titled"]


def message_of(failures: Sequence[wire.Failure]) -> str:
    first = failures[0]
    said = texts.one_line(first.message) or texts.gist(first.detail)
    name = f"{first.sub} " if first.sub else "teardown: " if first.when == "teardown" else ""
    more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
    return f"{name}{said}{more}"


def titled(failure: wire.Failure, several: bool) -> str:
    detail = texts.plain(failure.detail)
    titled = several or failure.sub
    return f"{failure.when} {failure.sub}".rstrip() + f":\n{detail}" if titled else detail
