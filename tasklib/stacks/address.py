"""Which engine is meant: asked once, and told to the SDK and to every ``docker`` command alike.

The rules are those of Docker's own client: DOCKER_HOST, else DOCKER_CONTEXT, else ``currentContext`` in its
``config.json``, else this machine's usual socket. The SDK has other ones where ``config.json`` is missing.
Source: ``cli/command/cli.go`` and ``cli/context/store`` of github.com/docker/cli.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypedDict

import msgspec
from msgspec import Struct

from tasklib.errors import EngineError
from tasklib.shown.cutting import shorten, without_password

__all__ = [
    "USUAL_SOCKET",
    "EngineAddress",
    "docker_environment",
    "docker_folder",
    "docker_settings",
    "engine_address",
    "is_unreachable",
    "leads_through",
    "listed_address",
    "named_environment",
]

USUAL_SOCKET = "/var/run/docker.sock"
"""Where an engine listens unless something else is said."""

_UNREACHABLE = ("Cannot connect to the Docker daemon", "failed to connect to the docker API")
"""What Docker's client says from version 1 on, and from version 29 on."""

_LOCAL = "default"
"""The context that is no file: this machine's usual socket."""


class EngineAddress(Struct, frozen=True):
    """Where an engine is, and what says so.

    ``host`` is a URL as Docker writes it ("": the usual socket), ``context`` the name of the context ("":
    DOCKER_HOST says it), ``certificates`` a folder with ``ca.pem``, ``cert.pem`` and ``key.pem``,
    ``verified`` whether the engine's own certificate is checked, too.
    """

    host: str = ""
    context: str = _LOCAL
    certificates: Path | None = None
    verified: bool = True

    @property
    def way(self) -> str:
        """How the user named it, to be shown."""
        return f"context {self.context}" if self.context else f"DOCKER_HOST={without_password(self.host)}"

    @property
    def is_usual(self) -> bool:
        """Whether it is where everybody's engine is who says nothing."""
        return self.context == _LOCAL

    @property
    def environment(self) -> Mapping[str, str]:
        """What names it to a ``docker`` command, whatever its settings become meanwhile."""
        return {"DOCKER_CONTEXT": self.context} if self.context else {"DOCKER_HOST": self.host}

    @property
    def exports(self) -> Mapping[str, str]:
        """The same for somebody whose variables name another one by now: what is empty counts as not set."""
        return {**dict.fromkeys(_NAMING, ""), **self.environment}


def engine_address(env: Mapping[str, str] | None = None) -> EngineAddress:
    """The engine that ``env`` (our own environment) and Docker's settings name, the same for a whole process.

    Raises :class:`~tasklib.errors.EngineError` for a context that is not there and for settings that cannot
    be read: nobody knows which engine is meant then.
    """
    env = os.environ if env is None else env
    host, context, verify, certificates = (env.get(name, "") for name in _NAMING)
    return _address(docker_folder(env), host, context, certificates, verify)


def listed_address(name: str, env: Mapping[str, str] | None = None) -> EngineAddress | None:
    """The engine that a project's list calls ``name``; ``None`` for the one that ``env`` names (``default``).

    Raises :class:`~tasklib.errors.EngineError` for a context that is not there.
    """
    if name == _LOCAL:
        return None
    kind, _, context = name.partition(":")
    if kind != "context":
        return EngineAddress(name, "")
    folder = docker_folder(env)
    return _named(folder, context, docker_settings(folder), says="`engines` lists")


def docker_environment(
    more: Mapping[str, str] = MappingProxyType({}), address: EngineAddress | None = None
) -> dict[str, str]:
    """Our environment and ``more``, for a ``docker`` command that is to speak to the engine at ``address``.

    ``None`` stands for :func:`engine_address`. Where there is a way to it that is open already, the command
    takes that.
    """
    given = named_environment(more, address)
    if (socket := _WAYS.get(address or engine_address())) is None:
        return given
    left = given.keys() - {*_NAMING}
    return {**{name: given[name] for name in left}, "DOCKER_HOST": socket}


def named_environment(
    more: Mapping[str, str] = MappingProxyType({}), address: EngineAddress | None = None
) -> dict[str, str]:
    """The same for whoever is to find a way of his own, since he may outlive us."""
    merged = {**os.environ, **more}
    chosen = address or engine_address()
    # What DOCKER_HOST's engine is shown of us is not for another one.
    naming = _NAMING if address or chosen.context else _NAMING[:2]
    others = {name: merged[name] for name in merged.keys() - {*naming}}
    return {**others, **chosen.environment}


_NAMING = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
"""The variables that name an engine, and those that say how it is spoken to."""


_WAYS: dict[EngineAddress, str] = {}
"""The sockets that lead to engines elsewhere while this process has a connection open."""


