"""The text that Compose is given."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tasklib.stacks.rewrite import as_text, isolate

from .support import stack_of


@given(st.text())
def test_the_text_is_json_without_what_yaml_refuses(text: str) -> None:
    """Any string is read back as it was; only characters beyond the basic plane are not escaped."""
    printed = as_text({"key": text})
    assert json.loads(printed) == {"key": text}
    assert all(" " <= character <= "~" or character > "\uffff" for character in printed)


def test_keys_have_single_dollars() -> None:
    """Compose doubles every `$` when it prints and reads back those of values alone; once is enough."""
    config = stack_of({"api": {"labels": {"a.$$b": "c$$d"}, "environment": {"E$$$$F": "$$"}}})
    once = isolate(config, "main")
    assert once["services"]["api"]["labels"]["a.$b"] == "c$$d"
    assert once["services"]["api"]["environment"] == {"E$$F": "$$"}
    assert isolate(once, "main") == once
