"""From Compose files to an isolated config: rendering, and the facts that the rewriting decides by."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from tasklib import process
from tasklib.checkout import find_checkout
from tasklib.errors import ConfigError
from tasklib.isolation import Instance
from tasklib.options.likeness import meant
from tasklib.project.compose_files import assignments
from tasklib.stacks import subnets
from tasklib.stacks.archive import digest_of
from tasklib.stacks.compose import compose
from tasklib.stacks.compose.source import Source
from tasklib.stacks.contents import dockerfiles, mounted_texts, text_in, with_included
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.engine.values import Container
from tasklib.stacks.labels import SERVICE
from tasklib.stacks.lacking import refuse_lacking
from tasklib.stacks.plan import StackPlan
from tasklib.stacks.rewrite import (
    Bake,
    Facts,
    Isolation,
    LocalState,
    base_image,
    base_images,
    comes_back,
    held_back,
    port_variable,
    project_names,
    reserved_ports,
    review,
    subnet_sizes,
)
from tasklib.stacks.servers import Server, known_server
from tasklib.stacks.unset import place_of, refuse_bad_images
from tasklib.stacks.written import data_folders, written_folders

__all__ = ["Prepared", "known_servers", "prepare"]


_PROBE_ID = "tasklib-probe-b1d64f"
"""Another id to render with: what changes under it is scoped by the file itself."""


@dataclass(frozen=True)
class Prepared:
    """A rendered stack: ``isolation`` is what would run and why, ``env`` what Compose is called with."""

    plan: StackPlan
    instance: Instance
    rendered: Mapping[str, Any]
    facts: Facts
    env: Mapping[str, str]
    isolation: Isolation

    @property
    def config(self) -> Mapping[str, Any]:
        return self.isolation.config

    @property
    def project(self) -> str:
        return self.instance.project(self.plan.name)

    @property
    def comes_back(self) -> frozenset[str]:
        """The services that their files have started again whatever they end with."""
        written = self.rendered["services"]
        return frozenset(
            name
            for name, service in self.config["services"].items()
            if comes_back(written.get((service.get("labels") or {}).get(SERVICE, name)) or {})
        )

    @property
    def servers(self) -> Mapping[str, Server]:
        """The known servers by service, also where an image is built on one."""
        return known_servers(self.config, self.facts.dockerfiles)

    @property
    def writable(self) -> frozenset[Path]:
        """The folders of the checkout that containers may write."""
        return written_folders(self.config, _checkout_root(self.plan.source.root))

    @property
    def writes(self) -> frozenset[Path]:
        """Those of :attr:`writable` that hold data."""
        return data_folders(self.writable, _checkout_root(self.plan.source.root))

    def text_of(self, service: str, path: str) -> str | None:
        """What a file inside a service's container holds, where the stack's definition says it."""
        variables = {k: v for file in self.plan.source.env_files for k, v in assignments(file).items()}
        return text_in(self.rendered, service, path, {**variables, **os.environ, **self.env})

    def refuse_problems(self) -> None:
        """Raise :class:`~tasklib.errors.ConfigError` when something in the files cannot be isolated."""
        if not self.isolation.problems:
            return
        first, *rest = self.isolation.problems
        more = f" ({len(rest)} more: `tasklib infra.config` lists them)" if rest else ""
        where = str(self.plan.source.files[0])
        remedy = f"{first.remedy[:1].upper()}{first.remedy[1:]}."
        raise ConfigError(f"{first.path}: {first.what}{more}", where=where, remedy=remedy)

    def baked(self, bakes: Mapping[str, Bake]) -> Prepared:
        """The same with these stores (by service) starting from what they initialised before."""
        facts = replace(self.facts, bakes=bakes)
        isolation = review(self.rendered, self.instance, self.plan.name, facts=facts)
        return replace(self, facts=facts, isolation=isolation)

    def addressed(self, engine: Engine, seed: str = "") -> Prepared:
        """The same with a small free subnet for each network; networks that exist keep theirs.

        ``seed`` decides where to look first: who looks at the same moment should not look at the same place.
        """
        existing = engine.network_subnets(self.project)
        sizes = {key: size for key, size in subnet_sizes(self.rendered).items() if key not in existing}
        taken = [*engine.subnets(), *subnets.host_routes()] if sizes else []
        chosen = {**existing, **subnets.choose(sizes, taken, seed=seed or self.project)}
        facts = replace(self.facts, subnets=chosen)
        isolation = review(self.rendered, self.instance, self.plan.name, facts=facts)
        return replace(self, facts=facts, isolation=isolation)


def known_servers(
    config: Mapping[str, Any], dockerfiles: Mapping[str, str] | None = None
) -> dict[str, Server]:
    """The known servers of a config, by service; ``dockerfiles`` are the texts of those that are built."""
    found = {}
    for name, service in config["services"].items():
        images = [str(service.get("image") or "")]
        if service.get("build"):
            images.append(base_image(service, (dockerfiles or {}).get(name, "")) or "")
        if server := next((server for image in images if (server := known_server(image))), None):
            found[name] = server
    return found


def prepare(
    plan: StackPlan, instance: Instance, engine: Engine | None, cancel: process.Cancel | None = None
) -> Prepared:
    """Render ``plan`` for ``instance`` and isolate it; nothing on the engine changes.

    Without an engine the decision is the one for an engine that nothing is known of. Raises
    :class:`~tasklib.errors.ConfigError` when Compose cannot read the files.
    """
    project = instance.project(plan.name)
    files, env_files = _texts(plan.source.files), _texts(plan.source.env_files)
    names = reserved_ports([*_texts(with_included(plan.source.files)), *env_files])
    if engine and not engine.facts.reach.publishes:
        ports = {name: int(name.rpartition("_")[2]) for name in names}
    else:
        ports = _host_ports(names, engine.containers(project) if engine and names else ())
    env = {
        **plan.env,
        "TEST_INSTANCE_ID": instance.id,
        "COMPOSE_PROJECT_NAME": project,
        **{name: str(port) for name, port in ports.items()},
    }
    # Only an optional file that is named by the id is passed over in silence where another id has none.
    by_choice = any("required" in text and "TEST_INSTANCE_ID" in text for text in files)
    unset: dict[str, None] = {}
    rendered, probe = _render(plan.source, project, env, cancel, unset.setdefault, twice=by_choice)
    places = {name: place_of(name, plan.source.files) for name in unset}
    refuse_bad_images(rendered, places, str(plan.source.files[0]))
    refuse_lacking(rendered, plan.source.files[0])
    facts = Facts(
        ports=ports,
        kept=plan.kept,
        shared=plan.shared,
        persistent=plan.persistent,
        publish=_published(plan, rendered),
        held_back=held_back(rendered["services"], plan.inside, plan.tested, plan.needs),
        checkout_root=str(_checkout_root(plan.source.root)),
        probe=probe,
        dockerfiles=dockerfiles(rendered),
        mounted=mounted_texts(rendered),
        projects=_projects(plan.source, files, env),
        unset=places,
        real_paths=_real_paths(rendered, plan.shared.mounts),
        copy_in=plan.copy_in,
    )
    if engine:
        facts = replace(
            facts,
            start_interval=engine.facts.start_interval,
            cpus=engine.facts.cpus,
            reach=engine.facts.reach,
            local={} if engine.facts.reach.disk.shared else _local(rendered),
            image_volumes=_image_volumes(base_images(rendered, facts.dockerfiles), engine),
        )
    return Prepared(plan, instance, rendered, facts, env, review(rendered, instance, plan.name, facts=facts))


def _published(plan: StackPlan, rendered: Mapping[str, Any]) -> Mapping[str, tuple[int, ...]]:
    """The ports to publish. Raises :class:`~tasklib.errors.ConfigError` for a service that is in no stack."""
    known = rendered["services"]
    for name in plan.publish:
        if name not in known and plan.alone:
            raise ConfigError(
                f"`publish` names {name}, which is no service of this stack",
                where=str(plan.source.files[0]),
                remedy=f"{meant(name, known)} Its services are: {', '.join(sorted(known))}.".lstrip(),
            )
    return plan.publish


def _render(
    source: Source,
    project: str,
    env: Mapping[str, str],
    cancel: process.Cancel | None,
    on_unset: Callable[[str], None],
    *,
    twice: bool,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What Compose makes of the files for our id, and for another one.

    Interpolation puts the id in as it stands, so that what another id leads to tells what ours would, and
    Compose need not be asked ``twice``. Only where files are chosen by the id, it may find other ones.
    """
    other = {**env, "TEST_INSTANCE_ID": _PROBE_ID}
    if not twice:
        try:
            probe = compose.render(source, project, other, cancel, on_unset=on_unset)
        except ConfigError:
            pass  # A file named by the id, or the user's mistake: our own id tells.
        else:
            return _renamed(probe, _PROBE_ID, env["TEST_INSTANCE_ID"]), probe
    rendered = compose.render(source, project, env, cancel, on_unset=on_unset)
    try:
        return rendered, compose.render(source, project, other, cancel, on_unset=on_unset)
    except ConfigError:
        return rendered, rendered


