"""PURE: the settings by which tests learn where their stack is: endpoints, variables, published ports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tasklib.adopt.addresses import Addresses, addresses
from tasklib.adopt.evidence import Address, Evidence, Place
from tasklib.adopt.needed import Needed
from tasklib.adopt.proposal import Choice, Note, Question
from tasklib.adopt.stack import Stack
from tasklib.adopt.usages import Usage
from tasklib.stacks.endpoints import variable_part

__all__ = ["add_endpoints"]


def add_endpoints(
    usage: Usage,
    stack: Stack,
    keys: tuple[str, ...],
    *,
    folder: str,
    evidence: Evidence,
    answers: Mapping[str, str],
    found: Needed,
) -> None:
    """Add to ``found`` what the tests of ``folder`` need, whose other settings are below ``keys``."""
    told = addresses(usage, stack, evidence, answers)
    for variable, given in told.endpoints.items():
        found.add(("endpoints", variable), given.value, given.why, *given.places)
    for variable, given in told.env.items():
        found.add((*keys, "env", variable), given.value, given.why, *given.places)
    named = {name for name, _ in told.ports} | {name for name, _ in _literal(stack, folder, evidence)}
    if stack.use.answered and named and named < stack.up:
        found.add((*keys, "needs"), sorted(named), "what the tests name of it", usage.place)
    wanted = {
        **told.ports,
        **{(n, stack.port(n) or 0): usage.place for n in stack.use.needs if stack.server(n)},
    }
    hidden = [(n, p, place) for (n, p), place in wanted.items() if p and not stack.publishes(n, p)]
    if hidden:
        rows = [f"{name}:{port}" for name, port, _ in hidden]
        found.add(
            ("publish",),
            rows,
            "the file does not publish what the tests use",
            *(place for *_, place in hidden),
        )
    for doubt in told.doubts:
        choices = tuple(Choice(name, "", (stack.services[name].place,)) for name in doubt.choices)
        found.questions.append(
            Question(f"endpoints.{doubt.variable}", f"which service does {doubt.variable} mean?", choices)
        )
    _add_hosts_alone(told, folder, evidence, found)
    for variable, place in told.lost.items():
        note = f"{variable} is set to an address behind which nothing of the stack is: left to you"
        found.notes.append(Note(note, (place,)))
    for variable, given in told.missing.items():
        text = f"{variable} is {given.value}, which the stack does not make: a step of `setup` has to"
        found.notes.append(Note(text, given.places))
    _add_literal(stack, folder, evidence, found)


def _add_hosts_alone(told: Addresses, folder: str, evidence: Evidence, found: Needed) -> None:
    """Hosts that a variable gives, while the port is the code's own."""
    read = {variable.name for variable in evidence.variables}
    for variable, given in told.endpoints.items():
        host = re.fullmatch(r"\{([\w.-]+?)(?::\d+)?\.host\}", given.value)
        if host is None:
            continue
        own = f"TEST_{variable_part(host[1])}_PORT"
        # What names the service and is no host holds its port: a URL, or that alone.
        ported = [
            g
            for g in told.endpoints.values()
            if re.search(rf"\{{{re.escape(host[1])}(:\d+)?(\.port)?\}}", g.value)
        ]
        if places := tuple(_without_port(variable, folder, evidence)):
            port = next((name for name, g in told.endpoints.items() if g in ported), own)
            text = f"an address is made of {variable} without a port, which is another in each run"
            found.notes.append(Note(f"{text}: put {port} behind it", places))
        elif not ported and own not in read:
            text = f"{variable} is where {host[1]} is, but its port, another in each run, is in no variable"
            found.notes.append(Note(f"{text}: let the code read {own}", given.places[:1]))


def _without_port(variable: str, folder: str, evidence: Evidence) -> Iterator[Place]:
    """Where code makes an address with the host that ``variable`` gives, and goes on with its path."""
    made = re.compile(rf"(?:@|//)\$?\{{[^{{}}\n]*\b{re.escape(variable)}\b[^{{}}\n]*\}}/")
    for file, text in sorted(evidence.texts.items()):
        if variable in text and file.startswith(folder):
            yield from (Place(file, text.count("\n", 0, at.start()) + 1) for at in made.finditer(text))


def _add_literal(stack: Stack, folder: str, evidence: Evidence, found: Needed) -> None:
    """Addresses in tests that no setting can reach."""
    places: dict[tuple[str, str], list[Place]] = {}
    for name, address in _literal(stack, folder, evidence):
        places.setdefault((address.text, variable_part(name)), []).append(address.place)
    for (text, part), own in places.items():
        told = f"tests name {text}, which is another port in each run: let them read TEST_{part}_URL"
        found.notes.append(Note(f"{told}, or _HOST and _PORT", tuple(own)))


def _literal(stack: Stack, folder: str, evidence: Evidence) -> Iterator[tuple[str, Address]]:
    """The services that tests name by their fixed ports."""
    for address in evidence.addresses:
        behind = stack.behind(str(address.port))
        if behind and (not folder or address.place.file.startswith(f"{folder}/")):
            yield behind[0], address
