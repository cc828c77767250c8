"""PURE: CI files in which the lines that bring up, wait, test and take down become one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml
from msgspec import Struct, field

from tasklib.adopt.evidence import Place
from tasklib.adopt.proposal import Reason
from tasklib.adopt.readers.workflows import step_lines
from tasklib.doctor.document import Document, Entry, entries, items, read_document

__all__ = ["JobChange", "shrunk"]


_GLUE = re.compile(r"\s*(#.*|(do|done|then|else|fi|esac|break|continue|;;)\b.*)?$")
"""Lines of a script that are nothing by themselves."""

_COMPOUND = re.compile(r"\s*(for|while|until|if|case)\b(?!.*\b(done|fi|esac)\b)")
"""Where something begins that goes on over several lines."""


class JobChange(Struct, frozen=True):
    """What becomes of a job: ``goes`` are lines that go, ``line`` what stands in the place of line ``at``.

    ``containers``: its own containers go, too; ``variables`` are set by tasklib from now on.
    """

    name: str
    at: int
    line: str
    goes: frozenset[int] = frozenset()
    containers: bool = False
    variables: frozenset[str] = frozenset()


class _Text(Struct):
    """Lines to be left out and replaced, from 1."""

    lines: list[str]
    gone: set[int] = field(default_factory=set)
    put: dict[int, str] = field(default_factory=dict)
    broken: bool = False
    """Whether a part of something is to go that only stands as a whole."""

    def text(self) -> str:
        found: list[str] = []
        left_out = False
        for number, line in enumerate(self.lines, 1):
            if number in self.gone:
                left_out = True
            elif not (left_out and not line.strip() and found and not found[-1].strip()):
                found.append(self.put.get(number, line))
                left_out = left_out and not line.strip()
        return "\n".join(found)


def shrunk(file: str, text: str, changes: Mapping[str, JobChange]) -> tuple[str, tuple[Reason, ...]] | None:
    """The workflow with these jobs changed; ``None`` where that cannot be done without harm."""
    document = read_document(Path(file), text)
    if document is None:
        return None
    result = _Text(text.split("\n"))
    reasons = []
    for name, job in _jobs(document).items():
        change = changes.get(name)
        if change is None:
            continue
        _change(document, job, change, result)
        if change.containers and (services := document.at("services", below=job.value)):
            first = document.place(services.key)[0]
            final = _end(document, services.value, result.lines)
            while final < len(result.lines) and not result.lines[final].strip():
                final += 1  # the empty lines after it separate it from nothing any more
            result.gone |= set(range(first, final + 1))
        places = [Place(file, line) for line in sorted({change.at, *change.goes})]
        reasons.append(
            Reason(
                change.line, f"instead of {len(places)} line{'s' if len(places) > 1 else ''}", tuple(places)
            )
        )
    new = result.text()
    after = read_document(Path(file), new)
    if result.broken or after is None or not all(_still_tests(after, change) for change in changes.values()):
        return None
    return new, tuple(reasons)


def _jobs(document: Document) -> Mapping[str, Entry]:
    jobs = document.at("jobs")
    return entries(jobs.value) if jobs else entries(document.root)


def _change(document: Document, job: Entry, change: JobChange, result: _Text) -> None:
    touched = {change.at, *change.goes}
    for step, node in _scripts(document, job):
        numbers = [number for number, _ in step_lines(document, node)]
        own = touched.intersection(numbers)
        meant = [number for number, line in step_lines(document, node) if not _GLUE.match(line)]
        if not own:
            continue
        if change.at in numbers:
            _unset(document, step, change.variables, result)
        if change.at not in numbers and own >= set(meant):
            first = document.place(step)[0]
            result.gone |= set(range(first, _end(document, step, result.lines) + 1))
        elif change.at in numbers and own >= set(meant) and isinstance(step, yaml.MappingNode):
            # The whole script is this: one line of it.
            first = document.place(node)[0]
            key, _, _ = result.lines[first - 1].partition("run:")
            result.gone |= set(range(first, _end(document, node, result.lines) + 1)) - {first}
            result.put[first] = f"{key}run: {change.line}"
        else:
            result.broken |= any(_COMPOUND.match(line) for _, line in step_lines(document, node))
            for number in own:
                line = result.lines[number - 1]
                if number == change.at:
                    result.gone |= set(range(number + 1, _last_of(number, numbers, result.lines) + 1))
                    indent = line[: len(line) - len(line.lstrip())]
                    dash = "- " if line.lstrip().startswith("- ") else ""
                    result.put[number] = f"{indent}{dash}{change.line}"
                else:
                    result.gone |= set(range(number, _last_of(number, numbers, result.lines) + 1))


def _unset(document: Document, step: yaml.Node, variables: frozenset[str], result: _Text) -> None:
    """Take the variables out of a step that would still say where things were."""
    env = document.at("env", below=step)
    known = entries(env.value) if env else {}
    going = {name: entry for name, entry in known.items() if name in variables}
    if env and going:
        places = list(going.values()) if len(going) < len(known) else [env]
        for entry in places:
            first = document.place(entry.key)[0]
            result.gone |= set(range(first, _end(document, entry.value, result.lines) + 1))


def _last_of(number: int, numbers: list[int], lines: list[str]) -> int:
    """The last line of a command that goes on over several."""
    while lines[number - 1].rstrip().endswith("\\") and number + 1 in numbers:
        number += 1
    return number


def _scripts(document: Document, job: Entry) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """Each step with its script; of GitLab each line of a script is a step."""
    steps = document.at("steps", below=job.value)
    for step in items(steps.value) if steps else ():
        if run := document.at("run", below=step):
            yield step, run.value
    for key in ("before_script", "script", "after_script"):
        script = document.at(key, below=job.value)
        for node in items(script.value) if script else ():
            yield node, node


def _end(document: Document, node: yaml.Node, lines: list[str]) -> int:
    """The last line of a node, without what is empty or a comment after it."""
    line = _last_line(node)
    while line > 1 and (not lines[line - 1].strip() or lines[line - 1].lstrip().startswith("#")):
        line -= 1
    return max(line, document.place(node)[0])


def _last_line(node: yaml.Node) -> int:
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        inner = node.value[-1]
        return _last_line(inner[1] if isinstance(inner, tuple) else inner)
    block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
    return node.end_mark.line if block else node.end_mark.line + 1


def _still_tests(document: Document, change: JobChange) -> bool:
    job = _jobs(document).get(change.name)
    if job is None:
        return False
    texts = [line for _, node in _scripts(document, job) for _, line in step_lines(document, node)]
    return any(change.line in line for line in texts)
