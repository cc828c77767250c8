"""Which services hold data, and which depend on them."""

from __future__ import annotations

from typing import Any

import pytest

from tasklib.stacks.rewrite import leaning, stores


def config(**services: dict[str, Any]) -> dict[str, Any]:
    return {"services": services}


@pytest.mark.parametrize(
    "service",
    [
        {"image": "postgres:16"},
        {"image": "api", "volumes": [{"type": "volume", "source": "data", "target": "/data"}]},
        {"image": "api", "volumes": [{"type": "tmpfs", "target": "/data"}]},
        {"image": "api", "tmpfs": ["/data"]},
    ],
)
def test_stores(service: dict[str, Any]) -> None:
    """Known data stores, and whatever writes to a volume or to memory."""
    plain = {"image": "web", "volumes": [{"type": "bind", "source": "/x", "target": "/x"}]}
    assert stores(config(db=service, web=plain)) == {"db"}


@pytest.mark.parametrize(
    "service",
    [
        {"depends_on": {"db": {"condition": "service_healthy"}}},
        {"links": ["db:database"]},
        {"environment": {"DATABASE_URL": "postgresql://shop@db:5432/shop"}},
        {"environment": {"DB_HOST": "db"}},
    ],
)
def test_what_depends_on_a_store(service: dict[str, Any]) -> None:
    """By its file or by a value, and what depends on that in turn."""
    others: dict[str, Any] = {
        "web": {"depends_on": ["api"]},
        "mail": {"environment": {"X": "db-2 my.db.example mydb"}},
    }
    assert leaning(config(db={}, api=service, **others), frozenset({"db"})) == {"api", "web"}


def test_nothing_depends_on_no_store() -> None:
    """Without one there is nothing to renew."""
    assert leaning(config(web={"depends_on": ["api"]}, api={}), frozenset()) == frozenset()
