"""New projects as copier makes them, each made once a run: it takes long, and each worker would make all."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tasklib.new.answers import Answers, written
from tasklib.new.rendering import rendered

__all__ = ["Render", "shared_between_workers"]

Render = Callable[[Answers], Mapping[str, str]]


def shared_between_workers(factory: pytest.TempPathFactory) -> Render:
    """``rendered``, with what it gave kept in the folder that all workers of this run have."""
    base = factory.getbasetemp()
    folder = base.parent if base.name.startswith("popen-") else base

    def render(answers: Answers) -> Mapping[str, str]:
        digest = hashlib.sha256(f"{answers}{written(answers)}".encode()).hexdigest()
        kept = folder / f"rendered-{digest}.json"
        if not kept.exists():
            with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as made:
                json.dump(dict(rendered(answers)), made)
            Path(made.name).replace(kept)
        found: dict[str, str] = json.loads(kept.read_text(encoding="utf-8"))
        return found

    return render
