"""Lines that name a failed test, as runners print them."""

from __future__ import annotations

import pytest

from tasklib.pipeline.runners.heads import is_head


@pytest.mark.parametrize(
    "line",
    [
        "not ok 4 - breaks",
        "FAIL: test_breaks (x.Y)",
        "  \N{HEAVY MULTIPLICATION X} breaks (1ms)",
        "  \N{BLACK CIRCLE} a breaks",
        "(fail) breaks [1ms]",
        "  \N{HEAVY BALLOT X} [fail]: breaks",
        "test a::breaks ... FAILED",
        "  Failed A.Breaks [2 ms]",
        "[ERROR]   ATest.breaks:12 no",
        "ATest > breaks() FAILED",
        "Breaks                                        | FAIL |",
        " FAIL  test_a:2 breaks                                  50%",
        "[  FAILED  ] Cart.Breaks (0 ms)",
        "[FAIL]        cart          0   breaks.",
        "1/2 Test #1: cart .............***Failed    0.00 sec",
        "- should break *** FAILED ***",
        "00:00 +0 -1: breaks [E]",
        "1/2 main.test.breaks...FAIL (TestExpectedEqual)",
        "  breaks FAILED [1]",
        "#   Failed test 'breaks'",
        "Test Case '-[ShopTests.CartTests testBreaks]' failed (0.1 seconds).",
        "\x1b[31mFAIL\x1b[0m tests/a.test.js",
    ],
)
def test_a_failed_test_is_named(line: str) -> None:
    """Whatever tells what failed where the last lines may not."""
    assert is_head(line)


@pytest.mark.parametrize(
    "line",
    [
        "ok 1 - fine",
        "[       OK ] Cart.Fine (0 ms)",
        "Fine                                          | PASS |",
        "FAILURES!",
        "2 tests, 1 passed, 1 failed",
        "fails over to the second host",
        "x" * 5000,
        "",
    ],
)
def test_others_name_none(line: str) -> None:
    """Passed tests, counts and what tests say."""
    assert not is_head(line)
