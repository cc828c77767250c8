"""The public API as its users write it: this file has to pass ``mypy --strict``, and is never run.

What must not type-check is marked with the error that it has to be; mypy tells of a mark that is not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, assert_type

from invoke.collection import Collection

from tasklib.errors import TasklibError
from tasklib.isolation import Instance, instance_id, project_name
from tasklib.pipeline import Options, run
from tasklib.project import Project
from tasklib.pytest_plugin import Endpoint
from tasklib.results import RunResult, Stage
from tasklib.sessions import register
from tasklib.stacks.rewrite import isolate
from tasklib.tasks import ci, clean, infra, namespace, release, test
from tasklib.waiting import wait_for, wait_for_async

# noxfile.py
register()
register("unit", "service")
register(["unit"])  # type: ignore[arg-type]

# tasks.py: the whole, or some of it beside tasks of the project's own
ns = namespace
mine = Collection(ci, clean, infra, release, test)


# Python alone
def names() -> None:
    assert_type(instance_id("feature/auth"), str)
    assert_type(project_name("feature-auth"), str)
    assert_type(project_name(Instance("feature-auth"), "api", prefix="shop"), str)
    project_name(b"feature-auth")  # type: ignore[arg-type]


def isolated(rendered: Mapping[str, Any]) -> None:
    assert_type(isolate(rendered, "feature-auth"), dict[str, Any])
    assert_type(isolate(rendered, "feature-auth", "api"), dict[str, Any])


def everything(project: Project) -> int:
    try:
        result = run(project, [Stage.UNIT, Stage.SERVICE], options=Options(names=("api",), jobs=2))
    except TasklibError as error:
        return assert_type(error.exit_code, int)
    assert_type(result, RunResult)
    run(project, ["unit"])  # type: ignore[list-item]
    return result.exit_code


# Tests
class Order:
    done: bool


def find_order() -> Order | None: ...
async def fetch_order() -> Order | None: ...
async def is_done() -> bool:
    return True


def test_plain(endpoint: Callable[[str], Endpoint]) -> None:
    assert_type(endpoint("api").url, str)
    assert_type(wait_for(find_order), Order)
    assert_type(wait_for(lambda: find_order(), timeout=2, errors=(KeyError, OSError)), Order)
    assert_type(wait_for(lambda: "ready"), str)
    wait_for(True)  # type: ignore[arg-type]


async def test_async() -> None:
    assert_type(await wait_for_async(fetch_order), Order)
    assert_type(await wait_for_async(lambda: fetch_order(), timeout=2), Order)
    assert_type(await wait_for_async(is_done), bool)
    assert_type(await wait_for_async(find_order), Order)
    assert_type(await wait_for_async(lambda: 3), int)
