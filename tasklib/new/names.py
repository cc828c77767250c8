"""What a new project and its services may be called. Pure.

A name becomes a folder, a Compose project and service, a distribution of Python or npm, the name of a Python
module and part of variables, so it has to please all of them.
"""

from __future__ import annotations

import keyword
import re
import sys

from tasklib.errors import UsageError

__all__ = ["check_module", "check_project", "check_service"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 40

_DATABASE = ("database", "postgres")
"""What the one Compose service that is no service of the project is called, and its variables begin with."""

_IMPORTED = frozenset(
    (
        *("annotated_doc", "annotated_types", "anyio", "certifi", "click", "conftest", "fastapi", "h11"),
        *("httpcore2", "httpx2", "idna", "iniconfig", "packaging", "pluggy", "psycopg", "psycopg_binary"),
        *("psycopg_pool", "pydantic", "pydantic_core", "pygments", "pytest", "sniffio", "starlette", "tests"),
        *("typing_extensions", "typing_inspection", "uvicorn"),
    )
)
"""What the services and their tests import, and what that imports: a module of one of these names would hide
it."""


def check_project(name: str) -> None:
    """Raises :class:`~tasklib.errors.UsageError` for what a project cannot be called."""
    _check("project", name)


def check_service(name: str) -> None:
    """Raises :class:`~tasklib.errors.UsageError` for what a service cannot be called."""
    _check("service", name)
    if name in _DATABASE:
        raise UsageError(f"a service cannot be called {name!r}: that is the database of every stack")


def check_module(name: str) -> None:
    """Raises :class:`~tasklib.errors.UsageError` where ``name`` as a Python module would hide another one."""
    module = name.replace("-", "_")
    if keyword.iskeyword(module):
        taken = "a keyword of Python"
    elif module in sys.stdlib_module_names:
        taken = "a module of Python's standard library"
    elif module in _IMPORTED:
        taken = "a package that the project needs"
    else:
        return
    raise UsageError(f"the project cannot be called {name!r}: {module!r} is {taken}")


def _check(what: str, name: str) -> None:
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        raise UsageError(
            f"a {what} cannot be called {name!r}",
            remedy=f"Names have at most {_LONGEST} small letters, digits and single dashes, a letter first: "
            "shop, order-desk.",
        )
