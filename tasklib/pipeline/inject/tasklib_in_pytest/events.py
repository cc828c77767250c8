"""The events that tell tasklib what pytest does: one JSON object a line, appended to the file TASKLIB_EVENTS.

A file, and not a pipe: every event is there once ``write`` returned, even if the interpreter dies a moment
later, whatever wrapper started it; nothing waits for a slow reader; no thread has to flush, which would make
every ``fork`` in a test warn.

==========  ========================================================================================
``e``       further keys
==========  ========================================================================================
hello       pid, root (what test ids and files are relative to), dir (where it was started), pytest,
            worker (empty: the main one)
collected   n, deselected; again while workers report
importing   id: the file that is being imported, so that one which ends the process is known
shared      digest: of what decided which machine runs which of the tests
start       id, worker, at
finish      id, outcome, seconds [setup, call, teardown], worker, at; file, line; why (of a skip or xfail);
            failures [{when, sub, line, file, message, detail}]; sections [[title, text]]
broken      id, kind (collection, conftest, exit, usage, internal), message, detail; line: could not be run
absent      id, why: a module that skipped itself while it was collected
stop        kind (the exception's name), why: the session was interrupted from inside
end         code, only_collected (nothing was to run), coverage (what pytest-cov found too little), warnings
            (how many), marks and words (the expressions of -m and -k), left (an option that may leave
            no test), seed (of pytest-randomly)
==========  ========================================================================================
"""

import functools
import json
import os
import time

__all__ = ["Channel", "cut", "dumps", "now", "quoted"]

LIMIT = 60000
"""Characters that one text of an event may have: what is longer loses its middle."""

WORD = 2000
"""Characters that a word may have to stay whole or go whole."""

try:
    _monotonic = functools.partial(time.clock_gettime, time.CLOCK_MONOTONIC)
except AttributeError:
    _monotonic = time.monotonic

_AHEAD = time.time() - _monotonic()


def now():
    """Seconds since the epoch, by a clock that libraries which stop or set clocks leave alone."""
    return _AHEAD + _monotonic()


dumps = json.JSONEncoder(default=str).encode
quoted = json.encoder.encode_basestring_ascii


class Channel:
    """Appends events to the file. A child that a test forked stays silent; nothing here can fail a test."""

    # Tests put something else in their place, for a while or for good.
    _getpid, _open, _write = os.getpid, os.open, os.write

    def __init__(self, path):
        self.path = path
        self.held = ""
        self.pid = self._getpid()
        self.fd = self._open(path, os.O_WRONLY | os.O_APPEND)
        self.told = set()

    def send(self, event):
        self.write(dumps(event) + "\n")

    def broken(self, nodeid, kind, message, detail, line=None):
        """Send what could not be run, once."""
        if (nodeid, detail) in self.told:
            return
        self.told.add((nodeid, detail))
        self.send(
            {
                "e": "broken",
                "id": str(nodeid),
                "kind": kind,
                "message": cut(message),
                "detail": cut(detail),
                "line": line,
            }
        )

    def hold(self, line):
        """Keep a line until the next one: one write for both."""
        self.held += line

    def flush(self):
        if self.held:
            self.write("")

    def write(self, lines):
        if self._getpid() != self.pid:
            return
        data = (self.held + lines).encode("ascii")
        self.held = ""
        try:
            self._write(self.fd, data)
        except OSError:
            try:  # A test closed every descriptor it found.
                self.fd = self._open(self.path, os.O_WRONLY | os.O_APPEND)
                self._write(self.fd, data)
            except OSError:
                pass


def cut(text):
    """The beginning and the end of a long text. No word is cut: half a secret would not be known as one."""
    text = str(text)
    if len(text) <= LIMIT:
        return text
    begin, end = LIMIT // 2, len(text) - LIMIT // 2
    begin -= _rest_of_word(text[begin - WORD : begin + 1][::-1])
    end += _rest_of_word(text[end - 1 : end + WORD])
    left = text[begin:end]
    number, what = left.count("\n"), "lines"
    if not number:
        number, what = len(left), "characters"
    return "%s\n[... %d %s left out ...]\n%s" % (text[:begin], number, what, text[end:])


def _rest_of_word(text):
    """How many characters after the first are one word with it; 0 where that has no end in ``text``."""
    found = len(text.split(None, 1)[0]) if text[0].strip() else 0
    return found - 1 if 0 < found < len(text) else 0
