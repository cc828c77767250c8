"""What Compose is called with for a stack's files."""

from __future__ import annotations

from pathlib import Path

from tasklib.stacks.compose.source import Source, file_arguments


def test_a_profile_is_a_name_whatever_it_begins_with() -> None:
    """One that looks like an option is no option of Compose's."""
    source = Source((Path("/shop/compose.yml"),), Path("/shop"), profiles=("--x", "debug"))
    arguments = file_arguments(source)
    assert {"--profile=--x", "--profile=debug"} <= set(arguments)
    assert "--x" not in arguments
