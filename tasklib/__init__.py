"""Nox sessions and Invoke tasks for multi-service Docker projects."""

from __future__ import annotations

# Type checkers know this name. Importing it would be most of what it takes to import the package.
TYPE_CHECKING = False

__all__ = ["__version__"]

__version__: str
"""What is installed, as its metadata says: pyproject.toml alone states it."""

if not TYPE_CHECKING:  # To type checkers, any name would be there.

    def __getattr__(name: str) -> str:
        if name != "__version__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        # Read when it is asked for: this import takes longer than that of the package.
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("tasklib-pytest")
        except PackageNotFoundError:  # Sources that nobody installed.
            return "0+unknown"
