"""Whether an image has to be built again, told from what it is made from."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tasklib.stacks.engine.values import BaseImage
from tasklib.stacks.images import inputs
from tasklib.stacks.images.inputs import contents_digest, inputs_digest

DOCKERFILE = (
    "ARG PYTHON=python:3.12\nFROM ${PYTHON} AS base\nCOPY setup*.cfg app ./\nCOPY --from=tools /x /x\n"
)
IMAGES = {"python:3.12": BaseImage("sha256:1"), "tools": BaseImage("sha256:2")}

Digest = Callable[..., str | None]


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A build context with a copied folder and file, ignored files, and one that nobody copies."""
    for name, text in {
        "Dockerfile": DOCKERFILE,
        ".dockerignore": "**/*.pyc\n**/cache\n",
        "setup.cfg": "one",
        "app/main.py": "print(1)",
        "app/deep/more.py": "print(2)",
        "app/main.pyc": "compiled",
        "app/cache/data": "cached",
        "README.md": "read me",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "app/link").symlink_to("main.py")
    return tmp_path


@pytest.fixture
def digest(context: Path, monkeypatch: pytest.MonkeyPatch) -> Digest:
    """``digest(...)`` of the context, some time after the last change of its files."""
    later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: later)

    def work(images: Mapping[str, BaseImage] = IMAGES, platform: str = "", **changes: Any) -> str | None:
        build = {"context": str(context), "dockerfile": "Dockerfile", "tags": ["a"], **changes}
        return inputs_digest({"build": build, "platform": platform}, images.get)

    return work


def edited(context: Path, name: str, text: str) -> None:
    """Write ``text`` and take care that nobody sees it by the file's size or time of modification."""
    path = context / name
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def pointed_to(link: Path, target: str) -> None:
    """Make ``link`` lead to ``target`` from now on."""
    link.unlink()
    link.symlink_to(target)


CHANGES: dict[str, Callable[[Path], object]] = {
    "a copied file": lambda context: edited(context, "app/main.py", "print(9)"),
    "a file further down": lambda context: edited(context, "app/deep/more.py", "print(9)"),
    "a file that a pattern names": lambda context: edited(context, "setup.cfg", "two"),
    "another file of that pattern": lambda context: (context / "setup2.cfg").touch(),
    "a new file": lambda context: (context / "app/new.py").touch(),
    "a new folder": lambda context: (context / "app/new").mkdir(),
    "a removed file": lambda context: (context / "app/main.py").unlink(),
    "who may read a file": lambda context: (context / "app/main.py").chmod(0o700),
    "who may enter a folder": lambda context: (context / "app").chmod(0o700),
    "where a link leads": lambda context: pointed_to(context / "app/link", "deep"),
    "the Dockerfile": lambda context: edited(context, "Dockerfile", f"{DOCKERFILE}RUN true\n"),
    "what is ignored": lambda context: edited(context, ".dockerignore", "**/*.pyc\n"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_an_image_takes_makes_another_one(
    context: Path, digest: Digest, change: Callable[[Path], object]
) -> None:
    """Whatever may end up in it counts, if nothing but the time of its change tells."""
    before = digest()
    assert before is not None
    change(context)
    assert digest() not in (None, before)


@pytest.mark.parametrize(
    "change",
    [
        {"args": {"PYTHON": "python:3.13"}},
        {"target": "base"},
        {"labels": {"a": "b"}},
        {"images": {**IMAGES, "python:3.12": BaseImage("sha256:9")}},
        {"images": {**IMAGES, "tools": BaseImage("sha256:9")}},
        {"images": {}},
        {"platform": "linux/arm64"},
    ],
)
def test_how_it_is_built_and_on_what_makes_another_one(digest: Digest, change: dict[str, Any]) -> None:
    """Arguments, the stage, labels, and the images that its names stand for now."""
    assert digest(**change) not in (None, digest())


def test_the_default_platform_makes_another_one(digest: Digest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the service names none."""
    before = digest()
    monkeypatch.setenv("DOCKER_DEFAULT_PLATFORM", "linux/arm64")
    assert digest() not in (None, before)
    assert digest(platform="linux/amd64") != digest()


@pytest.mark.parametrize("exception", ["", "!app/cache-of-ours\n"])
def test_what_it_does_not_take_changes_nothing(context: Path, digest: Digest, exception: str) -> None:
    """Ignored files and folders, files that nobody copies, a folder's own times, and the names it gets."""
    (context / ".dockerignore").write_text(f"**/*.pyc\n**/cache\n{exception}")
    before = digest()
    edited(context, "app/main.pyc", "compiled again")
    (context / "app/other.pyc").touch()
    shutil.rmtree(context / "app/cache")
    (context / "app/deep/cache").mkdir()
    (context / "README.md").write_text("changed")
    assert digest(tags=["b"]) == before is not None


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM base",
        "FROM \\\n  base",
        "ARG OTHER=x B=base\nFROM ${B}",
        "ARG OTHER=x \\\n  B=base\nFROM $B",
        "ARG B\nFROM $B",
        "FROM --platform=linux/amd64 base AS base",
        "FROM a\nFROM base AS a\nFROM a",
        "FROM a\nCOPY --chown=1:1 \\\n --from=base /x /x",
        "FROM a\nRUN --mount=type=cache,target=/c \\\n --mount=type=bind,from=base,target=/b true",
        "FROM a\nRUN --mount=from=a,target=/a --mount=from=base,target=/b true",
    ],
)
def test_every_image_that_a_build_uses_counts(context: Path, digest: Digest, dockerfile: str) -> None:
    """However its name is written: what the name stands for on the engine is part of the image."""
    (context / "Dockerfile").write_text(f"{dockerfile}\nCOPY app /app\n")

    def built_on(base: str) -> str | None:
        return digest({"a": BaseImage("1"), "base": BaseImage(base)}, args={"B": "base"})

    assert built_on("2") not in (None, built_on("3"))


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM a\nADD https://example.com/x /x\n",
        "FROM a\nADD git@example.com:a/b.git /x\n",
        "FROM a\nARG S\nCOPY $S /x\n",
        "ARG V\nFROM python:${V}\n",
        "FROM a\nCOPY missing /x\n",
        "FROM a\nCOPY outside /x\n",
        "FROM a\nCOPY out* /x\n",
        "FROM a\nCOPY ../app /x\n",
        "FROM a\nADD \\\n https://example.com/x /x\n",
        "FROM a\nCOPY app /x\nFROBNICATE\n",
        "FROM a\nCOPY app /x\nRUN cat <<EOF\n",
        "ARG B\nFROM ${B}\nCOPY app /x\n",
        "FROM a\nCOPY --from=$B /x /x\n",
        "FROM not-on-the-engine\n",
        "FROM a\nCOPY **/main.py /x\n",
        "FROM a\nCOPY ma[ix]n.py /x\n",
        "",
    ],
)
def test_what_cannot_be_told_is_built(context: Path, digest: Digest, dockerfile: str) -> None:
    """Downloads, names that are put together, what is not there or lies behind a link."""
    (context / "outside").symlink_to("/")
    (context / "Dockerfile").write_text(dockerfile)
    assert digest() is None


