"""Which Compose files can run twice on one machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import study


@pytest.mark.parametrize(
    ("lines", "reasons"),
    [
        ("a: {image: x}", set()),
        ('a: {image: x, ports: ["8000"]}', set()),
        ('a: {image: x, ports: ["8000:8000"]}', {study.FIXED_PORT}),
        ('a: {image: x, ports: ["127.0.0.1:8000:8000", "${PORT:-1}:1"]}', {study.FIXED_PORT}),
        ('a: {image: x, ports: ["${PORT:-8000}:8000"]}', {study.SETTABLE_PORT}),
        ("a: {image: x, container_name: api}", {study.FIXED_NAME}),
        ("a: {image: x, network_mode: host}", {study.HOST_NETWORK}),
        ("a: {image: x}\nnetworks: {web: {external: true}}", {study.OUTSIDE}),
        ("a: {image: x}\nname: shop", {study.FIXED_PROJECT}),
    ],
)
def test_what_keeps_a_file_from_running_twice(tmp_path: Path, lines: str, reasons: set[str]) -> None:
    """What an engine or a host has only once, whichever environment the file is for."""
    (tmp_path / "docker-compose.yml").write_text(f"services:\n  {lines}\n")
    (found,) = study.studied(tmp_path)
    assert found.reasons == reasons


def test_the_table_counts_files(tmp_path: Path) -> None:
    """Each once in every line that it has a reason for, and those without any apart."""
    for name, more in (("one", ', ports: ["8000:8000", "1:1"]'), ("two", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "compose.yaml").write_text(f"services:\n  a: {{image: x{more}}}\n")
    (tmp_path / "compose.empty.yaml").write_text("volumes: {}\n")
    lines = list(study.table(list(study.studied(tmp_path))))
    assert lines[2:] == [
        "| looked at | 2 |",
        "| can run twice as they are | 1 (50%) |",
        f"| {study.FIXED_PORT} | 1 (50%) |",
    ]
