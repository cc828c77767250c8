"""Which values are secrets."""

from __future__ import annotations

import pytest

from tasklib.shown.secrets import is_secret_name, secret_values


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
        *("PASSENGER_HOST", "TOKEN_TTL", "AWS_ACCESS_KEY_ID", "", "PWD", "OLDPWD"),
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
    ("value", "secret"),
    [
        ("https://ghp_0123456789abcdef0123@github.com/x", "ghp_0123456789abcdef0123"),
        ("host=db user=shop password=s3cr3t-word", "s3cr3t-word"),
        ("Server=db;Database=shop;Password='s3cr3t word';", "s3cr3t word"),
        ("-Xmx1g -Dspring.datasource.password=s3cr3t-word", "s3cr3t-word"),
        ("https://api/x?sort_key=created_at&access_token=s3cr3t-word", "s3cr3t-word"),
        ('{"type": "account", "keys": [{"private_key": "s3cr3t-word"}]}', "s3cr3t-word"),
    ],
)
def test_a_secret_inside_of_a_value(value: str, secret: str) -> None:
    """Tokens of URLs, what drivers and programs are given, documents of JSON."""
    assert secret_values({"SETTINGS": value}) == {secret}


@pytest.mark.parametrize("part", ["x", "a1", "ab-", "a.", "://", "=x"])
def test_long_values_are_read_in_one_go(part: str) -> None:
    """A certificate, a key, a picture: with a look at the rest from each of its characters, nobody would see
    the end of this test."""
    long = part * 500_000
    assert secret_values({"CERT": f"{long}="}) == frozenset()
    assert secret_values({"CERT": f"{long} password=s3cr3t-word"}) == {"s3cr3t-word"}


@pytest.mark.parametrize("value", ["{", "[" * 100_000, "=", "a=b=c", '{"password": 12345678}', "://:@"])
def test_what_only_looks_like_one_is_passed_over(value: str) -> None:
    """No value of a variable is an error."""
    assert secret_values({"SETTINGS": value}) == frozenset()


@pytest.mark.parametrize(
    "env",
    [
        pytest.param({"POSTGRES_PASSWORD": "postgres"}, id="an ordinary word"),
        pytest.param({"POSTGRES_USER": "shopowner", "POSTGRES_PASSWORD": "shopowner"}, id="the user's name"),
        pytest.param({"DATABASE_URL": "postgresql://shopowner:shopowner@db:5432/shop"}, id="in a URL"),
        pytest.param({"DB_PASS": "short"}, id="a short one"),
    ],
)
def test_what_would_hide_half_of_every_line_is_none(env: dict[str, str]) -> None:
    """Nobody hides a secret behind it."""
    assert secret_values(env) == frozenset()
