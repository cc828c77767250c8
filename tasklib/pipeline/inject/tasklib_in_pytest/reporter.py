"""Turns what pytest's hooks say into events."""

import os
import signal

import pytest

from .events import cut, dumps, now, quoted
from .failures import describe, line_in, message_of, origin, place_of, reason_of, subtest_of, text_of

__all__ = ["Reporter"]

ASTRAY = 1.0
"""Seconds by which a duration may exceed what the real clock says, before that is believed instead."""

LEAVE_OUT = (
    ("testmon", "--testmon"),
    ("picked", "--picked"),
    ("lf", "--lf"),
    ("stepwise", "--stepwise"),
    ("deselect", "--deselect"),
)
"""Options, of pytest and of plugins, that may leave no test."""

KNOWN = ("passed", "failed", "skipped")
"""The outcomes of a report that are pytest's own. A plugin's own one fails no test."""


class Test:
    """What the reports of one test have said so far."""

    __slots__ = (
        "call",
        "failures",
        "file",
        "line",
        "outcome",
        "ran",
        "sections",
        "setup",
        "since",
        "teardown",
        "why",
        "worker",
    )

    def __init__(self):
        self.setup = self.call = self.teardown = 0.0
        self.since = 0.0
        self.outcome = "passed"
        self.ran = False
        self.failures = []
        self.sections = ()
        self.why = ""
        self.worker = ""
        self.file = None
        self.line = None


