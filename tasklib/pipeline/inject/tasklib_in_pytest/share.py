"""The part of the tests that one of several machines runs."""

import pytest

__all__ = ["Share"]


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
