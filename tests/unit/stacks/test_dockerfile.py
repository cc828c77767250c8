"""Dockerfiles are read as the engine's builder reads them, and renamed word by word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.stacks.dockerfile import (
    ImageName,
    bases,
    copied,
    final_base,
    image_names,
    instructions,
    rename_bases,
    volumes_in,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM \\\n  python:3.11-slim\n", ["python:3.11-slim"]),
        ("FROM py\\\nthon\n", ["python"]),
        ("from\t--platform=$BUILDPLATFORM golang:1 as build", ["golang:1"]),
        ("# escape=`\nFROM `\n a\nRUN dir C:\\\nFROM b", ["a", "b"]),
        ("# syntax=docker/dockerfile:1\n# escape=`\nFROM `\n a", ["a"]),
        # A directive after a comment is a comment.
        ("# hello\n# escape=`\nFROM \\\n a", ["a"]),
        ("FROM \\\n# a comment\n\n  a", ["a"]),
        ("FROM a\r\nCOPY --from=b x y\r\n", ["a", "b"]),
        ("\ufeffFROM a", ["a"]),
        ('FROM "a"', ["a"]),
        ("FROM a # no comment", ["a"]),
        ("ARG V=3\nFROM python:${V}-slim", ["python:3-slim"]),
        ("ARG V\nFROM python:${V:-3}${X:+no}", ["python:3"]),
        ("ARG R=r.example\nARG I=$R/app\nFROM $I", ["r.example/app"]),
        ("ARG V\nFROM python:$V", []),
        ("ARG R\nFROM ${R}app:${V-3}$UNDECLARED", ["app:3"]),
        ("FROM $BUILDARCH/app\nFROM app-${TARGETARCH:-x}\nFROM ${HTTP_PROXY}x", []),
        ("FROM a AS b\nFROM b\nCOPY --from=B x y\nCOPY --from=0 x y", ["a"]),
        ("FROM a AS a", ["a"]),
        ("FROM x\nRUN --mount=type=cache,target=/c --mount=from=b,target=/b true", ["x", "b"]),
        ("FROM x\nRUN echo --mount=from=b", ["x"]),
        ("FROM x\nONBUILD COPY --from=b y z", ["x", "b"]),
        ("FROM x\nRUN <<EOF\nFROM y\nCOPY --from=z a b\nEOF\nCOPY --from=b c d", ["x", "b"]),
        (
            "FROM x\nRUN cat <<-'EOF' > /f && cat <<X\n\tFROM y\n\tEOF\nFROM z\nX\nCOPY --from=b c d",
            ["x", "b"],
        ),
        ("FROM x\nONBUILD RUN <<EOF\nFROM y\nEOF\n", ["x"]),
        ('FROM x\nRUN echo "a <<EOF b"\nCOPY --from=b c d', ["x", "b"]),
        ("FROM x\nCMD <<EOF\nCOPY --from=b c d", ["x", "b"]),
        ("", []),
    ],
)
def test_images(text: str, expected: list[str]) -> None:
    """Every place that names an image is found, with its variables filled in; nothing else is."""
    assert list(bases(text)) == expected


def test_arguments_of_the_build_come_before_defaults() -> None:
    """Where an ARG ahead of the stages declares them; one within a stage comes too late for FROM."""
    text = "ARG TAG=dev\nFROM a:$TAG\nARG OTHER=x\nFROM b:$OTHER"
    assert bases(text, {"TAG": "1", "OTHER": "2"}) == ("a:1",)


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("FROM a\nFROM b", None, "b"),
        ("FROM a AS x\nFROM x AS y\nFROM y", None, "a"),
        ("FROM a AS x\nFROM b", "X", "a"),
        ("FROM a\nFROM b", "0", "a"),
        ("FROM a", "missing", None),
        ("ARG V\nFROM a:$V", None, None),
        ("RUN true", None, None),
    ],
)
def test_the_last_stage_stands_on(text: str, target: str | None, expected: str | None) -> None:
    """Through the file's own stages, or the stage that the build is for."""
    assert final_base(text, target=target) == expected


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("FROM a\nVOLUME /a\nFROM b\nVOLUME /b /c", None, ("/b", "/c")),
        ("FROM a\nVOLUME /a\nFROM b\nVOLUME /b /c", "0", ("/a",)),
        ('FROM a AS x\nVOLUME /a\nFROM x\nVOLUME ["/b c", "/d"]', None, ("/a", "/b c", "/d")),
        ("FROM a\nVOLUME \\\n  /a\nRUN <<EOF\nVOLUME /b\nEOF", None, ("/a",)),
        ("FROM a\nVOLUME $HOME /a relative", None, ("/a",)),
    ],
)
def test_volumes(text: str, target: str | None, expected: tuple[str, ...]) -> None:
    """Of the stage and of the stages that it stands on."""
    assert volumes_in(text, target) == expected