class Reporter:
    """Turns pytest's hooks into events: in the main process, or in one of xdist's workers.

    A worker tells only what its main process does not learn: which test it has begun, what it deselected.
    """

    def __init__(self, config, channel, fullstack, part, worker):
        self.channel = channel
        self.since = 0.0
        self.config = config
        self.fullstack = fullstack
        self.part = part
        self.worker = worker
        self.root = str(getattr(config, "rootpath", None) or config.rootdir)
        self.tests = {}
        self.warnings = 0
        self.distributing = False
        self.stopped = False
        self.kinds = {}
        self._dump_stacks_on_request()
        self.channel.send(
            {
                "e": "hello",
                "pid": os.getpid(),
                "root": self.root,
                "dir": str(config.invocation_params.dir),
                "pytest": pytest.__version__,
                "worker": worker,
            }
        )

    def _dump_stacks_on_request(self):
        """On the last real-time signal every thread's stack goes to ``<events>.<pid>``."""
        try:
            import faulthandler

            path = "%s.%d" % (self.channel.path, os.getpid())
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            faulthandler.register(signal.SIGRTMAX, file=descriptor, all_threads=True, chain=False)
        except (ImportError, AttributeError, OSError, RuntimeError, ValueError):
            pass

    def pytest_warning_recorded(self, warning_message):
        self.warnings += 1

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node):
        self.distributing = True
        node.workerinput["tasklib"] = {
            "events": self.channel.path,
            "fullstack": self.fullstack,
            "part": self.part,
        }

    # What the tests do: the common case is written by hand, for a suite may have thousands of tests that
    # take a tenth of a millisecond each.

    def pytest_runtest_logstart(self, nodeid, location):
        if not self.distributing:
            line = '{"e":"start","id":%s,"worker":%s,"at":%r}\n'
            self.since = now()
            self.channel.write(line % (quoted(str(nodeid)), quoted(self.worker), self.since))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report):
        if not self.distributing:
            self._right_clock(report)
        if self.worker:
            return
        nodeid = report.nodeid
        test = self.tests.get(nodeid)
        if test is None:
            test = self.tests[nodeid] = Test()
            test.worker = getattr(report, "worker_id", "")
        if self._is_subtest(report):
            if report.outcome == "failed":
                test.outcome = "failed"
                self._failed(test, report, "call", subtest_of(report))
            return
        when = report.when
        seconds = report.duration
        outcome = report.outcome
        if test.outcome == "own" and when == "call":
            # pytest-retry calls an attempt so, and tells of the next one within the same run of the test.
            test.outcome = "rerun"
            self._finish(nodeid)
            test = self.tests[nodeid] = Test()
            test.worker = getattr(report, "worker_id", "")
        if when == "call":
            test.ran = True
            test.call = seconds
        elif when == "setup":
            test.setup = seconds
        elif when == "teardown":
            test.teardown = seconds
        if outcome == "passed":
            if when == "call" and hasattr(report, "wasxfail") and test.outcome == "passed":
                test.outcome = "xpassed"
                test.why = str(report.wasxfail)
        elif outcome == "skipped":
            if test.outcome == "passed":
                expected = getattr(report, "wasxfail", None)
                test.outcome = "skipped" if expected is None else "xfailed"
                test.why = reason_of(report) if expected is None else str(expected)
        elif outcome not in KNOWN and when in ("setup", "call", "teardown"):
            test.outcome = "rerun" if outcome == "rerun" else "own"
            test.why = str(outcome)
            self._failed(test, report, when, "")
        else:
            if test.outcome != "failed":
                test.outcome = "error" if when in ("setup", "teardown") else "failed"
            self._failed(test, report, when, "")
            if when not in ("setup", "call", "teardown"):  # xdist's own report of a worker that died.
                self._finish(nodeid)

    def _right_clock(self, report):
        """Give the report the duration that the real clock saw, where a test has moved the one of pytest."""
        moment = now()
        seen = moment - self.since
        self.since = moment
        seconds = getattr(report, "duration", None)
        # A clock that stands still measures nothing at all.
        if seconds is not None and not 0 < seconds < seen + ASTRAY:
            report.duration = seen

    def _is_subtest(self, report):
        """Whether it is of a part of a test; pytest and the plugin before it call such reports alike."""
        kind = report.__class__
        found = self.kinds.get(kind)
        if found is None:
            found = self.kinds[kind] = kind.__name__.lower() == "subtestreport"
        return found

    def _failed(self, test, report, when, sub):
        location = getattr(report, "location", None) or ("", None, "")
        test.file = location[0]
        test.line = None if location[1] is None else location[1] + 1
        if "site-packages" in test.file:  # Made by a plugin (pytest-bdd): its own file says nothing.
            test.file, test.line = str(report.nodeid).split("::")[0], None
        failure = {"when": when, "sub": sub, "message": message_of(report), "detail": text_of(report)}
        found = place_of(report.longrepr, test.file, self.root, str(self.config.invocation_params.dir), when)
        if found:
            failure["file"], failure["line"] = found
        test.failures.append(failure)
        test.sections = report.sections

    def pytest_runtest_logfinish(self, nodeid, location):
        self._finish(nodeid)

    def _finish(self, nodeid):
        test = self.tests.pop(nodeid, None)
        if test is None or (test.outcome == "passed" and not test.ran):
            return  # Interrupted: a test passed only if its call did.
        if test.outcome == "own":
            test.outcome = "skipped"  # Neither passed nor failed, and no attempt took its place.
        line = '{"e":"finish","id":%s,"outcome":"%s","seconds":[%r,%r,%r],"worker":%s,"at":%r' % (
            quoted(str(nodeid)),
            test.outcome,
            test.setup,
            test.call,
            test.teardown,
            quoted(test.worker),
            now(),
        )
        if test.why:
            line += ',"why":' + quoted(cut(test.why))
        if test.failures:
            sections = [[str(title), cut(text)] for title, text in test.sections]
            more = {"file": test.file, "line": test.line, "failures": test.failures, "sections": sections}
            line += "," + dumps(more)[1:-1]
        # The next test starts in a moment: one write for both. A failure is told at once.
        self.channel.hold(line + "}\n")
        if self.distributing or test.outcome != "passed":
            self.channel.flush()

    # How it ends

    def conftest_failed(self, error):
        if isinstance(error, pytest.UsageError):
            self.channel.broken("", "usage", "\n".join(str(part) for part in error.args), "")
            return
        given = getattr(error, "excinfo", None)
        cause = (
            getattr(error, "cause", None)
            or (given[1] if isinstance(given, tuple) else error.__cause__)
            or error
        )
        path = getattr(error, "path", None)
        name, line = origin(cause, self.root)
        if path:
            name, line = os.path.relpath(str(path), self.root), line_in(cause, path)
        import traceback

        text = "".join(traceback.format_exception(type(cause), cause, cause.__traceback__))
        kind = "exit" if isinstance(cause, SystemExit) else "conftest"
        self.channel.broken(name, kind, describe(cause), text, line)

    def pytest_internalerror(self, excrepr, excinfo):
        if not self.worker:
            error = excinfo.value
            name, line = origin(error, self.root)
            kind = "exit" if isinstance(error, SystemExit) else "internal"
            self.channel.broken(name, kind, describe(error), str(excrepr), line)

    def pytest_keyboard_interrupt(self, excinfo):
        self.stopped = True
        if not self.worker:
            error = excinfo.value
            self.channel.send({"e": "stop", "kind": type(error).__name__, "why": cut(str(error))})

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session, exitstatus):
        if self.worker:
            return
        for nodeid, test in list(self.tests.items()):
            if not self.stopped or test.outcome not in ("passed", "xpassed"):  # Else its teardown is missing.
                self._finish(nodeid)
        # Other plugins change the code while they finish; what the session holds in the end is what counts.
        code = int(getattr(session, "exitstatus", exitstatus))
        asked = self.config.option
        only = bool(getattr(asked, "collectonly", False) or getattr(asked, "setuponly", False))
        event = {"e": "end", "code": code, "only_collected": only, "coverage": self._coverage()}
        event["warnings"] = self.warnings
        event["marks"] = str(getattr(asked, "markexpr", "") or "")
        event["words"] = str(getattr(asked, "keyword", "") or "")
        event["left"] = next((flag for name, flag in LEAVE_OUT if getattr(asked, name, None)), "")
        seed = getattr(asked, "randomly_seed", None)
        event["seed"] = str(seed) if isinstance(seed, int) else ""
        self.channel.send(event)

    def _coverage(self):
        """What pytest-cov found too little of, in percent: [wanted, found], else nothing."""
        plugin = self.config.pluginmanager.getplugin("_cov")
        wanted = getattr(getattr(plugin, "options", None), "cov_fail_under", None)
        found = getattr(plugin, "cov_total", None)
        return [wanted, found] if wanted and found is not None and found < wanted else None
