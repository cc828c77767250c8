"""dev and prod: what is known of their endpoints."""

from __future__ import annotations

from pathlib import Path

from tasklib.project import Environment
from tasklib.stacks.compose.source import Source
from tasklib.stacks.endpoints import Endpoint
from tasklib.stacks.fixed.stack import FixedStack, variables


def test_a_url_knows_passwords_in_files_and_images_built_on_servers(tmp_path: Path) -> None:
    """As in the stacks of tests: the secret's file is read, and so is the Dockerfile."""
    (tmp_path / "password").write_text("s3cret\n")
    (tmp_path / "Dockerfile").write_text("FROM postgres:16\n")
    config = {
        "services": {
            "db": {
                "image": "shop-db",
                "build": {"context": str(tmp_path), "dockerfile": "Dockerfile"},
                "environment": {"POSTGRES_PASSWORD_FILE": "/run/secrets/password"},
                "secrets": [{"source": "password"}],
            }
        },
        "secrets": {"password": {"file": str(tmp_path / "password")}},
    }
    stack = FixedStack("shop-dev", Environment.DEV, Source((tmp_path / "compose.yml",), tmp_path), 10)
    found = variables(stack, config, [Endpoint("db", 5432, "127.0.0.1", 5433)])
    assert found["TEST_DB_URL"] == "postgresql://postgres:s3cret@127.0.0.1:5433/postgres"
