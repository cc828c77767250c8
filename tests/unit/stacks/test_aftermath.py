"""What became of a stack's containers while tests ran against it."""

from __future__ import annotations

from msgspec.structs import replace

from tasklib.stacks.aftermath import ended
from tasklib.stacks.engine.values import Container

API = Container("1", "shop-api", "shop", "api", "running", started="then")
DB = replace(API, id="2", name="shop-db", service="db")
JOB = replace(API, id="3", name="shop-job", service="job", state="exited")
OVER = replace(API, state="exited", exit_code=137)


def test_a_service_that_runs_no_more_is_named_with_how_it_ended() -> None:
    """One that had ended when the stack was ready is as it should be, and so is one that restarted."""
    assert ended((API, DB, JOB), (OVER, DB, JOB)) == ("api ended while tests ran (exit code 137)",)
    assert ended((API, DB), (DB,)) == ("api ended while tests ran (its container is gone)",)
    assert ended((API, JOB), (replace(API, started="now"), JOB)) == ()
    done = replace(API, state="exited")
    assert ended((API, DB), (done, DB)) == ()
    assert ended((API,), (done,)) == ("api ended while tests ran (exit code 0)",)


def test_where_all_ended_it_was_none_of_them() -> None:
    """An engine that restarts stops all its containers."""
    assert ended((API, DB, JOB), (OVER, replace(DB, state="exited"), JOB)) == (
        "all its containers ended while tests ran: the engine restarted, or somebody stopped them",
    )
    assert len(ended((API, DB), ())) == 1
    assert ended((), (API,)) == ()
