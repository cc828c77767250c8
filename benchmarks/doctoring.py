"""What ``tasklib doctor`` takes for a hundred Compose files, against one: its start is most of it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.compare import Side, alternate
from benchmarks.figures import Figure

__all__ = ["measure"]

_SERVICE = """
  service{number}:
    image: example.com/shop/service{number}:1.2
    healthcheck: {{test: [CMD, "true"], interval: 5s, timeout: 3s, retries: 5}}
    environment:
      DATABASE_URL: postgresql://shop:shop@db:5432/shop
      LOG_LEVEL: ${{LOG_LEVEL:-info}}
    ports: ["8000"]
"""
_SERVICES = 8


def measure(rounds: int | None = None) -> list[Figure]:
    """A hundred files of eight services each, and one of them."""
    program = str(Path(sys.executable).parent / "tasklib")
    text = "services:" + "".join(_SERVICE.format(number=number) for number in range(_SERVICES))
    with tempfile.TemporaryDirectory(prefix="tasklib-benchmark-") as folder:
        sides = []
        for count in (100, 1):
            root = Path(folder) / str(count)
            for number in range(count):
                path = root / f"group{number}" / "deploy/test/docker-compose.yml"
                path.parent.mkdir(parents=True)
                path.write_text(text)
            name = f"doctor, {count} Compose file{'s' if count > 1 else ''}"
            sides.append(Side(name, [program, "doctor", "."], root))
        many, one = sides
        ratio = alternate(many, one, rounds or 10)
    return [Figure("doctor on 100 Compose files", "the same on one", 1 / ratio)]
