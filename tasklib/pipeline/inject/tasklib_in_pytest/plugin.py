"""What pytest loads: it waits until the tests may begin, and has tasklib told what they do.

The folder ``inject`` is put on the path of a foreign environment, and this loaded by its name (``-p``). That
environment may hold any pytest from 6 on and any Python from 3.6 on, and not tasklib: hence the old syntax
here and in the modules beside it, and no import that pytest has not made already.

Where there is a TASKLIB_GATE, importing this takes until the tests may begin: see :func:`_wait`.
"""

import json
import os
import sys

import pytest

from .collection import Collection
from .commands import Commands
from .events import Channel
from .garbage import Garbage
from .reporter import Reporter
from .share import Share


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
    if reporter is not None:
        _refuse(early_config, reporter)
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


def _refuse(config, reporter):
    """Refuse settings by which no run would end, or every test pass; who types them is refused before."""
    asked = config.known_args_namespace
    found = [
        flag for name, flag in (("looponfail", "-f"), ("trace", "--trace")) if getattr(asked, name, False)
    ]
    if found:
        text = "%s of its settings needs somebody at a terminal: take it out of addopts" % found[0]
        reporter.channel.broken("", "usage", text, "")
        raise pytest.UsageError(text)


def _take_over(config):
    """Read what tasklib set and take it out of the environment: a pytest run inside a test is its own."""
    path = os.environ.pop("TASKLIB_EVENTS", "")
    fullstack = os.environ.pop("TASKLIB_FULLSTACK", "")
    part = os.environ.pop("TASKLIB_PART", "")
    # What `python -m pytest` finds is found here as well, but last: it takes the place of nothing installed.
    if path:
        # xdist's workers get what it has kept of the path since it was loaded.
        for known in (sys.path, getattr(sys.modules.get("xdist.plugin"), "_sys_path", sys.path)):
            if os.getcwd() not in known:
                known.append(os.getcwd())
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
    config.pluginmanager.register(Collection(config, channel, fullstack, worker), "tasklib-collection")
    config.pluginmanager.register(Commands(), "tasklib-commands")
    config.pluginmanager.register(Garbage(), "tasklib-garbage")
    if part:
        config.pluginmanager.register(Share(json.loads(part), channel), "tasklib-share")
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