@contextlib.contextmanager
def leads_through(address: EngineAddress, socket: Path) -> Iterator[None]:
    """All commands that speak to ``address`` take the way that ends in ``socket`` while the block lasts."""
    before = _WAYS.get(address)
    _WAYS[address] = f"unix://{socket}"
    try:
        yield
    finally:
        if before is None:
            _WAYS.pop(address, None)
        else:
            _WAYS[address] = before


def docker_folder(env: Mapping[str, str] | None = None) -> Path:
    """Where Docker's client has its settings."""
    env = os.environ if env is None else env
    return Path(env.get("DOCKER_CONFIG") or Path(env.get("HOME") or Path("~").expanduser(), ".docker"))


def docker_settings(folder: Path) -> Mapping[str, Any]:
    """What the user set for Docker's client in ``folder``.

    Raises :class:`~tasklib.errors.EngineError` where that cannot be read, or holds what neither Docker's
    client nor the SDK can make anything of.
    """
    file = folder / "config.json"
    settings = _read(file)
    try:
        known = msgspec.convert(settings, _Settings)
    except msgspec.ValidationError as error:
        what, _, at = str(error).partition(" - at ")
        key = at.strip("`").removeprefix("$.")
        raise EngineError(
            f"{key}: {what[:1].lower()}{what[1:]}", where=str(file), remedy="Mend it or move it away."
        ) from error
    for registry, entry in (known.get("auths") or {}).items():
        if "auth" in entry and "identitytoken" not in entry and not _is_login(entry["auth"]):
            what = f"`auth` of {shorten(registry, 100)} is not base64 of `user:password`"
            raise EngineError(what, where=str(file), remedy="`docker login` writes it anew.")
    return settings


class _Settings(TypedDict, total=False):
    """What the SDK reads without a look at its kind."""

    auths: dict[str, dict[str, Any]] | None
    credHelpers: dict[str, str] | None
    credsStore: str | None
    HttpHeaders: dict[str, str] | None
    proxies: dict[str, dict[str, str | None]]


def _is_login(auth: object) -> bool:
    try:
        return b":" in base64.b64decode(str(auth).encode("ascii")) and isinstance(auth, str)
    except ValueError:
        return False


@cache
def _address(folder: Path, host: str, context: str, certificates: str, verify: str) -> EngineAddress:
    """``folder`` holds Docker's settings, the rest is as the variables say ("": not set)."""
    settings = docker_settings(folder)
    if not host:
        return _named(folder, context, settings, says="DOCKER_CONTEXT names")
    pems = Path(certificates) if certificates else folder if verify else None
    return EngineAddress(host, "", pems, verified=bool(verify))


def _named(folder: Path, given: str, settings: Mapping[str, Any], says: str) -> EngineAddress:
    """The engine of the context ``given`` ("": the current one); ``says`` is what gave it, and how."""
    file = folder / "config.json"
    name = given or settings.get("currentContext") or _LOCAL
    if not isinstance(name, str):
        raise EngineError("`currentContext` is not a name", where=str(file), remedy=_MEND)
    if name == _LOCAL:
        return EngineAddress()
    key = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    meta = folder / "contexts" / "meta" / key / "meta.json"
    if not meta.is_file():
        way_back = "unset DOCKER_CONTEXT" if given else "`docker context use default`"
        raise EngineError(
            f"there is no Docker context {name}" + (f", which {says}" if given else ""),
            where=None if given else str(file),
            remedy=f"`docker context ls` lists those there are; {way_back} to use this machine's own engine.",
        )
    match _read(meta):
        case {"Endpoints": {"docker": {**endpoint}}}:
            certificates = folder / "contexts" / "tls" / key / "docker"
            return EngineAddress(
                str(endpoint.get("Host") or ""),
                name,
                certificates if certificates.is_dir() else None,
                not endpoint.get("SkipTLSVerify"),
            )
    raise EngineError(f"the context {name} names no engine", where=str(meta), remedy=_MEND)


_MEND = "Repair the file or remove it: it says which engine is meant."


def _read(path: Path) -> Mapping[str, Any]:
    """A file of Docker's settings; one that is missing, or empty, sets nothing."""
    try:
        text = path.read_bytes()
        found = json.loads(text) if text.strip() else {}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise EngineError(f"it cannot be read ({error.strerror})", where=str(path), remedy=_MEND) from error
    except (ValueError, RecursionError) as error:
        raise EngineError("it is not JSON", where=str(path), remedy=_MEND) from error
    if not isinstance(found, dict):
        raise EngineError("it is not a JSON object", where=str(path), remedy=_MEND)
    return found


def is_unreachable(said: str) -> bool:
    """Whether a ``docker`` command that wrote this could not reach the engine."""
    return any(text in said for text in _UNREACHABLE)
