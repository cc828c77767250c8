"""The health check of a store whose data is elsewhere: it must not look for it where it was."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tasklib.stacks.baking.unfit import Unfit
from tasklib.stacks.servers import Baking

__all__ = ["moved_test"]

_AS = r"(?:\s+--su(?:-mysql|=\S+|\s+[^\s-]\S*))*"
"""Whose rights the check shall have: what stands before that it forgets."""


def moved_test(
    service: Mapping[str, Any],
    baking: Baking,
    folders: Sequence[str],
    files: Sequence[tuple[str, str]],
    data: str,
) -> tuple[str, ...]:
    """The test of a service's health check with the image's own program told that its data is in ``data``.

    () where it does not ask that. Raises :class:`Unfit` for one that reads in ``folders``, where no data is.
    """
    test = (service.get("healthcheck") or {}).get("test") or ()
    words = ("CMD-SHELL", test) if isinstance(test, str) else tuple(map(str, test))
    text = " ".join(words)
    if asked := next((folder for folder in folders if folder in text), ""):
        raise Unfit(f"its health check asks {asked}, which is elsewhere in a bake")
    name = posixpath.basename(baking.check)
    if not name or name not in text:
        return ()
    if any(baking.check == inside or baking.check.startswith(f"{inside}/") for _, inside in files):
        raise Unfit(f"{baking.check} is not the image's own")
    options = [option.format(data=data) for option in baking.check_options]
    called = re.compile(rf"(?<!\S)(?:{re.escape(baking.check)}|{re.escape(name)}){_AS}(?!\S)")
    calls = (at for at, word in enumerate(words) if word in (name, baking.check))
    if words[0] == "CMD" and (at := next(calls, 0)):
        asks = called.match(" ".join(words[at:]))
        after = at + (len(asks[0].split()) if asks else 1)
        return (*words[:after], *options, *words[after:])
    moved = tuple(called.sub(lambda found: " ".join((found[0], *options)), word) for word in words)
    if sum(len(called.findall(word)) for word in words) != text.count(name):
        raise Unfit(f"its health check asks {name} in a way that is not known")
    return moved
