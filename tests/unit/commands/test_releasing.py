"""Releases as they are typed: real repositories, and stand-ins for Docker's command and for a registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklib.release.images.registry import Published, Registry

from ..conftest import Git
from .conftest import Type

LOG = "# Changelog\n\n## [Unreleased]\n\n- Orders can be cancelled.\n"


@pytest.fixture
def released(shop: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shop with a changelog, a version, and a remote that has all of it; returns the remote."""
    for name, value in (("user.name", "A"), ("user.email", "a@example.com")):
        git(shop, "config", name, value)
    pyproject = shop / "pyproject.toml"
    pyproject.write_text('[project]\nname = "shop"\nversion = "1.1.0"\n\n' + pyproject.read_text())
    (shop / "CHANGELOG.md").write_text(LOG)
    git(shop, "add", ".")
    git(shop, "commit", "-q", "-m", "ready")
    git(shop, "tag", "-a", "-m", "old", "v1.1.0", "HEAD^")
    remote = tmp_path / "remote"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(remote))
    git(shop, "remote", "add", "origin", str(remote))
    git(shop, "push", "-q", "-u", "origin", "main", "v1.1.0")
    return remote


def tags(git: Git, folder: Path) -> list[str]:
    return git(folder, "tag", "-l").split()


def test_a_release_is_shown_before_anything_is_done(
    released: Path, shop: Path, typed: Type, git: Git
) -> None:
    """The plan names the version, the files, the tag's message; a dry run leaves all as it was."""
    ran = typed("release.tag --bump minor --push --dry-run")
    assert (ran.code, tags(git, shop)) == (0, ["v1.1.0"])
    assert ran.lines[0] == "shop 1.2.0 (last: 1.1.0)"
    assert "  writes pyproject.toml: version 1.1.0 → 1.2.0" in ran.lines
    assert "    - Orders can be cancelled." in ran.lines
    assert git(shop, "status", "--porcelain") == ""


def test_a_release_is_committed_tagged_and_pushed(released: Path, shop: Path, typed: Type, git: Git) -> None:
    """Both the branch and the tag are on the remote; the files state the version, which is read back."""
    ran = typed("release.tag --bump minor --push --yes")
    assert ran.code == 0, ran.err
    assert ran.lines[-1].startswith("tagged v1.2.0 at ")
    assert ran.lines[-1].endswith("pushed to origin")
    assert tags(git, released) == ["v1.1.0", "v1.2.0"]
    assert git(released, "rev-parse", "main") == git(shop, "rev-parse", "v1.2.0^{commit}")
    assert 'version = "1.2.0"' in (shop / "pyproject.toml").read_text()
    assert "## [1.2.0] - " in (shop / "CHANGELOG.md").read_text()
    again = typed("release.tag --version 1.2.0 --yes")
    assert (again.code, "tagged already" in again.err) == (2, True)


@pytest.mark.parametrize("name", ["changelog.md", "NEWS.md", "docs/CHANGELOG.md", "docs/changelog.md"])
def test_a_changelog_by_another_name(released: Path, shop: Path, typed: Type, git: Git, name: str) -> None:
    """In capitals or not, or among the documentation."""
    (shop / "docs").mkdir()
    git(shop, "mv", "CHANGELOG.md", name)
    git(shop, "commit", "-q", "-m", "moved")
    git(shop, "push", "-q")
    ran = typed("release.tag --bump minor --dry-run")
    assert ran.code == 0, ran.err
    assert f"  writes {name}: what is unreleased becomes 1.2.0" in ran.lines


def test_a_push_that_is_refused_leaves_nothing(released: Path, shop: Path, typed: Type, git: Git) -> None:
    """No tag, no commit, no edit stays; the remote's own reason is told."""
    hook = released / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho no releases on Fridays >&2\nexit 1\n")
    hook.chmod(0o755)
    before = git(shop, "rev-parse", "HEAD")
    ran = typed("release.tag --bump minor --push --yes")
    assert ran.code == 1
    assert "origin did not take main and v1.2.0" in ran.err
    assert tags(git, shop) == ["v1.1.0"]
    assert git(shop, "rev-parse", "HEAD") == before
    assert git(shop, "status", "--porcelain") == ""


