"""The part of the tests that one of several machines runs.

Every machine collects the same tests and is told the same seconds, so all decide the same. Whether they did
is seen afterwards: each tells a digest of what all of them would run.
"""

import hashlib

import pytest

__all__ = ["Share", "parts"]

ORDERED = ("dependency", "incremental", "order")
"""Marks of tests that build on others of their file."""

FINENESS = 4
"""Into how many pieces a fair share of a long file is cut, so that the pieces can be shared evenly."""


class Share:
    """Leaves one part of the tests: whole files, and of a file that is longer than a fair share some."""

    def __init__(self, part, channel):
        self.number = part["number"]
        self.of = part["of"]
        self.files = part["files"]
        self.tests = part["tests"]
        self.channel = channel

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config, items):
        found = {}
        for item in items:
            found.setdefault(item.nodeid.partition("::")[0], []).append(item)
        tests = {name: {item.nodeid for item in there} for name, there in found.items()}
        places = parts(tests, self.of, self.files, self.tests, lambda name: groups(found[name]))
        told = repr(sorted(places.items())).encode("utf-8", "backslashreplace")
        self.channel.send({"e": "shared", "digest": hashlib.sha256(told).hexdigest()[:16]})
        kept = []
        dropped = []
        for item in items:
            place = places.get(item.nodeid)
            if place is None:
                place = places[item.nodeid.partition("::")[0]]
            (kept if place == self.number - 1 else dropped).append(item)
        if dropped:
            items[:] = kept
            config.hook.pytest_deselected(items=dropped)


def groups(items):
    """The tests of a file by id, each with the name of those it stays with (its own, mostly).

    Those of a class stay together, since they may build on each other. Nothing where the file has to stay
    whole: it holds something else than functions, or tests in an order.
    """
    found = {}
    for item in items:
        marks = {mark.name: mark for mark in reversed(list(item.iter_markers()))}
        if not isinstance(item, pytest.Function) or any(name in marks for name in ORDERED):
            return {}
        mark = marks.get("xdist_group")
        if mark is None:
            holder = item.getparent(pytest.Class)
            found[item.nodeid] = (holder or item).nodeid
        else:
            name = mark.args[0] if mark.args else mark.kwargs.get("name", "default")
            found[item.nodeid] = "@%s" % name
    return found


def parts(tests, of, files, slow, grouped):
    """The part (from 0) of each file that stays whole and of each test of the others, ``of`` of them.

    ``tests`` are the ids by the file they are in, ``files`` the seconds of files and ``slow`` those of single
    tests as far as they are known; ``grouped(file)`` is as :func:`groups`. Only what these hold decides, not
    their order; of a file that stays whole not even what its tests are called.
    """
    seconds = _seconds(tests, files, slow)
    fair = sum(sorted(seconds.values())) / of
    pieces = []
    for name in sorted(tests):
        spent = sum(sorted(seconds[test] for test in tests[name]))
        found = grouped(name) if spent > fair and len(tests[name]) > 1 else {}
        pieces += _cut(found, seconds, fair / FINENESS) if found else [(spent, name, [name])]
    loads = [0.0] * of
    places = {}
    for spent, _, held in sorted(pieces, key=lambda piece: (-piece[0], piece[1])):
        least = loads.index(min(loads))
        loads[least] += spent
        places.update(dict.fromkeys(held, least))
    return places


def _seconds(tests, files, slow):
    """What each test takes: as it is known, as others of its file, or as all others."""
    counted = sum(len(held) for name, held in tests.items() if name in files)
    known = sum(sorted(files[name] for name in tests if name in files))
    each = known / counted if counted else 0.0
    found = {}
    for name, held in tests.items():
        told = sorted(slow[test] for test in held if test in slow)
        left = len(held) - len(told)
        rest = max(0.0, files[name] - sum(told)) / left if name in files and left else each
        for test in held:
            # Never nothing: where all takes no time the numbers decide.
            found[test] = max(0.001, slow.get(test, rest))
    return found


def _cut(grouped, seconds, size):
    """Pieces of a file that take about ``size`` seconds, of tests that stand beside each other by name."""
    units = {}
    for test in sorted(grouped):
        units.setdefault(grouped[test], []).append(test)
    pieces = []
    spent, held = 0.0, []
    for unit in sorted(units.values()):
        more = sum(seconds[test] for test in unit)
        if held and spent + more > size:
            pieces.append((spent, held[0], held))
            spent, held = 0.0, []
        spent += more
        held = held + unit
    pieces.append((spent, held[0], held))
    return pieces
