"""``python -m benchmarks.study FOLDER…``: which Compose files can run twice on one machine, and why not.

Compose files are read as text, by the doctor's own rules for test stacks: nothing is run, no variable is
looked up, no override is merged.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tasklib.doctor.document import entries, text_of
from tasklib.doctor.examination import chosen
from tasklib.doctor.rules.values import ports
from tasklib.doctor.survey import ComposeFile, Survey, survey
from tasklib.project import Environment

__all__ = ["Studied", "studied", "table"]

_RULES = ("TL101", "TL103", "TL104")

FIXED_PORT = "a fixed host port"
SETTABLE_PORT = "a host port that only a variable changes"
FIXED_NAME = "a fixed name of a container, network or volume"
FIXED_PROJECT = "a fixed project name"
HOST_NETWORK = "the host's network"
OUTSIDE = "a network or volume from elsewhere"


@dataclass(frozen=True)
class Studied:
    """A Compose file with services, and what in it an engine or a host has only once."""

    path: Path
    reasons: frozenset[str]


def studied(root: Path) -> Iterator[Studied]:
    """Every Compose file below the folder ``root`` (absolute) that holds a service."""
    there = survey(root)
    for file in there.compose:
        if file.services:
            yield Studied(file.path, frozenset(_reasons(there, file)))


def _reasons(there: Survey, file: ComposeFile) -> Iterator[str]:
    if any(port.fixed for service in file.services.values() for port in ports(service)):
        yield FIXED_PORT
    alone = replace(there, compose=(replace(file, environment=Environment.TEST),))
    for rule in chosen(_RULES, ()):
        for _ in rule.check(rule, alone):
            if rule.code != "TL101":
                yield FIXED_NAME if rule.code == "TL103" else FIXED_PROJECT
            elif not any(port.fixed for service in file.services.values() for port in ports(service)):
                yield SETTABLE_PORT
    for service in file.services.values():
        mode = entries(service.value).get("network_mode")
        if mode and text_of(mode.value) == "host":
            yield HOST_NETWORK
    for section in ("networks", "volumes"):
        found = file.document.at(section)
        for part in entries(found.value if found else None).values():
            if (
                "external" in entries(part.value)
                and text_of(entries(part.value)["external"].value) != "false"
            ):
                yield OUTSIDE


def table(files: Sequence[Studied]) -> Iterator[str]:
    """The lines of a table in Markdown: what stands in the way, in how many files, of all."""
    reasons = Counter(reason for file in files for reason in file.reasons)
    free = sum(not file.reasons for file in files)
    yield "| | files |"
    yield "| --- | --- |"
    yield f"| looked at | {len(files)} |"
    yield f"| can run twice as they are | {free} ({free / len(files):.0%}) |"
    for reason, count in reasons.most_common():
        yield f"| {reason} | {count} ({count / len(files):.0%}) |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.study", description=__doc__)
    parser.add_argument("folder", nargs="+", type=Path, help="where to look for Compose files")
    parser.add_argument("--list", action="store_true", help="name each file and what stands in its way")
    options = parser.parse_args()
    files = [file for folder in options.folder for file in studied(folder.resolve())]
    if not files:
        parser.error("there is no Compose file with a service")
    if options.list:
        for file in files:
            print(f"{file.path}: {'; '.join(sorted(file.reasons)) or '-'}")
    for line in table(files):
        print(line)


if __name__ == "__main__":
    main()