def _renamed(part: Any, old: str, new: str) -> Any:
    """``part`` with ``new`` for ``old`` in every string, keys included."""
    match part:
        case str():
            return part.replace(old, new)
        case dict():
            return {key.replace(old, new): _renamed(value, old, new) for key, value in part.items()}
        case list():
            return [_renamed(item, old, new) for item in part]
        case _:
            return part


@cache
def _checkout_root(folder: Path) -> Path:
    """The working tree that ``folder`` is in: what lies in that belongs to this instance alone."""
    return find_checkout(folder).root


def _image_volumes(images: Iterable[str], engine: Engine) -> dict[str, tuple[str, ...]]:
    found = {image: engine.image_volumes(image) for image in images}
    return {image: paths for image, paths in found.items() if paths}


def _host_ports(names: Iterable[str], containers: Iterable[Container]) -> dict[str, int]:
    """A host port for each variable: the one its container has, so that it can stay, else a free one."""
    published: dict[str, int] = {}
    for container in containers:
        if container.state == "running":  # Of another the number may be someone else's by now.
            for port in container.ports:
                published.setdefault(port_variable(container.service, port.target), port.published)
    kept = {name: published[name] for name in names if published.get(name)}
    return kept | _free_ports(name for name in names if name not in kept)


def _free_ports(names: Iterable[str]) -> dict[str, int]:
    """A port for each name that nothing listened on a moment ago."""
    held = {name: socket.socket() for name in names}
    try:
        for holder in held.values():
            holder.bind(("127.0.0.1", 0))
        return {name: int(holder.getsockname()[1]) for name, holder in held.items()}
    finally:
        for holder in held.values():
            holder.close()


