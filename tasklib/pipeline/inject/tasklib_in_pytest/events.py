"""Tells tasklib what pytest does, as it happens: one JSON object a line, appended to the file TASKLIB_EVENTS.

The folder ``inject`` is put on the path of a foreign environment, and this loaded by its name (``-p``). That
environment may hold any pytest from 6 on and any Python from 3.6 on, and not tasklib: hence the old syntax,
and no import that pytest has not made already.

A file, and not a pipe: every event is there once ``write`` returned, even if the interpreter dies a moment
later, whatever wrapper started it; nothing waits for a slow reader; no thread has to flush, which would make
every ``fork`` in a test warn.

Where there is a TASKLIB_GATE, importing this takes until the tests may begin: see :func:`_wait`.

==========  ========================================================================================
``e``       further keys
==========  ========================================================================================
hello       pid, root (what test ids and files are relative to), dir (where it was started), pytest,
            worker (empty: the main one)
collected   n, deselected; again while workers report
start       id, worker, at
finish      id, outcome, seconds [setup, call, teardown], worker, at; file, line; why (of a skip or xfail);
            failures [{when, sub, line, file, message, detail}]; sections [[title, text]]
broken      id, kind (collection, conftest, exit, usage, internal), message, detail; line: could not be run
absent      id, why: a module that skipped itself while it was collected
stop        kind (the exception's name), why: the session was interrupted from inside
end         code, only_collected (nothing was to run), coverage (what pytest-cov found too little), warnings
            (how many), marks (the expression of -m)
==========  ========================================================================================
"""

import functools
import json
import os
import signal
import sys
import time

import pytest

LIMIT = 60000
"""Characters that one text of an event may have: what is longer loses its middle."""

ASTRAY = 1.0
"""Seconds by which a duration may exceed what the real clock says, before that is believed instead."""

KNOWN = ("passed", "failed", "skipped")
"""The outcomes of a report that are pytest's own. A plugin's own one fails no test."""

MARKER = "fullstack"

try:
    _monotonic = functools.partial(time.clock_gettime, time.CLOCK_MONOTONIC)
except AttributeError:
    _monotonic = time.monotonic

_AHEAD = time.time() - _monotonic()


def _now():
    """Seconds since the epoch, by a clock that libraries which stop or set clocks leave alone."""
    return _AHEAD + _monotonic()


_dumps = json.JSONEncoder(default=str).encode
_quoted = json.encoder.encode_basestring_ascii


def _wait():
    """Go on once the file TASKLIB_GATE is not locked any more: with the variables that it holds then.

    pytest has loaded itself by now, and nothing of the project: other plugins and conftest files come later.
    An empty file is from somebody who needs no tests any more, or who died.
    """
    path = os.environ.pop("TASKLIB_GATE", "")
    if not path:
        return
    import fcntl

    try:
        with open(path, encoding="ascii") as gate:
            fcntl.flock(gate, fcntl.LOCK_SH)
            variables = gate.read()
        os.remove(path)  # Some may be secrets.
    except OSError:
        variables = ""
    if not variables:
        raise SystemExit(1)
    os.environ.update(json.loads(variables))


_wait()


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config, parser):
    reporter = _take_over(early_config)
    if not early_config.pluginmanager.hasplugin("tasklib"):
        early_config.pluginmanager.import_plugin("tasklib_in_pytest.databases")
    outcome = yield
    if outcome.excinfo is None:
        _define_integration(parser)
    elif reporter is not None:
        reporter.conftest_failed(outcome.excinfo[1])


def pytest_configure(config):
    config.addinivalue_line("markers", "fullstack: a service's test that needs the full stack")
    given = getattr(config, "workerinput", {}).get("tasklib")
    if given:
        _register(config, given["events"], given["fullstack"], given["part"], config.workerinput["workerid"])


