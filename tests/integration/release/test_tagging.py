"""Releases tagged and pushed to a real remote, alone and against others."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from ..projects import Checkout, Ran, command_environment, write
from ..traces import until

LOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- Orders can be cancelled.\n"
FILES = {
    "CHANGELOG.md": LOG,
    "pyproject.toml": '[project]\nname = "shop"\nversion = "0.1.0"\n',
    "tests/unit/test_a.py": "",
    ".gitignore": "__pycache__\n.nox\n",
    "noxfile.py": "from tasklib.sessions import register\n\nregister()\n",
    "tasks.py": "from tasklib.tasks import namespace as ns\n",
}


@pytest.fixture
def remote(tmp_path: Path) -> Checkout:
    """A bare repository."""
    root = tmp_path / "remote.git"
    root.mkdir()
    made = Checkout(root, "main", command_environment(tmp_path / "state"))
    made.git("init", "-q", "--bare", "-b", "main")
    return made


def clone(remote: Checkout, name: str, *options: str) -> Checkout:
    made = Checkout(remote.root.with_name(name), "main", remote.env)
    remote.git("clone", "-q", *options, str(remote.root), str(made.root))
    for key, value in (("user.name", "A"), ("user.email", "a@example.com")):
        made.git("config", key, value)
    return made


@pytest.fixture
def work(remote: Checkout) -> Checkout:
    """A clone on ``main`` with a changelog and a package, pushed, in step with the remote."""
    made = clone(remote, "work")
    made.git("switch", "-q", "-c", "main")
    write(made.root, FILES)
    made.commit()
    made.git("push", "-q", "origin", "main")
    return made


@pytest.fixture
def other(remote: Checkout, work: Checkout) -> Checkout:
    """Somebody else's clone."""
    return clone(remote, "other")


def tag(checkout: Checkout, *options: str) -> Ran:
    return checkout.run("tasklib", "release.tag", "--yes", *options)


def references(checkout: Checkout) -> str:
    """Every branch and tag with its object."""
    return checkout.git("for-each-ref", "refs/heads", "refs/tags")


def head(checkout: Checkout, reference: str = "HEAD") -> str:
    return checkout.git("rev-parse", reference).strip()


def test_push(work: Checkout, remote: Checkout) -> None:
    """Version, changelog, commit, annotated tag and push, in one command; the tree is clean afterwards."""
    ran = tag(work, "--bump", "minor", "--push")
    assert (ran.code, ran.lines[-1]) == (0, f"tagged v0.1.0 at {head(work)[:10]}, pushed to origin")
    assert remote.git("cat-file", "-t", "v0.1.0").strip() == "tag"
    assert remote.git("tag", "-l", "--format=%(contents)", "v0.1.0").rstrip() == (
        "shop 0.1.0\n\n### Added\n\n- Orders can be cancelled."
    )
    assert head(remote, "main") == head(remote, "v0.1.0^{commit}") == head(work)
    assert work.is_clean
    assert "## [0.1.0] - 20" in (work.root / "CHANGELOG.md").read_text()

    write(work.root, {"CHANGELOG.md": LOG})
    work.commit()
    assert tag(work, "--bump", "pre", "--push").code == 0
    assert 'version = "0.1.1rc1"' in remote.git("show", "v0.1.1-rc.1:pyproject.toml")
    assert tag(work, "--version", "1.0.0", "--push").code == 0
    assert 'version = "1.0.0"' in remote.git("show", "v1.0.0:pyproject.toml")
    assert head(remote, "main") == head(work)


def test_without_push(work: Checkout, remote: Checkout) -> None:
    """Without --push the remote stays as it was, and the command that publishes is told and works."""
    before = references(remote)
    ran = tag(work, "--version", "1.0.0")
    assert (ran.code, references(remote)) == (0, before)
    command = ran.lines[-1].split("`")[1]
    assert command == "git push --atomic origin main v1.0.0"
    work.git(*command.split()[1:])
    assert head(remote, "v1.0.0^{commit}") == head(remote, "main")
    again = tag(work, "--version", "1.0.0")
    assert (again.code, "tagged already: origin has v1.0.0" in again.err) == (2, True)


