"""Nox sessions and Invoke tasks for multi-service Docker projects."""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = ["__version__"]
