"""PURE: lines in which runners name a failed test, among all that a command prints.

Sources: what the runners print, each as it comes.
"""

from __future__ import annotations

import re

from tasklib.pipeline.runners import texts

__all__ = ["VERDICT", "is_head"]

_WIDTH = 500
"""Characters of a line that are looked at."""

_CROSSES = "\N{HEAVY MULTIPLICATION X}\N{MULTIPLICATION X}\N{BALLOT X}\N{HEAVY BALLOT X}"

VERDICT = re.compile(rf"\s*([\N{{HEAVY CHECK MARK}}\N{{CHECK MARK}}{_CROSSES}] |\((pass|fail)\) )")
"""How those that print it behind a test's own words say what became of the test."""

_BEGINS = (
    *(r"not ok \d+", r"FAIL(ED)?:? ", r"ERROR: ", r"--- FAIL: ", r"\d+\) \S", r"---- \S.* stdout ----"),
    *(r"\(fail\) ", r"Failed \S.* \[", r"\[ERROR\] +\S+:\d+", r"\[  FAILED  \] \S", r"\[FAIL\] +\S"),
    *(
        r"#\s+Failed test ",
        r"Test Case '.*' failed ",
        rf"[{_CROSSES}\N{{MULTIPLICATION SIGN}}\N{{BLACK CIRCLE}}] ",
    ),
)
_ENDS = (
    *(
        r" FAILED( [(\[].*[)\]])?",
        r" \[FAIL\]( \(.*\))?",
        r" \*\*\* FAILED \*\*\*",
        r" \| FAIL \|",
        r" \[E\]",
    ),
    r"\*\*\*(Failed|Timeout|Exception: \S+)\b.*",
    r"\.\.\.FAIL( .*)?",
)
_HEAD = re.compile(rf"\s*(({'|'.join(_BEGINS)})|.*({'|'.join(_ENDS)})\s*$)")


def is_head(line: str) -> bool:
    """Whether a line names a failed test.

    >>> is_head("--- FAIL: TestTotal (0.00s)"), is_head("[ RUN      ] Cart.Total")
    (True, False)
    """
    return _HEAD.match(texts.plain(line[:_WIDTH])) is not None
