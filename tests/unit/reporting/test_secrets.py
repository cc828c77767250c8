"""Which values are secrets."""

from __future__ import annotations

import pytest

from tasklib.reporting.secrets import is_secret_name, secret_values


@pytest.mark.parametrize(
    "name",
    [
        *("DB_PASS", "PGPASSWORD", "MYSQL_PWD", "REGISTRY_AUTH", "SENTRY_DSN", "SSH_PASSPHRASE", "apiKey"),
        *("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "DJANGO_SECRET_KEY", "SECRET db_password", "STRIPE_KEY"),
    ],
)
def test_a_name_that_holds_a_secret(name: str) -> None:
    """By one of its words, however it is written."""
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "MONKEY",
            "TOKENIZERS_PARALLELISM",
            "KEY_PATH",
            "POSTGRES_PASSWORD_FILE",
            "AUTHOR",
            "PATH",
            "COMPASS",
        ),
        *("PASSENGER_HOST", "TOKEN_TTL", "AWS_ACCESS_KEY_ID", ""),
    ],
)
def test_a_name_that_holds_none(name: str) -> None:
    """A word that only begins like one, or one that says where a secret is."""
    assert not is_secret_name(name)


def test_a_project_adds_names_of_its_own() -> None:
    """By `mask` in [tool.tasklib]."""
    assert secret_values({"LICENCE": "abcdefgh-1"}, ["LICENCE"]) == {"abcdefgh-1"}


def test_passwords_in_urls_are_secrets_and_the_urls_are_not() -> None:
    """Whatever the variable is called."""
    env = {
        "DATABASE_URL": "postgresql://shop:s3cr3t-word@db:5432/shop",
        "SENTRY_DSN": "https://k3yk3yk3y:x@o",
    }
    assert secret_values(env) == {"s3cr3t-word"}


@pytest.mark.parametrize(
    "env",
    [
        pytest.param({"POSTGRES_PASSWORD": "postgres"}, id="an ordinary word"),
        pytest.param({"POSTGRES_USER": "shopowner", "POSTGRES_PASSWORD": "shopowner"}, id="the user's name"),
        pytest.param({"DB_PASS": "short"}, id="a short one"),
    ],
)
def test_what_would_hide_half_of_every_line_is_none(env: dict[str, str]) -> None:
    """Nobody hides a secret behind it."""
    assert secret_values(env) == frozenset()
