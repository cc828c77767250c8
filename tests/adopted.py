"""Small repositories as people have them, none of which knows tasklib: path → text."""

# ruff: noqa: E501
from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CONTAINERS_OF_CI", "DEMO", "DJANGO", "FASTAPI", "GITLAB", "JUST", "LIBRARY", "NODE", "SEED"]

Files = Mapping[str, str]

_PYTHON = "${PYTHON_IMAGE:-python:3.12-slim}"
_NODE = "${NODE_IMAGE:-node:22-slim}"
_POSTGRES = "${POSTGRES_IMAGE:-postgres:16}"

_SPEAKS_POSTGRES = """
import socket


def is_postgres(host, port):
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(bytes([0, 0, 0, 8, 4, 210, 22, 47]))  # Do you speak TLS?
        return connection.recv(1) in (b"S", b"N")
"""
"""A module for tests, in place of a database's driver."""

FASTAPI: Files = {
    "docker-compose.yml": f"""
services:
  db:
    image: {_POSTGRES}
    ports: ["5432:5432"]
    environment:
      POSTGRES_USER: app
      POSTGRES_PASSWORD: changethis
      POSTGRES_DB: app
  proxy:
    image: no-such-registry.invalid/traefik:3
    volumes: ["/var/run/docker.sock:/var/run/docker.sock"]
  backend:
    build: ./backend
    depends_on: [db]
    environment:
      POSTGRES_SERVER: db
    ports: ["8000:8000"]
""",
    ".env": "POSTGRES_SERVER=localhost\nPOSTGRES_PORT=5432\nPOSTGRES_PASSWORD=changethis\n",
    "backend/Dockerfile": "FROM python:3.12-slim\n",
    "backend/pyproject.toml": '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\n',
    "backend/app/__init__.py": "",
    "backend/app/config.py": """
import os

POSTGRES_SERVER = os.environ["POSTGRES_SERVER"]
POSTGRES_PORT = int(os.environ.get("POSTGRES_PORT", "5432"))
""",
    "backend/app/migrate.py": """
from pathlib import Path

from app.config import POSTGRES_PORT, POSTGRES_SERVER
from tests.postgres import is_postgres

assert is_postgres(POSTGRES_SERVER, POSTGRES_PORT)
Path("migrated").touch()
""",
    "backend/scripts/prestart.sh": "#!/usr/bin/env bash\nset -e\npython -m app.migrate\n",
    "backend/tests/__init__.py": "",
    "backend/tests/postgres.py": _SPEAKS_POSTGRES,
    "backend/tests/api/__init__.py": "",
    "backend/tests/api/test_items.py": """
from pathlib import Path

from app.config import POSTGRES_PORT, POSTGRES_SERVER
from tests.postgres import is_postgres


def test_items():
    assert is_postgres(POSTGRES_SERVER, POSTGRES_PORT)


def test_it_is_migrated():
    assert Path("migrated").exists()
""",
    ".gitignore": "migrated\n",
    ".github/workflows/test-backend.yml": """
name: Test Backend
on: [push]
jobs:
  test-backend:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - uses: astral-sh/setup-uv@v9
      - run: docker compose down -v --remove-orphans
      - run: docker compose up -d db
      - name: Migrate
        run: uv run bash scripts/prestart.sh
        working-directory: backend
      - name: Test
        run: uv run pytest tests
        working-directory: backend
      - run: docker compose down -v --remove-orphans
      - uses: actions/upload-artifact@v7
""",
}
"""A backend with one Compose file at the root, of which its tests need the database alone."""

