"""Versions: read, raised, and spelled as tags and as Python packages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version as PythonVersion
from semver import Version

from tasklib.errors import UsageError
from tasklib.release.tag.versions import (
    Bump,
    is_stable,
    next_version,
    parse,
    pep440,
    tag_name,
    tagged_version,
)

NUMBERS = st.integers(0, 50)
PRE = st.none() | st.builds("{}.{}".format, st.sampled_from(["alpha", "beta", "rc", "dev"]), NUMBERS)
VERSIONS = st.builds(Version, NUMBERS, NUMBERS, NUMBERS, PRE)


@pytest.mark.parametrize(
    ("last", "bump", "following"),
    [
        (None, "major", "1.0.0"),
        (None, "minor", "0.1.0"),
        (None, "pre", "0.0.1-rc.1"),
        ("1.2.3", "major", "2.0.0"),
        ("1.2.3", "minor", "1.3.0"),
        ("1.2.3", "patch", "1.2.4"),
        ("1.2.3", "pre", "1.2.4-rc.1"),
        ("1.3.0-rc.1", "pre", "1.3.0-rc.2"),
        ("1.3.0-rc.9", "pre", "1.3.0-rc.10"),
        ("1.3.0-rc1", "pre", "1.3.0-rc2"),
        ("1.3.0-beta", "pre", "1.3.0-beta.1"),
        ("1.3.0-rc.1", "patch", "1.3.0"),
        ("1.3.0-rc.1", "minor", "1.3.0"),
        ("1.3.0-rc.1", "major", "2.0.0"),
        ("2.0.0-rc.1", "major", "2.0.0"),
    ],
)
def test_next(last: str | None, bump: str, following: str) -> None:
    """Each kind of bump, after a release, a pre-release and nothing at all."""
    assert str(next_version(parse(last) if last else None, Bump(bump))) == following


@given(VERSIONS, st.sampled_from(Bump))
def test_next_is_above(last: Version, bump: Bump) -> None:
    """A raised version is above the one before, and only `pre` makes a pre-release."""
    found = next_version(last, bump)
    assert found > last
    assert is_stable(found) is (bump is not Bump.PRE)


@given(VERSIONS)
def test_tag(version: Version) -> None:
    """A version's tag names that version again."""
    assert tagged_version(tag_name(version)) == version
    assert parse(tag_name(version)) == parse(str(version)) == version


@given(VERSIONS, VERSIONS)
def test_python_spelling_keeps_the_order(one: Version, other: Version) -> None:
    """What is above for semantic versions is above for Python, for pre-releases of one kind."""
    words = {str(v.prerelease).partition(".")[0] for v in (one, other) if v.prerelease}
    if len(words) < 2:
        assert (one < other) == (PythonVersion(pep440(one)) < PythonVersion(pep440(other)))


@pytest.mark.parametrize(
    ("version", "spelled"),
    [
        ("1.2.0", "1.2.0"),
        ("1.2.0-rc.1", "1.2.0rc1"),
        ("1.2.0-beta", "1.2.0b0"),
        ("1.2.0-alpha2", "1.2.0a2"),
        ("1.2.0-dev.3", "1.2.0.dev3"),
    ],
)
def test_python_spelling(version: str, spelled: str) -> None:
    """Python's spelling of each kind of pre-release, in its normal form."""
    assert pep440(parse(version)) == spelled == str(PythonVersion(spelled))


@pytest.mark.parametrize("version", ["1.2.0-nightly.1", "1.2.0-rc.1.2", "1.2.0-1"])
def test_no_python_spelling(version: str) -> None:
    """What Python cannot spell is refused with something that it can."""
    with pytest.raises(UsageError, match=r"1\.2\.0-rc\.1\."):
        pep440(parse(version))


@pytest.mark.parametrize(
    "text", ["", "1.2", "1.2.0rc1", "1.2.0+x", "latest", "v", "01.2.3", "1.2.3-01", f"1.2.3-{'a' * 123}"]
)
def test_no_version(text: str) -> None:
    """What is no semantic version, or cannot be an image's tag, is refused."""
    with pytest.raises(UsageError):
        parse(text)


@pytest.mark.parametrize(("text", "plain"), [("2026.05.01", "2026.5.1"), ("v01.2.3-rc.01", "1.2.3-rc.1")])
def test_leading_zeros(text: str, plain: str) -> None:
    """Of a calendar's versions: how they are written is told."""
    with pytest.raises(UsageError, match=rf"leading zeros: {plain}\."):
        parse(text)


@pytest.mark.parametrize("tag", ["1.2.0", "v1.2", "version", "vv1.2.0", "v1.2.0+x", "release-1.2.0"])
def test_other_tags(tag: str) -> None:
    """Tags of another form are nobody's version."""
    assert tagged_version(tag) is None
