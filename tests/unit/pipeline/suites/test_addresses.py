"""Fixed addresses in tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklib.pipeline.suites.addresses import fixed_addresses, warning


@pytest.mark.parametrize(
    "line",
    [
        'redis.from_url("redis://127.0.0.1:6379/0")',
        "fetch('http://localhost:6379/')",
        'connect("localhost", 6379)',
        "Redis(host='127.0.0.1', port=6379)",
        "new Client({host: 'localhost', port: 6379})",
        "{'host': 'localhost',  port: '6379'}",
        '"host": "127.0.0.1",\n  "port": 6379,',
        'assert get("http://localhost:6379/a").status == 200',
        'page = get("http://localhost:6379/#a")',
    ],
)
def test_an_address_that_is_written_out_is_found(line: str) -> None:
    """In a URL, or as a host beside its port."""
    assert [found.port for found in fixed_addresses(f"x\n  {line}\n")] == [6379]
    assert [found.line for found in fixed_addresses(f"x\n  {line}\n")] == [2]


@pytest.mark.parametrize(
    "line",
    [
        "# redis on localhost:6379",
        "// localhost:6379",
        'os.environ.get("REDIS", "localhost:6379")',
        "process.env.REDIS || 'localhost:6379'",
        "http://my.localhost:6379",
        "localhost:6",
        'connect("localhost", port)',
        '"""What http://localhost:6379 answers."""',
        "client = connect()  # mostly localhost:6379",
        'assert page.url == "http://localhost:6379/a"',
        'assert "http://localhost:6379" not in page.text',
        "expect(link).toBe('http://localhost:6379/a')",
        'self.assertEqual(link, "http://localhost:6379/a")',
        'headers={"Origin": "http://localhost:6379"}',
    ],
)
def test_what_is_no_fixed_address(line: str) -> None:
    """Comments, text, what a variable replaces, other hosts, and ports that are not written."""
    assert list(fixed_addresses(line)) == []


def test_only_ports_of_the_stacks_file_are_told(tmp_path: Path) -> None:
    """With the first place, how many more there are, and the variables to read instead."""
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "conftest.py").write_text('A = "localhost:6379"\nB = "localhost:9999"\n')
    (tests / "test_a.py").write_text('\nC = "127.0.0.1:6379"\n')
    (tests / "notes.txt").write_text("localhost:6379")
    assert warning([tests], {6379: ("my-redis", 6379)}, tmp_path) == (
        "tests/conftest.py:1 names localhost:6379, and 1 more such place: port 6379 of my-redis is a free "
        "one here, which TEST_MY_REDIS_HOST and TEST_MY_REDIS_PORT tell; `endpoints` gives variables of "
        "other names"
    )
    assert warning([tests], {80: ("web", 80)}, tmp_path) == ""
