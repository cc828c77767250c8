"""``test``: the three stages, together or one by one."""

from __future__ import annotations

from typing import Any

from invoke.collection import Collection
from invoke.context import Context

from tasklib.tasks._boundary import StrictTask, after_dashes, task

__all__ = ["test"]

_HELP = {
    "name": "only this service; repeats",
    "changed": "only what differs from the base branch",
    "base": "the branch or commit to compare with instead",
    "explain": "with --changed: why each service is in or out",
    "keep": "leave the stacks up afterwards",
    "jobs": "at most so many targets at once",
    "k": "only tests that match, as pytest's -k",
    "verbose": "stream the tests' output",
    "format": "auto, live, plain or json",
    "durations": "show the N slowest tests",
    "fail-slow": "a test above its stage's limit is a failure",
    "report": "write a report to FILE (.xml, .html, .json); repeats",
}


# The stages by their names: listing tasks must not pay for importing what runs them.
_STAGES = ("unit", "service", "integration")


def _stage_task(name: str, stages: tuple[str, ...], doc: str, default: bool = False) -> StrictTask:
    def body(
        context: Context,
        name: Any = None,
        changed: bool = False,
        base: str | None = None,
        explain: bool = False,
        keep: bool = False,
        jobs: str | None = None,
        k: str = "",
        verbose: bool = False,
        format: str = "auto",
        report: Any = None,
        durations: str | None = None,
        fail_slow: bool = False,
    ) -> int:
        from tasklib.commands import testing

        return testing.run_stages(
            stages,
            names=name or (),
            changed=changed,
            base=base,
            explain=explain,
            keep=keep,
            jobs=jobs,
            keyword=k,
            verbose=verbose,
            format=format,
            reports=report or (),
            durations=durations,
            fail_slow=fail_slow,
            extra=after_dashes(context),
            dry=bool(context.config.run.dry),
        )

    body.__name__, body.__doc__ = name, doc
    return task(help=dict(_HELP), repeats=("name", "report"), name=name, default=default)(body)


test = Collection(
    "test",
    _stage_task(
        "all", _STAGES, "Unit, service and integration tests, stopping at the first failed stage.", True
    ),
    _stage_task("unit", ("unit",), "Unit tests; no engine is touched."),
    _stage_task("service", ("service",), "Each service against its own stack."),
    _stage_task("integration", ("integration",), "The full stack and its tests."),
)