@pytest.mark.parametrize("line", ["[!a]b", ".", "a\\b"])
def test_rules_that_docker_reads_in_its_own_way_are_left_to_it(
    context: Path, digest: Digest, line: str
) -> None:
    """A file that only seems to be ignored would not be seen to change."""
    (context / ".dockerignore").write_text(f"{line}\n")
    assert digest() is None


def test_a_base_image_with_triggers_copies_what_it_likes(digest: Digest) -> None:
    """ONBUILD of the image decides, not the Dockerfile."""
    assert digest({**IMAGES, "python:3.12": BaseImage("sha256:1", triggers=True)}) is None


@pytest.mark.parametrize(
    "change",
    [
        {"context": "https://example.com/a.git"},
        {"dockerfile": "none"},
        {"secrets": [{"source": "key"}]},
        {"additional_contexts": {"more": "../more"}},
        {"no_cache": True},
    ],
)
def test_what_only_the_engine_knows_is_built(digest: Digest, change: dict[str, Any]) -> None:
    """Contexts elsewhere, and keys that name inputs which are no files of the context."""
    assert digest(**change) is None


def test_a_file_that_changes_right_now_is_not_trusted(
    context: Path, digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its next change could have the same time stamp."""
    assert digest() is not None
    changed = (context / "app/main.py").stat().st_ctime
    monkeypatch.setattr(time, "time", lambda: changed + 0.01)
    assert digest() is None


def test_a_context_of_many_files_is_left_to_the_engine(
    context: Path, digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Comparing them takes as long as building."""
    monkeypatch.setattr(inputs, "_MOST", 2)
    assert digest() is None


PULLED = {
    "python:3.12": BaseImage("sha256:1", digests=(f"python@sha256:{'a' * 64}",)),
    "tools": BaseImage("sha256:2"),
}


def everywhere(
    context: Path, images: Mapping[str, BaseImage] = PULLED, *, day: int = 1, here: str = "linux/x86_64"
) -> str | None:
    """What all machines call the image of ``context``."""
    build = {"context": str(context), "dockerfile": "Dockerfile", "tags": [str(context)]}
    return contents_digest({"build": build}, images.get, here, day)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_an_image_takes_makes_another_one_everywhere(
    context: Path, change: Callable[[Path], object]
) -> None:
    """The same changes count for what all machines share."""
    before = everywhere(context)
    assert before is not None
    change(context)
    assert everywhere(context) not in (None, before)


def test_another_checkout_makes_the_same_everywhere(context: Path, tmp_path: Path) -> None:
    """Neither its folder nor the times of its files count, nor the id that one engine gives a base image."""
    other = tmp_path / "another checkout"
    shutil.copytree(context, other, symlinks=True, ignore=shutil.ignore_patterns(other.name))
    os.utime(other / "app/main.py", (1, 1))
    elsewhere = {**PULLED, "python:3.12": BaseImage("sha256:9", digests=PULLED["python:3.12"].digests)}
    assert everywhere(context) == everywhere(other) == everywhere(other, elsewhere) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"day": 2},
        {"here": "linux/aarch64"},
        {"images": {**PULLED, "python:3.12": BaseImage("sha256:1", digests=(f"python@sha256:{'b' * 64}",))}},
        {"images": {**PULLED, "tools": BaseImage("sha256:9")}},
    ],
)
def test_what_else_makes_another_one_everywhere(context: Path, change: dict[str, Any]) -> None:
    """The day, since downloads change; the engine's platform; what registries call base images."""
    assert everywhere(context, **change) not in (None, everywhere(context))


def test_what_is_not_known_is_shared_by_nobody(context: Path) -> None:
    """A base image that is not there may be any; so may be what an engine builds for."""
    assert everywhere(context, {"tools": PULLED["tools"]}) is None
    assert everywhere(context, here="") is None
