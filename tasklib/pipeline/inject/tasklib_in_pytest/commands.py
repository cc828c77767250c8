"""What a command said that a test started, kept by the exception that says that it failed."""

import pytest

__all__ = ["Commands"]

ERRORS = ("CalledProcessError", "TimeoutExpired")
"""Of the module subprocess: they hold the command's output, and their message does not."""


class Commands:
    """Adds that output to the report of the test, beside what the test itself printed."""

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        outcome = yield
        if call.excinfo is None or outcome.excinfo:
            return
        error = call.excinfo.value
        if type(error).__name__ not in ERRORS:
            return
        sections = outcome.get_result().sections
        for name in ("stdout", "stderr"):
            text = getattr(error, name, None)
            if isinstance(text, bytes):
                text = text.decode("utf-8", "replace")
            if isinstance(text, str) and text.strip():
                # What is no text (`errors="surrogateescape"`) could not leave a worker of pytest-xdist.
                text = text.encode("utf-8", "replace").decode("utf-8")
                sections.append(("%s of the command" % name, text))
