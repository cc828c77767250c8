"""Projects whose tests run in a container of their own, beside the services of the stack."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from ..conftest import NewProject
from ..projects import PYTHON, compose
from ..traces import until
from .support import lines_of

PYTEST_IMAGE = """
    ARG PYTHON_IMAGE=python:3.12-slim
    FROM ${PYTHON_IMAGE}
    RUN pip install --no-cache-dir --quiet pytest django
    WORKDIR /app
    COPY . .
"""

DJANGO = """
[tool.tasklib]
in = "web"
command = ["pytest"]
integration = "tests"
setup = [{ in = "web", run = ["python", "manage.py", "migrate"] }]
"""

SETTINGS = """
    from pathlib import Path
    SECRET_KEY, DEBUG, ALLOWED_HOSTS, ROOT_URLCONF = "x", True, ["*"], "urls"
    INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path("/data/db.sqlite3")}}
"""


def test_pytest_in_a_container_with_django(project: NewProject, engine: object) -> None:
    """Migrations run first, each test is counted and named, failures stand in the checkout's files, endpoints
    are those of the stack's network, and what the tests write comes to the checkout as the user's own."""
    assert lines_of(DJANGO) <= 6
    shop = project(
        {
            "pyproject.toml": DJANGO,
            "Dockerfile": PYTEST_IMAGE,
            ".dockerignore": ".git\n",
            "docker-compose.yml": compose(
                web="""
                build:
                  context: .
                  args: {PYTHON_IMAGE: "${PYTHON_IMAGE:-python:3.12-slim}"}
                command: python manage.py runserver --noreload 0.0.0.0:8000
                ports: ["8000:8000"]
                environment: {DJANGO_SETTINGS_MODULE: settings, PYTHONPATH: /app}
                volumes: ["data:/data"]
                """
            )
            + "volumes: {data: {}}\n",
            "settings.py": SETTINGS,
            "urls.py": "from django.http import HttpResponse\nfrom django.urls import path\n"
            "urlpatterns = [path('', lambda request: HttpResponse('hello'))]\n",
            "manage.py": "import sys\nfrom django.core.management import execute_from_command_line\n"
            "execute_from_command_line(sys.argv)\n",
            "tests/test_shop.py": """
                import os, pathlib, urllib.request
                import django, pytest, settings
                django.setup()

                def test_migrated():
                    from django.contrib.auth.models import User
                    assert User.objects.count() == 0

                def test_served():
                    assert os.environ["TEST_WEB_URL"] == "http://web:8000"
                    assert urllib.request.urlopen(os.environ["TEST_WEB_URL"]).read() == b"hello"
                    pathlib.Path("htmlcov").mkdir()
                    pathlib.Path("htmlcov/index.html").write_text("covered")
                    pathlib.Path(".coverage").write_text("lines")

                @pytest.mark.skipif("FAIL" not in os.environ.get("PYTEST_ADDOPTS", "") , reason="not wanted")
                def test_fails():
                    assert 1 == 2
            """,
        }
    )
    ran = shop.run("tasklib", "test", "--report", "junit.xml")
    assert ran.code == 0, ran
    assert "2 passed" in ran.text
    assert "test_served" in (shop.root / "junit.xml").read_text()
    for name, text in {".coverage": "lines", "htmlcov/index.html": "covered"}.items():
        assert (shop.root / name).read_text() == text
        assert (shop.root / name).stat().st_uid == os.getuid()
    assert not list(shop.root.rglob("__pycache__"))
    failed = shop.run("tasklib", "test.integration", env={"PYTEST_ADDOPTS": "-rA -o log_file=FAIL.log"})
    assert failed.code == 1, failed
    assert "tests/test_shop.py:" in failed.text
    assert "test_fails" in failed.text


SUT = """
[tool.tasklib]
in = "sut"
"""


@pytest.mark.parametrize("code", [0, 3])
def test_a_service_whose_exit_code_is_the_verdict(code: int, project: NewProject, engine: object) -> None:
    """It is not brought up with the rest: it runs once all else is ready, and its output is the test's."""
    shop = project(
        {
            "pyproject.toml": SUT,
            "docker-compose.yml": compose(
                api=f"""
                image: {PYTHON}
                command: python -m http.server 8000
                expose: ["8000"]
                """,
                sut=f"""
                image: {PYTHON}
                command:
                  - python
                  - -c
                  - |
                    import os, urllib.request
                    urllib.request.urlopen(os.environ["TEST_API_URL"])
                    print("seen " + "it")
                    raise SystemExit({code})
                depends_on: [api]
                """,
            ),
        }
    )
    ran = shop.run("tasklib", "test", "--verbose")
    assert ran.code == (1 if code else 0), ran
    assert ("exit code 3" in ran.text) == bool(code)
    assert ("seen it" in ran.text) or not code


