"""PURE: workflow files for GitHub and Gitea, as text: tests of every change, images of every version tag.

Gitea makes a matrix before any job has run, so there each service has its row and a row that the change does
not touch passes at once. GitHub's rows come from ``ci.matrix``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tasklib.stacks.rewrite import as_text

__all__ = ["Facts", "Forge", "workflows"]

_PYTHON = "3.12"
_NODE = "22"
_GITHUB_REGISTRY = "ghcr.io"
_PLACEHOLDER = "registry.example.com"


class Forge(StrEnum):
    """Where workflows run."""

    GITHUB = "github"
    GITEA = "gitea"


@dataclass(frozen=True)
class Facts:
    """What of a project its workflows depend on.

    ``services`` are all, ``node`` whether any of them needs Node, ``registry`` the host its images go to
    (``None`` while nothing names them), ``requirement`` what pip installs tasklib by, ``folder`` where the
    project is in its checkout ("" at the top), ``suite`` the name of its own unit tests.
    """

    services: Sequence[str]
    base_branch: str = "main"
    single: bool = False
    node: bool = False
    registry: str | None = None
    requirement: str = "tasklib-stages"
    folder: str = ""
    suite: str | None = None


def workflows(facts: Facts, forge: Forge) -> Mapping[str, str]:
    """The files by path below the checkout."""
    folder = f".{forge}/workflows"
    return {f"{folder}/test.yml": _tests(facts, forge), f"{folder}/release.yml": _release(facts, forge)}


def _tests(facts: Facts, forge: Forge) -> str:
    dynamic = forge is Forge.GITHUB and not facts.single
    jobs = [_select_job(facts)] if dynamic else []
    since = ' --changed --base "$BASE"'
    if facts.single:
        jobs.append(_job("test", facts, [_run("Tests", f"tasklib test{since}")], deep=True))
    else:
        steps = [
            _run("Unit tests", f'tasklib test.unit --name "$SERVICE"{since}'),
            _run("Service tests", f'tasklib test.service --name "$SERVICE"{since}'),
        ]
        condition = "fromJSON(needs.services.outputs.matrix).include[0] != null" if dynamic else ""
        jobs.append(
            _job(
                "test",
                facts,
                steps,
                needs=["services"] if dynamic else [],
                condition=condition,
                matrix=_matrix(facts, dynamic),
                deep=True,
            )
        )
        own = [_run("Integration tests", f"tasklib test.integration{since}")]
        if facts.suite:
            name = {"SUITE": as_text(facts.suite)}
            own.insert(
                0, _run("Unit tests of no service", f'tasklib test.unit --name "$SUITE"{since}', env=name)
            )
        # A change of nothing but the project's own tests leaves no row above: skipped is no failure.
        jobs.append(
            _job(
                "integration",
                facts,
                own,
                needs=["services", "test"] if dynamic else ["test"],
                condition="${{ !failure() && !cancelled() }}",
                deep=True,
            )
        )
    head = f"""\
name: Tests

on:
  push:
    branches: [{as_text(facts.base_branch)}]
  pull_request:
"""
    if forge is Forge.GITHUB:
        head += """
concurrency:
  group: tests-${{ github.ref }}
  cancel-in-progress: ${{ github.event_name == 'pull_request' }}

permissions:
  contents: read
"""
    head += """
env:
  # What a change is compared with: the base of a pull request, or what was pushed before.
  BASE: ${{ github.event.pull_request.base.sha || github.event.before }}
"""
    return _file(head, jobs, forge, facts)


def _release(facts: Facts, forge: Forge) -> str:
    dynamic = forge is Forge.GITHUB and not facts.single
    only = "" if facts.single else ' --name "$SERVICE"'
    jobs = [_job("test", facts, [_run("Tests", "tasklib test")])]
    if dynamic:
        jobs.append(_select_job(facts, needs="test", options=""))
    # `latest` follows the highest stable version: the tags of all others have to be here.
    jobs.append(
        _job(
            "images",
            facts,
            [_login(facts), _run("Build and push", f'tasklib release.images --version "$VERSION"{only}')],
            needs=["test", "services"] if dynamic else ["test"],
            matrix=None if facts.single else _matrix(facts, dynamic),
            deep=True,
            tools=False,
            packages=facts.registry == _GITHUB_REGISTRY,
        )
    )
    head = """\
name: Release

on:
  push:
    tags: ["v[0-9]+.[0-9]+.[0-9]+*"]