DJANGO: Files = {
    "docker-compose.yml": f"""
services:
  db:
    image: {_POSTGRES}
    environment: {{POSTGRES_PASSWORD: secret}}
  web:
    image: {_PYTHON}
    init: true
    working_dir: /code
    volumes: [".:/code"]
    command: python manage.py runserver 0.0.0.0:8000
    environment: {{DB_HOST: db}}
    ports: ["8000:8000"]
    depends_on: [db]
""",
    "manage.py": """
import os
import sys

from shop.postgres import is_postgres

match sys.argv[1]:
    case "runserver":
        os.execvp("python", ["python", "-m", "http.server", "8000"])
    case "migrate":
        assert is_postgres(os.environ["DB_HOST"], 5432)
        open("migrated", "w").close()
    case "test":
        assert os.path.exists("migrated") and is_postgres(os.environ["DB_HOST"], 5432)
        print("Ran 1 test")
""",
    "requirements.txt": "django\n",
    ".gitignore": "migrated\n",
    "shop/__init__.py": "",
    "shop/postgres.py": _SPEAKS_POSTGRES,
    "shop/tests.py": "from django.test import TestCase\n",
    "Makefile": """
COMPOSE = docker compose

.PHONY: up down test shell

up:
	$(COMPOSE) up -d

down:
	$(COMPOSE) down -v

test: up
	$(COMPOSE) exec -T web python manage.py migrate
	$(COMPOSE) exec -T web python manage.py test
	$(COMPOSE) down -v

shell:
	$(COMPOSE) exec web python manage.py shell
""",
    ".github/workflows/ci.yml": """
on: [push]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - run: make test
""",
}
"""A project whose tests run inside the container of its web service."""

_JEST = """
#!/usr/bin/env node
// What a test needs of jest: files by patterns, a list of them, and a verdict.
const { readdirSync } = require('fs')
const path = require('path')
const words = process.argv.slice(2)
const patterns = words.filter((word) => !word.startsWith('-')).map((word) => new RegExp(word))
const files = []
const walk = (folder) => {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name)
    if (entry.isDirectory() && !['node_modules', '.git', 'jest'].includes(entry.name)) walk(file)
    else if (/\\.test\\.js$/.test(entry.name)) files.push(file)
  }
}
walk(process.cwd())
const chosen = files.filter((file) => !patterns.length || patterns.some((one) => one.test(file)))
if (words.includes('--listTests')) chosen.forEach((file) => console.log(file))
else {
  let waiting = 0
  global.test = async (name, body) => {
    waiting += 1
    try { await body() } catch (error) { console.error(name, error); process.exitCode = 1 }
    waiting -= 1
  }
  if (!chosen.length) { console.log('No tests found'); process.exitCode = 1 }
  chosen.forEach((file) => require(file))
}
"""

NODE: Files = {
    "package.json": """
{
  "name": "api",
  "scripts": {
    "start": "node server.js",
    "test": "jest",
    "test:unit": "jest tests/unit",
    "test:integration": "jest tests/integration"
  },
  "devDependencies": {
    "jest": "file:./jest"
  }
}
""",
    "jest/package.json": '{"name": "jest", "version": "1.0.0", "bin": {"jest": "jest.js"}}\n',
    "jest/jest.js": _JEST.lstrip(),
    ".gitignore": "node_modules\n",
    "docker-compose.yml": f"""
services:
  api:
    image: {_NODE}
    command: node server.js
    depends_on: [postgres]
    ports: ["3000:3000"]
  postgres:
    image: {_POSTGRES}
    environment:
      POSTGRES_PASSWORD: secret
    ports: ["5433:5432"]
""",
    "config.js": """
module.exports = {
  host: process.env.DB_HOST || 'localhost',
  port: process.env.DB_PORT || '5433',
}
""",
    "tests/unit/price.test.js": "test('a price', () => { if (2 * 3 !== 6) throw new Error() })\n",
    "tests/integration/db.test.js": """
const net = require('net')
const { host, port } = require('../../config')

test('the database answers', () => new Promise((done, failed) => {
  const socket = net.connect(port, host, () => { socket.end(); done() })
  socket.on('error', failed)
}))
""",
    ".github/workflows/ci.yml": """
on: [push]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - run: npm ci
      - run: npm run test:unit
      - run: |
          docker compose up -d postgres
          until docker compose exec postgres pg_isready; do sleep 1; done
          npm run test:integration
          docker compose down
""",
}
"""An API in Node with jest, whose integration tests need a database."""