def test_a_setup_that_fails_is_a_failed_start(project: NewProject, engine: object) -> None:
    """Exit 4, with the command, how it ended and what it said; no test runs."""
    shop = project(
        {
            "pyproject.toml": """
                [tool.tasklib]
                integration = "tests"
                setup = [["true"], { in = "db", run = ["python", "-c", "raise SystemExit('no table')"] }]
            """,
            "compose.yml": compose(db=f"image: {PYTHON}\ncommand: sleep infinity\ninit: true"),
            "tests/test_a.py": "def test_a(): raise AssertionError('never')\n",
        }
    )
    ran = shop.run("tasklib", "test.integration")
    assert ran.code == 4, ran
    assert "ended with exit code 1: no table" in ran.text
    assert "never" not in ran.text


@pytest.mark.skipif(os.getuid() != 0, reason="only root can see that another user's files change hands")
def test_files_in_mounts_become_the_users(project: NewProject, engine: object) -> None:
    """Whoever the container runs as, what it leaves in the checkout can be removed by its user."""
    shop = project(
        {
            "pyproject.toml": "[tool.tasklib]\nin = 'api'\ncommand = ['touch', 'left']\n",
            "compose.yml": compose(
                api=f"""
                image: {PYTHON}
                user: "1234"
                working_dir: /app
                volumes: [".:/app"]
                """
            ),
        }
    )
    shop.root.chmod(0o777)
    ran = shop.run("tasklib", "test")
    assert ran.code == 0, ran
    left: Path = shop.root / "left"
    assert left.stat().st_uid == os.getuid()


def test_a_service_that_the_stack_has_not(project: NewProject, engine: object) -> None:
    """Exit 2, naming the services that there are."""
    shop = project(
        {
            "pyproject.toml": "[tool.tasklib]\nin = 'wbe'\n",
            "compose.yml": compose(web=f"image: {PYTHON}\ncommand: sleep infinity\ninit: true"),
        }
    )
    ran = shop.run("tasklib", "test")
    assert ran.code == 2, ran
    assert "`in` names wbe, which is no service of the full stack" in ran.text
    assert "web" in ran.text


NODE = """
[tool.tasklib]
in = "api"
command = ["npm", "test"]
env = { API = "http://api:3000" }
"""


def test_a_node_api_with_a_test_script(project: NewProject, engine: object) -> None:
    """Its own runner is run in its own image, against the service that is up beside it."""
    assert lines_of(NODE) <= 6
    api = project(
        {
            "pyproject.toml": NODE,
            "compose.yml": compose(
                api="""
                image: ${NODE_IMAGE:-node:22-slim}
                working_dir: /app
                volumes: [".:/app"]
                command: node server.js
                ports: ["3000:3000"]
                init: true
                """
            ),
            "package.json": '{"scripts": {"test": "node api.test.js"}}\n',
            "server.js": "require('http').createServer((q, a) => a.end('hello')).listen(3000)\n",
            "api.test.js": """
                require('http').get(process.env.API, (answer) => {
                  answer.on('data', (text) => process.exit(String(text) === 'hello' ? 0 : 1))
                })
            """,
        }
    )
    ran = api.run("tasklib", "test")
    assert ran.code == 0, ran
    assert "1 passed" in ran.text


def test_tests_that_are_mounted_elsewhere_than_they_lie(project: NewProject, engine: object) -> None:
    """The service starts in one folder, its tests are mounted beside it, and its entrypoint is a program."""
    shop = project(
        {
            "pyproject.toml": "[tool.tasklib]\nin = 'api'\ncommand = ['pytest']\nintegration = 'tests/e2e'\n",
            "Dockerfile": "ARG PYTHON_IMAGE=python:3.12-slim\nFROM ${PYTHON_IMAGE}\n"
            "RUN pip install --no-cache-dir --quiet pytest\nWORKDIR /src\n",
            "compose.yml": compose(
                api="""
                build:
                  context: .
                  args: {PYTHON_IMAGE: "${PYTHON_IMAGE:-python:3.12-slim}"}
                entrypoint: [python, -m, http.server]
                command: ["8000"]
                expose: ["8000"]
                volumes: ["./src:/src", "./tests:/tests"]
                """
            ),
            "src/shop.py": "",
            "tests/e2e/test_shop.py": "import os\ndef test_where(): assert os.getcwd() == '/src'\n",
        }
    )
    for words in ((), ("-k", "tests/e2e/test_shop.py::test_where")):
        ran = shop.run("tasklib", "test.integration", *words)
        assert ran.code == 0, ran
        assert "1 passed" in ran.text


