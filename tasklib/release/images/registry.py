"""What an image registry has, asked over its HTTP interface (the OCI distribution specification).

Logins go to the registry alone: they are in no message.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec
import requests

from tasklib.errors import TasklibError
from tasklib.release.images.answers import Config, Image, Manifest, Platform, Tags, Token, refusal
from tasklib.release.images.logins import basic, failing_helper, login_of
from tasklib.release.images.names import split_name

__all__ = ["Published", "Registry", "RegistryError", "RegistryRefused"]

_TIMEOUT = (5.0, 20.0)
"""Seconds to connect, and to wait for an answer."""

_BUSY, _PAUSES, _LONGEST = (429, 502, 503, 504), (1.0, 3.0), 10
"""Answers of a busy registry, seconds before it is asked again, and the most of those that it asks for."""

_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_HUB = {"docker.io": "registry-1.docker.io"}
_MOST_PAGES = 100
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


_Answer = TypeVar("_Answer", Tags, Manifest, Image, Token)


class RegistryError(TasklibError):
    """A registry could not be asked, or did not say."""


class _WrongLogin(RegistryError):
    """What gives tokens for a registry does not know the user or the password."""


class RegistryRefused(RegistryError):
    """A registry does not let this user push."""


class Published(msgspec.Struct, frozen=True):
    """An image as a registry has it: the digest of what the tag names, the image's labels and platforms
    (``linux/arm64``)."""

    digest: str
    labels: Mapping[str, str] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    platforms: tuple[str, ...] = ()


class Registry:
    """The repository of one image name. Every method raises :class:`RegistryError`."""

    def __init__(self, name: str) -> None:
        self.host, self.repository = split_name(name)
        self._session = requests.Session()
        # Otherwise an entry of the user's netrc would go along.
        self._session.auth = lambda request: request
        self._token = ""
        self._base = ""

    @property
    def is_here(self) -> bool:
        """Whether it is on this machine's loopback."""
        return _is_loopback(self.host)

    def tags(self) -> tuple[str, ...]:
        """Every tag of the repository; none while nothing was pushed to it."""
        found: list[str] = []
        url = f"/v2/{self.repository}/tags/list?n=1000"
        for _ in range(_MOST_PAGES):
            answer = self._get(url)
            if answer.status_code == 404:
                return ()
            found += self._read(answer, Tags).tags or ()
            following = answer.links.get("next", {}).get("url")
            if not following:
                break
            url = following
        return tuple(found)

    def published(self, tag: str) -> Published | None:
        """The image that ``tag`` names; ``None`` without such a tag."""
        answer = self._get(f"/v2/{self.repository}/manifests/{tag}", accept=", ".join(_MANIFESTS))
        if answer.status_code == 404:
            return None
        manifest = self._read(answer, Manifest)
        digest = answer.headers.get("Docker-Content-Digest", "")
        platforms: tuple[str, ...] = ()
        if listed := manifest.manifests:
            images = [entry for entry in listed if (entry.platform or Platform()).os != "unknown"] or listed
            platforms = tuple(str(entry.platform) for entry in images if entry.platform)
            url = f"/v2/{self.repository}/manifests/{images[0].digest}"
            manifest = self._read(self._get(url, accept=", ".join(_MANIFESTS)), Manifest)
        if manifest.config is None:
            raise self._odd()
        blob = self._get(f"/v2/{self.repository}/blobs/{manifest.config.digest}")
        image = self._read(blob, Image)
        labels = (image.config or Config()).labels or {}
        return Published(digest, MappingProxyType(labels), platforms or tuple(filter(None, (str(image),))))

    def check_push(self) -> None:
        """Ask whether a push would be let in, by beginning an upload and ending it without a byte.

        Raises :class:`RegistryRefused` if not.
        """
        try:
            answer = self._send("POST", f"/v2/{self.repository}/blobs/uploads/")
        except _WrongLogin:
            answer = None
        if answer is None or answer.status_code == 401:
            raise self._not_logged_in()
        if answer.status_code == 403:
            said = refusal(answer.content)
            raise RegistryRefused(
                f"{self.host} does not let this user push {self.repository}{said and f': {said}'}",
                remedy=f"`docker login {self.host}` as one who may, or correct images.name.",
            )
        if (begun := answer.headers.get("Location")) and answer.status_code == 202:
            with contextlib.suppress(RegistryError):
                self._send("DELETE", begun)

    def _not_logged_in(self) -> RegistryRefused:
        why = "does not accept the login" if login_of(self.host) else "takes no push without a login"
        if helper := failing_helper(self.host):
            first = f"See to {helper.program}" if helper.is_there else f"Install {helper.program}"
            return RegistryRefused(
                f"{self.host} {why}, and {helper.program}, which Docker's settings name for it, "
                f"{helper.trouble}",
                remedy=f"{first}, or take it out of config.json and `docker login {self.host}`.",
            )
        return RegistryRefused(f"{self.host} {why}", remedy=f"`docker login {self.host}`")

    def _read(self, answer: requests.Response, kind: type[_Answer]) -> _Answer:
        if answer.status_code != 200:
            raise RegistryError(f"{self.host} answered {answer.status_code} about {self.repository}")
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise self._odd() from None

    def _odd(self) -> RegistryError:
        return RegistryError(f"{self.host} did not answer about {self.repository} as a registry does")

    def _get(self, path: str, accept: str = "application/json") -> requests.Response:
        return self._send("GET", path, accept)

    def _send(self, method: str, path: str, accept: str = "application/json") -> requests.Response:
        try:
            url = urljoin(f"{self._address()}/", path)
            answer = self._ask(method, url, accept)
            if answer.status_code == 401 and (
                token := self._login(answer.headers.get("WWW-Authenticate", ""))
            ):
                self._token = token
                answer = self._ask(method, url, accept)
            return answer
        except (requests.RequestException, ValueError) as error:  # it may name addresses that are none
            raise RegistryError(f"{self.host} does not answer ({type(error).__name__})") from None

    def _ask(self, method: str, url: str, accept: str) -> requests.Response:
        """What it answers; one that is busy is asked again, as what is not known may be pushed over."""
        for pause in _PAUSES:
            answer = self._ask_once(method, url, accept)
            if answer.status_code not in _BUSY:
                return answer
            wanted = answer.headers.get("Retry-After", "")
            time.sleep(min(int(wanted), _LONGEST) if wanted.isdecimal() else pause)
        return self._ask_once(method, url, accept)

    def _ask_once(self, method: str, url: str, accept: str) -> requests.Response:
        headers = {"Accept": accept}
        # A page's link may lead elsewhere; the login does not.
        if self._token and urlsplit(url).netloc == urlsplit(self._base).netloc:
            headers["Authorization"] = self._token
        return self._session.request(method, url, headers=headers, timeout=_TIMEOUT)

    def _address(self) -> str:
        """https, or http where Docker itself takes it: on this machine."""
        if not self._base:
            host = _HUB.get(self.host, self.host)
            self._base = f"https://{host}"
            if _is_loopback(host):
                try:
                    self._session.get(f"{self._base}/v2/", timeout=_TIMEOUT)
                except requests.exceptions.SSLError:
                    self._base = f"http://{host}"
        return self._base

    def _login(self, challenge: str) -> str:
        """The Authorization header that answers a challenge; "" where Docker's store has no login."""
        kind, _, rest = challenge.partition(" ")
        login = login_of(self.host)
        if kind.lower() == "basic":
            return basic(login) if login else ""
        if kind.lower() != "bearer":
            return ""
        asked = dict(_PARAMETER.findall(rest))
        wanted = {key: asked[key] for key in ("service", "scope") if key in asked}
        wanted.setdefault("scope", f"repository:{self.repository}:pull")
        realm = asked.get("realm", "")
        if login and not realm.lower().startswith("https:") and not _is_loopback(_host(realm)):
            raise RegistryError(f"{self.host} wants its login sent unencrypted")
        if login and login.token:
            form = {
                **wanted,
                "grant_type": "refresh_token",
                "refresh_token": login.token,
                "client_id": "tasklib",
            }
            # No redirection: it would take the token along.
            answer = self._session.post(realm, data=form, timeout=_TIMEOUT, allow_redirects=False)
        else:
            headers = {"Authorization": basic(login)} if login else {}
            answer = self._session.get(realm, params=wanted, headers=headers, timeout=_TIMEOUT)
        # 400 is what OAuth says of a token that has expired.
        if answer.status_code in (401, 403) or (answer.status_code == 400 and login):
            raise _WrongLogin(f"{self.host} does not accept the login")
        found = self._read(answer, Token)
        return f"Bearer {found.token or found.access_token or ''}"


def _host(url: str) -> str:
    """Host and port of an address, which may name a user before them."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] or host
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    return name == "localhost" or name.endswith(".localhost")