LIBRARY: Files = {
    "pyproject.toml": '[project]\nname = "queue"\nversion = "1"\nrequires-python = ">=3.11"\n',
    "ci/databases.yml": f"""
services:
  postgres:
    image: {_POSTGRES}
    environment:
      POSTGRES_USER: queue
      POSTGRES_PASSWORD: queue
    ports: ["5432:5432"]
  mysql:
    image: no-such-registry.invalid/mysql:8
""",
    "queue_/__init__.py": "",
    "tests/postgres.py": _SPEAKS_POSTGRES,
    "tests/test_queue.py": """
import os

from postgres import is_postgres


def test_queue():
    assert os.environ["PGUSER"] == os.environ["PGPASSWORD"] == "queue"
    assert is_postgres(os.environ["PGHOST"], os.environ["PGPORT"])
""",
    ".github/workflows/tests.yml": """
on: [push]
jobs:
  tests:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - uses: astral-sh/setup-uv@v9
      - run: docker compose -f ci/databases.yml up -d --wait postgres
      - run: uv run pytest --cov=queue_ --cov-report=xml
        env:
          PGHOST: localhost
          PGPORT: 5432
          PGUSER: queue
          PGPASSWORD: queue
      - uses: codecov/codecov-action@v5
""",
}
"""A library whose CI starts a database by Compose."""

CONTAINERS_OF_CI: Files = {
    "pyproject.toml": '[project]\nname = "cache"\nversion = "1"\nrequires-python = ">=3.11"\n',
    "tests/test_cache.py": """
import os
import socket
from urllib.parse import urlsplit


def test_cache():
    url = urlsplit(os.environ.get("REDIS_URL", "redis://localhost:6379"))
    socket.create_connection((url.hostname, url.port), timeout=10).close()
""",
    ".github/workflows/tests.yml": """
on: [push]
jobs:
  tests:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        redis: ["6", "7"]
    services:
      redis:
        image: redis:${{ matrix.redis }}
        options: --health-cmd "redis-cli ping"
        ports: ["6379:6379"]
    steps:
      - uses: actions/checkout@v6
      - run: pip install pytest
      - run: pytest
        env:
          REDIS_URL: redis://localhost:6379/0
""",
}
"""A library whose CI starts its server beside the job, in no Compose file."""

DEMO: Files = {
    "docker-compose.yml": f"""
services:
  vote: {{build: ./vote, ports: ["8080:80"]}}
  result: {{build: ./result, ports: ["8081:80"]}}
  worker: {{build: ./worker}}
  db: {{image: "{_POSTGRES}", environment: {{POSTGRES_PASSWORD: secret}}}}
""",
    "docker-compose.test.yml": f"""
services:
  vote:
    image: {_PYTHON}
    init: true
    command: python -m http.server 80
  sut:
    image: {_PYTHON}
    command: python -c "import urllib.request as r; assert r.urlopen('http://vote').status == 200"
    depends_on: [vote]
""",
    "vote/requirements.txt": "",
    "vote/app.py": "def choice(letter):\n    return {'a': 'Cats', 'b': 'Dogs'}[letter]\n",
    "vote/tests/test_vote.py": """
import sys

sys.path.insert(0, ".")
from app import choice


def test_choice():
    assert choice("b") == "Dogs"
""",
    "result/package.json": '{"name": "result", "scripts": {"test": "node --test"}}\n',
    "result/test/percent.test.js": """
const test = require('node:test')

test('half', () => { if (1 / 2 !== 0.5) throw new Error() })
""",
    "worker/go.mod": "module worker\n\ngo 1.22\n",
    "worker/worker_test.go": 'package main\n\nimport "testing"\n\nfunc TestIt(t *testing.T) {}\n',
    "seed/make.sh": "#!/bin/sh\nseq 10\n",
    ".github/workflows/ci.yml": """
on: [push]
jobs:
  vote:
    runs-on: ubuntu-latest
    defaults:
      run:
        working-directory: vote
    steps:
      - uses: actions/checkout@v6
      - run: pip install -r requirements.txt pytest
      - run: pytest
  result:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - run: cd result && npm test
  worker:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - run: go test ./...
        working-directory: worker
  end-to-end:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - run: docker compose -f docker-compose.test.yml up --build --exit-code-from sut
      - if: always()
        run: docker compose -f docker-compose.test.yml down
""",
}
"""A demo in four languages, each tested by its own, and as a whole by a service that is the test."""