def test_only_the_words_that_name_an_image_are_renamed() -> None:
    """Text in here-documents, comments, stages and blanks stay as they are written."""
    text = (
        "# FROM base\nARG B=base\nFROM \\\n   base   AS base-1 # base\n"
        "RUN --mount=type=bind,from=base,target=/base <<EOF\nFROM base\nEOF\nCOPY\t--from=base base base\n"
        "FROM ${B}\r\n"
    )
    assert rename_bases(text, {"base": "new:1"}) == (
        "# FROM base\nARG B=base\nFROM \\\n   new:1   AS base-1 # base\n"
        "RUN --mount=type=bind,from=new:1,target=/base <<EOF\nFROM base\nEOF\nCOPY\t--from=new:1 base base\n"
        "FROM new:1\r\n"
    )


_LINES = st.sampled_from(
    [
        "# escape=`",
        "# a comment",
        "ARG A=one",
        "ARG B=$A",
        "FROM one",
        "FROM $A AS stage",
        "FROM stage",
        "FROM \\",
        "FROM `",
        "  two AS three",
        "COPY --from=one \\",
        "COPY --from=two a b",
        "RUN --mount=from=one,target=/x true",
        "RUN cat <<EOF",
        "RUN <<-'END'",
        "EOF",
        "\tEND",
        "VOLUME /one",
        "ONBUILD COPY --from=one a b",
        'RUN "one',
        "",
    ]
)
texts = st.one_of(
    st.lists(_LINES, max_size=12).map("\n".join),
    st.text(alphabet="FROMARGCPYas -=/:.$\n\r\t\"'{}\\`<#,one", max_size=200),
)


@given(texts)
def test_renaming_changes_only_the_image_words(text: str) -> None:
    """What is between them is the same, and reading the result finds the new names in the old places."""
    new = {"one": "r.example/new:1", "two": "other"}
    before = image_names(text)
    renamed = rename_bases(text, new)
    after = image_names(renamed)
    assert [found.image for found in after] == [new.get(found.image or "", found.image) for found in before]
    assert _between(renamed, after) == _between(text, before)


def _between(text: str, names: tuple[ImageName, ...]) -> list[str]:
    """The text without the ranges of the names."""
    parts, at = [], 0
    for found in sorted(names, key=lambda found: found.start):
        parts.append(text[at : found.start])
        at = found.end
    return [*parts, text[at:]]


@given(texts)
def test_all_questions_are_answered_by_one_reading(text: str) -> None:
    """Each character of an instruction stands where it says, and the base of the last stage is one of all."""
    for found in instructions(text):
        assert "".join(text[place] for place in found.places) == found.rest
        assert all(text[word.start] == word.text[0] for word in found.words)
    copied(text), volumes_in(text)
    base = final_base(text)
    assert base is None or base in bases(text)


@given(texts)
def test_without_new_names_nothing_changes(text: str) -> None:
    """Whatever the text is."""
    assert rename_bases(text, {}) == text
