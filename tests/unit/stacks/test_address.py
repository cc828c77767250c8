"""Which engine is meant is decided as Docker's own client decides it, once, or refused with the reason."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tasklib.errors import EngineError
from tasklib.stacks.address import (
    EngineAddress,
    docker_environment,
    engine_address,
    is_unreachable,
    listed_address,
)

from ...examples import examples


def add_context(folder: Path, name: str, meta: object, *, certificates: bool = False) -> Path:
    """A context as `docker context create` leaves it on disk, whose description is ``meta``."""
    key = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    file = folder / "contexts" / "meta" / key / "meta.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(meta))
    if certificates:
        (folder / "contexts" / "tls" / key / "docker").mkdir(parents=True)
    return file


def docker_context(host: str, **endpoint: Any) -> Mapping[str, Any]:
    return {"Name": "any", "Metadata": {}, "Endpoints": {"docker": {"Host": host, **endpoint}}}


BIG = docker_context("tcp://big:2376", SkipTLSVerify=False)


@pytest.mark.parametrize(
    ("env", "config", "found"),
    [
        ({}, None, EngineAddress()),
        ({}, {"currentContext": "default"}, EngineAddress()),
        ({}, {"currentContext": "big"}, EngineAddress("tcp://big:2376", "big")),
        ({"DOCKER_CONTEXT": "big"}, None, EngineAddress("tcp://big:2376", "big")),
        ({"DOCKER_CONTEXT": "default"}, {"currentContext": "big"}, EngineAddress()),
        ({"DOCKER_CONTEXT": ""}, {"currentContext": "big"}, EngineAddress("tcp://big:2376", "big")),
        (
            {"DOCKER_HOST": "unix:///x.sock", "DOCKER_CONTEXT": "gone"},
            {"currentContext": "big"},
            EngineAddress("unix:///x.sock", "", verified=False),
        ),
        ({"DOCKER_HOST": "", "DOCKER_CONTEXT": "big"}, None, EngineAddress("tcp://big:2376", "big")),
        (
            {"DOCKER_HOST": "tcp://a:2376", "DOCKER_CERT_PATH": "/pems"},
            None,
            EngineAddress("tcp://a:2376", "", Path("/pems"), verified=False),
        ),
    ],
)
def test_the_order_is_that_of_the_client(
    tmp_path: Path, env: dict[str, str], config: object, found: EngineAddress
) -> None:
    """DOCKER_HOST, DOCKER_CONTEXT, the current context, the usual socket; an empty variable is none."""
    add_context(tmp_path, "big", BIG)
    if config is not None:
        (tmp_path / "config.json").write_text(json.dumps(config))
    assert engine_address({**env, "DOCKER_CONFIG": str(tmp_path)}) == found


def test_certificates_of_a_context_and_of_the_environment(tmp_path: Path) -> None:
    """A context keeps its own; DOCKER_TLS_VERIFY alone means those beside Docker's settings."""
    add_context(tmp_path, "tls", docker_context("tcp://a:1", SkipTLSVerify=True), certificates=True)
    found = engine_address({"DOCKER_CONTEXT": "tls", "DOCKER_CONFIG": str(tmp_path)})
    assert (found.certificates or tmp_path).parent.parent == tmp_path / "contexts" / "tls"
    assert not found.verified
    env = {"DOCKER_HOST": "tcp://a:1", "DOCKER_TLS_VERIFY": "1", "DOCKER_CONFIG": str(tmp_path)}
    assert engine_address(env) == EngineAddress("tcp://a:1", "", tmp_path, verified=True)


@pytest.mark.parametrize(
    ("env", "file", "text", "said"),
    [
        ({"DOCKER_CONTEXT": "big"}, "", "", "there is no Docker context big, which DOCKER_CONTEXT names\n"),
        ({}, "config.json", '{"currentContext": "big"}', "config.json: there is no Docker context big\n"),
        ({}, "config.json", '{"currentContext": 3}', "config.json: `currentContext` is not a name\n"),
        ({}, "config.json", "[]", "config.json: it is not a JSON object\n"),
        ({}, "config.json", '{"auths": {"x": 5}}', "config.json: auths[...]: expected `object`, got `int`\n"),
        ({}, "config.json", '{"auths": []}', "config.json: auths: expected `object | null`, got `array`\n"),
        ({}, "config.json", '{"auths": {"x": {"auth": "!"}}}', "config.json: `auth` of x is not base64"),
        ({}, "config.json", '{"auths": {"x": {"auth": 5}}}', "config.json: `auth` of x is not base64"),
        ({}, "config.json", '{"HttpHeaders": {"a": 4}}', "HttpHeaders[...]: expected `str`, got `int`\n"),
        ({}, "config.json", '{"proxies": {"default": 5}}', "proxies[...]: expected `object`, got `int`\n"),
        ({}, "config.json", '{"credsStore": 5}', "credsStore: expected `str | null`, got `int`\n"),
        ({}, "config.json", "{", "config.json: it is not JSON\n"),
        ({}, "config.json", "[" * 100_000, "config.json: it is not JSON\n"),
        ({"DOCKER_HOST": "unix:///x"}, "config.json", "null", "config.json: it is not a JSON object\n"),
    ],
)
def test_what_cannot_be_known_is_refused(
    tmp_path: Path, env: dict[str, str], file: str, text: str, said: str
) -> None:
    """Exit code 3 and two lines that name the context or the file, never another engine in silence."""
    if file:
        (tmp_path / file).write_text(text)
    with pytest.raises(EngineError) as error:
        engine_address({**env, "DOCKER_CONFIG": str(tmp_path)})
    assert said in str(error.value)
    assert str(error.value).count("\n") == 1


