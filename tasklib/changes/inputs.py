"""What the services and stacks of a project are made from, read from its files; no engine is needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from tasklib import process
from tasklib.changes.selection import ComposeService, StackFacts
from tasklib.errors import TasklibError
from tasklib.project import Environment, Project
from tasklib.stacks.compose.compose import render
from tasklib.stacks.compose.source import Source
from tasklib.stacks.dockerfile import bases
from tasklib.stacks.dollars import plain
from tasklib.stacks.images.context import BuildContext, build_context, read_text
from tasklib.stacks.plan import full_stack_plan, service_stack_plan
from tasklib.stacks.references import parse_reference
from tasklib.stacks.rewrite import reserved_ports

__all__ = ["built_from", "read_config", "read_files", "stack_facts"]

_REFERRING = {"include", "extends", "env_file", "label_file"}


def stack_facts(project: Project, cancel: process.Cancel | None = None) -> tuple[StackFacts, ...]:
    """What every stack of the test environment is made from: the full one, and each service's own."""
    plans = [
        (service.name, service_stack_plan(project, service))
        for service in project.services
        if service.compose
    ]
    sources: list[tuple[str | None, Source]] = [(name, plan.source) for name, plan in plans]
    if project.compose.get(Environment.TEST):
        sources.append((None, full_stack_plan(project).source))
    with ThreadPoolExecutor(4) as pool:
        return tuple(pool.map(lambda pair: _facts(project, pair[0], pair[1], cancel), sources))


def _facts(project: Project, owner: str | None, source: Source, cancel: process.Cancel | None) -> StackFacts:
    files = tuple(dict.fromkeys(read_files([*source.files, *source.env_files], source.directory)))
    try:
        config = read_config(source, cancel)
    except TasklibError as error:
        return StackFacts(owner, files, unreadable=f"{_where(source, project)} cannot be read: {error.what}")
    places = {
        kind: {
            name: Path(plain(place))
            for name, entry in (config.get(kind) or {}).items()
            if (
                place := str(entry.get("file") or (entry.get("driver_opts") or {}).get("device", ""))
            ).startswith("/")
        }
        for kind in ("configs", "secrets", "volumes")
    }
    services = config["services"]
    made = {
        _whole(row["image"]): name for name, row in services.items() if row.get("build") and "image" in row
    }
    return StackFacts(
        owner, files, tuple(_service(project, name, row, places, made) for name, row in services.items())
    )


def read_config(
    source: Source, cancel: process.Cancel | None = None, env: Mapping[str, str] | None = None
) -> Mapping[str, Any]:
    """The rendered config of a stack of the test environment, to look at; ``env`` adds variables.

    Raises as rendering does.
    """
    texts = [
        path.read_text(errors="replace") for path in (*source.files, *source.env_files) if path.is_file()
    ]
    fixed = {"TEST_INSTANCE_ID": "any", **dict.fromkeys(reserved_ports(texts), "1")}
    return render(source, "any", {**fixed, **(env or {})}, cancel)


def _where(source: Source, project: Project) -> str:
    path = source.files[0]
    return str(path.relative_to(project.root) if path.is_relative_to(project.root) else path)


def _service(
    project: Project,
    name: str,
    row: Mapping[str, Any],
    places: Mapping[str, Mapping[str, Path]],
    made: Mapping[str, str],
) -> ComposeService:
    """``places`` are where the file's configs, secrets and volumes lie on this machine, ``made`` the services
    that build an image by its whole name."""
    build = row.get("build") or {}
    paths = [Path(plain(v["source"])) for v in row.get("volumes") or () if v.get("type") == "bind"]
    for kind, known in places.items():
        used = [str(entry.get("source")) for entry in [*(row.get(kind) or ()), *(build.get(kind) or ())]]
        paths += [known[source] for source in used if source in known]
    contexts = [str(context) for context in (build.get("additional_contexts") or {}).values()]
    paths += [Path(plain(context)) for context in contexts if context.startswith("/")]
    context = build_context(build)
    others = {context.removeprefix("service:") for context in contexts if context.startswith("service:")}
    others |= {made[image] for image in map(_whole, _images(row, context)) if image in made}
    return ComposeService(
        name,
        built_from(project, name, context) if build else None,
        (context,) if context else (),
        tuple(paths),
        (*(row.get("depends_on") or ()), *sorted(others - {name})),
    )


def _images(row: Mapping[str, Any], context: BuildContext | None) -> tuple[str, ...]:
    """The images that a service's container is, or that its own stands on."""
    build = row.get("build")
    if not build:
        return (str(row.get("image", "")),)
    text = build.get("dockerfile_inline") or read_text(context.dockerfile if context else None) or ""
    return bases(text, {key: plain(value or "") for key, value in (build.get("args") or {}).items()})


def _whole(image: object) -> str:
    """An image's name in full, which two spellings of it share; the text itself where it is none."""
    text = plain(str(image))
    return str(parse_reference(text) or text)


def built_from(project: Project, name: str, context: BuildContext | None) -> str | None:
    """The project's service that a Compose service is built from: by its Dockerfile's place, else by name."""
    if context is not None:
        place = context.dockerfile or context.folder
        inside = [
            s
            for s in project.services
            if place.is_relative_to(s.path) or place.is_relative_to(s.path.resolve())
        ]
        if inside:
            return max(inside, key=lambda service: (len(service.path.parts), service.name == name)).name
    return next((service.name for service in project.services if service.name == name), None)


def read_files(files: Iterable[Path], folder: Path) -> Iterator[Path]:
    """``files`` and what Compose files among them include or extend, and their env files."""
    waiting, seen = list(files), set()
    while waiting:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        yield path
        if path.suffix not in (".yml", ".yaml"):
            continue
        for name in _references(path):
            for base in (path.parent, folder):
                named = Path(base, name)
                if named.is_file():
                    # Not resolved: git tells the path of a link, not where it points.
                    waiting.append(Path(*_normal(named)))
                    break


def _normal(path: Path) -> tuple[str, ...]:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and len(parts) > 1:
            parts.pop()
        else:
            parts.append(part)
    return tuple(parts)


def _references(path: Path) -> Iterator[str]:
    """What a Compose file names under the keys that rendering resolves away; none where it is no YAML."""
    try:
        root = yaml.compose(path.read_text(errors="replace"), Loader=yaml.SafeLoader)
    except (OSError, yaml.YAMLError, RecursionError):
        return
    waiting = [(root, False)]
    while waiting:
        node, counts = waiting.pop()
        if isinstance(node, yaml.ScalarNode):
            if counts and node.value and "\0" not in node.value:
                yield str(node.value)
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(item, counts) for item in node.value]
        elif isinstance(node, yaml.MappingNode):
            waiting += [(value, counts or key.value in _REFERRING) for key, value in node.value]
