"""Logins of registries, from where Docker keeps them: its config file, credential stores and helpers."""

from __future__ import annotations

import shutil
from base64 import b64encode

import msgspec

__all__ = ["Login", "basic", "lacking_helper", "login_of"]


class Login(msgspec.Struct, frozen=True):
    """A user and a password, or a token that stands for both."""

    user: str
    password: str
    token: str

    def __repr__(self) -> str:
        return f"Login({self.user!r})"


def basic(login: Login) -> str:
    """The Authorization header of a login."""
    return f"Basic {b64encode(f'{login.user}:{login.password}'.encode()).decode()}"


def login_of(host: str) -> Login | None:
    """User, password and identity token for a registry, from where `docker login` put them."""
    import docker.auth
    import docker.errors

    if lacking_helper(host):
        return None
    try:
        found = docker.auth.load_config().resolve_authconfig(host)
    except (docker.errors.DockerException, OSError, ValueError):
        return None
    if not found:
        return None
    # The config file's entries and those of credential stores differ in case.
    values = {key.lower(): str(value or "") for key, value in found.items()}
    return Login(values.get("username", ""), values.get("password", ""), values.get("identitytoken", ""))


def lacking_helper(host: str) -> str:
    """The program that Docker's settings name for a registry's login, where it is not there."""
    import docker.auth
    import docker.errors

    try:
        store = docker.auth.load_config().get_credential_store(host)
    except (docker.errors.DockerException, OSError, ValueError):
        return ""
    program = f"docker-credential-{store}"
    return program if store and not shutil.which(program) else ""
