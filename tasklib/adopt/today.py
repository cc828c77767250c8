"""PURE: what variables are given today, wherever that is said nearest to the tests."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from tasklib.adopt.evidence import Evidence, Place
from tasklib.adopt.readers.stacks import interpolated
from tasklib.adopt.stack import Stack
from tasklib.adopt.usages import Usage

__all__ = ["Given", "Today"]


class Given(Struct, frozen=True):
    """What a variable is to be, and why."""

    value: str
    why: str
    places: tuple[Place, ...]


class Today(Struct, frozen=True):
    """What the tests of ``usage`` get, and the code that they are about."""

    usage: Usage
    stack: Stack
    evidence: Evidence

    def values(self) -> Iterator[tuple[str, Given]]:
        """Each variable that matters, with the value that is nearest to what the tests get today."""
        read = {v.name: v for v in reversed(self.evidence.variables) if self._near(v.place.file)}
        app = dict(self._of_services())
        dotenv = dict(self._of_dotenv())
        names = dict.fromkeys([*self.usage.env, *read])
        names |= dict.fromkeys(name for name in app if re.match(r"PG[A-Z]+$", name))
        for name in names:
            if name in self.usage.env:
                yield name, Given(self.usage.env[name], "", (self.usage.place,))
            elif name in dotenv:
                yield name, dotenv[name]
            elif name in app:
                yield name, app[name]
            elif name in read and read[name].default:
                yield name, Given(read[name].default, "", (read[name].place,))

    def _near(self, file: str) -> bool:
        """Whether code at ``file`` may be what these tests are about."""
        return not self.usage.folder or file.startswith(f"{self.usage.folder}/")

    def _of_dotenv(self) -> Iterator[tuple[str, Given]]:
        order = (
            ".env.test",
            ".env.testing",
            ".env.ci",
            ".env",
            ".env.example",
            ".env.sample",
            ".env.template",
        )
        folders = dict.fromkeys((self.usage.folder, ""))
        for folder in reversed(folders):
            for name in reversed(order):
                file = f"{folder}/{name}".lstrip("/")
                rows = [value for value in self.evidence.values if value.place.file == file]
                known = {row.name: row.value for row in rows}
                for row in rows:
                    yield row.name, Given(interpolated(row.value, known), "", (row.place,))

    def _of_services(self) -> Iterator[tuple[str, Given]]:
        """What the containers of the code itself are given."""
        for name, service in self.stack.services.items():
            if self.stack.server(name) is None:
                for key, value in self.stack.environment(name).items():
                    yield key, Given(value, "", (service.place,))