JEST = """
[tool.tasklib]
unit = "test/unit"
integration = { paths = "test/e2e", in = "api", command = ["npx", "jest", "test/e2e"] }
"""


@pytest.mark.skipif(shutil.which("npm") is None, reason="Node.js and npm are not installed")
def test_a_node_api_with_jest(project: NewProject, engine: object) -> None:
    """Unit tests run here, those against the API in its own container; what fails is named by jest."""
    assert lines_of(JEST) <= 6
    package = {
        "scripts": {"test": "jest"},
        "devDependencies": {"jest": "^29"},
        "jest": {"testEnvironment": "node"},
    }
    api = project(
        {
            "pyproject.toml": JEST,
            ".gitignore": "node_modules\n",
            "compose.yml": compose(
                api="""
                image: ${NODE_IMAGE:-node:22-slim}
                working_dir: /app
                volumes: [".:/app"]
                command: node server.js
                ports: ["3000:3000"]
                init: true
                """
            ),
            "package.json": json.dumps(package),
            "server.js": "require('http').createServer((q, a) => a.end('hello')).listen(3000)\n",
            "test/unit/sum.test.js": "test('adds', () => { expect(1 + 1).toBe(2) })\n",
            "test/e2e/api.test.js": """
                const { get } = require('http')
                const ask = () => new Promise((done) => get(process.env.TEST_API_URL, (answer) =>
                  answer.on('data', (text) => done(String(text)))))
                test('says hello', async () => { expect(await ask()).toBe('hello') })
            """,
        }
    )
    ran = api.run("tasklib", "test", "--format", "plain")
    assert ran.code == 0, ran
    assert "unit shop: 1 passed" in ran.text
    assert "integration shop: 1 passed" in ran.text
    broken = "test('breaks here', () => { expect({ a: 1 }).toEqual({ a: 2 }) })\n"
    api.write({"test/e2e/broken.test.js": broken})
    failed = api.run("tasklib", "test.integration", "--format", "plain")
    assert failed.code == 1, failed
    assert "breaks here" in failed.text
    assert '-   "a": 2,' in failed.text


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_what_a_container_wrote_becomes_a_users_who_is_not_root(
    project: NewProject, engine: object, tmp_path: Path
) -> None:
    """Root in the container leaves files of root's in the checkout: its user can remove them afterwards."""
    if not (socket := Path("/var/run/docker.sock")).exists() or os.environ.get("DOCKER_HOST"):
        pytest.skip("the engine is not behind the usual socket")
    shop = project(
        {
            "pyproject.toml": "[tool.tasklib]\nin = 'api'\ncommand = ['mkdir', '-p', 'left/over']\n",
            "compose.yml": compose(api=f"image: {PYTHON}\nworking_dir: /app\nvolumes: ['.:/app']"),
        }
    )
    somebody = 54321
    for path in (tmp_path, *tmp_path.rglob("*")):
        os.chown(path, somebody, somebody, follow_symlinks=False)
    who = (f"--reuid={somebody}", f"--regid={socket.stat().st_gid}", "--clear-groups")
    # Reads what only root may, pytest's folders and this Python, and changes nobody's files.
    reads = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    ran = shop.run("setpriv", *who, *reads, "tasklib", "test", env={"HOME": str(tmp_path)})
    assert ran.code == 0, ran
    assert (shop.root / "left" / "over").stat().st_uid == somebody


def test_an_interrupt_ends_what_runs_in_a_container(project: NewProject, engine: object) -> None:
    """Exit 130, and neither the container nor its stack is left."""
    shop = project(
        {
            "pyproject.toml": "[tool.tasklib]\nin = 'api'\ncommand = ['sh', '-c', 'echo begun; sleep 300']\n",
            "compose.yml": compose(api=f"image: {PYTHON}\ncommand: sleep infinity\ninit: true"),
        }
    )
    with shop.during("tasklib", "test", "--verbose") as running:
        assert until(lambda: "begun" in running.text or running.ended)
        running.process.send_signal(signal.SIGINT)
        ran = running.wait()
    assert ran.code == 130, ran
