"""What a release does, or why there must not be one."""

from __future__ import annotations

import shlex
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from tasklib.errors import UsageError
from tasklib.release.tag.elsewhere import mentions
from tasklib.release.tag.planning import Plan, plan
from tasklib.release.tag.repository import Remote
from tasklib.release.tag.survey import Survey
from tasklib.release.tag.versions import Bump

ROOT = Path("/project")
LOG, PYPROJECT, LOCK = ROOT / "CHANGELOG.md", ROOT / "pyproject.toml", ROOT / "uv.lock"
COMMIT = "c" * 40
FOUND = Survey(
    ROOT,
    "shop",
    COMMIT,
    "main",
    tags={"v1.0.0": "1", "v1.1.0": "2", "other": "3"},
    merged=("v1.0.0", "v1.1.0"),
    remote=Remote("origin", COMMIT, {"v1.0.0": "1", "v1.1.0": "2"}),
    changelog=LOG,
    files={LOG: "## [Unreleased]\n- New.\n\n## [1.1.0]\n- Old.\n"},
)


def planned(
    survey: Survey = FOUND, bump: str | None = None, version: str | None = None, push: bool = False
) -> Plan:
    return plan(
        survey,
        base_branch="main",
        bump=Bump(bump) if bump else None,
        version=version,
        push=push,
        today=date(2024, 3, 3),
    )


def changed(**changes: object) -> Survey:
    return replace(FOUND, **changes)


def with_file(path: Path, text: str, **names: Path) -> Survey:
    return changed(files={**FOUND.files, path: text}, **names)


def test_bump() -> None:
    """The last version is raised, and the unreleased lines become its message and its part."""
    found = planned(bump="minor")
    assert (found.tag, str(found.last), found.commit, found.branch) == ("v1.2.0", "1.1.0", COMMIT, "main")
    assert found.message == "shop 1.2.0\n\n- New."
    assert "## [1.2.0] - 2024-03-03" in found.edits[LOG]


def test_written_section() -> None:
    """A part that is written already is the message, and nothing is edited."""
    survey = with_file(LOG, "## [1.2.0] - 2024-01-01\n- Ready.\n")
    found = planned(survey, version="1.2.0")
    assert (found.message, found.edits) == ("shop 1.2.0\n\n- Ready.", {})
    assert planned(survey).version == found.version


def test_pre_release() -> None:
    """A pre-release tells what is unreleased, which stays so."""
    found = planned(bump="pre")
    assert (found.tag, found.edits, found.message) == ("v1.1.1-rc.1", {}, "shop 1.1.1-rc.1\n\n- New.")


def test_a_last_version_that_python_cannot_spell() -> None:
    """It keeps no project from its next one: nobody writes it into a package."""
    survey = changed(tags={"v1.4.0-nightly.20260101": "1"}, merged=("v1.4.0-nightly.20260101",), remote=None)
    assert planned(survey, version="1.4.0").tag == "v1.4.0"


def test_python_package() -> None:
    """A Python package's version is written in Python's spelling, and its lock file with it."""
    text = '[project]\nname = "shop"\nversion = "1.1.0"\n'
    lock = '[[package]]\nname = "shop"\nversion = "1.1.0"\nsource = { virtual = "." }\n'
    survey = with_file(PYPROJECT, text, pyproject=PYPROJECT)
    survey = replace(survey, lock=LOCK, files={**survey.files, LOCK: lock})
    found = planned(survey, version="1.2.0-rc.1")
    assert found.edits == {
        PYPROJECT: text.replace("1.1.0", "1.2.0rc1"),
        LOCK: lock.replace("1.1.0", "1.2.0rc1"),
    }
    assert planned(with_file(PYPROJECT, text, pyproject=PYPROJECT), version="2.0.0").edits.keys() == {
        PYPROJECT,
        LOG,
    }


def test_python_version_is_there() -> None:
    """A package that states the version already is not edited."""
    text = '[project]\nname = "shop"\nversion = "1.2.0rc1"\n'
    assert planned(with_file(PYPROJECT, text, pyproject=PYPROJECT), version="1.2.0-rc.1").edits == {}


def test_no_changelog() -> None:
    """Without a changelog the tag's message is the version alone."""
    assert planned(changed(changelog=None), bump="patch").message == "shop 1.1.1"


def test_first_version() -> None:
    """Without any tag the first version is raised from nothing."""
    survey = changed(tags={}, merged=(), remote=None)
    assert [planned(survey, bump=bump).tag for bump in ("major", "minor")] == ["v1.0.0", "v0.1.0"]


