"""Whether a registry lets somebody push, by registries that answer as the known ones do."""

from __future__ import annotations

import json
import os
import threading
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tasklib.release.images import logins
from tasklib.release.images.logins import Login, login_of
from tasklib.release.images.registry import Registry, RegistryError, RegistryRefused


@dataclass
class Answers:
    """What a registry that gives tokens answers, and what it was asked.

    ``busy`` is how often it asks to wait first, ``files`` what it has by the last part of its name.
    """

    token: int = 200
    upload: int = 202
    said: bytes = b"{}"
    busy: int = 0
    files: dict[str, object] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    host: str = ""
    realm: str = ""
    token_answer: tuple[str, str] | None = None


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    wanted = Answers()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            wanted.asked.append(f"{self.command} {self.path.partition('?')[0]}")
            if self.path.startswith("/token"):
                self._send(wanted.token, b'{"token": "t"}', wanted.token_answer)
            elif "Authorization" not in self.headers:
                place = wanted.realm or f"http://{wanted.host}/token"
                realm = f'Bearer realm="{place}",scope="repository:shop:pull,push"'
                self._send(401, b"{}", ("WWW-Authenticate", realm))
            elif wanted.busy:
                wanted.busy -= 1
                self._send(429, b"", ("Retry-After", "7"))
            elif (name := self.path.rpartition("/")[2]) in wanted.files:
                self._send(
                    200, json.dumps(wanted.files[name]).encode(), ("Docker-Content-Digest", "sha256:1")
                )
            elif self.command == "POST":
                self._send(wanted.upload, wanted.said, ("Location", "/v2/shop/blobs/uploads/1"))
            else:
                self._send(204, b"")

        do_GET = do_POST = do_DELETE = _answer

        def _send(self, code: int, body: bytes, header: tuple[str, str] | None = None) -> None:
            self.send_response(code)
            if header:
                self.send_header(*header)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        wanted.host = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield wanted
        server.shutdown()
        thread.join()


def test_push_is_let_in(answers: Answers) -> None:
    """Where a push would be let in, the upload that was begun to learn it is ended."""
    Registry(f"{answers.host}/shop").check_push()
    assert answers.asked[-2:] == ["POST /v2/shop/blobs/uploads/", "DELETE /v2/shop/blobs/uploads/1"]


@pytest.mark.parametrize(
    ("token", "upload", "message"),
    [
        (401, 202, "takes no push without a login"),
        (403, 202, "takes no push without a login"),
        (200, 401, "takes no push without a login"),
        (200, 403, "does not let this user push shop"),
    ],
)
def test_push_is_refused(answers: Answers, token: int, upload: int, message: str) -> None:
    """401 and 403, of the registry or of what gives its tokens, say why and name `docker login`."""
    answers.token, answers.upload = token, upload
    with pytest.raises(RegistryRefused, match=message) as caught:
        Registry(f"{answers.host}/shop").check_push()
    assert f"docker login {answers.host}" in str(caught.value.remedy)


def test_a_login_that_has_expired(answers: Answers, tmp_path: Path) -> None:
    """What gives tokens calls that a bad request; a registry says it of an upload, in words that are told."""
    login = {"auth": b64encode(b"me:").decode(), "identitytoken": "old"}
    (tmp_path / "config.json").write_text(json.dumps({"auths": {answers.host: login}}))
    answers.token = 400
    with pytest.raises(RegistryRefused, match="does not accept the login"):
        Registry(f"{answers.host}/shop").check_push()
    answers.token, answers.upload = 200, 403
    answers.said = b'{"errors": [{"code": "DENIED", "message": "Your authorization token\\nhas expired."}]}'
    with pytest.raises(RegistryRefused, match="push shop: Your authorization token has expired"):
        Registry(f"{answers.host}/shop").check_push()


