"""tasklib on itself, as a single-service project, and the checks of its code."""

from __future__ import annotations

import nox

from tasklib.sessions import register

register()


@nox.session(python=False, default=False)
def lint(session: nox.Session) -> None:
    """Format, lint, type-check, and put the changelog's next part together."""
    session.run("ruff", "format", "--check", ".", external=True)
    session.run("ruff", "check", ".", external=True)
    session.run("mypy", external=True)
    session.run("towncrier", "build", "--draft", "--version", "next", external=True, silent=True)


@nox.session(python=False, default=False)
def build(session: nox.Session) -> None:
    """Build the wheel and the source distribution into dist/."""
    session.run("python", "-m", "build", external=True)