@pytest.mark.parametrize(
    "argv",
    [
        ("tasklib", "release.tag", "--bump", "major", "--dry-run"),
        ("invoke", "release-tag", "--bump", "major", "--dry-run", "--push"),
        ("invoke", "--dry", "release.tag", "--bump", "major", "--push", "--yes"),
        ("nox", "-s", "release-tag", "--", "--bump", "major", "--dry-run"),
    ],
)
def test_dry_run(work: Checkout, remote: Checkout, argv: tuple[str, ...]) -> None:
    """A dry run shows the plan and changes nothing, from every front end."""
    before = references(work), references(remote)
    ran = work.run(*argv)
    assert (ran.code, "shop 1.0.0 (last: none)" in ran.out) == (0, True), ran
    assert "writes pyproject.toml: version 0.1.0 → 1.0.0" in ran.out
    assert (references(work), references(remote)) == before
    assert work.is_clean


def test_nobody_to_ask(work: Checkout) -> None:
    """Off a terminal nothing is done without --yes."""
    before = references(work)
    ran = work.run("tasklib", "release.tag", "--bump", "major")
    assert (ran.code, "--yes" in ran.err, references(work)) == (2, True, before)


def test_refused(work: Checkout, other: Checkout) -> None:
    """A dirty tree, another branch and a remote that is ahead are refused before anything is done."""
    before = references(work)
    (work.root / "new file").touch()
    ran = tag(work, "--bump", "major")
    assert (ran.code, "dirty: new file" in ran.err) == (2, True)
    (work.root / "new file").unlink()
    work.git("switch", "-q", "-c", "feature/a")
    assert "made on main, not on feature/a" in tag(work, "--bump", "major").err
    work.git("switch", "-q", "main")
    work.git("branch", "-q", "-D", "feature/a")
    (other.root / "theirs").touch()
    other.commit()
    other.git("push", "-q")
    assert "origin has commits on main" in tag(work, "--bump", "major").err
    assert references(work) == before


def test_unreachable_remote(work: Checkout, remote: Checkout) -> None:
    """A remote that does not answer is said so, and nothing is tagged."""
    shutil.move(remote.root, remote.root.with_name("gone"))
    ran = tag(work, "--bump", "major", "--push")
    assert (ran.code, "the remote origin does not answer" in ran.err) == (1, True)
    assert work.git("tag") == ""


def hook(checkout: Checkout, name: str, script: str) -> None:
    path = checkout.root / ".git/hooks" / name
    path.write_text(f"#!/bin/sh\nset -e\nunset $(git rev-parse --local-env-vars)\n{script}\n")
    path.chmod(0o755)


def refuse(remote: Checkout, *words: str) -> None:
    """Let the remote take nothing, and say ``words``."""
    path = remote.root / "hooks/pre-receive"
    lines = "".join(f"echo '{line}' >&2\n" for line in words)
    path.write_text(f"#!/bin/sh\n{lines}exit 1\n")
    path.chmod(0o755)


def signing(checkout: Checkout, key: Path, setting: str) -> None:
    """Let git sign what ``setting`` names, with a new ``key``."""
    checkout.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    for name, value in (("gpg.format", "ssh"), ("user.signingKey", str(key)), (setting, "true")):
        checkout.git("config", name, value)


def test_tag_race(work: Checkout, other: Checkout, remote: Checkout) -> None:
    """Somebody pushes the same tag while ours is on its way: theirs stays, nothing of ours is left."""
    other.git("tag", "-a", "-m", "theirs", "v1.0.0")
    hook(work, "pre-push", f"git -C {other.root} push -q origin v1.0.0")
    before = references(work)
    ran = tag(work, "--version", "1.0.0", "--push")
    assert (ran.code, "somebody pushed v1.0.0 first" in ran.err) == (1, True), ran
    assert (references(work), work.is_clean) == (before, True)
    assert head(remote, "v1.0.0") == head(other, "v1.0.0")
    assert head(remote, "main") == head(work)


def test_branch_race(work: Checkout, other: Checkout, remote: Checkout) -> None:
    """Somebody pushes to the branch meanwhile: neither our branch nor our tag gets there or stays here."""
    (other.root / "theirs").touch()
    other.commit()
    hook(work, "pre-push", f"git -C {other.root} push -q origin main")
    before = references(work)
    ran = tag(work, "--version", "1.0.0", "--push")
    assert (ran.code, "somebody pushed to main meanwhile" in ran.err) == (1, True), ran
    assert (references(work), work.is_clean, remote.git("tag")) == (before, True, "")
    assert head(remote, "main") == head(other)