def _projects(source: Source, texts: list[str], env: Mapping[str, str]) -> tuple[str, ...]:
    """What plain Compose calls the project; COMPOSE_PROJECT_NAME of the environment may be ours."""
    variables = {**os.environ, **source.env, **env}
    del variables["COMPOSE_PROJECT_NAME"]
    assigned = map(assignments, source.env_files)
    return project_names(texts, assigned, source.directory.name, variables)


def _texts(paths: Iterable[Path]) -> list[str]:
    """The files as written; one that cannot be read is Compose's to complain about."""
    texts = []
    for path in paths:
        try:
            texts.append(path.read_text(errors="replace"))
        except OSError:
            continue
    return texts


def _local(rendered: Mapping[str, Any]) -> dict[str, LocalState]:
    """What is there of the files that containers are to see, by the names they have in the config."""
    sources = {str(m.get("source")) for s in rendered["services"].values() for m in s.get("volumes") or ()}
    parts = [*(rendered.get("secrets") or {}).values(), *(rendered.get("configs") or {}).values()]
    sources |= {str(part["file"]) for part in parts if part and "file" in part}
    found = {}
    for source in sources:
        path = Path(source.replace("$$", "$"))
        if path.is_absolute() and path.exists():
            found[source] = LocalState(path.is_dir(), digest_of(path))
    return found


def _real_paths(rendered: Mapping[str, Any], allowed: Iterable[str]) -> dict[str, str]:
    """Where the host's paths of a config lead, as the engine's mounts follow links."""
    services, volumes = rendered["services"].values(), (rendered.get("volumes") or {}).values()
    paths = {str(mount.get("source") or "") for s in services for mount in s.get("volumes") or ()}
    parts = [*(rendered.get("secrets") or {}).values(), *(rendered.get("configs") or {}).values()]
    paths |= {str(part["file"]) for part in parts if part and "file" in part}
    paths |= {str((volume.get("driver_opts") or {}).get("device") or "") for volume in volumes if volume}
    found = {path: os.path.realpath(path) for path in {*paths, *allowed} if path.startswith("/")}
    return {path: real for path, real in found.items() if real != path}
