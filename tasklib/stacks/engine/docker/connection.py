"""Finding the engine, and saying why there is none or why it will not do."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tasklib.errors import START_ENGINE, EngineError
from tasklib.reach import Reach, Way, decide
from tasklib.stacks.address import USUAL_SOCKET, EngineAddress, docker_folder, engine_address, leads_through
from tasklib.stacks.engine.docker.answers.facts import facts_from, forwards_ports, is_podman
from tasklib.stacks.engine.docker.reasons import is_tls, reason_of
from tasklib.stacks.engine.docker.surroundings import look
from tasklib.stacks.engine.patience import TIMEOUT
from tasklib.stacks.engine.values import EngineFacts
from tasklib.stacks.tunnel import Tunnel, opened

__all__ = ["Connection", "connect"]


class Connection(Struct, frozen=True):
    """The SDK's client of an engine, what the engine is, and the way to it where that is ssh.

    Whoever has it closes ``held``.
    """

    client: Any
    facts: EngineFacts
    held: contextlib.ExitStack
    tunnel: Tunnel | None = None


def connect(
    wanted: Way | None = None, *, strict: bool = True, elsewhere: EngineAddress | None = None
) -> Connection:
    """Connect to the engine that the current context or DOCKER_HOST names, or to the one ``elsewhere``.

    ``wanted`` is how the project wants its containers reached; unless ``strict`` nobody has to get to them.
    Raises :class:`~tasklib.errors.EngineError` when there is none, or when tests cannot get to its
    containers.
    """
    with contextlib.ExitStack() as held:
        address, tunnel = elsewhere or engine_address(), None
        if address.host.startswith("ssh://"):
            tunnel = held.enter_context(opened(address.host))
            held.enter_context(leads_through(address, tunnel.socket))
        client, info, version = _answers(address, tunnel)
        held.callback(client.close)
        facts = facts_from(info, version, address.host if tunnel else str(client.base_url))
        # Neither a proxy nor a .netrc has a say in a socket; looking for them takes a fifth of each call.
        client.trust_env = facts.remote and not tunnel
        seen = look(
            client, info, address.host, forwards=forwards_ports(info), makes_bridge_late=is_podman(version)
        )
        try:
            reach = decide(seen, wanted)
        except EngineError as error:
            if strict:
                raise
            reach = Reach(Way.NONE, error.what)
        if facts.remote:
            reach = replace(reach, lag=_lag(client, address, tunnel))
        facts = replace(facts, reach=reach, address=elsewhere)
        return Connection(client, facts, held.pop_all(), tunnel)


def _answers(
    address: EngineAddress, tunnel: Tunnel | None
) -> tuple[Any, Mapping[str, Any], Mapping[str, Any]]:
    """The client and what the engine says of itself."""
    from docker.errors import DockerException

    there = EngineAddress(f"unix://{tunnel.socket}", "") if tunnel else address
    try:
        _knock(there.host)
        client = _client(there)
        with contextlib.ExitStack() as made:
            made.callback(client.close)
            said = client.info(), client.version()
            made.pop_all()
        return client, *said
    except (DockerException, OSError) as error:
        raise (tunnel and tunnel.refusal()) or _unreachable(error, address) from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise _unfit(error, address) from error


def _knock(host: str) -> None:
    """Raise ``OSError`` where nobody listens: the SDK leaves its own socket open then.

    Only of sockets in the file system; at the others its transport closes what it opened.
    """
    if not host or host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.settimeout(TIMEOUT)
            knocking.connect("/" + host.removeprefix("unix://").lstrip("/") if host else USUAL_SOCKET)


def _lag(client: Any, address: EngineAddress, tunnel: Tunnel | None) -> float:
    """Seconds that an answer takes, the shortest of a few."""
    from docker.errors import DockerException

    found = []
    try:
        for _ in range(3):
            began = time.monotonic()
            client.ping()
            found.append(time.monotonic() - began)
    except (DockerException, OSError) as error:
        raise (tunnel and tunnel.refusal()) or _unreachable(error, address) from error
    return min(found)


def _client(address: EngineAddress) -> Any:
    import docker
    import urllib3
    from docker.tls import TLSConfig

    class Client(docker.APIClient):
        """One that is closed where nothing useful answers, and goes by the authority that it was given.

        requests prefers REQUESTS_CA_BUNDLE.
        """

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            try:
                super().__init__(*args, **kwargs)
            except BaseException:
                self.close()
                raise

        def merge_environment_settings(
            self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
        ) -> Any:
            chosen = self.verify if verify is None else verify
            return super().merge_environment_settings(url, proxies, stream, chosen, cert)

    pems = _certificates(address)
    own = pems.keys() >= {"cert", "key"}
    tls = address.certificates and TLSConfig(
        client_cert=(pems["cert"], pems["key"]) if own else None,
        ca_cert=pems.get("ca"),
        verify=address.verified,
    )
    if tls and not address.verified:
        # As its user wants it: a warning with each call would tell nothing else.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return Client(
        address.host or None,
        version="auto",
        timeout=TIMEOUT,
        tls=tls or False,
        max_pool_size=32,
    )


def _certificates(address: EngineAddress) -> Mapping[str, str]:
    """The files that are there: as Docker's client has it, one of our own is needed where it is asked for."""
    folder = address.certificates
    if folder is None:
        return {}
    paths = {name: folder / f"{name}.pem" for name in ("ca", "cert", "key")}
    if address.host and not address.context and address.verified and not paths["ca"].is_file():
        raise EngineError(
            f"{address.way} is to be verified, and there is no ca.pem for that",
            where=str(folder),
            remedy="Set DOCKER_CERT_PATH to the folder that has it, or unset DOCKER_TLS_VERIFY.",
        )
    return {name: str(path) for name, path in paths.items() if path.is_file()}


def _unreachable(error: Exception, address: EngineAddress) -> EngineError:
    """Why nothing answers."""
    from docker.errors import InvalidConfigFile

    if isinstance(error, InvalidConfigFile):
        return _unfit(error, address)
    if address.is_usual:
        where, remedy = "", START_ENGINE
    elif address.context:
        where = f" in {address.way}"
        remedy = "Start it, or `docker context use default` to use this machine's own engine."
    else:
        where = f" at {address.way}"
        remedy = "Start it, or unset DOCKER_HOST to use this machine's own engine."
    if is_tls(str(error)):
        remedy = _CERTIFICATES if address.context else f"{_CERTIFICATES} They are in DOCKER_CERT_PATH."
    return EngineError(f"no Docker engine answers{where} ({reason_of(error)})", remedy=remedy)


_CERTIFICATES = (
    "ca.pem has to be of whoever signed the engine's certificate, cert.pem signed by whom the engine trusts."
)


def _unfit(error: Exception, address: EngineAddress) -> EngineError:
    """The SDK stumbled over what DOCKER_HOST or the settings hold."""
    if address.context:
        file = str(docker_folder() / "config.json")
        return EngineError(f"Docker's settings cannot be used ({reason_of(error)})", where=file)
    return EngineError(f"{address.way} cannot be used ({reason_of(error)})")
