"""What a project is made from, as its answers file keeps it, and what the templates see of it. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from packaging.version import InvalidVersion, Version

from tasklib.errors import ConfigError, UsageError
from tasklib.new.names import check_module, check_project, check_service
from tasklib.options.caller import TASKLIB
from tasklib.release.workflows.files import Forge

__all__ = ["ANSWERS", "Answers", "Kind", "NewService", "read_answers", "services_of", "written"]

ANSWERS = ".tasklib-new.yml"
"""The file of a project that says what it was made from."""


class Kind(StrEnum):
    """What a service is written in."""

    PYTHON = "python"
    NODE = "node"
    COMMAND = "command"


class NewService(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One service: its name and what it is written in."""

    name: str
    kind: Kind


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Everything that decides the files of a new project.

    ``version`` is that of tasklib, and so of the templates; ``ci`` the forge that workflows are for, if any.
    """

    version: str
    project: str
    services: tuple[NewService, ...]
    single: bool = False
    ci: Forge | None = None

    def __post_init__(self) -> None:
        try:
            Version(self.version)
        except InvalidVersion:
            raise UsageError(f"no version of tasklib is {self.version!r}") from None
        check_project(self.project)
        if not self.services:
            raise UsageError("a project needs at least one service", remedy="Name it: --services api")
        seen = set()
        for service in self.services:
            check_service(service.name)
            if service.name in seen:
                raise UsageError(f"two services are called {service.name!r}")
            seen.add(service.name)
        if self.single and self.services[0].kind is Kind.PYTHON:
            check_module(self.project)

    def with_service(self, service: NewService) -> Answers:
        """The same with one service more."""
        return msgspec.structs.replace(self, services=(*self.services, service))

    def data(self) -> dict[str, Any]:
        """What the templates see: these answers, and what follows from them."""
        services = [_described(self, number) for number in range(len(self.services))]
        return {
            "version": self.version,
            "project": self.project,
            "single": self.single,
            "services": services,
            "stored": [found for found in services if found["stores"]],
            **{kind.value: [found for found in services if found["kind"] == kind] for kind in Kind},
        }


_BASES = {
    Kind.PYTHON: ("PYTHON_IMAGE", "python:3.13-slim", "FastAPI on Postgres"),
    Kind.NODE: ("NODE_IMAGE", "node:24-slim", "Node on Postgres"),
    Kind.COMMAND: ("NGINX_IMAGE", "nginx:1.27", "pages behind nginx"),
}
"""The variable that may name another base image, the image, and what such a service is."""


def _described(answers: Answers, number: int) -> dict[str, Any]:
    """One service for the templates.

    ``path`` is its folder and ``prefix`` what stands before a path in it, ``module`` the name of its code,
    ``table`` the database table of its own, ``neighbour`` the service that it asks, the first with a table.
    """
    service = answers.services[number]
    variable, base, made_of = _BASES[service.kind]
    keeper = next((found for found in answers.services if _stores(found)), service)
    root = _python(answers.project)
    return {
        "name": service.name,
        "kind": service.kind.value,
        "path": "." if answers.single else f"services/{service.name}",
        "prefix": "" if answers.single else f"services/{service.name}/",
        "image": answers.project if answers.single else f"{answers.project}-{service.name}",
        "module": root if answers.single else f"{root}_{_python(service.name)}",
        "variable": _python(service.name).upper(),
        "port": 8000 + number,
        "base": base,
        "base_variable": variable,
        "made_of": made_of,
        "table": "items" if answers.single else f"{_python(service.name)}_items",
        "stores": _stores(service),
        "neighbour": None if keeper is service else keeper.name,
        "neighbour_variable": None if keeper is service else _python(keeper.name).upper(),
    }


def _stores(service: NewService) -> bool:
    """Whether it keeps items in a database of its own."""
    return service.kind is not Kind.COMMAND


def _python(name: str) -> str:
    """``name`` as a Python identifier."""
    return name.replace("-", "_")


def services_of(listed: str, kind: Kind) -> tuple[NewService, ...]:
    """The services of ``api,web:node``; ``kind`` is that of those that name none.

    Raises :class:`~tasklib.errors.UsageError` for a kind that there is not.
    """
    found = []
    for one in filter(None, (part.strip() for part in listed.split(","))):
        name, _, named = one.partition(":")
        if named and named not in Kind.__members__.values():
            raise UsageError(f"{one!r}: a service's kind is {', '.join(Kind)}, not {named!r}")
        found.append(NewService(name, Kind(named) if named else kind))
    return tuple(found)


def written(answers: Answers) -> str:
    """The text of the answers file."""
    readers = f"`{TASKLIB.line('new.service')}` and `new.update`"
    said = f"# What this project was made from: {readers} read and write it."
    return f"{said}\n" + msgspec.yaml.encode(answers).decode()


def read_answers(text: bytes, where: str) -> Answers:
    """The answers in a file's ``text``. Raises :class:`~tasklib.errors.ConfigError` for anything else."""
    try:
        return msgspec.yaml.decode(text, type=Answers)
    except (msgspec.DecodeError, UsageError) as error:
        raise ConfigError(f"not what `new.project` wrote: {error}", where=where) from None
