"""Stacks whose order of starting stands elsewhere than in `depends_on`."""

from __future__ import annotations

from .conftest import NewProject
from .projects import PYTHON, compose
from .traces import Traces

SERVER = f"image: {PYTHON}\ncommand: python -m http.server 8000"


def test_a_service_without_containers_is_not_waited_for(project: NewProject, traces: Traces) -> None:
    """`scale: 0` keeps neither the stack nor what depends on it from being ready."""
    shop = project(
        {
            "deploy/test/docker-compose.yml": compose(
                later=f"{SERVER}\nscale: 0",
                never=f"{SERVER}\ndeploy: {{replicas: 0}}",
                web=f"{SERVER}\nports: ['8000']\ndepends_on: [later, never]",
            )
        }
    )
    up = shop.run("tasklib", "infra.up")
    assert up.code == 0, up
    assert {row["Labels"]["com.docker.compose.service"] for row in traces.containers()} == {"web"}
    assert shop.run("tasklib", "infra.down").code == 0


def test_a_namespace_is_joined_once_its_owner_runs(project: NewProject, traces: Traces) -> None:
    """`network_mode: container:…` of the same file starts after that container, without `depends_on`."""
    joining = {
        f"a{number}": f"{SERVER.replace('8000', str(8001 + number))}\nnetwork_mode: container:vpn"
        for number in range(3)
    }
    stack = compose(**joining, vpn=f"{SERVER}\ncontainer_name: vpn\nports: ['8000']")
    shop = project({"deploy/test/docker-compose.yml": stack})
    up = shop.run("tasklib", "infra.up")
    assert up.code == 0, up
    assert len(traces.containers()) == 4
    assert shop.run("tasklib", "infra.down").code == 0


def test_a_mount_from_elsewhere_in_the_checkout_is_its_own(project: NewProject, traces: Traces) -> None:
    """A project in a folder of a repository may mount what lies beside it in the same working tree."""
    shop = project(
        {
            "backend/deploy/test/docker-compose.yml": compose(
                web=f"{SERVER}\nvolumes: ['../../../shared:/x']"
            ),
            "backend/pyproject.toml": "[tool.tasklib]\n",
            "backend/tests/integration/test_x.py": "def test_x(): pass\n",
            "shared/data": "",
        }
    )
    ran = shop.run("tasklib", "test.integration", cwd="backend")
    assert ran.code == 0, ran
    assert traces.left() == []