@pytest.mark.parametrize("meta", [[], {}, {"Endpoints": []}, {"Endpoints": {"kubernetes": {}}}])
def test_a_context_without_an_engine_is_refused(tmp_path: Path, meta: object) -> None:
    """The file that describes it is named."""
    file = add_context(tmp_path, "big", meta)
    with pytest.raises(EngineError) as error:
        engine_address({"DOCKER_CONTEXT": "big", "DOCKER_CONFIG": str(tmp_path)})
    assert error.value.where == str(file)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["currentContext", "auths", "auth", "proxies", "Endpoints", "docker", "Host"]),
            inner,
        )
    ),
    max_leaves=6,
)


@examples(1, HealthCheck.function_scoped_fixture)
@given(config=ANYTHING, meta=ANYTHING, name=st.text(min_size=1, max_size=5))
def test_whatever_the_files_hold_is_an_address_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, config: object, meta: object, name: str
) -> None:
    """No content of Docker's settings raises anything else."""
    folder = tmp_path_factory.mktemp("docker")
    (folder / "config.json").write_text(json.dumps(config))
    add_context(folder, name, meta)
    for env in ({}, {"DOCKER_CONTEXT": name}):
        try:
            found = engine_address({**env, "DOCKER_CONFIG": str(folder)})
        except EngineError:
            continue
        assert isinstance(found.host, str)


def test_commands_are_told_the_engine_that_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name or by address, whatever a project's own variables say, and whatever is chosen later."""
    add_context(tmp_path, "big", BIG)
    (tmp_path / "config.json").write_text('{"currentContext": "big"}')
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST")
    given = {"DOCKER_HOST": "tcp://elsewhere:1", "COLOUR": "red"}
    first = docker_environment(given)
    (tmp_path / "config.json").unlink()
    for env in (first, docker_environment(given)):
        assert (env["DOCKER_CONTEXT"], env["COLOUR"], "DOCKER_HOST" in env) == ("big", "red", False)
    monkeypatch.setenv("DOCKER_HOST", "unix:///x.sock")
    env = docker_environment(given)
    assert (env["DOCKER_HOST"], "DOCKER_CONTEXT" in env) == ("unix:///x.sock", False)


@pytest.mark.parametrize(
    ("said", "gone"),
    [
        ("ERROR: Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?", True),
        ("failed to connect to the docker API at unix:///x.sock; check if the path is correct", True),
        ("Error response from daemon: conflict: unable to remove repository reference", False),
    ],
)
def test_a_command_that_found_no_engine(said: str, gone: bool) -> None:
    """By what the clients of all versions say; an engine that refuses is there."""
    assert is_unreachable(said) is gone


def test_the_engines_of_a_list_are_found_by_their_names(tmp_path: Path) -> None:
    """Contexts by what Docker's settings say of them; `default` is the one that the environment names."""
    add_context(tmp_path, "big", docker_context("tcp://big:2376"), certificates=True)
    env = {"DOCKER_CONFIG": str(tmp_path), "DOCKER_HOST": "ssh://elsewhere"}
    assert listed_address("default", env) is None
    assert listed_address("ssh://build-1", env) == EngineAddress("ssh://build-1", "")
    big = listed_address("context:big", env)
    assert big
    assert (big.host, big.context, bool(big.certificates)) == ("tcp://big:2376", "big", True)
    with pytest.raises(EngineError, match="no Docker context small, which `engines` lists"):
        listed_address("context:small", env)


@pytest.mark.parametrize("address", [EngineAddress("ssh://build-1", ""), EngineAddress("tcp://x", "big")])
def test_commands_and_tests_are_told_a_listed_engine(
    address: EngineAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that was said of the environment's own engine is left, or it counts as not set."""
    before = {"DOCKER_HOST": "tcp://here", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/pems"}
    for name, value in before.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    for told in (docker_environment({"A": "b"}, address), {"A": "b", **before, **address.exports}):
        said = {name: value for name, value in told.items() if name.startswith("DOCKER_") and value}
        assert {name: said[name] for name in said.keys() - {"DOCKER_CONFIG"}} == dict(address.environment)
        assert told["A"] == "b"


def test_what_docker_host_is_shown_is_not_for_a_context(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Left-over variables for TLS would make `docker` ask for certificates where the SDK asks for none."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    assert "DOCKER_TLS_VERIFY" not in docker_environment()
    monkeypatch.setenv("DOCKER_HOST", "tcp://engine.example:2376")
    assert docker_environment()["DOCKER_TLS_VERIFY"] == "1"


def test_an_address_is_shown_without_its_password() -> None:
    """Others read what a CI system shows."""
    assert EngineAddress("tcp://me:secret@big:2376", "").way == "DOCKER_HOST=tcp://me:***@big:2376"