def test_a_commit_that_a_hook_refuses_leaves_nothing(
    released: Path, shop: Path, typed: Type, git: Git
) -> None:
    """The files are as they were."""
    hook = shop / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho error: not like this >&2\nexit 1\n")
    hook.chmod(0o755)
    ran = typed("release.tag --bump minor --yes")
    assert (ran.code, "not like this" in ran.err) == (1, True)
    assert tags(git, shop) == ["v1.1.0"]
    assert git(shop, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("dirty", "the tree is dirty"),
        ("branch", "releases are made on main"),
        ("behind", "that are not here"),
    ],
)
def test_what_forbids_a_release(
    released: Path, shop: Path, typed: Type, git: Git, change: str, said: str
) -> None:
    """What is not committed, another branch, and commits of the remote that are not here."""
    match change:
        case "dirty":
            (shop / "new").touch()
        case "branch":
            git(shop, "switch", "-q", "-c", "feature")
        case _:
            git(shop, "commit", "-q", "--allow-empty", "-m", "elsewhere")
            git(shop, "push", "-q")
            git(shop, "reset", "-q", "--hard", "HEAD^")
    ran = typed("release.tag --bump minor --yes")
    assert (ran.code, said in ran.err) == (2, True)
    assert tags(git, shop) == ["v1.1.0"]


DIGEST = f"sha256:{7:064d}"
DOCKER = f"""\
#!/bin/sh
# What is asked of it goes into a log; what is fed to a build, too.
echo "$@" >> "$0.log"
case "$1 $2" in
  "buildx bake") cat > "$0.bake" ;;
  "buildx inspect") [ -e "$0.builder" ] && cat "$0.builder" ;;
  "info --format") [ -e "$0.store" ] && cat "$0.store" ;;
  "push --") [ -e "$0.refuses" ] && {{ echo "denied: no right to push" >&2; exit 1; }}
    echo "1.0.0: digest: {DIGEST} size: 1" ;;
esac
exit 0
"""


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for Docker's command, first on the path; beside it is what it was asked."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/local/bin:/usr/bin:/bin")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "no-logins"))
    return program


@pytest.fixture
def named(shop: Path, git: Git) -> Path:
    """The shop, whose images have names in a registry that nobody can reach, tagged as a release."""
    with (shop / "pyproject.toml").open("a") as file:
        file.write('\n[tool.tasklib.images]\nname = "127.0.0.1:1/shop-{service}"\n')
    git(shop, "commit", "-q", "-a", "-m", "images")
    git(shop, "tag", "v1.0.0")
    return shop


def asked(docker: Path) -> list[str]:
    log = docker.with_name("docker.log")
    return log.read_text().splitlines() if log.exists() else []


def test_images_are_named_by_the_tag_and_built_together(named: Path, docker: Path, typed: Type) -> None:
    """All services in one build, nothing is pushed; a dry run only tells their names."""
    told = typed("release.images --no-push --dry")
    assert told.lines == ["would build 127.0.0.1:1/shop-api:1.0.0", "would build 127.0.0.1:1/shop-web:1.0.0"]
    assert asked(docker) == []
    ran = typed("release.images --no-push")
    assert ran.code == 0, ran.err
    assert [line for line in asked(docker) if not line.startswith("buildx bake")] == []
    assert "127.0.0.1:1/shop-web:1.0.0" in docker.with_name("docker.bake").read_text()


def test_every_version_is_pushed_before_latest(named: Path, docker: Path, typed: Type) -> None:
    """A registry that does not answer is told of, and git's tags decide what the latest version is."""
    ran = typed("release.images")
    assert ran.code == 0, ran.err
    pushed = [line.split()[-1].rpartition(":")[2] for line in asked(docker) if line.startswith("push")]
    assert pushed == ["1.0.0", "1.0.0", "latest", "latest"]
    assert f"shop-api:1.0.0@{DIGEST} (latest)" in ran.out
    assert "is pushed without checking whether it is there already" in ran.err