SEED: Files = {
    "services/api/Dockerfile": "FROM python:3.12-slim\n",
    "services/api/pyproject.toml": '[project]\nname = "api"\nversion = "1"\n',
    "services/api/tests/unit/test_a.py": "def test_a(): ...\n",
    "services/api/tests/integration/test_b.py": "def test_b(): ...\n",
    "services/api/deploy/test/docker-compose.yml": f"services:\n  database:\n    image: {_POSTGRES}\n    ports: ['5432']\n",
    "services/api/Makefile": "test-unit:\n\tuv run pytest tests/unit\n",
    "deploy/test/docker-compose.yml": f"services:\n  database:\n    image: {_POSTGRES}\n    ports: ['5432']\n",
    "tests/integration/test_all.py": "def test_all(): ...\n",
    "scripts/get-test-instance-id.sh": "#!/bin/bash\ngit rev-parse --abbrev-ref HEAD\n",
    "scripts/test-service.sh": """
#!/bin/bash
set -e
SERVICE=$1
TEST_INSTANCE_ID=$(./scripts/get-test-instance-id.sh)
export TEST_INSTANCE_ID
export COMPOSE_PROJECT_NAME="test-${TEST_INSTANCE_ID}"
cd "services/${SERVICE}/deploy/test"
docker compose up -d --build --wait
cd "../.."
uv run pytest tests/integration/ --integration
TEST_EXIT=$?
cd "deploy/test"
docker compose down -v
exit $TEST_EXIT
""",
    "Makefile": """
VERBOSE ?= 0

test-unit:
	@$(MAKE) -C services/api test-unit VERBOSE=$(VERBOSE)

test-service:
	@./scripts/test-service.sh $(SERVICE)

test-integration: test-infra-up
	@uv run pytest tests/integration
	@cd deploy/test && docker compose down -v

test-infra-up:
	@cd deploy/test && docker compose up -d --build --wait

test-infra-down:
	@cd deploy/test && docker compose down -v
""",
}
"""A Makefile and scripts of the kind that tasklib replaces, on the layout that it expects."""

JUST: Files = {
    "justfile": """
compose := "docker compose -f docker-compose.yml"

default:
    @just --list

up:
    {{compose}} up -d

test: up
    uv run pytest tests/integration
    {{compose}} down

lint:
    ruff check
""",
    "pyproject.toml": '[project]\nname = "app"\nversion = "1"\n',
    "docker-compose.yml": f"services:\n  cache:\n    image: redis:7\n    ports: ['6379:6379']\n  app: {{image: '{_PYTHON}'}}\n",
    "app.py": 'import os\n\nHOST = os.environ.get("REDIS_HOST", "localhost")\nPORT = os.environ.get("REDIS_PORT", 6379)\n',
    "tests/integration/test_app.py": "def test_app(): ...\n",
}
"""A justfile."""

GITLAB: Files = {
    ".gitlab-ci.yml": """
image: docker:27

services:
  - docker:27-dind

variables:
  POSTGRES_PASSWORD: secret

test:
  stage: test
  before_script:
    - apk add py3-pip
    - pip install uv
  script:
    - docker compose up -d db
    - sleep 5
    - uv run alembic upgrade head
    - uv run pytest tests/integration
    - docker compose down -v

deploy:
  stage: deploy
  script:
    - ./deploy.sh
""",
    "pyproject.toml": '[project]\nname = "app"\nversion = "1"\n',
    "docker-compose.yml": f"services:\n  db:\n    image: {_POSTGRES}\n    environment: {{POSTGRES_PASSWORD: secret}}\n",
    "tests/integration/test_app.py": 'import os\n\nURL = os.getenv("DATABASE_URL", "postgresql://postgres:secret@localhost:5432/postgres")\n\n\ndef test_app(): ...\n',
}
"""A pipeline of GitLab, with an engine beside its job."""