@pytest.mark.parametrize(
    ("stated", "bump", "tag"),
    [("0.1.0", "minor", "v0.1.0"), ("2.3.0", "minor", "v2.4.0"), ("0.1", "patch", "v0.1.1")],
)
def test_first_version_of_a_project_that_has_one(stated: str, bump: str, tag: str) -> None:
    """Without any tag nothing goes below what pyproject.toml states."""
    survey = with_file(PYPROJECT, f'[project]\nname = "shop"\nversion = "{stated}"\n', pyproject=PYPROJECT)
    assert planned(replace(survey, tags={}, merged=(), remote=None), bump=bump).tag == tag


def test_no_version_below_the_stated_one() -> None:
    """A version that would lower the one in pyproject.toml is refused, whatever the tags say."""
    text = '[project]\nname = "shop"\nversion = "3.0.0"\n'
    with pytest.raises(UsageError, match=r"2\.0\.0 is below 3\.0\.0"):
        planned(with_file(PYPROJECT, text, pyproject=PYPROJECT), version="2.0.0")


def test_release_branch() -> None:
    """A branch of an older version is above what it descends from, not above everything."""
    survey = changed(branch="release/1.0", merged=("v1.0.0",), remote=None)
    assert planned(survey, bump="patch").tag == "v1.0.1"
    assert planned(replace(survey, branch="1.0.x"), version="1.0.5").tag == "v1.0.5"


def test_tag_that_only_the_remote_has() -> None:
    """Someone else's newer tag counts before it was fetched."""
    survey = changed(remote=Remote("origin", COMMIT, {"v1.4.0": "9"}))
    assert planned(survey, bump="minor").tag == "v1.5.0"


@pytest.mark.parametrize(
    ("bump", "version", "tag"),
    [("patch", None, "v1.1.1"), ("pre", None, "v1.1.1-rc.1"), (None, "1.1.1", "v1.1.1")],
)
def test_pre_release_that_is_not_merged(bump: str | None, version: str | None, tag: str) -> None:
    """A pre-release on another branch, here or on the remote alone, holds up no version of this one."""
    theirs = Remote("origin", COMMIT, {"v2.0.0-rc.1": "5", "v3.0.0-beta": "6"})
    survey = changed(tags={**FOUND.tags, "v2.0.0-rc.1": "5"}, remote=theirs)
    assert planned(survey, bump=bump, version=version).tag == tag
    merged = replace(survey, merged=(*FOUND.merged, "v2.0.0-rc.1"))
    assert planned(merged, bump="patch").tag == "v2.0.0"


def test_stable_version_of_another_branch() -> None:
    """What was released from another branch is above what the base branch releases next."""
    assert planned(changed(tags={**FOUND.tags, "v2.0.0": "5"}), bump="patch").tag == "v2.0.1"


def test_shallow_clone() -> None:
    """Where the missing history decides what the last version is, it is asked for; elsewhere not."""
    assert planned(changed(shallow=True), bump="patch").tag == "v1.1.1"
    for survey in (
        changed(shallow=True, tags={**FOUND.tags, "v2.0.0-rc.1": "5"}),
        changed(shallow=True, branch="release/1.1", merged=()),
    ):
        with pytest.raises(UsageError, match="git fetch --unshallow --tags origin"):
            planned(survey, bump="patch")


@pytest.mark.parametrize(
    "tag",
    [
        "1.4.2",
        "v1.4",
        "2024.05.01",
        "2024-05-01",
        "api-v1.4.2",
        "v1.4.2.0",
        "@shop/api@1.4.2",
        "v7",
        "build-42",
    ],
)
def test_tags_of_another_form(tag: str) -> None:
    """A tag that looks like a version and is none of ours is named where no last version is known."""
    survey = changed(tags={tag: "1", "deployed": "2"}, merged=(tag,), remote=None, changelog=None)
    lines = list(planned(survey, bump="minor").lines())
    assert lines[1] == f"  ignores {tag}: not of the form vX.Y.Z; --version continues from there"
    with pytest.raises(UsageError, match=rf"no version.*\n.*none: {tag} "):
        planned(survey)
    assert "  ignores " not in "".join(planned(bump="minor").lines())


@pytest.mark.parametrize(
    ("tag", "is_named"),
    [
        ("1.2.0", True),
        ("1.1", False),
        ("deploy-9.0.0", False),
        ("v1.2.0+build.5", True),
        ("1.2.0rc1", True),
        ("v1.1.0+build.5", False),
        ("1.1.0rc1", False),
    ],
)
def test_a_later_tag_of_another_form(tag: str, is_named: bool) -> None:
    """Where the last version is known, a plain tag above it is named: somebody left out the v."""
    lines = list(planned(changed(tags={**FOUND.tags, tag: "4"}), bump="minor").lines())
    assert (f"ignores {tag}" in lines[1]) is is_named


