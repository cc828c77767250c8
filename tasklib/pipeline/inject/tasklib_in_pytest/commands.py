"""What a command said that a test started, kept by the exception that says that it failed."""

import pytest

__all__ = ["Commands"]

ERRORS = ("CalledProcessError", "TimeoutExpired")
"""Of the module subprocess: they hold the command's output, and their message does not."""

DEPTH = 10
"""Exceptions that are looked at, each raised from the next."""


class Commands:
    """Adds that output to the report of the test, beside what the test itself printed."""

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        outcome = yield
        if call.excinfo is None or outcome.excinfo:
            return
        error = _of_command(call.excinfo.value)
        sections = outcome.get_result().sections
        for name in ("stdout", "stderr"):
            text = getattr(error, name, None)
            if isinstance(text, bytes):
                text = text.decode("utf-8", "replace")
            if isinstance(text, str) and text.strip():
                # What is no text (`errors="surrogateescape"`) could not leave a worker of pytest-xdist.
                text = text.encode("utf-8", "replace").decode("utf-8")
                sections.append(("%s of the command" % name, text))


def _of_command(error):
    """The exception that holds a command's output: this one, or what it was raised from."""
    for _ in range(DEPTH):
        if error is None or type(error).__name__ in ERRORS:
            break
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    else:
        return None
    return error
