"""An engine at an address of its own, behind TLS: refused, unless the project allows ports there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from ..cleanup.engines import OwnEngine, own_engine, why_not
from ..conftest import NewProject
from ..projects import PYTHON, compose
from ..traces import until

pytestmark = [pytest.mark.engine, pytest.mark.skipif(bool(why_not()), reason=why_not())]

ADDRESS = "100.64.87.2"
"""Of the range that carriers share: not private, even where these tests run in a container."""


@dataclass(frozen=True)
class Far:
    """The engine, and what a user's shell has that uses it."""

    engine: OwnEngine
    env: dict[str, str]


@pytest.fixture(scope="module")
def far() -> Iterator[Far]:
    folder = Path(tempfile.mkdtemp(prefix="tasklib-tls-"))
    pems = folder / "pems"
    certificates(pems)
    (folder / "engine").mkdir()
    tls = [
        f"--tls{name}={pems}/{file}.pem"
        for name, file in (("cacert", "ca"), ("cert", "cert"), ("key", "key"))
    ]
    options = ["--tlsverify", *tls, f"--host=tcp://{ADDRESS}:2376"]
    with own_engine(folder / "engine", options, ADDRESS) as engine:
        engine.load(os.environ["PYTHON_IMAGE"])
        env = {
            "DOCKER_HOST": f"tcp://{ADDRESS}:2376",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(pems),
        }
        yield Far(engine, env)
    shutil.rmtree(folder, ignore_errors=True)


def certificates(folder: Path) -> None:
    """One that is its own authority, for both ends."""
    folder.mkdir()
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    argv += ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem", "-subj", "/CN=tasklib"]
    argv += ["-addext", f"subjectAltName=IP:{ADDRESS}", "-days", "2"]
    subprocess.run(argv, check=True, capture_output=True)
    shutil.copy(folder / "cert.pem", folder / "ca.pem")


SHOP = {
    "services/api/deploy/test/docker-compose.yml": compose(
        api=f"""
            image: {PYTHON}
            command: python -u -m http.server 8000 --directory /served
            ports: ["18474:8000"]
            volumes: ["./served:/served:ro"]
        """
    ),
    "services/api/deploy/test/served/page": "hello",
    "services/api/tests/integration/test_api.py": """
        import os, time, urllib.request

        def test_it():
            url = os.environ["TEST_API_URL"]
            assert urllib.request.urlopen(url + "/page", timeout=10).read() == b"hello"
            time.sleep(float(os.environ.get("LONG", 0)))
    """,
}


def test_it_is_refused_with_what_helps(project: NewProject, far: Far) -> None:
    """In two lines, before anything starts: whoever can reach it could reach the ports."""
    ran = project(SHOP).run("tasklib", "test.service", env=far.env)
    assert (ran.code, len(ran.lines)) == (3, 2), ran
    assert f"the engine at tcp://{ADDRESS}:2376 is on another machine" in ran.lines[0]
    assert 'reach = "published"' in ran.lines[1]
    assert "ssh://" in ran.lines[1]
    assert far.engine.left() == []


def test_ports_are_published_on_its_address_where_the_project_says_so(project: NewProject, far: Far) -> None:
    """A free one, there alone, with the files copied; nothing is left."""
    shop = project({**SHOP, "pyproject.toml": '[tool.tasklib]\nreach = "published"\n'})
    ran = shop.run("tasklib", "test.service", env=far.env)
    assert ran.code == 0, ran
    with shop.during("tasklib", "test.service", env={**far.env, "LONG": "600"}):
        assert until(lambda: any(row["Ports"] for row in far.engine.containers()))
        bound = {
            (port.get("IP"), port.get("PublicPort"))
            for row in far.engine.containers()
            for port in row["Ports"]
        }
        assert {address for address, _ in bound} == {ADDRESS}
        assert 18474 not in {number for _, number in bound}
    assert until(lambda: far.engine.left() == [])


def test_gitlabs_lines_for_a_builder_there(project: NewProject, far: Far, tmp_path: Path) -> None:
    """buildx takes no certificates from variables: the pipeline's own lines give it a context with them."""
    shop, env = project(SHOP), {**far.env, "DOCKER_CONFIG": str(tmp_path / "docker")}
    ran = shop.run("tasklib", "ci.workflow", "--for", "gitlab")
    assert ran.code == 0, ran
    jobs = yaml.safe_load((shop.root / ".gitlab-ci.yml").read_text())
    wanted = (" create ", "until docker version")
    lines = [line for line in jobs["release-images"]["script"] if any(words in line for words in wanted)]
    assert len(lines) == 3
    assert shop.run("docker", "buildx", "create", env=env).code != 0
    for line in lines:
        made = shop.run("sh", "-e", "-c", line, env=env)
        assert made.code == 0, made
    said = shop.run("docker", "buildx", "inspect", env=env).out
    assert "docker-container" in said
    assert re.search(r"Endpoint: +release\n", said), said
    assert far.engine.left() == []