def test_remote_refuses_tags(work: Checkout, remote: Checkout) -> None:
    """A remote whose hook refuses the tag gets no branch either, and its reason is told."""
    refuse(remote, "tags are frozen")
    before = references(work), references(remote)
    ran = tag(work, "--version", "1.0.0", "--push")
    assert (ran.code, "declined): tags are frozen" in ran.err) == (1, True), ran
    assert (references(work), references(remote)) == before


def test_a_hook_of_the_own_refuses_the_push(work: Checkout, remote: Checkout) -> None:
    """Its words are told, whatever they look like."""
    hook(work, "pre-push", "echo 'two tests fail'; exit 1")
    before = references(work), references(remote)
    ran = tag(work, "--version", "1.0.0", "--push")
    assert (ran.code, "two tests fail" in ran.err) == (1, True), ran
    assert (references(work), references(remote)) == before


def test_a_hook_that_rewrites_the_message(work: Checkout, remote: Checkout) -> None:
    """A refused push takes back the commit, whatever a hook has made of its subject."""
    hook(work, "commit-msg", "echo 'chore: ship it' > $1")
    refuse(remote, "not on a Friday")
    before = references(work)
    ran = tag(work, "--version", "1.0.0", "--push")
    assert (ran.code, "not on a Friday" in ran.err) == (1, True), ran
    assert (references(work), work.is_clean) == (before, True)


def test_the_index_is_locked(work: Checkout) -> None:
    """Where git can change nothing, what was written is taken back nevertheless."""
    lock = Path(work.git("rev-parse", "--path-format=absolute", "--git-path", "index.lock").strip())
    lock.touch()
    ran = tag(work, "--version", "1.0.0")
    assert (ran.code, "index.lock" in ran.err) == (1, True), ran
    lock.unlink()
    assert work.is_clean


def test_what_is_left_is_named(work: Checkout) -> None:
    """The plan says which other files state the version, and what is like a changelog and is not read."""
    write(work.root, {"src/shop/__init__.py": '__version__ = "0.1.0"\n', "changes.d/1.md": "New."})
    work.git("rm", "-q", "CHANGELOG.md")
    work.commit()
    ran = tag(work, "--version", "1.0.0", "--dry-run")
    assert "  leaves src/shop/__init__.py:1 at the version before" in ran.lines
    assert any(line.startswith("  leaves changes.d/ as it is") for line in ran.lines)


def test_a_changelog_that_is_a_link(work: Checkout, remote: Checkout) -> None:
    """What is written and committed is the file that it leads to; the link stays."""
    (work.root / "docs").mkdir()
    work.git("mv", "CHANGELOG.md", "docs/changes.md")
    (work.root / "CHANGELOG.md").symlink_to("docs/changes.md")
    work.git("add", "-A")
    work.git("commit", "-qm", "Move it")
    ran = tag(work, "--version", "1.0.0")
    assert ran.code == 0, ran
    assert "## [1.0.0]" in work.git("show", "v1.0.0:docs/changes.md")
    assert (work.root / "CHANGELOG.md").is_symlink()
    assert work.is_clean


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (
            lambda work: hook(work, "pre-commit", "echo 'fatal: commits are checked' >&2; exit 1"),
            "commits are checked",
        ),
        (
            lambda work: (
                work.git("config", "tag.gpgSign", "true"),
                work.git("config", "gpg.program", "false"),
            ),
            "gpg",
        ),
    ],
)
def test_failure_in_the_middle(work: Checkout, break_it: Callable[[Checkout], object], said: str) -> None:
    """A commit that a hook refuses and a tag that cannot be signed leave everything as it was."""
    break_it(work)
    before = references(work)
    ran = tag(work, "--version", "1.0.0", "--push")
    assert (ran.code, said in ran.err, "Traceback" in ran.err) == (1, True, False), ran
    assert (references(work), work.is_clean) == (before, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(work: Checkout, remote: Checkout, tmp_path: Path, number: signal.Signals) -> None:
    """An interrupt in the middle of the push leaves no tag, here or there."""
    marker = tmp_path / "pushing"
    hook(work, "pre-push", f"touch {marker}; exec sleep 60")
    before = references(work), references(remote)
    with work.during("tasklib", "release.tag", "--yes", "--version", "1.0.0", "--push") as running:
        assert until(marker.exists), running.text
        running.process.send_signal(number)
        ran = running.wait()
    assert ran.code == 130, ran
    assert (references(work), references(remote)) == before
    assert work.is_clean


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="signing takes ssh-keygen")
@pytest.mark.parametrize("setting", ["tag.gpgSign", "tag.forceSignAnnotated"])
def test_signed(work: Checkout, tmp_path: Path, setting: str) -> None:
    """Where git is set to sign, the tag is signed; one that cannot be is not made."""
    signing(work, tmp_path / "key", setting)
    work.git("config", "user.signingKey", str(tmp_path / "no key"))
    before = references(work)
    ran = tag(work, "--version", "1.0.0")
    assert (ran.code, "no key" in ran.err, references(work), work.is_clean) == (1, True, before, True), ran
    work.git("config", "user.signingKey", str(tmp_path / "key"))
    assert tag(work, "--version", "1.0.0").code == 0
    assert "BEGIN SSH SIGNATURE" in work.git("cat-file", "tag", "v1.0.0")