def test_a_credential_helper_that_is_not_installed_is_named(
    answers: Answers, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """Logging in again would not help: Docker could keep the login nowhere."""
    (tmp_path / "config.json").write_text(json.dumps({"credHelpers": {answers.host: "no-such"}}))
    answers.upload = 401
    with pytest.raises(
        RegistryRefused, match="docker-credential-no-such, which Docker's settings name"
    ) as caught:
        Registry(f"{answers.host}/shop").check_push()
    assert "Install docker-credential-no-such" in str(caught.value.remedy)
    assert not recwarn.list


HELPERS = [
    ("echo 'hunter2 is no JSON'", "does not answer as such programs do"),
    ("echo 'the token of hunter2 has expired'; echo hunter2 >&2; exit 3", "ends with code 3"),
    ("exec sleep 60", "does not answer within 0.2 s"),
]


@pytest.mark.parametrize(("script", "trouble"), HELPERS)
def test_a_credential_helper_that_fails_is_named(
    answers: Answers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    script: str,
    trouble: str,
) -> None:
    """Nobody waits for it for ever, and what it writes, which may be a secret, is in no output."""
    monkeypatch.setattr(logins, "_PATIENCE", 0.2)
    install(tmp_path, monkeypatch, answers.host, script)
    answers.upload = 401
    with pytest.raises(RegistryRefused) as caught:
        Registry(f"{answers.host}/shop").check_push()
    assert trouble in str(caught.value)
    assert "hunter2" not in str(caught.value) + "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("script", "login"),
    [
        ("""echo '{"Username": "me", "Secret": "pass"}'""", Login("me", "pass", "")),
        ("""echo '{"Username": "<token>", "Secret": "long"}'""", Login("", "", "long")),
        ("echo 'credentials not found in native keychain'; exit 1", Login("file", "own", "")),
    ],
)
def test_a_credential_helper_is_asked(
    answers: Answers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, login: Login
) -> None:
    """For the registry; one that has nothing leaves it to what stands in the settings themselves."""
    install(tmp_path, monkeypatch, answers.host, f'[ "$1 $(cat)" = "get {answers.host}" ] && {script}')
    found = login_of(answers.host)
    assert found
    assert (found.user, found.password, found.token) == (login.user, login.password, login.token)


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, host: str, script: str) -> None:
    """A helper that ``script`` is, named by Docker's settings beside a login of their own."""
    program = folder / "docker-credential-own"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    auths = {host: {"auth": b64encode(b"file:own").decode()}}
    (folder / "config.json").write_text(json.dumps({"credHelpers": {host: "own"}, "auths": auths}))


@pytest.mark.parametrize("upload", [404, 405, 500])
def test_what_does_not_answer_the_question(answers: Answers, upload: int) -> None:
    """Any other answer leaves it to the push."""
    answers.upload = upload
    Registry(f"{answers.host}/shop").check_push()


def test_a_login_goes_to_nobody_else(answers: Answers, tmp_path: Path) -> None:
    """Neither unencrypted to whoever a registry names, nor by a redirection to whoever that names."""
    login = {"auth": b64encode(b"me:secret").decode(), "identitytoken": "long"}
    (tmp_path / "config.json").write_text(json.dumps({"auths": {answers.host: login}}))
    for name in ("registry.invalid", "localhost:80@registry.invalid"):
        answers.realm = f"http://{name}/token"
        with pytest.raises(RegistryError, match="wants its login sent unencrypted"):
            Registry(f"{answers.host}/shop").tags()
    answers.realm, answers.token = "", 307
    answers.token_answer = ("Location", f"http://{answers.host}/elsewhere")
    with pytest.raises(RegistryError, match="answered 307"):
        Registry(f"{answers.host}/shop").tags()
    assert not [line for line in answers.asked if "elsewhere" in line]


def test_a_busy_registry_is_asked_again(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as it wants; one that stays busy has not answered, and nobody waits for ever."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    answers.busy, answers.files = 2, {"list?n=1000": {"tags": ["1.0.0"]}}
    assert Registry(f"{answers.host}/shop").tags() == ("1.0.0",)
    assert slept == [7, 7]
    answers.busy = 100
    with pytest.raises(RegistryError, match="answered 429"):
        Registry(f"{answers.host}/shop").tags()


LINUX = {"os": "linux", "architecture": "arm64", "variant": "v8"}


def test_platforms(answers: Answers) -> None:
    """Those of an index, what is attested left out; of a single image its own."""
    manifest, config = {"config": {"digest": "sha256:c"}}, {**LINUX, "config": {"Labels": {"a": "b"}}}
    several = [
        {"digest": "sha256:d", "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": "sha256:a", "platform": {"os": "unknown", "architecture": "unknown"}},
        {"digest": "sha256:b", "platform": LINUX},
    ]
    answers.files = {"1": {"manifests": several}, "2": manifest, "sha256:d": manifest, "sha256:c": config}
    registry = Registry(f"{answers.host}/shop")
    both = [registry.published(tag) for tag in ("1", "2")]
    assert [found.platforms for found in both if found] == [
        ("linux/amd64", "linux/arm64/v8"),
        ("linux/arm64/v8",),
    ]
    assert [dict(found.labels) for found in both if found] == [{"a": "b"}] * 2
