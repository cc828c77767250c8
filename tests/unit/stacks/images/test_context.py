"""What an image is made from, as its Dockerfile says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.stacks.dockerfile import copied
from tasklib.stacks.images.context import BuildContext

ROOT = Path("/project")


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("FROM scratch", ()),
        ("FROM a\nCOPY services/api ./api", ("services/api",)),
        ("FROM a\ncopy a b c/", ("a", "b")),
        ("FROM a\nCOPY --chown=app:app --link a b /x", ("a", "b")),
        ("FROM a AS b\nCOPY --from=b a /x", ()),
        ('FROM a\nCOPY ["a b", "c", "/x"]', ("a b", "c")),
        ("FROM a\nCOPY 'a b' /x", ("a b",)),
        ("FROM a\nADD https://example.com/a.tgz git@example.com:a/b.git local.txt /x", ("local.txt",)),
        ("FROM a\nCOPY a \\\n  # a comment\n  b \\\n  /x", ("a", "b")),
        ("# escape=`\nFROM a\nCOPY a `\n b /x", ("a", "b")),
        ("FROM a\nCOPY <<EOF /x\nCOPY not-a-source /y\nEOF\nCOPY b /y", ("b",)),
        ("FROM a\nRUN <<EOF\nCOPY not-a-source /y\nEOF\nCOPY b /y", ("b",)),
        ("FROM a\nCOPY <<'END-X' /x\nCOPY no /y\nEND-X\nCOPY b /y", ("b",)),
        ("FROM a\nCOPY\ta /x\nRUN\t--mount=type=bind,source=b,target=/b true", ("a", "b")),
        ("FROM a\nRUN python -c 'print(1 << 3)'\nCOPY a /x", ("a",)),
        ("FROM a\nRUN echo $((1<<3)) && cat <<< hello && echo 'tool <<file'\nCOPY a /x", ("a",)),
        ("FROM a\nRUN echo a\\\\\nCOPY a /x", ("a",)),
        ("FROM a\nRUN --mount=type=bind,source=uv.lock,target=uv.lock uv sync", ("uv.lock",)),
        ("FROM a\nRUN --mount=type=bind,target=/src make", (".",)),
        ("FROM a\nRUN --mount=type=cache,target=/root/.cache --mount=type=secret,id=x pip install .", ()),
        ("FROM a\nRUN --mount=from=tools,source=/bin/x,target=/x x", ()),
    ],
)
def test_sources(text: str, sources: tuple[str, ...]) -> None:
    """Every way a Dockerfile takes files from its context is read."""
    assert copied(text) == sources


@pytest.mark.parametrize(
    "text",
    [
        "FROM a\nARG S\nCOPY services/$S /x",
        "FROM a\nONBUILD COPY . /x",
        "FROM a\nCOPY 'unfinished /x",
        "FROM a\nRUN <<EOF\nCOPY a /x",
        "FROM a\nRUN true \\",
    ],
)
def test_unsure(text: str) -> None:
    """What cannot be read with certainty may copy anything."""
    assert copied(text) is None


@given(st.text())
def test_any_text(text: str) -> None:
    """No text breaks the reading of a Dockerfile."""
    assert copied(text) is None or all(isinstance(source, str) for source in copied(text) or ())


def context(*sources: str, ignored: tuple[str, ...] = (), unsure: bool = False) -> BuildContext:
    return BuildContext(
        ROOT, ROOT / "services/api/Dockerfile", None if unsure else tuple(sources), tuple(ignored)
    )


@pytest.mark.parametrize(
    ("build", "name", "held"),
    [
        (context("services/api"), "services/api/app.py", True),
        (context("services/api/"), "services/api/app.py", True),
        (context("./services/api"), "services/api/app.py", True),
        (context("/services/api"), "services/api/app.py", True),
        (context("services/api"), "services/apiary/app.py", False),
        (context("services/api"), "lib/services/api/app.py", False),
        (context("services/*/pyproject.toml"), "services/worker/pyproject.toml", True),
        (context("*.toml"), "services/worker/pyproject.toml", False),
        (context("."), "anything/at/all", True),
        (context(unsure=True), "anything/at/all", True),
        (context(), "anything/at/all", False),
        (context(), "services/api/Dockerfile", True),
        (context(), ".dockerignore", True),
        (context(), "services/api/Dockerfile.dockerignore", True),
        (context(".", ignored=("docs", "*.md")), "docs/a/b.txt", False),
        (context(".", ignored=("docs", "*.md")), "README.md", False),
        (context(".", ignored=("docs", "*.md")), "services/api/README.md", True),
        (context(".", ignored=("**/*.md",)), "services/api/README.md", False),
        (context(".", ignored=("*", "!services")), "services/api/app.py", True),
        (context(".", ignored=("*", "!services", "**/tests")), "services/api/tests/a.py", False),
        (context(".", ignored=("# docs", "", "/docs/")), "docs/a.txt", False),
    ],
)
def test_holds(build: BuildContext, name: str, held: bool) -> None:
    """A change counts when it is copied and not ignored, by Docker's own rules for patterns."""
    assert build.holds(ROOT / name) is held


def test_outside() -> None:
    """What lies outside the context is not in the image."""
    assert not context(".").holds(Path("/elsewhere/a"))
