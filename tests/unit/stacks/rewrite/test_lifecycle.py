"""Health checks, restarts, stopping, logging; and the durations they are written in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tasklib.stacks.rewrite import only_compose_can_start
from tasklib.stacks.rewrite.durations import duration, seconds

from .support import FACTS, one, reviewed

MODERN = replace(FACTS, start_interval=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1m30s", 90.0),
        ("500ms", 0.5),
        ("1h2m3.5s", 3723.5),
        ("0s", 0.0),
        ("0", 0.0),
        ("10us", 1e-5),
        (1_500_000_000, 1.5),
        ("1d", 86400.0),
        ("", None),
        ("soon", None),
        ("5", None),
        (None, None),
    ],
)
def test_durations_are_read_as_compose_writes_them(text: Any, expected: float | None) -> None:
    """Every unit, sums of them and nanoseconds as a number; anything else is no duration."""
    assert seconds(text) == (pytest.approx(expected) if expected is not None else None)


@given(st.integers(0, 10**9))
def test_durations_survive_writing_and_reading(milliseconds: int) -> None:
    """What is written is read as the same number of milliseconds."""
    assert seconds(duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000, abs=1e-6)


def patience(check: dict[str, Any]) -> float:
    interval = seconds(check.get("interval")) or 30.0
    return (seconds(check.get("start_period")) or 0.0) + interval * (check.get("retries") or 3)


COMPOSE_STARTS: dict[str, Any] = {"configs": {"site": {"content": "server {}"}}}

CHECKS = [
    {"test": ["CMD", "true"]},
    {"test": ["CMD", "true"], "interval": "5s", "retries": 10},
    {"test": ["CMD", "true"], "interval": "1m30s", "timeout": "10s", "start_period": "40s", "retries": 1},
    {"test": ["CMD", "true"], "interval": "50ms", "start_interval": "1s"},
]


@pytest.mark.parametrize("check", CHECKS)
def test_an_older_engine_checks_as_the_file_says(check: dict[str, Any]) -> None:
    """Before Engine 25 the interval is one for ever: our own checks make the start fast, not the engine's."""
    found = one({"healthcheck": check})["healthcheck"]
    assert found == {key: value for key, value in check.items() if key != "start_interval"}


@pytest.mark.parametrize("check", CHECKS)
def test_an_older_engine_checks_often_and_as_long_for_compose(check: dict[str, Any]) -> None:
    """Where Compose itself has to start the stack, it waits for the engine: its interval is short then, never
    longer than the file's, and the patience is the same."""
    found = one({"healthcheck": check}, **COMPOSE_STARTS)["healthcheck"]
    fast = seconds(found["interval"])
    assert fast is not None
    assert fast <= min(2.0, seconds(check.get("interval")) or 30.0)
    assert patience(found) == pytest.approx(patience(check))
    assert "start_interval" not in found
    assert (found["test"], found.get("timeout")) == (check["test"], check.get("timeout"))


@pytest.mark.parametrize("check", CHECKS)
def test_a_newer_engine_checks_often_only_while_starting(check: dict[str, Any]) -> None:
    """From Engine 25 on the interval stays, and a container may start for as long as the file was patient."""
    found = one({"healthcheck": check}, facts=MODERN)["healthcheck"]
    assert found.get("interval") == check.get("interval")
    fast = seconds(found["start_interval"])
    assert fast is not None
    assert fast <= min(5.0, seconds(check.get("interval")) or 30.0)
    assert seconds(found["start_period"]) == pytest.approx(patience(check))


@pytest.mark.parametrize(("sections", "slowest"), [({}, 5.0), (COMPOSE_STARTS, 2.0)])
def test_many_checks_leave_the_machine_alone(sections: dict[str, Any], slowest: float) -> None:
    """Twenty services on one processor are each checked less often than one service on 32."""
    check = {"healthcheck": {"test": ["CMD", "true"]}}
    crowded, alone = replace(MODERN, cpus=1), replace(MODERN, cpus=32)
    many = reviewed({f"s{n}": check for n in range(20)}, facts=crowded, **sections).config["services"]["s0"]
    few = reviewed({"s0": check}, facts=alone, **sections).config["services"]["s0"]
    assert seconds(few["healthcheck"]["start_interval"]) == 0.2
    assert seconds(many["healthcheck"]["start_interval"]) == slowest


@pytest.mark.parametrize(
    ("extra", "compose_only"),
    [
        ({}, False),
        ({"configs": {"site": {"file": "site.conf"}}}, False),
        ({"configs": {"site": {"content": "server {}"}}}, True),
        ({"secrets": {"key": {"environment": "KEY"}}}, True),
        ({"services": {"api": {"post_start": [{"command": "true"}]}}}, True),
    ],
)
def test_what_starting_itself_does_is_left_to_compose(extra: dict[str, Any], compose_only: bool) -> None:
    """Content that is copied into containers, and hooks."""
    assert only_compose_can_start({"services": {"api": {}}, **extra}) is compose_only


@pytest.mark.parametrize("check", [{"disable": True}, {"test": ["NONE"]}, None])
def test_no_check_stays_no_check(check: Any) -> None:
    """A disabled or missing health check is left as it is."""
    assert one({"healthcheck": check} if check else {}).get("healthcheck") == check


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ({"restart": "always"}, "on-failure:10"),
        ({"restart": "unless-stopped"}, "on-failure:10"),
        ({"restart": "on-failure"}, "on-failure:10"),
        ({"restart": "on-failure:3"}, "on-failure:3"),
        ({"restart": "on-failure:0"}, "on-failure:10"),
        ({"restart": "on-failure:500"}, "on-failure:10"),
        ({"restart": "no"}, "no"),
        ({}, None),
        ({"deploy": {"restart_policy": {"condition": "any"}}}, "on-failure:10"),
        ({"deploy": {"restart_policy": {"condition": "on-failure", "max_attempts": 2}}}, "on-failure:2"),
        ({"deploy": {"restart_policy": {"condition": "none"}}}, None),
        ({"restart": "no", "deploy": {"restart_policy": {"condition": "any"}}}, "no"),
    ],
)
def test_restarts_are_bounded(service: dict[str, Any], expected: str | None) -> None:
    """Every policy that restarts becomes one that stops after a few failures; none stays none."""
    assert one(service).get("restart") == expected


def test_what_keeps_nothing_stops_at_once() -> None:
    """The grace period is zero, unless the stack keeps its data."""
    assert one({"stop_grace_period": "1m30s"})["stop_grace_period"] == "0s"
    kept = one({"stop_grace_period": "1m30s"}, facts=replace(FACTS, kept=True))
    assert kept["stop_grace_period"] == "1m30s"


@pytest.mark.parametrize(
    ("logging", "expected"),
    [
        ({"driver": "syslog", "options": {"syslog-address": "udp://x"}}, {"driver": "json-file"}),
        ({"driver": "awslogs"}, {"driver": "json-file"}),
        (
            {"driver": "json-file", "options": {"max-size": "1m"}},
            {"driver": "json-file", "options": {"max-size": "1m"}},
        ),
        ({"driver": "none"}, {"driver": "none"}),
        ({"options": {"tag": "x"}}, {"options": {"tag": "x"}}),
    ],
)
def test_logs_stay_with_the_engine(logging: Any, expected: Any) -> None:
    """A driver that takes logs elsewhere is replaced; the others are left alone."""
    assert one({"logging": logging})["logging"] == expected
