"""The matrix of services and the workflow files, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

from .conftest import Type


def services(out: str) -> list[str]:
    return [row["service"] for row in json.loads(out)["include"]]


def test_the_matrix_has_every_service_or_those_that_changed(shop: Path, typed: Type) -> None:
    """One line of JSON, the reasons on standard error."""
    assert services(typed("ci.matrix").out) == ["api", "web"]
    assert services(typed("ci.matrix --changed").out) == []
    (shop / "services/web/run").write_text("echo other\n")
    changed = typed("ci.matrix --changed --explain")
    assert services(changed.out) == ["web"]
    assert "web: in: services/web/run changed" in changed.err


def test_workflows_are_written_and_what_somebody_changed_is_kept(shop: Path, typed: Type) -> None:
    """A second time they are up to date; an edited one stays, its difference shown, unless forced."""
    assert typed("ci.workflow --for gitea --dry").lines == [
        "would write .gitea/workflows/test.yml",
        "would write .gitea/workflows/release.yml",
    ]
    assert not (shop / ".gitea").exists()
    assert "wrote .github/workflows/test.yml" in typed("ci.workflow --for github").out
    assert ".github/workflows/test.yml is up to date" in typed("ci.workflow --for github").out
    file = shop / ".github/workflows/test.yml"
    file.write_text(file.read_text().replace("Tests", "Checks", 1))
    kept = typed("ci.workflow --for github")
    assert kept.code == 2
    assert "-name: Checks" in kept.out
    assert "name: Checks" in file.read_text()
    assert typed("ci.workflow --for github --force").code == 0
    assert "name: Checks" not in file.read_text()


def test_a_forge_has_to_be_named(shop: Path, typed: Type) -> None:
    """There is no usual one."""
    ran = typed("ci.workflow")
    assert (ran.code, ran.err) == (2, "error: --for takes github, gitea or gitlab\n")


def test_the_engine_of_jobs_is_chosen_on_gitlab_alone(shop: Path, typed: Type) -> None:
    """Elsewhere there is no choice; the usual one is an engine beside each job."""
    assert typed("ci.workflow --for gitlab").code == 0
    file = shop / ".gitlab-ci.yml"
    assert "docker:29-dind" in file.read_text()
    assert typed("ci.workflow --for gitlab --engine socket --force").code == 0
    assert "dind" not in file.read_text()
    ran = typed("ci.workflow --for gitea --engine dind")
    assert ran.code == 2
    assert "--engine is for GitLab: gitea's jobs use the engine of the machine" in ran.err
