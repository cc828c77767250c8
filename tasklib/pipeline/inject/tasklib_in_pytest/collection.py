"""What there is to run: which tests of a suite are a run's own, and what cannot be collected."""

import pytest

from .failures import describe, line_in, reason_of, text_of

__all__ = ["Collection"]

MARKER = "fullstack"


class Collection:
    """Takes the wanted tests of those that are collected, and tells how many and what is broken."""

    def __init__(self, config, channel, fullstack, worker):
        self.config = config
        self.channel = channel
        self.fullstack = fullstack
        self.worker = worker
        self.counts = {}
        self.deselected = 0

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

    @pytest.hookimpl(hookwrapper=True)
    def pytest_collection(self):
        outcome = yield
        error = outcome.excinfo[1] if outcome.excinfo else None
        if isinstance(error, pytest.UsageError) and not self.worker:
            self.channel.broken("", "usage", "\n".join(str(part) for part in error.args), "")

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
        self.channel.send(
            {"e": "collected", "n": total, "deselected": self.deselected, "worker": self.worker}
        )

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector):
        if not self.worker and isinstance(collector, pytest.File):
            self.channel.send({"e": "importing", "id": collector.nodeid})
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
            report.tasklib_message = " ".join(str(raised).split()) if mismatch else describe(error)
            report.tasklib_line = line_in(error, getattr(collector, "path", None) or collector.fspath)

    def pytest_collectreport(self, report):
        if self.worker:
            return
        if report.outcome == "failed":
            message = getattr(report, "tasklib_message", "")
            line = getattr(report, "tasklib_line", None)
            self.channel.broken(report.nodeid, "collection", message, text_of(report), line)
        elif report.outcome == "skipped":
            self.channel.send({"e": "absent", "id": str(report.nodeid), "why": reason_of(report)})
