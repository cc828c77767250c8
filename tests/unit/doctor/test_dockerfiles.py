"""What is found in Dockerfiles, as the builder reads them, and where."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tasklib.doctor.examination import chosen, examine
from tasklib.doctor.rules import RULES


def found(root: Path, code: str, dockerfile: str) -> list[tuple[int, int, str]]:
    """Line, column and message of what ``code`` says of a project with this Dockerfile."""
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / "Dockerfile").write_text(dockerfile)
    return [(finding.line, finding.column, finding.message) for finding in examine(root, [RULES[code]])]


EARLY = "stands before what line"


@pytest.mark.parametrize(
    ("dockerfile", "place"),
    [
        ("FROM python:3.13\nCOPY . /app\nRUN pip install -r requirements.txt\n", (2, 1)),
        (
            "FROM python:3.13\n  COPY \\\n    --chown=1:1 \\\n    ./ /app\nRUN cd /app && \\\n  uv sync\n",
            (2, 3),
        ),
        ('FROM node:24\nCOPY [".", "/app"]\nRUN npm ci\n', (2, 1)),
        ("FROM node:24\nCOPY package.json . /app/\nRUN npm ci\n", (2, 1)),
        ("# escape=`\nFROM a:1\nCOPY . C:`\n  app\nRUN pip install x\n", (3, 1)),
    ],
    ids=["plain", "continued", "JSON", "among others", "another escape"],
)
def test_everything_copied_before_the_installation(
    tmp_path: Path, dockerfile: str, place: tuple[int, int]
) -> None:
    """However the line is written, it is named where it begins."""
    [(line, column, message)] = found(tmp_path, "TL402", dockerfile)
    assert (line, column) == place
    assert EARLY in message


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM python:3.13\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n",
        "FROM a:1 AS build\nCOPY . .\nFROM b:1\nRUN pip install x\n",
        "FROM a:1 AS build\nFROM b:1\nCOPY --from=build . .\nRUN pip install x\n",
        "FROM a:1\nRUN <<END\nCOPY . .\nEND\nRUN pip install x\n",
        "FROM a:1\n# COPY . .\nRUN pip install x\n",
        "FROM a:1\nCOPY . .\nRUN echo done\n",
    ],
    ids=["after it", "another stage", "from a stage", "here-document", "comment", "nothing installed"],
)
def test_what_does_not_invalidate_the_installation(tmp_path: Path, dockerfile: str) -> None:
    """Only what is copied from the context, in the same stage and before it, does."""
    assert found(tmp_path, "TL402", dockerfile) == []


def test_an_image_without_a_version_is_named_where_it_stands(tmp_path: Path) -> None:
    """In FROM, in COPY --from and by the default of an argument; not in comments, and each image once."""
    dockerfile = (
        "# python, of course\n"
        "ARG BASE=python\n"
        "FROM ${BASE} AS build\n"
        "FROM node:24\n"
        "COPY --from=build /x /x\n"
        "COPY --from=busybox:latest /bin/sh /sh\n"
        "FROM python\n"
    )
    assert [
        (line, column, message.split()[4]) for line, column, message in found(tmp_path, "TL401", dockerfile)
    ] == [
        (3, 6, "python,"),
        (6, 13, "busybox:latest,"),
    ]


@pytest.mark.parametrize(
    ("dockerfile", "found"),
    [
        ("COPY . .\nRUN pip install -r requirements.txt\n", True),
        ("COPY . .\nRUN go build ./...\n", True),
        (
            "COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\nRUN pip install .\n",
            False,
        ),
        ("COPY go.mod go.sum ./\nRUN go mod download\nCOPY . .\nRUN go build ./...\n", False),
        ("COPY . .\nRUN --mount=type=cache,target=/root/.cache pip install .\n", False),
        ("COPY . .\nRUN npm run build\n", False),
    ],
)
def test_what_is_installed_again_with_every_change(dockerfile: str, found: bool, tmp_path: Path) -> None:
    """Not what was installed before everything is copied, nor what the builder keeps in a cache."""
    (tmp_path / "Dockerfile").write_text(f"FROM python:3.12\n{dockerfile}")
    assert ("TL402" in {one.code for one in examine(tmp_path, chosen([], []))}) is found


def test_an_image_that_files_are_copied_from_is_called_so(tmp_path: Path) -> None:
    """The image does not start from it."""
    (tmp_path / "Dockerfile").write_text("FROM python:3.12\nCOPY --from=shop/tools /bin/tool /bin/\n")
    (finding,) = examine(tmp_path, chosen(["TL401"], []))
    assert finding.message == "files are taken from shop/tools, whichever version that is today"
