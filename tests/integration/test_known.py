"""What is known of earlier runs: shown again, skipped, proven."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .projects import Checkout, command_environment

TESTS = "def test_price(): assert 2 * 3 == 6\n"


@pytest.fixture
def shop(tmp_path: Path) -> Checkout:
    """Two services with unit tests, all of it committed; no engine is needed."""
    root = tmp_path / "shop"
    root.mkdir()
    checkout = Checkout(root, "main", command_environment(tmp_path / "state"))
    checkout.git("init", "-q", "-b", "main")
    checkout.write(
        {
            "services/api/tests/unit/test_api.py": TESTS,
            "services/web/tests/unit/test_web.py": TESTS,
            ".gitignore": ".env\n__pycache__/\n.pytest_cache/\n",
        }
    )
    checkout.commit()
    return checkout


def tasklib(shop: Checkout, *words: str) -> tuple[int, str]:
    ran = shop.run("tasklib", *words)
    return ran.code, f"{ran.out}{ran.err}"


def test_a_proof_holds_for_exactly_this_content(shop: Checkout) -> None:
    """Edits of tracked, untracked and ignored files void it; taking them back restores it."""
    assert tasklib(shop, "test.proof", "--stages", "unit")[0] == 1
    assert tasklib(shop, "test.unit")[0] == 0
    code, said = tasklib(shop, "test.proof", "--stages", "unit")
    assert (code, said.strip()) == (0, "proven: unit api, unit web passed on exactly this tree")
    for name in ("services/api/tests/unit/test_api.py", "services/api/new.py", ".env"):
        path = shop.root / name
        before = path.read_text() if path.exists() else None
        path.write_text(f"{before or ''}\n# edited\n")
        assert tasklib(shop, "test.proof", "--stages", "unit")[0] == 1, name
        if before is None:
            path.unlink()
        else:
            path.write_text(before)
        assert tasklib(shop, "test.proof", "--stages", "unit")[0] == 0, name


def test_what_a_change_does_not_touch_is_skipped(shop: Checkout) -> None:
    """With the time of its pass; the run is green all the same."""
    assert tasklib(shop, "test.unit")[0] == 0
    code, said = tasklib(shop, "test.unit", "--cached")
    assert code == 0
    assert "skipped: unit api, unit web: cached, passed just now" in said
    (shop.root / "services/web/page.py").write_text("PAGE = 1\n")
    code, said = tasklib(shop, "test.unit", "--cached", "--explain")
    assert code == 0
    assert "unit api: out: passed " in said
    assert "unit web: in: services/web/page.py changed; it passed " in said
    assert "unit web: 1 passed" in said


def test_a_narrowed_run_proves_nothing(shop: Checkout) -> None:
    """Tests that -k left out did not pass."""
    assert tasklib(shop, "test.unit", "-k", "price")[0] == 0
    assert tasklib(shop, "test.proof", "--stages", "unit")[0] == 1


def test_the_last_run_is_shown_again(shop: Checkout) -> None:
    """With its exit code, bounded, as JSON too; no test runs for it."""
    (shop.root / "services/api/tests/unit/test_api.py").write_text("def test_price(): assert 2 * 3 == 7\n")
    ran, first = tasklib(shop, "test.unit", "--format", "plain")
    code, again = tasklib(shop, "test.last", "--failures")
    assert (ran, code) == (1, 1)
    assert "assert (2 * 3) == 7" in first
    assert "assert (2 * 3) == 7" in again
    assert "unit web: 1 passed" not in again
    assert len(tasklib(shop, "test.last", "--lines", "2")[1].splitlines()) == 2
    events = [json.loads(line) for line in tasklib(shop, "test.last", "--format", "json")[1].splitlines()]
    assert events[-1]["event"] == "run_finished"


def test_without_a_run_there_is_nothing_to_show(shop: Checkout) -> None:
    """It is said, with what to do."""
    code, said = tasklib(shop, "test.last")
    assert code == 2
    assert "no run of this checkout is known" in said


def test_committing_keeps_a_proof(shop: Checkout) -> None:
    """The content is the same, whoever knows of it."""
    shop.write({"services/api/new.py": "NEW = 1\n"})
    assert tasklib(shop, "test.unit")[0] == 0
    shop.commit()
    assert tasklib(shop, "test.proof", "--stages", "unit")[0] == 0
