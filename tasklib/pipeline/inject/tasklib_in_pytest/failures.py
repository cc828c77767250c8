"""What pytest's reports and errors say: in which words, where, and why."""

import os

from .events import cut

__all__ = [
    "describe",
    "line_in",
    "message_of",
    "origin",
    "place_of",
    "reason_of",
    "subtest_of",
    "text_of",
]


def describe(error):
    return cut("%s: %s" % (type(error).__name__, error))


def line_in(error, path):
    """The line of the file at ``path`` that cannot be read, else the deepest one that led to ``error``."""
    path = str(path)
    if isinstance(error, SyntaxError) and error.filename == path:
        return error.lineno
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def origin(error, root):
    """File (relative to the root) and line of the project's deepest frame, ("", None) without one."""
    found = ("", None)
    trace = error.__traceback__
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if path.startswith(root + os.sep) and "site-packages" not in path:
            found = (os.path.relpath(path, root), trace.tb_lineno)
        trace = trace.tb_next
    return found


def text_of(report):
    try:
        return cut(report.longreprtext)
    except Exception as error:
        return "cannot be shown: %r" % (error,)


def message_of(report):
    """What was raised, as the exception says it; empty where the report holds only text."""
    representation = report.longrepr
    crash = getattr(representation, "reprcrash", None)
    text = getattr(crash, "message", None) or getattr(representation, "errorstring", None) or ""
    chain = getattr(representation, "chain", None) or ()
    if len(chain) > 1 and text.split(":")[0].rpartition(".")[2].startswith("PytestUn"):
        # What a thread or a destructor raised, told by a warning that is an error here: the cause says more.
        cause = getattr(chain[0][1], "message", None)
        text = "%s: %s" % (" ".join(text.split()), cause) if cause else text
    return cut(text)


def reason_of(report):
    longrepr = report.longrepr
    text = longrepr[2] if isinstance(longrepr, tuple) and len(longrepr) == 3 else longrepr
    text = str(text)
    return cut(text[9:] if text.startswith("Skipped: ") else text)


def subtest_of(report):
    describe = getattr(report, "sub_test_description", None) or getattr(report, "_sub_test_description", None)
    try:
        return cut(describe())
    except Exception:
        return "(<subtest>)"


def place_of(longrepr, test_file, root, start, when):
    """File (relative to the root) and line of the failure: the deepest frame that is the project's own.

    For a call that is the test's own file, whatever helper raised, unless no frame is in there; a fixture
    fails where it is written.
    """
    own = os.path.normpath(os.path.join(root, test_file))
    best = other = None
    entries = getattr(getattr(longrepr, "reprtraceback", None), "reprentries", None) or ()
    for entry in entries:
        place = getattr(entry, "reprfileloc", None)
        line = getattr(place, "lineno", None)
        if line is None:
            continue
        path = os.path.normpath(os.path.join(start, str(place.path)))
        # What Python holds frozen, or was made from a string, has a name like <frozen os>; a plugin may give
        # the id of a test (pytest-check).
        is_file = os.path.isfile(path)
        inside = is_file and path.startswith(root + os.sep) and "site-packages" not in path
        if path == own or (inside and when != "call"):
            best = (os.path.relpath(path, root), line)
        elif inside:
            other = (os.path.relpath(path, root), line)
    return best or other
