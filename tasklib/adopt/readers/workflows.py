"""PURE: workflows of GitHub, Gitea and Forgejo, and GitLab's CI file → a recipe for each job."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import yaml

from tasklib.adopt.evidence import Command, Kind, Place, Recipe, ServiceContainer
from tasklib.adopt.shell import commands, joined
from tasklib.doctor.document import Document, Entry, entries, items, last, text_of

__all__ = ["read_circle", "read_gitlab", "read_workflow", "step_lines"]

_NO_JOBS = frozenset(
    {"default", "include", "stages", "variables", "workflow", "image", "services", "cache", "before_script"}
)


def read_workflow(file: str, document: Document) -> Iterator[Recipe]:
    """Each job with the commands of its steps and the containers that run beside it."""
    top = _variables(document.at("env"))
    jobs = document.at("jobs")
    for name, job in entries(jobs.value).items() if jobs else ():
        env = top | _variables(document.at("env", below=job.value))
        matrix = _matrix(document, job)
        default = document.at("defaults", "run", "working-directory", below=job.value)
        default = default or document.at("defaults", "run", "working-directory")
        steps = document.at("steps", below=job.value)
        ran: list[Command] = []
        for step in items(steps.value) if steps else ():
            run = document.at("run", below=step)
            if run is None:
                continue
            named = document.at("working-directory", below=step) or default
            where = text_of(named.value) if named else ""
            own = env | _variables(document.at("env", below=step))
            for which in _choices(where, matrix):
                folder = joined("", _filled(where, matrix, which))
                if "$" not in folder:
                    script = step_lines(document, run.value)
                    ran += commands(
                        [(n, _filled(text, matrix, which)) for n, text in script], file, folder, env=own
                    )
        first, final = document.place(job.key)[0], last(job.value).end_mark.line + 1
        services = document.at("services", below=job.value)
        containers = tuple(_containers(file, document, services, matrix))
        yield Recipe(Kind.JOB, file, name, first, final, tuple(ran), containers=containers)


def read_circle(file: str, document: Document) -> Iterator[Recipe]:
    """Each job of CircleCI with the commands of its steps, and the containers beside its first."""
    jobs = document.at("jobs")
    for name, job in entries(jobs.value).items() if jobs else ():
        env = _variables(document.at("environment", below=job.value))
        steps = document.at("steps", below=job.value)
        ran: list[Command] = []
        for step in _circle_steps(document, steps.value if steps else None):
            run = document.at("run", below=step)
            if run is None:
                continue
            script = document.at("command", below=run.value) or run
            named = document.at("working_directory", below=run.value)
            folder = joined("", text_of(named.value)) if named else ""
            own = env | _variables(document.at("environment", below=run.value))
            lines = [
                (number, re.sub(r"<<.*?>>", "$EXPRESSION", text))
                for number, text in step_lines(document, script.value)
            ]
            ran += commands(lines, file, "" if "$" in folder else folder, env=own)
        images = document.at("docker", below=job.value)
        beside = [entries(node) for node in items(images.value)][1:] if images else []
        containers = tuple(
            ServiceContainer(
                Place(file, document.place(one["image"].value)[0]),
                re.sub(r"[:@].*", "", text_of(one["image"].value)).rpartition("/")[2],
                text_of(one["image"].value),
                _variables(one.get("environment")),
            )
            for one in beside
            if "image" in one
        )
        first, final = document.place(job.key)[0], last(job.value).end_mark.line + 1
        yield Recipe(Kind.JOB, file, name, first, final, tuple(ran), containers=containers)


def _circle_steps(document: Document, node: yaml.Node | None) -> Iterator[yaml.Node]:
    """The steps of a list, with those of the file's own commands in the place of their names."""
    for step in items(node):
        name = text_of(step) or next(iter(entries(step)), "")
        own = document.at("commands", name, "steps") if name != "run" else None
        yield from items(own.value) if own else (step,)


def read_gitlab(file: str, document: Document) -> Iterator[Recipe]:
    """Each job with its script, what comes before it, and the containers beside it."""
    top = _variables(document.at("variables"))
    common = document.at("before_script") or document.at("default", "before_script")
    for name, job in entries(document.root).items():
        script = document.at("script", below=job.value)
        if name in _NO_JOBS or script is None:
            continue
        env = top | _variables(document.at("variables", below=job.value))
        before = document.at("before_script", below=job.value) or common
        lines = [line for part in (before, script) if part for line in _listed(document, part)]
        ran = tuple(commands(lines, file, env=env))
        services = document.at("services", below=job.value) or document.at("services")
        containers = tuple(_gitlab_containers(file, document, services, env))
        first, final = document.place(job.key)[0], last(job.value).end_mark.line + 1
        yield Recipe(Kind.JOB, file, name, first, final, ran, containers=containers)