def _take_over(config):
    """Read what tasklib set and take it out of the environment: a pytest run inside a test is its own."""
    path = os.environ.pop("TASKLIB_EVENTS", "")
    fullstack = os.environ.pop("TASKLIB_FULLSTACK", "")
    part = os.environ.pop("TASKLIB_PART", "")
    # What `python -m pytest` finds is found here as well, but last: it takes the place of nothing installed.
    if path and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    kept = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry != here]
    if any(kept):
        os.environ["PYTHONPATH"] = os.pathsep.join(kept)
    else:
        os.environ.pop("PYTHONPATH", None)
    return _register(config, path, fullstack, part, "") if path else None


def _register(config, path, fullstack, part, worker):
    try:
        channel = Channel(path)
    except OSError:
        return None  # Nobody listens (any more), or a worker on another machine: the tests run all the same.
    reporter = Reporter(config, channel, fullstack, part, worker)
    config.pluginmanager.register(reporter, "tasklib-reporter")
    if part:
        config.pluginmanager.register(Share(json.loads(part)), "tasklib-share")
    return reporter


def _define_integration(parser):
    """Define ``--integration`` unless a conftest or plugin has: defining it twice ends pytest."""
    try:
        unknown = parser.parse_known_and_unknown_args(["--integration"])[1]
    except Exception:
        return  # Known, and wants a value.
    if "--integration" in unknown:
        parser.addoption(
            "--integration", action="store_true", default=False, help="run against real services"
        )


class Channel:
    """Appends events to the file. A child that a test forked stays silent; nothing here can fail a test."""

    def __init__(self, path):
        self.path = path
        self.pid = os.getpid()
        self.fd = os.open(path, os.O_WRONLY | os.O_APPEND)

    def send(self, event):
        self.write(_dumps(event) + "\n")

    def write(self, lines):
        if os.getpid() != self.pid:
            return
        data = lines.encode("ascii")
        try:
            os.write(self.fd, data)
        except OSError:
            try:  # A test closed every descriptor it found.
                self.fd = os.open(self.path, os.O_WRONLY | os.O_APPEND)
                os.write(self.fd, data)
            except OSError:
                pass


