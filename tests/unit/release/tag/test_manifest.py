"""The version in pyproject.toml and uv.lock: read, changed, and read again."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.errors import UsageError
from tasklib.release.tag.manifest import lock_with_version, package_version, with_version

PYPROJECT = """\
[tool.other]
version = "9"

[project]
name = "Shop.Front"  # the name
version = '1.0.0'  # kept in step

[project.urls]
version = "no"
"""


def test_package_version() -> None:
    """Only the package's own version is read and written, everything around it stays."""
    assert package_version(PYPROJECT) == ("Shop.Front", "1.0.0")
    new = with_version(PYPROJECT, "1.1.0rc1")
    assert new == PYPROJECT.replace("'1.0.0'", "'1.1.0rc1'")
    assert tomllib.loads(new)["project"]["version"] == "1.1.0rc1"


def test_the_version_in_poetrys_own_table() -> None:
    """Where [project] has none; where both state one, both are written."""
    poetry = "[tool.poetry]\nname = 'shop'\nversion = '1.0.0'\n[tool.poetry.dependencies]\nversion = '3'\n"
    assert package_version(poetry) == ("shop", "1.0.0")
    assert with_version(poetry, "1.0.1") == poetry.replace("1.0.0", "1.0.1")
    both = f"[project]\nname = 'shop'\nversion = '1.0.0'\n{poetry}"
    assert with_version(both, "1.0.1") == both.replace("1.0.0", "1.0.1")
    dynamic = f"[project]\nname = 'shop'\ndynamic = ['version']\n{poetry}"
    assert with_version(dynamic, "1.0.1") == dynamic.replace("1.0.0", "1.0.1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[project]\nname = 'a'\ndynamic = ['version']\n",
        "[tool.x]\nversion = '1'\n",
        "not toml [",
        "[tool.poetry]\nname = 'a'\nversion = '0.0.0'\n[tool.poetry-dynamic-versioning]\nenable = true\n",
    ],
)
def test_no_package_version(text: str) -> None:
    """Where no version is stated, or one that stands for git's tags, none is read and none written."""
    assert package_version(text) is None
    assert with_version(text, "2") == text


def test_lock() -> None:
    """The lock file's entry of the project itself follows, other packages of that version do not."""
    lock = (
        'version = 1\n\n[[package]]\nname = "other"\nversion = "1.0.0"\nsource = { registry = "x" }\n\n'
        '[[package]]\nname = "shop-front"\nversion = "1.0.0"\nsource = { editable = "." }\n'
    )
    new = lock_with_version(lock, "Shop.Front", "1.1.0")
    versions = [package["version"] for package in tomllib.loads(new)["package"]]
    assert versions == ["1.0.0", "1.1.0"]
    assert new.replace("1.1.0", "1.0.0") == lock


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('project = { name = "a", version = "1.0.0" }\n', 1),
        ('# A\nproject.name = "a"\nproject.version = "1.0.0"\n', 3),
        ('["project"]\nname = "a"\nversion = "1.0.0"\n', 3),
        ('[project]\nname = "a"\ndescription = """\nversion = "0"\n"""\nversion = "1.0.0"\n', 6),
        ('[project]\nname = "a"\nversion = """\\\n1.0.0"""\n', 1),
    ],
    ids=["inline table", "dotted", "quoted table", "a string before it", "over two lines"],
)
def test_a_version_that_cannot_be_changed_is_named(text: str, line: int) -> None:
    """Where TOML reads another version than was written, nothing is, and the error names the line."""
    with pytest.raises(UsageError, match=rf"^new/pyproject.toml:{line}: the version 1.0.0 could not be"):
        with_version(text, "2.0.0", where="new/pyproject.toml")


def test_a_lock_in_another_form_is_named() -> None:
    """An entry that is not written as uv writes it is not half changed."""
    lock = '[[package]]\nname = "a"\nversion = \'1.0.0\'\nsource = { virtual = "." }\n'
    with pytest.raises(UsageError, match=r"uv.lock:3: the version 1.0.0 of a .*\n.*uv lock"):
        lock_with_version(lock, "a", "2.0.0")


@given(st.lists(st.sampled_from(PYPROJECT.splitlines(keepends=True)), max_size=12))
def test_what_is_changed_is_the_version_or_nothing(lines: list[str]) -> None:
    """Whatever stands in the file, the new text says the same but for the version, or there is none."""
    text = "".join(lines)
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assert with_version(text, "2.0.0") == text
        return
    try:
        after = tomllib.loads(with_version(text, "2.0.0"))
    except UsageError:
        return
    stated = package_version(text)
    assert after == ({**before, "project": {**before["project"], "version": "2.0.0"}} if stated else before)