def test_latest_stays_where_nobody_knows_the_versions(
    named: Path, docker: Path, typed: Type, git: Git
) -> None:
    """A registry that does not answer, and a shallow clone: another version may be above this one."""
    (named / ".git/shallow").write_text(git(named, "rev-parse", "HEAD"))
    ran = typed("release.images")
    assert ran.code == 0, ran.err
    assert not [line for line in asked(docker) if "latest" in line]
    assert "a shallow clone has not all tags: 127.0.0.1:1/shop-api:latest stays as it is" in ran.err


def test_what_could_not_be_pushed_is_named(named: Path, docker: Path, typed: Type) -> None:
    """With the registry's reason, and what to do about it; nothing becomes the latest."""
    docker.with_name("docker.refuses").touch()
    ran = typed("release.images")
    assert ran.code == 1
    assert "not pushed: 127.0.0.1:1/shop-api:1.0.0 (denied: no right to push)" in ran.err
    assert "`docker login 127.0.0.1:1` as one who may. The same command again completes it." in ran.err
    assert not [line for line in asked(docker) if "latest" in line]


IN_A_CONTAINER = "Name:   release\nDriver: docker-container\n\nNodes:\nName: release0\n"
OF_THE_ENGINE = "Name:   default\nDriver: docker\n\nNodes:\nName: default\n"
CONTAINERD = '[["driver-type","io.containerd.snapshotter.v1"]]'
MINIMAL = "--set *.attest=type=provenance,mode=min --set *.attest=type=sbom"


def test_an_engine_with_containerds_store_attests_and_pushes(named: Path, docker: Path, typed: Type) -> None:
    """What the images are made from goes with them, without the arguments of their builds."""
    docker.with_name("docker.builder").write_text(OF_THE_ENGINE)
    docker.with_name("docker.store").write_text(CONTAINERD)
    ran = typed("release.images")
    assert ran.code == 0, ran.err
    [bake] = [line for line in asked(docker) if line.startswith("buildx bake")]
    assert bake == f"buildx bake --progress plain --load {MINIMAL} --file -"
    assert len([line for line in asked(docker) if line.startswith("push")]) == 4
    assert "provenance" not in ran.err


