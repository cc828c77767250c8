"""What Compose and BuildKit wrote last says why they failed, as several of their releases write it."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.errors import StackError
from tasklib.stacks.compose.failures import BuildFailed, missing_image
from tasklib.stacks.compose.output import BuildOutput, UpOutput, last_words, unset_variables

DOCKERFILE = """\
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE} AS dependencies
RUN pip install \\
    --no-cache-dir \\
    nosuchpackage
COPY nofile /
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    return tmp_path


def failure(context: Path, output: str, *services: str) -> BuildFailed:
    reader = BuildOutput()
    for line in textwrap.dedent(output).splitlines():
        reader.read(line)
    return reader.failure(
        {"services": {name: {"build": {"context": str(context)}} for name in services or ["api"]}}
    )


@pytest.mark.parametrize(
    "cause",
    [
        "failed to solve: executor failed running [/bin/sh -c pip install]: exit code: 1",
        'target api: failed to solve: process "/bin/sh -c pip" did not complete successfully: exit code: 1',
    ],
)
def test_a_failed_step_is_named_with_its_line_and_its_last_words(context: Path, cause: str) -> None:
    """The service, the Dockerfile's line (continuations joined), the exit code and what the step wrote."""
    found = failure(
        context,
        f"""
        #5 [api dependencies 2/4] RUN pip install     --no-cache-dir     nosuchpackage
        #5 1.231 ERROR: No matching distribution found for nosuchpackage
        #5 ERROR: exit code: 1
        ------
         > [api dependencies 2/4] RUN pip install     --no-cache-dir     nosuchpackage:
        1.011 ERROR: Could not find a version
        1.231 ERROR: No matching distribution found for nosuchpackage
        ------
        Dockerfile:3
        {cause}
        """,
        "api",
        "worker",
    )
    assert found.where == f"{context}/Dockerfile:3"
    assert found.what == (
        "the image of api does not build: `RUN pip install     --no-cache-dir     nosuchpackage` "
        "exited with code 1: ERROR: No matching distribution found for nosuchpackage"
    )
    assert [(log.service, [line.text for line in log.lines]) for log in found.logs] == [
        (
            "build",
            ["ERROR: Could not find a version", "ERROR: No matching distribution found for nosuchpackage"],
        )
    ]
    assert found.exit_code == 4


def test_a_file_that_is_not_there_is_named(context: Path) -> None:
    """COPY writes nothing itself: the cause says what was missing."""
    found = failure(
        context,
        """
        ------
         > [api 3/3] COPY nofile /:
        ------
        failed to solve: failed to compute cache key: "/nofile" not found: not found
        """,
    )
    assert found.where == f"{context}/Dockerfile:6"
    assert found.what == 'the image of api does not build: `COPY nofile /`: "/nofile" not found: not found'
    assert found.logs == ()


def test_a_base_that_cannot_be_had_and_a_typo_are_told_without_the_plumbing(context: Path) -> None:
    """BuildKit wraps the cause in its own layers."""
    plumbing = (
        "failed to solve: rpc error: code = Unknown desc = failed to solve with frontend dockerfile.v0: "
        "failed to create LLB definition: "
    )
    base = failure(
        context,
        f"""
        ------
         > [api internal] load metadata for registry.invalid/x:1:
        ------
        {plumbing}failed to do request: dial tcp: lookup registry.invalid: no such host
        """,
    )
    assert base.what == (
        "the image of api does not build: "
        "failed to do request: dial tcp: lookup registry.invalid: no such host"
    )
    for parsing in ("dockerfile parse error line 2", "dockerfile parse error on line 2"):
        typo = failure(context, f"{plumbing}{parsing}: unknown instruction: CPY")
        assert typo.where == f"{context}/Dockerfile:2"
        assert typo.what.endswith("does not build: unknown instruction: CPY")


def test_without_a_step_nobody_is_accused(context: Path) -> None:
    """Of two images it may be either."""
    found = failure(context, "failed to solve: out of memory", "api", "worker")
    assert (found.what, found.where) == ("an image does not build: out of memory", None)


def test_a_context_that_an_older_compose_does_not_know_is_named() -> None:
    """It takes `service:base` for a folder, and says neither whose context that is nor what to do."""
    output = BuildOutput()
    output.read(
        "failed to solve: failed to get build context basis: stat service:base: no such file or directory"
    )
    builds = {"base": {"build": {}}, "web": {"build": {"additional_contexts": {"basis": "service:base"}}}}
    failed = output.failure({"services": builds})
    assert "the image of web does not build" in failed.what
    assert "`service:base`" in failed.what
    assert "newer" in str(failed.remedy)


def test_an_image_of_another_platform_is_named() -> None:
    """The engine has it for its own, so that it is not missing; what cannot be pulled is the other one."""
    config = {"services": {"db": {"image": "a"}, "web": {"image": "b", "platform": "linux/arm64"}}}
    error = StackError('Get "https://registry.example.com/v2/": no such host')
    found = missing_image(config, lambda image: "sha256:1", error)
    assert found is not None
    assert found.what.startswith("web: the image b for linux/arm64 cannot be had: Get")
    assert missing_image(config, lambda image: "sha256:1", StackError("port is already allocated")) is None
    config["services"]["db"]["pull_policy"] = "always"
    found = missing_image(config, lambda image: "sha256:1", error)
    assert found is not None
    assert found.what.startswith("db: the image a or web: the image b for linux/arm64 cannot be had: Get")


def test_a_missing_dockerfile_is_told_as_such(tmp_path: Path) -> None:
    """With the path that it should have."""
    found = failure(tmp_path, "failed to solve: failed to read dockerfile: open /var/lib/x: no such file")
    assert found.where == f"{tmp_path}/Dockerfile"
    assert found.what == "the image of api does not build: there is no such Dockerfile"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["Container p.api Starting", "Error response from daemon: no space left"], "no space left"),
        (
            ["Network p Creating", "Network p Error", "failed to create network p: Pool overlaps"],
            "failed to create network p: Pool overlaps",
        ),
        (['time="…" level=fatal msg="a \\"quoted\\" failure"'], 'a "quoted" failure'),
        (
            ["error while interpolating services.api: bad", " Container p.api Removed "],
            "error while interpolating services.api: bad",
        ),
        ([], "it said nothing"),
        (["only this"], "only this"),
    ],
)
def test_the_line_that_is_an_error_is_the_reason(lines: list[str], reason: str) -> None:
    """Without Compose's prefixes; else the last line there was."""
    output = UpOutput()
    for line in lines:
        output.read(line)
    assert output.reason() == reason


@given(st.lists(st.text()))
def test_any_output_has_a_reason_of_one_bounded_line(lines: list[str]) -> None:
    """Whatever was written."""
    output = BuildOutput()
    for line in lines:
        output.read(line)
    assert len(output.reason()) <= 405
    assert output.failure({"services": {}}).what
    assert all(last_words(line) is not None for line in lines)


def test_variables_that_are_not_set_are_read_once_each() -> None:
    """From the warnings of rendering, with and without a log's escaped quotes."""
    text = (
        'time="2024-01-01T00:00:00Z" level=warning msg="The \\"A\\" variable is not set. '
        'Defaulting to a blank string."\n'
        'WARN[0000] The "B" variable is not set. Defaulting to a blank string.\n'
        'level=warning msg="The \\"A\\" variable is not set."\n'
    )
    assert unset_variables(text) == ("A", "B")
