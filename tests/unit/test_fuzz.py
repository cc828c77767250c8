"""Whatever stands in files, variables and answers: an outcome or an error in a line or two, never a mistake.

What goes through a command goes through its boundary, so that the code is the one that a shell would see.
TASKLIB_FUZZ is how many inputs each test tries: many more than here, where somebody looks for what breaks.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st
from requests.adapters import BaseAdapter

from tasklib.changes.evidence import Evidence
from tasklib.commands.boundary import boundary
from tasklib.commands.console import known_instance
from tasklib.commands.doctor import examine
from tasklib.commands.known import last
from tasklib.commands.testing import run_stages
from tasklib.errors import TasklibError
from tasklib.instance.claims import Claims
from tasklib.isolation import Instance
from tasklib.options.caller import TASKLIB
from tasklib.pipeline.turns import number_of_places
from tasklib.project import find_project
from tasklib.project.compose_files import assignments
from tasklib.release.images.registry import Registry, RegistryError
from tasklib.shown.secrets import secret_values
from tasklib.stacks.address import engine_address
from tasklib.stacks.rewrite import review
from tasklib.stacks.rewrite.model import Facts
from tasklib.state.bakes import Bakes
from tasklib.state.passes import Passes
from tasklib.state.records import Checkouts, Images, Kept, Runs
from tasklib.state.store import State, default_state

from ..examples import examples, patient

USAGE = {0, 2}
"""What a command may end with that runs no test and needs no engine."""

FUZZ = int(os.environ.get("TASKLIB_FUZZ", "0"))
ONE_FOLDER = HealthCheck.function_scoped_fixture
fuzz = patient(FUZZ, ONE_FOLDER) if FUZZ else examples(0.25, ONE_FOLDER)

WORDS = st.sampled_from(
    (
        *("", "api", "web", ".", "..", "/", "a/../..", "\N{LATIN SMALL LETTER U WITH DIAERESIS}", "-x"),
        *("x" * 300, "tests", "{api:8000}", "{db.host}", "8000", "0", "-1", "1e999"),
        *("unix:///x", "tcp://[", "ssh://", "${X", "$"),
    )
)
TEXT = WORDS | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def code_of(call: Callable[[], object]) -> int:
    """What a command that does ``call`` would end with."""
    error: TasklibError | None = None
    found: object = None
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), boundary():
            found = call()
    except TasklibError as raised:
        error = raised
    if error is None:
        return found if isinstance(found, int) else 0
    assert 1 <= len(str(error).splitlines()) <= 2, str(error)
    assert error.exit_code != 70, str(error)
    return error.exit_code


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of two services; the tests are started in it."""
    for name in ("api", "web"):
        (tmp_path / f"services/{name}/tests/unit").mkdir(parents=True)
        (tmp_path / f"services/{name}/tests/unit/test_a.py").write_text("def test_a(): pass\n")
    (tmp_path / "deploy/test").mkdir(parents=True)
    (tmp_path / "deploy/test/docker-compose.yml").write_text("services: {db: {image: postgres}}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


# -- configuration ----------------------------------------------------------------------------------------

SCHEMA = json.loads((Path(find_project.__code__.co_filename).parent / "pyproject.schema.json").read_text())


def _keys(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (node.get("properties") or {}) if isinstance(node.get("properties"), dict) else ()
        for value in node.values():
            yield from _keys(value)
    elif isinstance(node, list):
        for value in node:
            yield from _keys(value)


KEYS = st.sampled_from(sorted({*_keys(SCHEMA), "api", "web"})) | TEXT
TABLES = st.recursive(
    st.dictionaries(KEYS, VALUES, max_size=4),
    lambda inner: st.dictionaries(KEYS, inner | VALUES, max_size=4),
    max_leaves=6,
)


def toml(value: object) -> str:
    """``value`` as TOML writes it, a table inline."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value).replace("\\/", "/").replace("\x7f", "\\u007f")
        case None:
            return '""'
        case float():
            return repr(value)
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case dict():
            return "{" + ", ".join(f"{toml(k)} = {toml(v)}" for k, v in value.items()) + "}"
        case _:
            return str(value)


@fuzz
@given(TABLES)
@example({"services": {"api": {"path": "x/" * 2500}}})
@example({"services": {"api": {"path": "a\0b"}}})
@example({"services": {"api": {"env": {"A=B": "x", "": "y", "N\0": "z\0"}}}})
@example({"env-files": ["a\0b"], "integration": "\0", "compose": {"test": "x" * 300}})
def test_settings(shop: Path, table: Mapping[str, Any]) -> None:
    """[tool.tasklib] with keys and values of any kind: a plan, or the line that is wrong."""
    rows = "\n".join(f"{toml(key)} = {toml(value)}" for key, value in table.items())
    (shop / "pyproject.toml").write_text(f"[tool.tasklib]\n{rows}\n", encoding="utf-8")
    assert code_of(lambda: run_stages(["unit", "service", "integration"], dry=True, verbose=True)) in USAGE


@fuzz
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
@example(b"[tool.tasklib]\nx = " + b"[" * 2000)
@example(b"\xff\xfe[tool.tasklib]")
def test_any_pyproject(shop: Path, content: bytes) -> None:
    """A file that is no TOML, or none of ours."""
    (shop / "pyproject.toml").write_bytes(content)
    assert code_of(lambda: run_stages(["unit"], dry=True)) in USAGE


# -- Compose files ----------------------------------------------------------------------------------------

SERVICE_KEYS = st.sampled_from(
    (
        *("image", "build", "ports", "volumes", "networks", "environment", "healthcheck", "depends_on"),
        *("command", "restart", "deploy", "secrets", "configs", "env_file", "container_name"),
        *("network_mode", "extends", "tmpfs"),
    )
)
COMPOSE = st.fixed_dictionaries(
    {
        "services": st.dictionaries(
            TEXT, st.dictionaries(SERVICE_KEYS, VALUES, max_size=4) | VALUES, max_size=3
        )
    },
    optional=dict.fromkeys(("volumes", "networks", "secrets", "configs", "include", "name"), VALUES),
)


@fuzz
@given(COMPOSE | VALUES)
def test_the_doctor_on_any_compose_file(shop: Path, document: Any) -> None:
    """Findings, or what is wrong with the file; 1 stands for findings there."""
    (shop / "deploy/test/docker-compose.yml").write_text(json.dumps(document), encoding="utf-8")
    (shop / "pyproject.toml").unlink(missing_ok=True)
    found = code_of(lambda: examine(".", fix=False, select=(), ignore=(), format="json"))
    assert found in {*USAGE, 1}


@fuzz
@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "replace")))
@example(b"services: &a\n  x: *a\n")
@example(b"services: {a: {image: !!python/object:os.system x}}")
@example(b"{" * 3000)
def test_the_doctor_on_any_file(shop: Path, content: bytes) -> None:
    """Bytes that are no YAML are told, not stumbled over."""
    (shop / "deploy/test/docker-compose.yml").write_bytes(content)
    assert code_of(lambda: examine(".", fix=True, select=(), ignore=(), format="text")) in {*USAGE, 1}


RENDERED = st.fixed_dictionaries(
    {},
    optional={
        "image": TEXT,
        "environment": st.dictionaries(TEXT, st.none() | TEXT, max_size=3),
        "ports": st.lists(
            st.fixed_dictionaries(
                {"target": st.integers(0, 70000)},
                optional={"published": TEXT, "host_ip": TEXT, "protocol": TEXT, "mode": TEXT},
            ),
            max_size=3,
        ),
        "volumes": st.lists(
            st.fixed_dictionaries(
                {"type": st.sampled_from(["bind", "volume", "tmpfs", "npipe"]), "target": TEXT},
                optional={"source": TEXT, "read_only": st.booleans()},
            ),
            max_size=3,
        ),
        "container_name": TEXT,
        "network_mode": TEXT,
        "restart": TEXT,
        "labels": st.dictionaries(TEXT, TEXT, max_size=2),
        "command": st.none() | st.lists(TEXT, max_size=3),
    },
)


@fuzz
@given(
    st.dictionaries(st.sampled_from(["api", "db", "--push", "a.b", "A"]), RENDERED, min_size=1, max_size=3)
)
def test_isolating_any_config(services: dict[str, Any]) -> None:
    """What Compose renders can hold any values: it is isolated, or problems are named."""
    config = {"name": "x", "services": services, "networks": {"default": {"name": "x_default"}}}
    code_of(lambda: review(config, Instance("main"), None, facts=Facts()))


# -- state records ----------------------------------------------------------------------------------------

READERS: tuple[tuple[str, Callable[[State], object]], ...] = (
    ("runs/e/x", lambda state: Runs(state, "e").all()),
    ("kept/e/x", lambda state: (Kept(state, "e").all(), Kept(state, "e").keeps("x", "c"))),
    ("images/e/x@c", lambda state: (Images(state, "e").all(), Images(state, "e").of("x", "c"))),
    ("claims/e/x", lambda state: Claims(state, "e").all()),
    ("bakes/e/x", lambda state: Bakes(state, "e").all()),
    ("checkouts/h/x", lambda state: Checkouts(state, "h").all()),
    ("passes/c/%2E", lambda state: Passes(state, "c", ".").all()),
)


@fuzz
@given(
    st.sampled_from(READERS), st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode())
)
def test_any_record(reader: tuple[str, Callable[[State], object]], content: bytes) -> None:
    """A record that is none counts for nothing, whichever it is."""
    name, read = reader
    state = default_state()
    path = state.root / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    assert code_of(lambda: read(state)) == 0


@fuzz
@given(st.lists(VALUES.map(json.dumps) | st.text(max_size=20), max_size=4))
def test_any_last_run(shop: Path, lines: list[str]) -> None:
    """What was written of a run by another version, or cut off."""
    (shop / "pyproject.toml").unlink(missing_ok=True)
    path = Evidence.of(find_project(shop)).last_run
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8", errors="replace")
    assert code_of(lambda: last((), failures=False, logs=None, most=5, format="plain")) in {
        *USAGE,
        1,
        3,
        4,
        130,
    }


# -- registries -------------------------------------------------------------------------------------------


class Answers(BaseAdapter):
    """Answers every request with the same status, headers and body, without a network."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__()
        self._answer = (status, headers, body)

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        status, headers, body = self._answer
        found = requests.Response()
        found.status_code, found.raw, found.url = status, io.BytesIO(body), str(request.url)
        found.headers.update(headers)
        found.request = request
        return found

    def close(self) -> None:
        pass


ANSWERS = VALUES | st.dictionaries(
    st.sampled_from(["tags", "manifests", "config", "digest", "platform", "Labels", "token", "access_token"]),
    VALUES,
    max_size=4,
)
HEADERS = st.dictionaries(
    st.sampled_from(["Link", "WWW-Authenticate", "Docker-Content-Digest", "Location"]),
    st.sampled_from(
        ['<https://[>; rel="next"', 'Bearer realm="x"', 'Bearer realm="https://["', "Basic", "", "a,b;c"]
    )
    | st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=20),
    max_size=3,
)


@fuzz
@given(
    st.sampled_from([200, 200, 200, 202, 401, 403, 404, 418, 500]),
    HEADERS,
    ANSWERS.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40),
)
@example(200, {}, b"[" * 100_000)
@example(200, {}, b'{"config": {"digest": "../../x"}}')
def test_any_answer_of_a_registry(status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Missing keys, wrong types, addresses that are none: an image, or that this is no registry."""
    for ask in (Registry.tags, lambda registry: registry.published("1.0.0"), Registry.check_push):
        registry = Registry("registry.example.com/shop/api")
        registry._session.mount("https://", Answers(status, headers, body))
        with contextlib.suppress(RegistryError):
            ask(registry)


# -- environment variables --------------------------------------------------------------------------------

VARIABLES = st.sampled_from(
    (
        *("TEST_INSTANCE_ID", "COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_ENV_FILES"),
        *("COMPOSE_PATH_SEPARATOR", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY"),
        *("XDG_STATE_HOME", "HOME", "TERM", "TASKLIB_PLACES", "TASKLIB_BAKE", "TASKLIB_RUNS"),
        *("GITHUB_HEAD_REF", "GITHUB_REF", "GITHUB_ACTIONS", "CI", "CI_COMMIT_REF_NAME"),
        *("PYTEST_ADDOPTS", "COLUMNS", "NO_COLOR", "DB_PASSWORD", "DATABASE_URL"),
    )
)


@fuzz
@given(st.dictionaries(VARIABLES, TEXT, max_size=4))
@example({"XDG_STATE_HOME": "/x" * 2500})
def test_any_environment(shop: Path, variables: Mapping[str, str]) -> None:
    """The id, a plan, the engine's address, or which variable is wrong."""
    (shop / "pyproject.toml").unlink(missing_ok=True)
    before = dict(os.environ)
    given_ = {name: value for name, value in variables.items() if len(value) < 6000}
    try:
        os.environ.update(given_)
        assert code_of(lambda: known_instance(find_project(shop)).id) in USAGE
        assert code_of(lambda: run_stages(["unit"], dry=True, caller=TASKLIB)) in USAGE
        assert code_of(lambda: engine_address(os.environ)) in {0, 2, 3}
        assert code_of(lambda: str(number_of_places(default_state(), os.environ))) in USAGE
        secret_values(os.environ)
    finally:
        os.environ.clear()
        os.environ.update(before)


@fuzz
@given(st.binary(max_size=80))
def test_any_file_of_variables(shop: Path, content: bytes) -> None:
    """`.env` files hold anything."""
    (shop / ".env").write_bytes(content)
    assignments(shop / ".env")
    (shop / "pyproject.toml").unlink(missing_ok=True)
    assert code_of(lambda: run_stages(["unit"], dry=True)) in USAGE
