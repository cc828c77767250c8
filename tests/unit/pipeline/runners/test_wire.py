"""Reading what the injected plugin writes, as it grows."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tasklib.pipeline.runners import wire
from tasklib.pipeline.runners.pytest import INJECT


def test_lines_are_read_whole_and_once(tmp_path: Path) -> None:
    """A line that is half written is waited for; nothing is read twice."""
    path = tmp_path / "events"
    with wire.EventFile(path) as events, path.open("ab", buffering=0) as out:
        assert events.messages() == []
        out.write(b'{"e":"start","id":"a"}\n{"e":"sta')
        assert events.messages() == [wire.Start("a")]
        assert events.messages() == []
        out.write(b'rt","id":"b","new":1}\n')
        assert events.messages() == [wire.Start("b")]


def test_a_damaged_line_costs_itself_alone(tmp_path: Path) -> None:
    """What is no message is passed over; what is no text is marked."""
    path = tmp_path / "events"
    lines = [
        b"garbage",
        b'{"e":"later"}',
        b'{"e":"start","id":"\\udcff"}',
        b'{"e":"stop","kind":"a","why":"b"}',
    ]
    with wire.EventFile(path) as events:
        path.write_bytes(b"\n".join(lines) + b"\n")
        assert events.messages() == [wire.Start("?"), wire.Stop("a", "b")]


@given(st.binary())
def test_nothing_that_stands_in_the_file_raises(line: bytes) -> None:
    """Any bytes are a message or none."""
    wire.decode(line)


def test_what_is_injected_asks_for_nothing() -> None:
    """What a foreign PYTHONPATH offers: names of ours, which Python 3.6 can read, and no library."""
    (package,) = (path for path in INJECT.iterdir() if path.name != "__pycache__")
    assert package.name.startswith("tasklib_")
    files = list(package.glob("*.py"))
    assert len(files) > 1
    imported = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(), feature_version=(3, 6))):
            if isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(str(node.module))
            elif isinstance(node, ast.Import):
                imported.update(name.name for name in node.names)
    assert {name.split(".")[0] for name in imported} - sys.stdlib_module_names == {"pytest"}