def test_maintenance(work: Checkout, remote: Checkout) -> None:
    """An older version gets its patch on a branch of its own after newer ones were released."""
    for version in ("1.0.0", "2.0.0"):
        assert tag(work, "--version", version, "--push").code == 0
        write(work.root, {"CHANGELOG.md": LOG})
        work.commit()
    work.git("push", "-q", "origin", "main")
    assert "1.0.1 is not above 2.0.0" in tag(work, "--version", "1.0.1").err
    work.git("switch", "-q", "-c", "release/1.0", "v1.0.0")
    write(work.root, {"CHANGELOG.md": LOG})
    work.commit()
    assert tag(work, "--bump", "patch", "--push").code == 0
    assert head(remote, "v1.0.1^{commit}") == head(remote, "release/1.0") == head(work)


def test_pre_release_on_another_branch(work: Checkout, remote: Checkout) -> None:
    """A pre-release of a branch that is not merged holds up no patch of the base branch."""
    assert tag(work, "--version", "1.0.0", "--push").code == 0
    work.git("switch", "-q", "-c", "next")
    (work.root / "next").touch()
    work.commit()
    work.git("tag", "-a", "-m", "soon", "v2.0.0-rc.1")
    work.git("push", "-q", "origin", "next", "v2.0.0-rc.1")
    work.git("switch", "-q", "main")
    write(work.root, {"CHANGELOG.md": LOG})
    work.commit()
    ran = tag(work, "--bump", "patch", "--push")
    assert ran.code == 0, ran
    assert head(remote, "v1.0.1^{commit}") == head(work)


@pytest.mark.parametrize("branch", ["main", "release/1.0"])
def test_clone_without_tags(work: Checkout, remote: Checkout, branch: str) -> None:
    """A clone without tags goes on from those that the remote has."""
    assert tag(work, "--version", "1.0.0", "--push").code == 0
    work.git("push", "-q", "origin", "main:release/1.0")
    without = clone(remote, "without", "--no-tags", "--branch", branch)
    assert without.git("tag") == ""
    write(without.root, {"CHANGELOG.md": LOG})
    without.commit()
    assert "shop 1.0.1 (last: 1.0.0)" in tag(without, "--bump", "patch", "--dry-run").out


def test_a_tag_called_like_the_branch(work: Checkout, remote: Checkout) -> None:
    """A tag that is called like the branch is not taken for it."""
    work.git("tag", "main")
    ran = tag(work, "--version", "1.0.0", "--push")
    assert (ran.code, head(remote, "refs/heads/main")) == (0, head(work, "v1.0.0^{commit}")), ran


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="signing takes ssh-keygen")
def test_signatures_shown(work: Checkout, remote: Checkout, tmp_path: Path) -> None:
    """Where git shows signatures, a refused push still takes the commit back."""
    signing(work, tmp_path / "key", "commit.gpgSign")
    work.git("config", "log.showSignature", "true")
    refuse(remote, "tags are frozen")
    before = references(work)
    assert tag(work, "--version", "1.0.0", "--push").code == 1
    assert (references(work), work.is_clean) == (before, True)
