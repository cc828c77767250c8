"""What a registry does not have, told from one that does not answer."""

from __future__ import annotations

import pytest

from tasklib import process
from tasklib.process import Cancel, Completed
from tasklib.stacks.images.registry import Refused, by_docker

DAEMON = "Error response from daemon: "

NONE = {
    "tag": "manifest for host:5000/x:y not found: manifest unknown: manifest unknown",
    "repository": "repository host:5000/x not found: name unknown: repository name not known to registry",
    "containerd": 'failed to resolve reference "host:5000/x:y": host:5000/x:y: not found',
    "hub": "pull access denied for me/x, repository does not exist or may require 'docker login'",
    "hub, its reason": "pull access denied for x, repository does not exist or may require 'docker login': "
    "denied: requested access to the resource is denied",
    "hub, containerd": "pull access denied, repository does not exist or may require authorization: "
    "server message: insufficient_scope: authorization failed",
    "denied": 'Head "https://host/v2/x/manifests/y": denied',
    "unauthorized": "unauthorized: access to the requested resource is not authorized",
    "no login": 'Head "https://host/v2/x/manifests/y": no basic auth credentials',
}

NO_ANSWER = {
    "connection": 'Get "https://host/v2/": dial tcp 127.0.0.1:443: connect: connection refused',
    "name": 'Get "https://host/v2/": dial tcp: lookup host: no such host',
    "limit": "toomanyrequests: You have reached your unauthenticated pull rate limit.",
    "helper": 'error getting credentials - err: exec: "docker-credential-x": executable file not found in '
    "$PATH, out: ``",
    "helper, at the end": "error getting credentials: executable file not found in $PATH",
    "socket": "permission denied while trying to connect to the Docker daemon socket",
    "socket, at the end": "dial unix /var/run/docker.sock: connect: permission denied",
}


def answering(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """Docker says ``said`` and leaves."""
    monkeypatch.setattr(
        process, "run", lambda argv, **rest: Completed(tuple(argv), 1, "", f"{DAEMON}{said}\n")
    )


@pytest.mark.parametrize("said", NONE.values(), ids=NONE)
def test_what_is_not_there_or_not_for_us_is_none(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """Repositories that do not exist yet are denied by some registries: what is built can still be pushed."""
    answering(monkeypatch, said)
    assert not by_docker.pull("host/x:y", None, Cancel())
    with pytest.raises(Refused):
        by_docker.push("host/x:y", None, Cancel())


@pytest.mark.parametrize("said", NO_ANSWER.values(), ids=NO_ANSWER)
def test_what_keeps_a_registry_from_answering_is_told(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """Also where it speaks of something else that is not found, or denied."""
    answering(monkeypatch, said)
    with pytest.raises(Refused, match="Error response"):
        by_docker.pull("host/x:y", None, Cancel())
