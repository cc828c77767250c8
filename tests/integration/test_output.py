"""Off a terminal a passing run is at most a dozen lines, whatever its size."""

from __future__ import annotations

from .conftest import NewProject
from .projects import PYTHON, compose

_STACK = compose(
    one=f"""
    image: {PYTHON}
    command: sleep infinity
    """
)
_SERVICES = 10
_UNIT, _SERVICE = 190, 10


def _tests(number: int) -> str:
    return "import pytest\n\n\n@pytest.mark.parametrize('n', range(%d))\ndef test_it(n): ...\n" % number  # noqa: UP031


def _files() -> dict[str, str]:
    files = {
        "pyproject.toml": '[project]\nname = "many"\nversion = "1"\n[dependency-groups]\ndev = ["pytest"]\n',
        ".gitignore": ".venv\nuv.lock\n__pycache__\n",
        "deploy/test/docker-compose.yml": _STACK,
        "tests/integration/test_all.py": _tests(1),
    }
    for number in range(_SERVICES):
        folder = f"services/service-{number}"
        files[f"{folder}/tests/unit/test_unit_{number}.py"] = _tests(_UNIT)
        files[f"{folder}/tests/integration/test_service_{number}.py"] = _tests(_SERVICE)
        files[f"{folder}/deploy/test/docker-compose.yml"] = _STACK
    return files


def test_ten_services_and_two_thousand_tests_are_a_dozen_lines(project: NewProject) -> None:
    """A stage of many targets is one line, every test is counted, and there are no control sequences."""
    ran = project(_files()).run("tasklib", "test")
    assert ran.code == 0, str(ran)
    assert len(ran.text.splitlines()) <= 12
    assert f"{_SERVICES * (_UNIT + _SERVICE) + 1:,} passed" in ran.text.splitlines()[-1]
    assert "\x1b" not in ran.text