class Share:
    """Leaves one part of the tests: whole files, the longest first, each to the part that has least to do.

    Every machine collects the same tests and is told the same seconds, so all decide the same.
    """

    def __init__(self, part):
        self.number = part["number"]
        self.of = part["of"]
        self.files = part["files"]

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config, items):
        tests = {}
        for item in items:
            name = item.nodeid.partition("::")[0]
            tests[name] = tests.get(name, 0) + 1
        known = sorted(self.files.get(name, 0.0) for name in tests)
        counted = sum(count for name, count in tests.items() if name in self.files)
        each = sum(known) / counted if counted else 1.0
        seconds = {name: self.files.get(name) or count * each for name, count in tests.items()}
        loads = [0.0] * self.of
        mine = set()
        for name in sorted(tests, key=lambda name: (-seconds[name], name)):
            least = loads.index(min(loads))
            loads[least] += seconds[name]
            if least == self.number - 1:
                mine.add(name)
        dropped = [item for item in items if item.nodeid.partition("::")[0] not in mine]
        if dropped:
            items[:] = [item for item in items if item.nodeid.partition("::")[0] in mine]
            config.hook.pytest_deselected(items=dropped)


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
        self.held = ""
        self.since = 0.0
        self.config = config
        self.fullstack = fullstack
        self.part = part
        self.worker = worker
        self.root = str(getattr(config, "rootpath", None) or config.rootdir)
        self.tests = {}
        self.broken = set()
        self.counts = {}
        self.deselected = 0
        self.warnings = 0
        self.distributing = False
        self.stopped = False
        self.kinds = {}
        self._dump_stacks_on_request()
        self.send(
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

    # What is there to run

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config, items):
        if not self.fullstack:
            return
        wanted = self.fullstack == "only"
        kept = []
        dropped = []
        for item in items:
            marked = item.get_closest_marker(MARKER) is not None
            (kept if marked == wanted else dropped).append(item)
        if dropped:
            items[:] = kept
            config.hook.pytest_deselected(items=dropped)

    def pytest_deselected(self, items):
        self.deselected += len(items)

    def pytest_warning_recorded(self, warning_message):
        self.warnings += 1

    @pytest.hookimpl(hookwrapper=True)
    def pytest_collection(self):
        outcome = yield
        error = outcome.excinfo[1] if outcome.excinfo else None
        if isinstance(error, pytest.UsageError) and not self.worker:
            self._broken("", "usage", "\n".join(str(part) for part in error.args), "")

    def pytest_collection_finish(self, session):
        self._collected("", len(session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node, ids):
        self._collected(node.gateway.id, len(ids))

    def _collected(self, source, number):
        self.counts[source] = number
        # Every worker collects everything; with `--dist each` every worker also runs everything.
        each = getattr(self.config.option, "dist", "no") == "each"
        total = sum(self.counts.values()) if each else max(self.counts.values())
        self.send({"e": "collected", "n": total, "deselected": self.deselected, "worker": self.worker})

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node):
        self.distributing = True
        node.workerinput["tasklib"] = {
            "events": self.channel.path,
            "fullstack": self.fullstack,
            "part": self.part,
        }

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector):
        outcome = yield
        if outcome.excinfo:
            return
        report = outcome.get_result()
        call = getattr(report, "call", None)
        if report.outcome == "failed" and call is not None and call.excinfo is not None:
            raised = call.excinfo.value
            error = raised.__cause__ or raised
            # Kept on the report, where xdist carries it from the worker to the main process.
            mismatch = type(error).__name__ == "ImportPathMismatchError"  # It says nothing, pytest all.
            report.tasklib_message = " ".join(str(raised).split()) if mismatch else _describe(error)
            report.tasklib_line = _line_in(error, getattr(collector, "path", None) or collector.fspath)

    def pytest_collectreport(self, report):
        if self.worker:
            return
        if report.outcome == "failed":
            message = getattr(report, "tasklib_message", "")
            line = getattr(report, "tasklib_line", None)
            self._broken(report.nodeid, "collection", message, _text(report), line)
        elif report.outcome == "skipped":
            self.send({"e": "absent", "id": str(report.nodeid), "why": _reason(report)})

    # What the tests do: the common case is written by hand, for a suite may have thousands of tests that
    # take a tenth of a millisecond each.

    def pytest_runtest_logstart(self, nodeid, location):
        if not self.distributing:
            line = '{"e":"start","id":%s,"worker":%s,"at":%r}\n'
            self.since = _now()
            self.channel.write(self.held + line % (_quoted(str(nodeid)), _quoted(self.worker), self.since))
            self.held = ""

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
                self._failed(test, report, "call", _subtest(report))
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
                test.why = _reason(report) if expected is None else str(expected)
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
        now = _now()
        seen = now - self.since
        self.since = now
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
        failure = {"when": when, "sub": sub, "message": _message(report), "detail": _text(report)}
        found = _place(report.longrepr, test.file, self.root, str(self.config.invocation_params.dir), when)
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
            _quoted(str(nodeid)),
            test.outcome,
            test.setup,
            test.call,
            test.teardown,
            _quoted(test.worker),
            _now(),
        )
        if test.why:
            line += ',"why":' + _quoted(_cut(test.why))
        if test.failures:
            sections = [[str(title), _cut(text)] for title, text in test.sections]
            more = {"file": test.file, "line": test.line, "failures": test.failures, "sections": sections}
            line += "," + _dumps(more)[1:-1]
        # The next test starts in a moment: one write for both. A failure is told at once.
        self.held += line + "}\n"
        if self.distributing or test.outcome != "passed":
            self._flush()

    def _flush(self):
        if self.held:
            self.channel.write(self.held)
            self.held = ""

    def send(self, event):
        self._flush()
        self.channel.send(event)

    # How it ends

    def conftest_failed(self, error):
        if isinstance(error, pytest.UsageError):
            self._broken("", "usage", "\n".join(str(part) for part in error.args), "")
            return
        given = getattr(error, "excinfo", None)
        cause = (
            getattr(error, "cause", None)
            or (given[1] if isinstance(given, tuple) else error.__cause__)
            or error
        )
        path = getattr(error, "path", None)
        name, line = _origin(cause, self.root)
        if path:
            name, line = os.path.relpath(str(path), self.root), _line_in(cause, path)
        import traceback

        text = "".join(traceback.format_exception(type(cause), cause, cause.__traceback__))
        kind = "exit" if isinstance(cause, SystemExit) else "conftest"
        self._broken(name, kind, _describe(cause), text, line)

    def _broken(self, nodeid, kind, message, detail, line=None):
        if (nodeid, detail) in self.broken:
            return
        self.broken.add((nodeid, detail))
        event = {
            "e": "broken",
            "id": str(nodeid),
            "kind": kind,
            "message": _cut(message),
            "detail": _cut(detail),
            "line": line,
        }
        self.send(event)

    def pytest_internalerror(self, excrepr, excinfo):
        if not self.worker:
            error = excinfo.value
            name, line = _origin(error, self.root)
            kind = "exit" if isinstance(error, SystemExit) else "internal"
            self._broken(name, kind, _describe(error), str(excrepr), line)

    def pytest_keyboard_interrupt(self, excinfo):
        self.stopped = True
        if not self.worker:
            error = excinfo.value
            self.send({"e": "stop", "kind": type(error).__name__, "why": _cut(str(error))})

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
        self.send(event)

    def _coverage(self):
        """What pytest-cov found too little of, in percent: [wanted, found], else nothing."""
        plugin = self.config.pluginmanager.getplugin("_cov")
        wanted = getattr(getattr(plugin, "options", None), "cov_fail_under", None)
        found = getattr(plugin, "cov_total", None)
        return [wanted, found] if wanted and found is not None and found < wanted else None


