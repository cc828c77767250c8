"""Whether a registry lets somebody push, by registries that answer as the known ones do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tasklib.release.images.registry import Registry, RegistryRefused


@dataclass
class Answers:
    """What a registry that gives tokens answers, and what it was asked."""

    token: int = 200
    upload: int = 202
    asked: list[str] = field(default_factory=list)
    host: str = ""


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    wanted = Answers()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            wanted.asked.append(f"{self.command} {self.path.partition('?')[0]}")
            if self.path.startswith("/token"):
                self._send(wanted.token, b'{"token": "t"}')
            elif "Authorization" not in self.headers:
                realm = f'Bearer realm="http://{wanted.host}/token",scope="repository:shop:pull,push"'
                self._send(401, b"{}", ("WWW-Authenticate", realm))
            elif self.command == "POST":
                self._send(wanted.upload, b"{}", ("Location", "/v2/shop/blobs/uploads/1"))
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


@pytest.mark.parametrize("upload", [404, 405, 500])
def test_what_does_not_answer_the_question(answers: Answers, upload: int) -> None:
    """Any other answer leaves it to the push."""
    answers.upload = upload
    Registry(f"{answers.host}/shop").check_push()
