"""The application as it is served: `uvicorn orders_api.main:app --factory`."""

from __future__ import annotations

import os

from fastapi import FastAPI

from orders_api.app import create_app
from orders_api.backend import connect
from orders_api.settings import Settings

__all__ = ["app"]


def app() -> FastAPI:
    """Return the application on the neighbours that the environment names."""
    settings = Settings.read(os.environ)
    return create_app(lambda: connect(settings))
