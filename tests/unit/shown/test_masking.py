"""No secret reaches any sink."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.events import Event, Notice, Output, RunStarted, TargetFinished, TestFinished
from tasklib.results import (
    ContainerLog,
    LogLine,
    Outcome,
    Stage,
    Target,
    TargetResult,
    TestOutcome,
    TestResult,
)
from tasklib.shown.masking import MASK, Masker, forget, hide, hide_names, mask
from tasklib.shown.secrets import secret_values

SECRET = 'p@ss "w0rd"/ß'
TARGET = Target(Stage.UNIT, "postgres")


def masked(event: Event, *secrets: str) -> Event:
    return Masker(secrets).masked(event)


def test_secret_variables_are_known_by_name_and_length() -> None:
    """PASSWORD, TOKEN, SECRET and KEY anywhere in a name count, values under 8 characters do not."""
    env = {
        "POSTGRES_PASSWORD": "hunter2hunter2",
        "api_token": "abcdefgh",
        "AWS_SECRET_ACCESS_KEY": "x" * 40,
        "PASSWORD": "short",
        "HOME": "/home/someone",
    }
    assert secret_values(env) == {"hunter2hunter2", "abcdefgh", "x" * 40}


def test_every_string_of_an_event_is_masked() -> None:
    """Messages, details, output, reasons, ids and container logs are masked, at every depth."""
    text = f"a {SECRET} b"
    test = TestResult(text, TestOutcome.FAILED, message=text, detail=text, output=text)
    result = TargetResult(
        TARGET,
        Outcome.FAILED,
        reason=text,
        failures=(test,),
        slowest=(test,),
        logs=(ContainerLog("api", (LogLine(1.0, text),)),),
        rerun=text,
    )
    for event in (TestFinished(TARGET, test), TargetFinished(result), Notice(text), Output(TARGET, text)):
        found = masked(event, SECRET)
        assert "p@ss" not in repr(found)
        assert MASK in repr(found)


def test_spellings_for_urls_and_json_are_masked() -> None:
    """A password inside a database URL or a JSON document is the same secret."""
    url = "postgresql://u:p%40ss%20%22w0rd%22%2F%C3%9F@db/x"
    document = r'{"password": "p@ss \"w0rd\"/\u00df"}'
    found = masked(Output(TARGET, f"{url} {document}"), SECRET)
    assert found == Output(TARGET, f'postgresql://u:{MASK}@db/x {{"password": "{MASK}"}}', at=found.at)


def test_a_secret_of_many_lines_is_masked_line_by_line() -> None:
    """A private key is recognised although a log shows one line of it at a time."""
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"
    found = masked(Output(TARGET, "key: MIIEvQIBADANBgkq"), key)
    assert isinstance(found, Output)
    assert found.line == "key: ***"


def test_a_value_inside_a_longer_one_does_not_uncover_it() -> None:
    """Of overlapping secrets the longer one is masked as a whole."""
    assert Masker(["abcdefgh", "abcdefghijkl"]).mask("x abcdefghijkl y") == "x *** y"


def test_targets_and_files_keep_their_names() -> None:
    """A password that is also a service's name does not make its results unrecognisable."""
    event = TestFinished(
        TARGET, TestResult("t.py::postgres", TestOutcome.PASSED, file="tests/postgres/t.py", line=1)
    )
    found = masked(event, "postgres")
    assert isinstance(found, TestFinished)
    assert found.target == TARGET
    assert found.result.file == "tests/postgres/t.py"
    assert found.result.id == "t.py::***"


def test_values_can_come_later() -> None:
    """What is added in the middle of a run is masked from then on."""
    masker = Masker()
    before = masker.mask("token 12345678")
    masker.add(["12345678"])
    assert (before, masker.mask("token 12345678")) == ("token 12345678", "token ***")


LONG = "eyJhbGciOiJIUzI1NiJ9." + "".join(f"{number:04}" for number in range(50))


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(LONG[:118] + "..." + LONG[-119:], id="its middle left out"),
        pytest.param(LONG[:30] + "\N{HORIZONTAL ELLIPSIS}", id="its end left out"),
        pytest.param("..." + LONG[40:], id="its beginning left out"),
    ],
)
def test_a_long_value_is_known_where_it_was_cut(shown: str) -> None:
    """By its beginning and its end: pytest itself shortens what it compares."""
    found = Masker([LONG]).mask(f"token: {shown}")
    assert not any(LONG[at : at + 8] in found for at in range(len(LONG) - 8))
    assert MASK in found


def test_a_value_is_known_without_its_escapes() -> None:
    """What reaches people was cleaned before."""
    assert Masker(["abc\x1b[31mdefgh\x1b[0mij"]).mask("abcdefghij") == MASK


def test_a_value_quoted_for_a_shell_is_known() -> None:
    """Commands are shown as they would be typed."""
    secret = "it's-a-secret"
    assert Masker([secret]).mask(f"login {shlex.quote(secret)}") == f"login {MASK}"


def test_what_this_process_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own environment, what it is told of, and variables whose names a project adds."""
    monkeypatch.setenv("API_TOKEN", "from-outside")
    monkeypatch.setenv("LICENCE", "licence-text")
    forget()
    assert mask("from-outside licence-text told-later") == "*** licence-text told-later"
    hide_names(["LICENCE"])
    hide({"DB_PASSWORD": "told-later"})
    assert mask("from-outside licence-text told-later") == "*** *** ***"


@given(st.dictionaries(st.sampled_from(["A_TOKEN", "KEYS", "x"]), st.text(max_size=30)), st.text())
def test_no_value_of_a_secret_variable_survives(env: Mapping[str, str], text: str) -> None:
    """Whatever the values and the text around them, none is left in it."""
    values = secret_values(env)
    found = Masker(values).mask(text + "".join(f" {value.strip()} " for value in values))
    assert not any(value.strip() in found.replace(MASK, "\0") for value in values)


def test_events_without_secrets_are_handed_on_as_they_are() -> None:
    """Nothing is copied where there is nothing to mask."""
    event = RunStarted("p", "i", (TARGET,))
    assert masked(event, SECRET) is event
