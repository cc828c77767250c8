"""The override file for plain Compose holds what isolation changed, and nothing else."""

from __future__ import annotations

from typing import Any

from tasklib.isolation import Instance
from tasklib.stacks.rewrite import isolate
from tasklib.stacks.rewrite.override import override_file


def _override(config: dict[str, Any]) -> str:
    return override_file(config, isolate(config, Instance("main", "c0ffee", "host")))


def test_no_environment_and_no_build_argument_is_in_it() -> None:
    """A secret of a service never gets into the file, which is written to disk."""
    text = _override(
        {
            "name": "shop",
            "services": {
                "api": {
                    "build": {"context": "/src", "args": {"TOKEN": "s3cr3t-token"}, "tags": ["api:latest"]},
                    "environment": {"PASSWORD": "s3cr3t-password"},
                    "command": ["serve", "--key", "s3cr3t-key"],
                    "ports": [{"target": 80, "published": "8080"}],
                }
            },
        }
    )
    assert "s3cr3t" not in text
    assert "8080" not in text


def test_lists_replace_instead_of_adding() -> None:
    """Compose would append to a list without the tag, and the fixed port would stay."""
    text = _override({"services": {"api": {"image": "x", "ports": [{"target": 80, "published": "8080"}]}}})
    assert '"ports": !override [' in text


def test_what_isolation_took_away_is_reset() -> None:
    """A key that is not in the isolated config does not come back by merging."""
    text = override_file(
        {"services": {"a": {"image": "x", "mac_address": "1"}}}, {"services": {"a": {"image": "x"}}}
    )
    assert '"mac_address": !reset null' in text
    assert "image" not in text


def test_copies_for_replicas_are_left_out() -> None:
    """A service that only the isolated config has would need its whole definition, environment included."""
    text = override_file(
        {"services": {"a": {}}}, {"services": {"a": {"x": "1"}, "a-2": {"environment": {"P": "q"}}}}
    )
    assert "a-2" not in text


def test_nothing_depends_on_a_copy_that_is_left_out() -> None:
    """Compose refuses a project in which a service depends on one that is not there."""
    text = _override(
        {
            "name": "shop",
            "services": {
                "web": {"image": "x", "deploy": {"replicas": 2}, "volumes": ["/data"]},
                "app": {"image": "x", "depends_on": {"web": {"condition": "service_started"}}},
            },
        }
    )
    assert "web.2" not in text
