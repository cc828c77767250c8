"""PURE: what runners answer that are asked for their tests."""

from __future__ import annotations

import re

from tasklib import process
from tasklib.reporting.words.text import one_line

__all__ = ["count_of_files", "pytest_said", "reason"]

_PROGRESS = re.compile(r"ERROR: usage:|\s*(Download|Build|Built|Install|Prepar|Resolv|Using|Creat|Updat)\w* ")
_RAISED = re.compile(r"(?:E +)?[A-Za-z_][\w.]*(?:Error|Exception|Exit|Configured|Warning)\b")
"""How a traceback ends."""

_CAUSE = re.compile(r"(?:(?:Caused by|cause):|\u2570\u2500\u25b6)\s*(.+)")


def pytest_said(done: process.Completed) -> tuple[str, bool]:
    """How many tests pytest collected, or what it says is wrong with them."""
    count = re.findall(r"(?m)^(?:(\d+)/)?(\d+) tests? collected", done.stdout)
    if done.code == 0 and count:
        number = int(count[-1][0] or count[-1][1])
        return count_of_tests(number), False
    if done.code == 0 and (listed := [line for line in done.stdout.splitlines() if "::" in line]):
        return count_of_tests(len(listed)), False  # A plugin of the project writes the end otherwise.
    if done.code == 0 and (number := _counted(done.stdout)):
        return count_of_tests(number), False
    if done.code == 0:
        return "collected", False
    if done.code == 5:
        return "pytest finds no test there", True
    lines = f"{done.stdout}\n{done.stderr}".splitlines()  # of a conftest pytest complains on the other one
    words = [line for line in lines if line.startswith(("E   ", "ERROR "))]
    if words:
        return f"pytest cannot collect it: {words[0].removeprefix('E').strip()}", True
    return f"not collected: {reason(done.stderr or done.stdout) or f'exit code {done.code}'}", False


def _counted(text: str) -> int:
    """The tests where the project's own options have pytest say less, or more: by file, or as a tree."""
    by_file = re.findall(r"(?m)^\S+\.\w+: (\d+)$", text)
    return sum(map(int, by_file)) or len(re.findall(r"(?m)^\s*<(?:\w*Function|Coroutine|DoctestItem) ", text))


def reason(text: str) -> str:
    """What an installer or a runner says is wrong: its first word on it, and the cause that it ends with."""
    said = [line.strip() for line in text.splitlines() if line.strip() and not _PROGRESS.match(line)]
    if any(line.startswith("Traceback (most recent") for line in said):
        said = [line for line in said if _RAISED.match(line)][-1:] or said
    wrong = [line for line in said if re.match(r"(?i)error|\u00d7|.*\b(failed|no such|not found)\b", line)]
    causes = [found[1] for line in said if (found := _CAUSE.match(line))]
    first = next(iter(wrong or said), "").removeprefix("\u00d7").strip()
    return one_line(": ".join([first, *causes[-1:]]), 200)


def count_of_tests(number: int) -> str:
    return f"{number} test{'s' if number != 1 else ''}"


def count_of_files(number: int) -> str:
    return f"{number} test file{'s' if number != 1 else ''}"
