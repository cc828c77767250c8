"""Which words of commands and settings are secrets."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.shown.words import secret_words

SECRET = "s3cr3t-word"


@pytest.mark.parametrize(
    "command",
    [
        *(f"mysqld --root-password={SECRET}", f"redis-server --requirepass {SECRET} --port 6379"),
        *(f"redis-server --masterauth {SECRET}", f"redis-cli -h db -a {SECRET} ping"),
        *(f"mysqladmin ping -uroot -p{SECRET}", f"mariadb-admin -p{SECRET} status"),
        *(f"mongosh -u root -p {SECRET} --eval 1", f"server --admin-password {SECRET} --data /data"),
        *(f"curl -fsS -u shop:{SECRET} http://localhost", f"curl -ushop:{SECRET} http://localhost"),
        *(f"curl --user=shop:{SECRET} http://x", f"curl -H 'Authorization: Bearer {SECRET}' http://x"),
        *(f"wget --header 'X-Api-Key: {SECRET}' http://x", f"PGPASSWORD={SECRET} psql -h db"),
        *(f"curl http://shop:{SECRET}@localhost/", f"rabbitmqctl add_user shop {SECRET}"),
        *(f"""psql -c "ALTER USER shop WITH PASSWORD '{SECRET}'" """, f"sshpass -p {SECRET} ssh x"),
        *(f"""mysql -e "CREATE USER a IDENTIFIED BY '{SECRET}'" """, f"vault server -dev --token={SECRET}"),
    ],
)
def test_a_secret_among_the_words_of_a_command(command: str) -> None:
    """As a list of words, as one text for a shell, and as a script that a shell is given."""
    assert {value for value in secret_words(shlex.split(command)) if value} >= {SECRET}
    for words in ([command], ["CMD-SHELL", f"{command} || exit 1"], ["sh", "-c", f"set -e\n{command}\n"]):
        assert {value for value in secret_words(words) if value} >= {SECRET}


@pytest.mark.parametrize(
    "text",
    [
        f"port 6379\nrequirepass {SECRET}\n",
        f"[db]\npassword = {SECRET}\n",
        f"db:\n  password: '{SECRET}'\n",
        f'{{\n  "apiKey": "{SECRET}",\n  "port": 1\n}}',
    ],
)
def test_a_secret_in_a_file_of_settings(text: str) -> None:
    """Of Redis, INI, YAML and JSON."""
    assert {value for value in secret_words([text]) if value} == {SECRET}


@pytest.mark.parametrize(
    "command",
    [
        *("docker run -p 8000:8000 -u 1000:1000 x", "server --password-file /run/secrets/password"),
        *('redis-server --requirepass "$REDIS_PASSWORD"', "psql -p 5432 -U postgres -d shopping"),
        *("python -m http.server 8000", "curl -H 'Content-Type: application/json' http://localhost:8000/"),
        *("server --token-ttl 36000000 --author somebody --monkey seemonkey", "mysqld --password"),
        *("uvicorn shop.app:create_app --host 0.0.0.0", "gunicorn -a shop.main:application"),
    ],
)
def test_what_only_looks_like_one(command: str) -> None:
    """Ports, files, variables that the shell puts there, the module of an application."""
    for words in (shlex.split(command), [command]):
        assert {value for value in secret_words(words) if len(value) >= 8} == set()


@given(st.lists(st.text(max_size=30) | st.sampled_from(["-u", "-p", "mysql", "add_user", "'", "a: b"])))
def test_no_words_are_an_error(words: list[str]) -> None:
    """Whatever a command holds."""
    assert all(isinstance(value, str) for value in secret_words(words))