def test_what_stays_behind() -> None:
    """Other places that state the version before are named, those that a release writes are not."""
    text = '[project]\nname = "shop"\nversion = "1.1.0"\n[tool.bumpversion]\ncurrent_version = "1.1.0"\n'
    found = mentions(
        "src/__init__.py\x003\x00__version__ = '1.1.0'\n"
        'pyproject.toml\x003\x00version = "1.1.0"\npyproject.toml\x005\x00current_version = "1.1.0"\n'
        'package.json\x002\x00"version": "1.1.0"\nweb/package.json\x002\x00"version": "1.1.0-rc.1"\n'
    )
    survey = replace(with_file(PYPROJECT, text, pyproject=PYPROJECT), mentions=found)
    lines = list(planned(survey, bump="minor").lines())
    assert "  leaves src/__init__.py:3, pyproject.toml:5, package.json:2 at the version before" in lines
    assert not planned(replace(survey, mentions=()), bump="minor").behind
    # What states the version that is released stays nowhere.
    first = replace(survey, tags={}, merged=(), remote=None)
    assert not planned(replace(first, changelog=None), version="1.1.0").behind


@pytest.mark.parametrize("body", ["", "### Added\n\n### Fixed\n"])
def test_nothing_is_unreleased(body: str) -> None:
    """Headings alone are no entry."""
    with pytest.raises(UsageError, match="no entry for"):
        planned(with_file(LOG, f"## [Unreleased]\n{body}"), bump="minor")


@pytest.mark.parametrize(
    ("survey", "version", "said"),
    [
        (changed(commit=None), "2.0.0", "no commit"),
        (changed(branch=None), "2.0.0", "detached"),
        (changed(branch=None, left="main"), "2.0.0", "rebase or bisection of main is under way"),
        (changed(branch="feature/a"), "2.0.0", "made on main, not on feature/a"),
        (changed(dirty=("a", "b", "c", "d")), "2.0.0", "dirty: a, b, c and 1 more"),
        (changed(behind=True), "2.0.0", "origin has commits on main that are not here"),
        (changed(gone=True), "2.0.0", "origin has no branch main any more"),
        (FOUND, "1.1.0", "tagged already: origin has v1.1.0"),
        (changed(remote=None), "1.0.0", "tagged already: v1.0.0 exists here"),
        (FOUND, "1.0.5", "1.0.5 is not above 1.1.0"),
        (FOUND, "1.1.0-rc.1", "not above 1.1.0"),
        (FOUND, "1.2", "not a semantic version"),
        (FOUND, None, "no version is given"),
        (
            with_file(LOG, "## [Unreleased]\n\n## [1.1.0]\n- Old.\n"),
            "2.0.0",
            "no entry for 2.0.0",
        ),
    ],
)
def test_refused(survey: Survey, version: str | None, said: str) -> None:
    """Every reason not to release is told, with what to do."""
    with pytest.raises(UsageError, match=said):
        planned(survey, version=version)


def test_commands_can_be_copied_into_a_shell() -> None:
    """Whatever a branch is called: what stands in backquotes is one command, and none of the branch's."""
    branch = "release/$(touch${IFS}x);y"
    with pytest.raises(UsageError) as caught:
        planned(changed(branch=branch, behind=True), version="2.0.0")
    told = str(caught.value).split("`")[1]
    assert shlex.split(told) == ["git", "pull", "--ff-only", "origin", branch]


def test_no_remote_to_push_to() -> None:
    """Pushing takes a remote; tagging does not."""
    survey = changed(remote=None)
    assert planned(survey, bump="major").tag == "v2.0.0"
    with pytest.raises(UsageError, match="no remote"):
        planned(survey, bump="major", push=True)


def test_both_ways_to_name_it() -> None:
    """A version and a bump at once cannot both be meant."""
    with pytest.raises(UsageError, match="Give one"):
        planned(bump="major", version="3.0.0")


def test_lines() -> None:
    """The plan tells version, place, edits, message and push; a long message is cut."""
    lines = list(planned(bump="minor", push=True).lines())
    assert lines[0] == "shop 1.2.0 (last: 1.1.0)"
    assert lines[-1] == "  pushes main and v1.2.0 to origin, both or neither"
    long = with_file(LOG, "## [Unreleased]\n" + "- New.\n" * 100)
    assert len(list(planned(long, bump="minor").lines())) < 30