def _describe(error):
    return _cut("%s: %s" % (type(error).__name__, error))


def _line_in(error, path):
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


def _origin(error, root):
    """File (relative to the root) and line of the project's deepest frame, ("", None) without one."""
    found = ("", None)
    trace = error.__traceback__
    while trace is not None:
        path = trace.tb_frame.f_code.co_filename
        if path.startswith(root + os.sep) and "site-packages" not in path:
            found = (os.path.relpath(path, root), trace.tb_lineno)
        trace = trace.tb_next
    return found


def _cut(text):
    text = str(text)
    if len(text) <= LIMIT:
        return text
    half = LIMIT // 2
    left = text[half:-half]
    number, what = left.count("\n"), "lines"
    if not number:
        number, what = len(left), "characters"
    return "%s\n[... %d %s left out ...]\n%s" % (text[:half], number, what, text[-half:])


def _text(report):
    try:
        return _cut(report.longreprtext)
    except Exception as error:
        return "cannot be shown: %r" % (error,)


def _message(report):
    """What was raised, as the exception says it; empty where the report holds only text."""
    representation = report.longrepr
    crash = getattr(representation, "reprcrash", None)
    text = getattr(crash, "message", None) or getattr(representation, "errorstring", None) or ""
    chain = getattr(representation, "chain", None) or ()
    if len(chain) > 1 and "PytestUnhandled" in text.split(":")[0]:
        # What a thread or a destructor raised, told by a warning that is an error here: the cause says more.
        cause = getattr(chain[0][1], "message", None)
        text = "%s: %s" % (" ".join(text.split()), cause) if cause else text
    return _cut(text)


def _reason(report):
    longrepr = report.longrepr
    text = longrepr[2] if isinstance(longrepr, tuple) and len(longrepr) == 3 else longrepr
    text = str(text)
    return _cut(text[9:] if text.startswith("Skipped: ") else text)


def _subtest(report):
    describe = getattr(report, "sub_test_description", None) or getattr(report, "_sub_test_description", None)
    try:
        return _cut(describe())
    except Exception:
        return "(<subtest>)"


def _place(longrepr, test_file, root, start, when):
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
        # What Python holds frozen or was made from a string has a name like <frozen os>.
        is_file = not str(place.path).startswith("<")
        inside = is_file and path.startswith(root + os.sep) and "site-packages" not in path
        if path == own or (inside and when != "call"):
            best = (os.path.relpath(path, root), line)
        elif inside:
            other = (os.path.relpath(path, root), line)
    return best or other
