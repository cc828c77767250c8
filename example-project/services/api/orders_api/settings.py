"""Settings, from the environment alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """Where the neighbours are."""

    database_url: str
    redis_url: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Return the settings, or exit naming every variable that is missing."""
        missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not environment.get(name)]
        if missing:
            raise SystemExit(f"not set: {', '.join(missing)}")
        return cls(environment["DATABASE_URL"], environment["REDIS_URL"])
