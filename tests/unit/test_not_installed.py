"""Where tasklib-pytest is installed alone: who tries the front ends is told which distribution has them."""

from __future__ import annotations

import subprocess
import sys

import pytest

SAID = "is not installed here: tasklib-pytest is for fixtures alone"


def _run(missing: str, code: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-c", f"import sys; sys.modules[{missing!r}] = None; {code}"]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("missing", "front_end", "name"), [("nox", "sessions", "Nox"), ("invoke", "tasks", "Invoke")]
)
def test_an_import_fails_with_the_distribution_that_is_missing(
    missing: str, front_end: str, name: str
) -> None:
    """As a missing module does, which is what whoever tries an import catches."""
    done = _run(missing, f"import tasklib.{front_end}")
    assert (
        f"NotInstalled: {name} {SAID}\nInstall the rest beside it: pip install tasklib-stages\n"
        in done.stderr
    )
    caught = f"try: import tasklib.{front_end}\nexcept ModuleNotFoundError: pass"
    assert _run(missing, f"exec({caught!r})").returncode == 0


def test_the_command_says_so_in_a_line_and_exits_with_2() -> None:
    """No traceback, and no mistake of ours."""
    done = _run("invoke", "from tasklib.__main__ import main; main()")
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: Invoke {SAID}\n")
