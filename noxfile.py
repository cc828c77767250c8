"""tasklib on itself, as a single-service project, and the checks of its code."""

from __future__ import annotations

import nox

from tasklib.sessions import register

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]

register()


@nox.session(python=False, default=False)
def lint(session: nox.Session) -> None:
    """Format, lint, type-check, and put the changelog's next part together."""
    session.run("ruff", "format", "--check", ".", external=True)
    session.run("ruff", "check", ".", external=True)
    session.run("mypy", external=True)
    session.run("towncrier", "build", "--draft", "--version", "next", external=True, silent=True)


@nox.session(python=PYTHONS, venv_backend="uv", download_python="never", default=False)
def pythons(session: nox.Session) -> None:
    """Unit tests on every Python that tasklib runs on and that is here."""
    session.install("-e", ".[dev]", "-e", "stages")
    session.run("pytest", "tests/unit", "-n", "auto", "-q", *session.posargs)


@nox.session(python=PYTHONS[0], venv_backend="uv", download_python="never", default=False)
def lowest(session: nox.Session) -> None:
    """Unit tests with the oldest dependencies that pyproject.toml admits."""
    session.install("--resolution=lowest-direct", "-e", ".[dev]", "-e", "stages")
    session.run("pytest", "tests/unit", "-n", "auto", "-q", *session.posargs)


@nox.session(python=False, default=False)
def docs(session: nox.Session) -> None:
    """Build the documentation into site/; a warning is an error."""
    session.run("zensical", "build", "--clean", "--strict", external=True)


@nox.session(python=False, default=False)
def build(session: nox.Session) -> None:
    """Build wheel and source distribution of tasklib-pytest and of tasklib-stages into dist/."""
    for folder in (".", "stages"):
        session.run(
            *("python", "-m", "build", "--installer", "uv", "--outdir", "dist", folder), external=True
        )