"""
    if forge is Forge.GITHUB:
        head += "\npermissions:\n  contents: read\n"
    head += "\nenv:\n  VERSION: ${{ github.ref_name }}\n"
    return _file(head, jobs, forge, facts)


def _file(head: str, jobs: Sequence[str], forge: Forge, facts: Facts) -> str:
    note = f"# Written by `tasklib ci.workflow --for {forge}`, which overwrites it only with --force.\n"
    if forge is Forge.GITEA:
        note += (
            "# The matrix lists the services there are: write it again when one is added. The runner's jobs\n"
            "# have to share the engine's network: on the host itself, or with `network: host`.\n"
        )
    if facts.folder:
        head += f"\ndefaults:\n  run:\n    working-directory: {as_text(facts.folder)}\n"
    return f"{note}{head}\njobs:\n" + "\n".join(textwrap.indent(job, "  ") for job in jobs)


def _matrix(facts: Facts, dynamic: bool) -> str:
    if dynamic:
        return " ${{ fromJSON(needs.services.outputs.matrix) }}"
    return f"\n    service: {as_text(list(facts.services))}"


def _select_job(facts: Facts, needs: str = "", options: str = ' --changed --base "$BASE" --explain') -> str:
    after = f"needs: {needs}\n" if needs else ""
    steps = [
        _checkout(deep=True),
        _python(),
        _install(facts),
        _run(
            "Services",
            f'matrix=$(tasklib ci.matrix{options})\necho "matrix=$matrix" >> "$GITHUB_OUTPUT"',
            key="id: select",
        ),
    ]
    body = """\
runs-on: ubuntu-latest
timeout-minutes: 10
outputs:
  matrix: ${{ steps.select.outputs.matrix }}
steps:
"""
    return _named("services", after + body + _indented(steps))


def _job(
    name: str,
    facts: Facts,
    steps: Sequence[str],
    *,
    needs: Sequence[str] = (),
    condition: str = "",
    matrix: str | None = None,
    deep: bool = False,
    tools: bool = True,
    packages: bool = False,
) -> str:
    body = f"needs: [{', '.join(needs)}]\n" if needs else ""
    body += f"if: {condition}\n" if condition else ""
    body += "runs-on: ubuntu-latest\ntimeout-minutes: 60\n"
    body += "permissions:\n  contents: read\n  packages: write\n" if packages else ""
    if matrix is not None:
        body += f"strategy:\n  fail-fast: false\n  matrix:{matrix}\n"
        body += "env:\n  SERVICE: ${{ matrix.service }}\n"
    before = [
        _checkout(deep),
        _python(),
        *([_node()] if facts.node and tools else []),
        *([_cache()] if tools else []),
    ]
    body += "steps:\n" + _indented([*before, _install(facts), *steps])
    return _named(name, body)


def _named(name: str, body: str) -> str:
    return f"{name}:\n{textwrap.indent(body, '  ')}"


def _indented(steps: Sequence[str]) -> str:
    return "".join(textwrap.indent(step, "  ") for step in steps)


def _run(name: str, script: str, key: str = "", env: Mapping[str, str] | None = None) -> str:
    text = f"- name: {name}\n" + (f"  {key}\n" if key else "")
    if env:
        text += "  env:\n" + "".join(f"    {variable}: {value}\n" for variable, value in env.items())
    if "\n" in script:
        return f"{text}  run: |\n{textwrap.indent(script, '    ')}\n"
    return f"{text}  run: {script}\n"


def _checkout(deep: bool) -> str:
    return "- uses: actions/checkout@v4\n" + ("  with:\n    fetch-depth: 0\n" if deep else "")


def _python() -> str:
    return f'- uses: actions/setup-python@v5\n  with:\n    python-version: "{_PYTHON}"\n'


def _node() -> str:
    return f'- uses: actions/setup-node@v4\n  with:\n    node-version: "{_NODE}"\n'


def _cache() -> str:
    return """\
- uses: actions/cache@v4
  with:
    path: |
      ~/.cache/uv
      ~/.cache/pip
      ~/.npm
    key: tests-${{ runner.os }}-${{ hashFiles('**/uv.lock', '**/pyproject.toml', '**/package-lock.json') }}
    restore-keys: tests-${{ runner.os }}-
"""


def _install(facts: Facts) -> str:
    return _run("Install tasklib", f'python -m pip install "{facts.requirement}"')


def _login(facts: Facts) -> str:
    host = facts.registry or _PLACEHOLDER
    script = f'echo "$REGISTRY_PASSWORD" | docker login {host} --username "$REGISTRY_USER" --password-stdin'
    if facts.registry == _GITHUB_REGISTRY:
        env = {"REGISTRY_USER": "${{ github.actor }}", "REGISTRY_PASSWORD": "${{ secrets.GITHUB_TOKEN }}"}
    else:
        env = {name: f"${{{{ secrets.{name} }}}}" for name in ("REGISTRY_USER", "REGISTRY_PASSWORD")}
    return _run("Log in to the registry", script, env=env)
