"""What is said of a builder that cannot do what it is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tasklib import process
from tasklib.errors import EngineError
from tasklib.process import Cancel
from tasklib.stacks.compose.bake import bake


def test_a_builder_that_cannot_attest_is_told_with_the_two_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another builder, or no attestations."""

    def stream(argv: object, *, on_line: Callable[[str, str], None], **rest: object) -> int:
        on_line("stderr", "ERROR: Attestation is not supported for the docker driver.")
        return 1

    monkeypatch.setattr(process, "stream", stream)
    with pytest.raises(EngineError) as raised:
        bake({"name": "shop", "services": {}}, Path(), lambda line: None, Cancel())
    assert raised.value.remedy == (
        "`docker buildx create --use` makes one that can; `images.attestations = []` does without."
    )
