"""``new.adopt``: what replaces a repository's own ways to test itself, shown or written."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tasklib.commands.console import complain, say, say_patch
from tasklib.errors import UsageError
from tasklib.options.caller import hint

if TYPE_CHECKING:
    from tasklib.adopt.evidence import Evidence
    from tasklib.adopt.proposal import Proposal, Question

__all__ = ["adopt"]

_NOTHING = "nothing here says how it is tested: no tests, no Makefile, CI or script that runs any"


def adopt(path: str, *, write: bool, keep_make: bool, answers: Sequence[str], dry: bool = False) -> int:
    """Show what adopting the repository at ``path`` changes and what would run then; with ``write`` do it.

    ``answers`` are ``KEY=VALUE`` for questions; on a terminal ``write`` asks those that are left. The code is
    2 where one is open, or what would run does not pass its check; nothing is written while one is open.

    Raises :class:`~tasklib.errors.UsageError` for a path or an answer that does not fit, and for files that
    ``write`` must not touch.
    """
    from tasklib.adopt import rendering
    from tasklib.adopt.survey import survey
    from tasklib.adopt.writing import apply, refuse_unsafe

    root = Path(path).resolve()
    if not root.is_dir():
        raise UsageError(f"there is no folder {path}")
    evidence = survey(root)
    proposal = _decided(evidence, _read(answers), keep_make, asks=write and not dry)
    if not proposal.files and not proposal.questions and not proposal.adopted:
        remedy = f"`{hint('new.project', 'NAME')}` makes a project that has all of it"
        files = ", ".join(evidence.standard)
        remedy += f"; `{hint('infra.up')}` brings up {files} as it is." if files else "."
        raise UsageError(_NOTHING, where=str(root), remedy=remedy)
    for line in rendering.rendered(proposal, evidence.texts):
        say_patch(line)
    for lines in (rendering.notes(proposal), rendering.questions(proposal)):
        for line in lines:
            say(line)
    if proposal.questions:
        say("nothing is checked or written while a question is open")
        return 2
    passed = _checked(root, evidence, proposal)
    if not proposal.files:
        say("nothing to change")
    elif write and not dry:
        refuse_unsafe(root, proposal.files, evidence)
        apply(root, proposal.files, evidence.texts)
        say(f"wrote {', '.join(sorted(proposal.files))}")
    else:
        say("nothing is written yet: --write does it")
    return 0 if passed else 2


def _read(answers: Sequence[str]) -> dict[str, str]:
    found = {}
    for answer in answers:
        key, equals, value = answer.partition("=")
        if not equals:
            raise UsageError(f"--answer takes KEY=VALUE, not {answer!r}")
        found[key] = value
    return found


def _decided(evidence: Evidence, answers: dict[str, str], keep_make: bool, *, asks: bool) -> Proposal:
    """The proposal with these answers, and on a terminal with those that are still to be had."""
    from tasklib.adopt.propose import propose

    asked: dict[str, Question] = {}
    given: dict[str, str] = {}
    while True:
        proposal = propose(evidence, given, keep_make=keep_make)
        asked |= {question.key: question for question in proposal.questions}
        new = {
            question.key: answers[question.key] for question in proposal.questions if question.key in answers
        }
        for key, value in new.items():
            choices = [choice.answer for choice in asked[key].choices]
            if value not in choices:
                raise UsageError(f"--answer {key} takes {' or '.join(choices)}, not {value!r}")
        if not new and asks and sys.stdin.isatty():
            new = {question.key: _asked(question) for question in proposal.questions}
        if not new:
            break
        given |= new
    for key in answers:
        if key not in asked:
            known = f"Asked is: {', '.join(asked)}." if asked else "Nothing is asked."
            raise UsageError(f"--answer {key}: there is no such question", remedy=known)
    return proposal


def _asked(question: Question) -> str:
    """The answer of whoever sits there: a number, or the answer itself."""
    complain(question.text)
    for number, choice in enumerate(question.choices, 1):
        complain(f"  {number}) {choice.answer}{f': {choice.what}' if choice.what else ''}")
    choices = [choice.answer for choice in question.choices]
    while True:
        sys.stderr.write(f"{question.key} (1-{len(choices)}): ")
        sys.stderr.flush()
        typed = sys.stdin.readline()
        if not typed:
            raise UsageError(
                f"no answer to {question.key}", remedy=f"--answer {question.key}={choices[0]} gives one."
            )
        if typed.strip() in choices:
            return typed.strip()
        if typed.strip().isdigit() and 0 < int(typed) <= len(choices):
            return choices[int(typed) - 1]


def _checked(root: Path, evidence: Evidence, proposal: Proposal) -> bool:
    """Say what would run where, and whether all of it can."""
    from tasklib import process
    from tasklib.adopt.checking import check
    from tasklib.process.interrupts import interruptible

    passed = True
    cancel = process.Cancel()
    with interruptible(cancel, complain):
        for line in check(root, evidence, proposal, cancel):
            say(f"{'cannot run: ' if line.failed else ''}{line.line}")
            passed = passed and not line.failed
    return passed
