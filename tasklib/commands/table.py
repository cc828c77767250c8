"""Which function each command is: from the values that were typed to an exit code."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tasklib.options import catalog as o
from tasklib.options.caller import speaking_as
from tasklib.options.command import Command
from tasklib.options.values import Values

__all__ = ["run"]


def run(command: Command, values: Values) -> int:
    """Do what ``command`` says; returns the contract's exit code.

    Raises :class:`~tasklib.errors.TasklibError` where it cannot be done.
    """
    with speaking_as(values.caller):
        return _FUNCTIONS[command.name](values) or 0


def _stages(values: Values, *stages: str) -> int:
    from tasklib.commands import testing

    return testing.run_stages(
        stages,
        names=values[o.NAME],
        changed=values[o.CHANGED],
        base=values[o.BASE],
        explain=values[o.EXPLAIN],
        cached=values[o.CACHED],
        keep=values[o.KEEP],
        keep_failed=values[o.KEEP_FAILED],
        fresh=values[o.FRESH],
        watch=values[o.WATCH],
        jobs=values[o.JOBS],
        keyword=values[o.KEYWORD],
        verbose=values[o.VERBOSE],
        format=values[o.FORMAT],
        reports=values[o.REPORT],
        durations=values[o.DURATIONS],
        fail_slow=values[o.FAIL_SLOW],
        shard=values[o.SHARD],
        extra=values.extra,
        dry=values.dry,
        caller=values.caller,
        python=values.python,
    )


def _up(values: Values) -> None:
    from tasklib.commands.environments import stacks_of

    stacks_of(values[o.ENVIRONMENT]).up(
        values[o.STACK], fresh=values[o.FRESH], yes=values[o.YES], dry=values.dry
    )


def _down(values: Values) -> None:
    from tasklib.commands.environments import stacks_of

    stacks_of(values[o.ENVIRONMENT]).down(values[o.STACK], yes=values[o.YES], dry=values.dry)


def _status(values: Values) -> None:
    from tasklib.commands.environments import stacks_of

    stacks_of(values[o.ENVIRONMENT]).status()


def _logs(values: Values) -> None:
    from tasklib.commands.environments import stacks_of

    stacks_of(values[o.ENVIRONMENT]).logs(values[o.CONTAINER], tail=values[o.TAIL])


def _env(values: Values) -> None:
    from tasklib.commands.console import show_variables
    from tasklib.commands.environments import stacks_of

    variables = stacks_of(values[o.ENVIRONMENT]).env(values[o.ONE_STACK], dry=values.dry)
    show_variables(variables, values[o.VARIABLES])


def _config(values: Values) -> int:
    from tasklib.commands.environments import stacks_of
    from tasklib.commands.isolated import config_of

    if file := values[o.FILE]:
        return config_of(file, diff=values[o.DIFF])
    return stacks_of(values[o.ENVIRONMENT]).config(values[o.ONE_STACK], diff=values[o.DIFF])


def _id(values: Values) -> None:
    from tasklib.commands.isolated import instance_id

    instance_id()


def _clean(values: Values) -> None:
    from tasklib.commands import cleaning

    cleaning.clean(values.caller, force=values[o.FORCE], everything=values[o.ALL], dry=values.dry)


def _clean_stale(values: Values) -> None:
    from tasklib.commands import cleaning

    cleaning.clean_stale(values.caller, yes=values[o.REMOVE], dry=values.dry)


def _matrix(values: Values) -> None:
    from tasklib.commands import ci

    ci.matrix(changed=values[o.CHANGED], base=values[o.BASE], explain=values[o.EXPLAIN])


def _merge(values: Values) -> int:
    from tasklib.commands import ci

    return ci.merge(values[o.RUNS], reports=values[o.REPORT], format=values[o.FORMAT])


def _workflow(values: Values) -> int:
    from tasklib.commands import ci

    return ci.workflow(
        values[o.FORGE],
        shards=values[o.SHARDS] or 1,
        engine=values[o.BESIDE],
        force=values[o.OVERWRITE],
        dry=values.dry,
    )


def _tag(values: Values) -> None:
    from tasklib.commands import releasing

    releasing.tag(
        bump=values[o.BUMP] or None,
        version=values[o.VERSION],
        dry=values[o.DRY_RUN] or values.dry,
        push=values[o.PUSH_TAG],
        yes=values[o.RELEASE],
    )


def _images(values: Values) -> None:
    from tasklib.commands import releasing

    releasing.images(
        version=values[o.IMAGE_VERSION],
        names=values[o.NAME],
        changed=values[o.CHANGED_SINCE],
        base=values[o.PREVIOUS],
        explain=values[o.EXPLAIN],
        platform=values[o.PLATFORM],
        push=values[o.PUSH],
        format=values[o.LISTING],
        verbose=values[o.BUILD_OUTPUT],
        dry=values.dry,
    )


def _last(values: Values) -> int:
    from tasklib.commands import known

    return known.last(
        values[o.NAME],
        failures=values[o.FAILURES],
        logs=values[o.LOGS],
        most=values[o.LINES],
        format=values[o.SHOWN_AS],
    )


def _proof(values: Values) -> int:
    from tasklib.commands import known

    return known.proof(values[o.STAGES])


def _doctor(values: Values) -> int:
    from tasklib.commands import doctor

    if code := values[o.RULE]:
        return doctor.explain(code)
    return doctor.examine(
        values[o.PATH],
        fix=values[o.FIX] and not values.dry,
        select=values[o.SELECT],
        ignore=values[o.IGNORE],
        format=values[o.FINDINGS],
    )


def _agents(values: Values) -> None:
    from tasklib.agents.pages import section, skill
    from tasklib.commands.console import say

    say((skill() if values[o.SKILL] else section()).rstrip("\n"))


def _new_project(values: Values) -> None:
    from tasklib.commands import new

    new.project(
        values[o.PROJECT],
        services=values[o.SERVICES],
        kind=values[o.KIND],
        single=values[o.SINGLE],
        ci=values[o.CI],
        dry=values.dry,
    )


def _new_service(values: Values) -> int:
    from tasklib.commands import new

    return new.service(values[o.SERVICE], values[o.ITS_KIND], dry=values.dry)


def _new_update(values: Values) -> int:
    from tasklib.commands import new

    return new.update(write=values[o.WRITE] and not values.dry)


def _new_adopt(values: Values) -> int:
    from tasklib.commands import adopting

    return adopting.adopt(
        values[o.REPOSITORY],
        write=values[o.WRITE],
        keep_make=values[o.KEEP_MAKE],
        answers=values[o.ANSWER],
        dry=values.dry,
    )


_FUNCTIONS: Mapping[str, Callable[[Values], int | None]] = {
    "test.all": lambda values: _stages(values, "unit", "service", "integration"),
    "test.unit": lambda values: _stages(values, "unit"),
    "test.service": lambda values: _stages(values, "service"),
    "test.integration": lambda values: _stages(values, "integration"),
    "test.last": _last,
    "test.proof": _proof,
    "infra.up": _up,
    "infra.down": _down,
    "infra.status": _status,
    "infra.logs": _logs,
    "infra.env": _env,
    "infra.config": _config,
    "infra.id": _id,
    "clean.instance": _clean,
    "clean.stale": _clean_stale,
    "ci.matrix": _matrix,
    "ci.merge": _merge,
    "ci.workflow": _workflow,
    "release.tag": _tag,
    "release.images": _images,
    "doctor": _doctor,
    "agents": _agents,
    "new.project": _new_project,
    "new.service": _new_service,
    "new.update": _new_update,
    "new.adopt": _new_adopt,
}