def test_a_builder_in_a_container_attests_and_pushes(
    named: Path, docker: Path, typed: Type, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are built before the first is pushed; the registry gives the second name."""
    docker.with_name("docker.builder").write_text(IN_A_CONTAINER)
    settings = named / "pyproject.toml"
    told = settings.read_text().replace("127.0.0.1:1/", "registry.invalid/")
    settings.write_text(f'{told}attestations = ["provenance,mode=max"]\n')
    git(named, "commit", "-q", "-a", "-m", "settings")
    git(named, "tag", "--force", "v1.0.0")

    def published(registry: Registry, tag: str) -> Published | None:
        return Published(DIGEST) if any("--push" in line for line in asked(docker)) else None

    monkeypatch.setattr(Registry, "published", published)
    monkeypatch.setattr(Registry, "check_push", lambda registry: None)
    monkeypatch.setattr(Registry, "tags", lambda registry: ())
    ran = typed("release.images --version 1.0.0")
    assert ran.code == 0, ran.err
    bakes = [line for line in asked(docker) if line.startswith("buildx bake")]
    attest = "--set *.attest=type=provenance,mode=max --file -"
    assert bakes == [
        f"buildx bake --progress plain {attest}",
        *[f"buildx bake --progress plain --push {attest}"] * 2,
    ]
    assert [line for line in asked(docker) if line.startswith(("push", "tag"))] == []
    assert len([line for line in asked(docker) if line.startswith("buildx imagetools create")]) == 2


@pytest.mark.parametrize(
    ("builder", "why"),
    [
        (OF_THE_ENGINE, "the engine's store of images keeps none; a builder of `docker buildx create --use`"),
        (IN_A_CONTAINER, "the builder release cannot push to 127.0.0.1:1, which is another machine for it"),
        ("", "`docker buildx inspect` does not say what builds"),
    ],
)
def test_who_cannot_attest_says_so_in_a_line(
    named: Path, docker: Path, typed: Type, git: Git, builder: str, why: str
) -> None:
    """And releases the images without; where nothing is asked for, nothing is said."""
    docker.with_name("docker.builder").write_text(builder)
    ran = typed("release.images")
    assert ran.code == 0, ran.err
    assert f"the images have no provenance or SBOM: {why}" in ran.err
    assert [line for line in asked(docker) if "attest" in line] == []
    with (named / "pyproject.toml").open("a") as file:
        file.write("attestations = []\n")
    git(named, "commit", "-q", "-a", "-m", "settings")
    git(named, "tag", "--force", "v1.0.0")
    quiet = typed("release.images --version 1.0.0")
    assert (quiet.code, "provenance" in quiet.err) == (0, False), quiet.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("release.images --version 1.x", "not a semantic version"),
        ("release.images --name nope", "has no service 'nope'"),
    ],
)
def test_what_cannot_be_released(named: Path, docker: Path, typed: Type, line: str, said: str) -> None:
    """Refused before anything is built."""
    ran = typed(line)
    assert (ran.code, said in ran.err, asked(docker)) == (2, True, [])


def test_without_a_tag_the_version_has_to_be_given(named: Path, docker: Path, typed: Type, git: Git) -> None:
    """And from a dirty tree nothing is pushed."""
    git(named, "commit", "-q", "--allow-empty", "-m", "later")
    assert "no version is given" in typed("release.images").err
    (named / "new").touch()
    refused = typed("release.images --version 1.0.1")
    assert (refused.code, "the tree is dirty (new)" in refused.err) == (2, True)
    (named / "new").unlink()
    git(named, "update-index", "--assume-unchanged", "services/web/run")
    (named / "services/web/run").write_text("mine\n")
    refused = typed("release.images --version 1.0.1")
    assert (refused.code, "the tree is dirty (services/web/run)" in refused.err) == (2, True)


def test_a_version_is_what_its_tag_names(named: Path, docker: Path, typed: Type, git: Git) -> None:
    """Images of another commit are no version that git has a tag of; without a push it is only said."""
    git(named, "commit", "-q", "--allow-empty", "-m", "later")
    refused = typed("release.images --version 1.0.0")
    assert (refused.code, "v1.0.0 is the tag of " in refused.err, asked(docker)) == (2, True, [])
    only = typed("release.images --version 1.0.0 --no-push")
    assert (only.code, "v1.0.0 is the tag of " in only.err) == (0, True)


def test_only_images_that_a_change_touches(named: Path, docker: Path, typed: Type, git: Git) -> None:
    """Since the tag before."""
    (named / "services/web/run").write_text("echo other\n")
    git(named, "commit", "-q", "-a", "-m", "web")
    git(named, "tag", "v1.1.0")
    ran = typed("release.images --no-push --changed --dry")
    assert ran.lines == ["would build 127.0.0.1:1/shop-web:1.1.0"]


def test_a_stable_version_has_what_its_pre_releases_changed(
    named: Path, docker: Path, typed: Type, git: Git
) -> None:
    """They are compared with the version before them, a pre-release with the one before it."""
    for number, service in enumerate(("web", "api"), 1):
        (named / f"services/{service}/run").write_text("echo other\n")
        git(named, "commit", "-q", "-a", "-m", service)
        git(named, "tag", f"v1.1.0-rc.{number}")
    second = typed("release.images --no-push --changed --dry")
    assert second.lines == ["would build 127.0.0.1:1/shop-api:1.1.0-rc.2"]
    git(named, "tag", "v1.1.0")
    stable = typed("release.images --no-push --changed --dry")
    assert stable.lines == [f"would build 127.0.0.1:1/shop-{name}:1.1.0" for name in ("api", "web")]