def step_lines(document: Document, node: yaml.Node) -> list[tuple[int, str]]:
    """The lines of a script that a scalar holds, as the shell gets them, with their numbers in the file."""
    text = text_of(node)
    if not isinstance(node, yaml.ScalarNode):
        return []
    line = document.place(node)[0]
    if node.style == "|":
        return [(line + 1 + number, part) for number, part in enumerate(text.splitlines())]
    # A folded or plain scalar is one line to the shell, wherever it is broken.
    start = line + 1 if node.style == ">" else line
    return [(start, part) for part in text.splitlines()]


def _listed(document: Document, entry: Entry) -> Iterator[tuple[int, str]]:
    nodes = [entry.value] if isinstance(entry.value, yaml.ScalarNode) else [*items(entry.value)]
    for node in nodes:
        if isinstance(node, yaml.SequenceNode):  # what `!reference` and anchors nest
            for inner in items(node):
                yield from step_lines(document, inner)
        else:
            yield from step_lines(document, node)


def _variables(entry: Entry | None) -> dict[str, str]:
    found = entries(entry.value) if entry else {}
    return {name: text_of(one.value) for name, one in found.items() if isinstance(one.value, yaml.ScalarNode)}


def _choices(where: str, matrix: Mapping[str, list[str]]) -> range:
    """Which values of the matrix count: all where it chooses the folder, else the first."""
    named = re.search(r"matrix\.([\w-]+)", where)
    return range(len(matrix.get(named[1], ()))) if named else range(1)


def _filled(text: str, matrix: Mapping[str, list[str]], which: int) -> str:
    """``text`` with one of the matrix's values in the place of each expression that names one."""

    def value(found: re.Match[str]) -> str:
        values = matrix.get(found[1], [])
        return values[which] if -len(values) <= which < len(values) else found[0]

    return re.sub(r"\$\{\{.*?\}\}", "$EXPRESSION", re.sub(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}", value, text))


def _matrix(document: Document, job: Entry) -> dict[str, list[str]]:
    """The values of each variable of a job's matrix: mostly the usual one first, the newest last."""
    found: dict[str, list[str]] = {}
    matrix = document.at("strategy", "matrix", below=job.value)
    for name, entry in entries(matrix.value).items() if matrix else ():
        for node in items(entry.value):
            rows = entries(node).items() if name == "include" else [(name, Entry(entry.key, node))]
            for key, row in rows:
                found.setdefault(key, []).append(text_of(row.value))
    return found


def _containers(
    file: str, document: Document, services: Entry | None, matrix: Mapping[str, list[str]]
) -> Iterator[ServiceContainer]:
    for name, entry in entries(services.value).items() if services else ():
        image = document.at("image", below=entry.value)
        if image is None:
            continue
        listed = document.at("ports", below=entry.value)
        options = document.at("options", below=entry.value)
        health = re.search(
            r"--health-cmd[= ]+(\"[^\"]*\"|'[^']*'|\S+)", text_of(options.value) if options else ""
        )
        yield ServiceContainer(
            Place(file, document.place(entry.key)[0]),
            name,
            _filled(text_of(image.value), matrix, -1),
            _variables(document.at("env", below=entry.value)),
            tuple(text_of(port) for port in items(listed.value if listed else None)),
            health[1].strip("\"'") if health else "",
            "matrix." in text_of(image.value),
        )


def _gitlab_containers(
    file: str, document: Document, services: Entry | None, env: Mapping[str, str]
) -> Iterator[ServiceContainer]:
    for node in items(services.value if services else None):
        table = entries(node)
        image = text_of(table["name"].value) if "name" in table else text_of(node)
        if not image or "dind" in image:
            continue  # an engine is no service of the project
        alias = text_of(table["alias"].value) if "alias" in table else ""
        name = alias.split(",")[0] or re.sub(r"[:@].*", "", image).rpartition("/")[2]
        own = {**env, **_variables(table.get("variables"))}
        known = {
            key: value
            for key, value in own.items()
            if re.match(r"(POSTGRES|MYSQL|MARIADB|RABBITMQ|MONGO)", key)
        }
        yield ServiceContainer(Place(file, document.place(node)[0]), name, image, known)
