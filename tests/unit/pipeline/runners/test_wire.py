"""Reading what the injected plugin writes, as it grows."""

from __future__ import annotations

import ast
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


def test_the_injected_plugin_is_alone_in_its_folder_and_in_old_syntax() -> None:
    """The folder that is put on a foreign PYTHONPATH offers one module, that Python 3.6 can read."""
    files = [path.name for path in INJECT.iterdir() if path.name != "__pycache__"]
    assert files == ["tasklib_events.py"]
    tree = ast.parse((INJECT / files[0]).read_text(), feature_version=(3, 6))
    imported = {
        name.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    standard = {"faulthandler", "fcntl", "functools", "json", "os", "signal", "sys", "time", "traceback"}
    assert imported == standard | {"pytest"}
