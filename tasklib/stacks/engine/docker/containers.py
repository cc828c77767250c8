"""Containers of an engine that the SDK speaks to: seen, started, asked, copied from and to."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from tasklib.results import LogLine
from tasklib.stacks.engine.docker.answers.containers import (
    LOG_PART,
    container_from,
    container_id_from,
    log_lines_from,
    processes_from,
    written_from,
)
from tasklib.stacks.engine.docker.client import Client
from tasklib.stacks.engine.forwarding import forwarded
from tasklib.stacks.engine.patience import TIMEOUT, translated
from tasklib.stacks.engine.values import PROJECT_LABEL, Container, Errand, ImageConfig
from tasklib.stacks.engine.watch import Watch

__all__ = ["Containers"]

_COMMIT = 600.0
"""Seconds that making an image of a container may take: it copies all that was written."""

_MORE = 10
"""How many times as much of a log is read where long lines, which come in parts, are in the way."""

_COPY = 300.0
"""Seconds that the engine may take for unpacking what is copied into a container."""


class Containers(Client):
    """What :class:`~tasklib.stacks.engine.engine.Engine` says of containers and errands."""

    @translated
    def containers(self, project: str) -> tuple[Container, ...]:
        found = self._api.containers(all=True, filters={"label": [f"{PROJECT_LABEL}={project}"]})
        inspected = [self._member(row["Id"]) for row in found]
        return tuple(sorted((c for c in inspected if c), key=lambda container: container.name))

    def _member(self, container_id: str) -> Container | None:
        """A container of a project, ``None`` where there is none or it only has the labels of one."""
        row = self._inspect(container_id)
        if row is None:
            return None
        container = self._seen(row)
        labels = (row.get("Config") or {}).get("Labels") or {}
        return None if self._inherits(labels, container.name, str(row.get("Image"))) else container

    def _seen(self, row: Mapping[str, Any]) -> Container:
        container = container_from(row, self._membership.networks)
        tunnel = self._connection.tunnel
        return forwarded(container, tunnel) if tunnel else container

    @contextlib.contextmanager
    def watch(self, project: str) -> Iterator[Watch]:
        events = self._events(project)
        watch = Watch(lambda: self.containers(project), self._one)
        changed = map(container_id_from, events)
        thread = threading.Thread(target=watch.follow, args=(changed,), daemon=True, name=f"watch {project}")
        thread.start()
        try:
            yield watch
        finally:
            with contextlib.suppress(Exception):
                events.close()

    @translated
    def _one(self, container_id: str) -> Container | None:
        return self._member(container_id)

    @translated
    def container(self, container_id: str) -> Container | None:
        row = self._inspect(container_id)
        return None if row is None else self._seen(row)

    @translated
    def _events(self, project: str) -> Any:
        import requests.exceptions
        from docker.errors import create_api_error_from_http_exception
        from docker.types import CancellableStream
        from docker.utils import convert_filters

        wanted = {
            "type": "container",
            "label": [f"{PROJECT_LABEL}={project}"],
            "event": ["create", "start", "die", "oom", "destroy", "health_status", "kill", "pause"],
        }
        # The SDK's own call has no limit for the answer's beginning either, which a stuck engine never sends.
        answer = self._api.get(
            f"{self._api.base_url}/v{self._api.api_version}/events",
            params={"filters": convert_filters(wanted)},
            stream=True,
            timeout=TIMEOUT,
        )
        try:
            answer.raise_for_status()
        except requests.exceptions.HTTPError as error:
            create_api_error_from_http_exception(error)
        # Between two events there may be any time. Where that cannot be said they end, and are done without.
        if (connection := answer.raw.connection) and connection.sock:
            connection.sock.settimeout(None)
        return CancellableStream(map(json.loads, filter(None, answer.iter_lines())), answer)

    @translated
    def start(self, container_id: str) -> None:
        self._api.start(container_id)

    @translated
    def run_inside(self, container_id: str, argv: Sequence[str]) -> bool:
        import requests.exceptions

        started = self._api.exec_create(container_id, list(argv))["Id"]
        try:
            self._api.exec_start(started)
        except requests.exceptions.ReadTimeout:
            return False
        return bool(self._api.exec_inspect(started).get("ExitCode") == 0)

    @translated
    def processes(self, container_id: str) -> tuple[tuple[str, ...], ...]:
        return processes_from(self._api.top(container_id))

    @translated
    def written(self, container_id: str) -> tuple[str, ...]:
        import docker.errors

        try:
            return written_from(self._api.diff(container_id) or ())
        except docker.errors.NotFound:
            return ()

    @translated
    def copy_out(self, container_id: str, path: str, target: BinaryIO) -> None:
        import docker.errors

        try:
            chunks, _ = self._api.get_archive(container_id, path)
            for chunk in chunks:
                target.write(chunk)
        except docker.errors.NotFound:
            return

    @translated
    def copy_in(self, container_id: str, folder: str, archive: BinaryIO) -> None:
        archive.seek(0)
        answer = self._api.put(
            f"{self._api.base_url}/v{self._api.api_version}/containers/{container_id}/archive",
            params={"path": folder},
            data=archive,
            timeout=_COPY,
        )
        self._api._raise_for_status(answer)

    @translated
    def create(self, errand: Errand) -> str:
        from docker.types import Mount

        mounts = [Mount(inside, path, "bind", read_only=True) for path, inside in errand.files]
        limits = {} if errand.shared_memory is None else {"shm_size": errand.shared_memory}
        return str(
            self._api.create_container(
                errand.image,
                list(errand.command),
                hostname=errand.hostname or None,
                environment=dict(errand.environment),
                labels=dict(errand.labels),
                host_config=self._api.create_host_config(network_mode="none", mounts=mounts, **limits),
            )["Id"]
        )

    @translated
    def stop(self, container_id: str, seconds: int) -> None:
        self._api.stop(container_id, timeout=seconds)

    @translated
    def commit(self, container_id: str, tag: str, image: ImageConfig) -> str:
        config = self._api.inspect_container(container_id)["Config"]
        repository, _, version = tag.rpartition(":")
        own = {row.partition("=")[0] for row in config.get("Env") or ()} - image.environment.keys()
        # The engine takes over whatever is not given: only another value keeps the container's out.
        answer = self._api.post(
            f"{self._api.base_url}/v{self._api.api_version}/commit",
            params={"container": container_id, "repo": repository, "tag": version, "pause": "false"},
            json={
                "Entrypoint": list(image.entrypoint),
                "Cmd": list(image.command),
                "Env": [f"{k}={v}" for k, v in (dict.fromkeys(own, "") | dict(image.environment)).items()],
                "Labels": dict.fromkeys(config.get("Labels") or (), "") | dict(self._labels(image.id) or {}),
            },
            timeout=_COMMIT,
        )
        return str(self._api._result(answer, json=True)["Id"])

    @translated
    def logs(self, container_id: str, *, since: float = 0.0, tail: int = 200) -> tuple[LogLine, ...]:
        found = self._logs(container_id, since, tail)
        if len(found) < tail and any(len(line.text) >= LOG_PART for line in found):
            # One that came in parts has taken the place of others.
            found = self._logs(container_id, since, tail * _MORE)[-tail:]
        return found

    def _logs(self, container_id: str, since: float, tail: int) -> tuple[LogLine, ...]:
        import docker.errors

        try:
            raw: bytes = self._api.logs(
                container_id, stdout=True, stderr=True, timestamps=True, tail=tail, since=int(since) or None
            )
        except docker.errors.NotFound:
            return ()
        except docker.errors.APIError as error:
            if error.status_code == 409:
                return ()  # it is being removed
            raise
        return log_lines_from(raw)
