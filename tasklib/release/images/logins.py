"""Logins of registries, from where Docker keeps them: its config file, credential stores and helpers.

Helpers are run here and not by the SDK, which waits for them for ever and lets them write to the terminal.
"""

from __future__ import annotations

import shutil
from base64 import b64encode
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from tasklib import process
from tasklib.process import CommandError, TimedOut

if TYPE_CHECKING:
    from docker.auth import AuthConfig

__all__ = ["Helper", "Login", "basic", "failing_helper", "login_of"]

_PATIENCE = 30.0
"""Seconds that a helper has: some ask a service on the network."""

_HUB = {"docker.io": "https://index.docker.io/v1/"}
"""What helpers are asked for where Docker keeps a login under another name than the registry's."""

_STANDS_FOR_BOTH = "<token>"
_NOTHING = "credentials not found"
"""What helpers call a token's user, and what they say where they have nothing."""


class Login(msgspec.Struct, frozen=True):
    """A user and a password, or a token that stands for both."""

    user: str
    password: str
    token: str

    def __repr__(self) -> str:
        return f"Login({self.user!r})"


class Helper(msgspec.Struct, frozen=True):
    """A program that Docker's settings name for a login, and why it gives none: "" where it works."""

    program: str
    trouble: str = ""
    login: Login | None = None

    @property
    def is_there(self) -> bool:
        return shutil.which(self.program) is not None


class _Answer(msgspec.Struct, frozen=True):
    user: str = msgspec.field(name="Username")
    secret: str = msgspec.field(name="Secret")


def basic(login: Login) -> str:
    """The Authorization header of a login."""
    return f"Basic {b64encode(f'{login.user}:{login.password}'.encode()).decode()}"


def login_of(host: str) -> Login | None:
    """User, password and identity token for a registry, from where `docker login` put them."""
    import docker.auth
    import docker.errors

    helper = _helper(host)
    if helper and (helper.login or helper.trouble):
        return helper.login
    try:
        found = docker.auth.AuthConfig({"auths": _settings().auths}).resolve_authconfig(host)
    except (docker.errors.DockerException, OSError, ValueError):
        return None
    if not found:
        return None
    values = {key.lower(): str(value or "") for key, value in found.items()}
    return Login(values.get("username", ""), values.get("password", ""), values.get("identitytoken", ""))


def failing_helper(host: str) -> Helper | None:
    """The program that Docker's settings name for a registry's login, where it does not work."""
    helper = _helper(host)
    return helper if helper and helper.trouble else None


def _settings() -> AuthConfig:
    import docker.auth

    return docker.auth.load_config()


def _helper(host: str) -> Helper | None:
    import docker.errors

    try:
        store = _settings().get_credential_store(host)
    except (docker.errors.DockerException, OSError, ValueError):
        return None
    return _asked(f"docker-credential-{store}", _HUB.get(host, host)) if store else None


@cache
def _asked(program: str, server: str) -> Helper:
    """What a helper answers, asked once. Whatever it writes beside may be a secret: nobody sees it."""
    if not shutil.which(program):
        return Helper(program, "is not installed")
    try:
        done = process.run([program, "get"], stdin=server, timeout=_PATIENCE, check=False)
    except TimedOut:
        return Helper(program, f"does not answer within {_PATIENCE:g} s")
    except CommandError:
        return Helper(program, "cannot be started")
    if done.code:
        nothing = _NOTHING in f"{done.stdout}{done.stderr}".lower()
        return Helper(program, "" if nothing else f"ends with code {done.code}")
    try:
        found = msgspec.json.decode(done.stdout, type=_Answer)
    except msgspec.MsgspecError:
        return Helper(program, "does not answer as such programs do")
    if found.user == _STANDS_FOR_BOTH:
        return Helper(program, login=Login("", "", found.secret))
    return Helper(program, login=Login(found.user, found.secret, "") if found.user or found.secret else None)
