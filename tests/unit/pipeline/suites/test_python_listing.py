"""What a Python project lists for its tests, as pip takes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.errors import ConfigError
from tasklib.pipeline.suites.python import pipenv, poetry
from tasklib.pipeline.suites.python.hatch import test_environment as environment_for_tests
from tasklib.pipeline.suites.python.listing import listed
from tasklib.pipeline.suites.python.manifest import Manifest, read_manifest
from tasklib.pipeline.suites.python.pdm import groups
from tasklib.pipeline.suites.python.requirements import requirements_files

NUMBERS = st.lists(st.integers(0, 99), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0.0", ">=0.0,<0.1"),
        ("~1", ">=1,<2"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~=1.4", "~=1.4"),
        (">=1, <2,!=1.5", ">=1,<2,!=1.5"),
        ("= 1.0", "==1.0"),
        ("^1 || ^2", ""),
        ("", ""),
    ],
)
def test_poetrys_versions_are_said_as_pip_does(said: str, meant: str) -> None:
    """Also those that pip has no sign for."""
    assert poetry.versions(said) == meant


@given(NUMBERS, st.sampled_from("^~"))
def test_a_version_is_in_the_range_that_begins_with_it(numbers: list[int], sign: str) -> None:
    """Whatever the numbers, the upper bound is above the lower one."""
    low, high = poetry.versions(f"{sign}{'.'.join(map(str, numbers))}").split(",")
    upper = [int(part) for part in high.removeprefix("<").split(".")]
    assert low == f">={'.'.join(map(str, numbers))}"
    assert upper > numbers[: len(upper)]


def test_what_poetry_says_of_a_requirement_is_kept(tmp_path: Path) -> None:
    """Extras, markers, Pythons, repositories, and folders that lie beside the project."""
    said = {
        "python": "^3.11",
        "a": {"version": "^1", "extras": ["x", "y"], "markers": "sys_platform == 'linux'"},
        "b": [{"version": "1.0", "python": "<3.12"}, {"version": "2.0", "python": ">=3.12"}],
        "c": {"git": "https://example.org/c.git", "tag": "v1"},
        "d": {"path": "../d", "develop": True},
    }
    data = {"tool": {"poetry": {"name": "me", "package-mode": False, "dependencies": said}}}
    assert list(listed(Manifest(tmp_path / "me", data), None)) == [
        "a[x,y]>=1,<2 ; (sys_platform == 'linux')",
        "b==1.0 ; (python_version < '3.12')",
        "b==2.0 ; (python_version >= '3.12')",
        "c @ git+https://example.org/c.git@v1",
        f"-e {tmp_path}/me/../d",
    ]
    assert poetry.python(data) == ">=3.11,<4"


def test_sources_of_uv_are_where_they_say(tmp_path: Path) -> None:
    """For what is not installed by uv itself: folders, repositories and addresses."""
    (tmp_path / "lib").mkdir()
    data = {
        "project": {"name": "me", "dependencies": ["lib[fast]>=1", "other", "far"]},
        "tool": {
            "uv": {
                "sources": {
                    "lib": {"path": "lib"},
                    "other": {"git": "https://example.org/o", "rev": "abc"},
                    "far": {"url": "https://example.org/far.whl"},
                }
            }
        },
    }
    assert list(listed(Manifest(tmp_path, data), None)) == [
        f"lib[fast] @ {(tmp_path / 'lib').as_uri()}",
        "other @ git+https://example.org/o@abc",
        "far @ https://example.org/far.whl",
    ]


def test_groups_that_include_each_other_end(tmp_path: Path) -> None:
    """A circle of groups, and an extra that names itself, add what they hold once more at most."""
    data = {
        "project": {"name": "me", "optional-dependencies": {"test": ["me[test]", "a"]}},
        "dependency-groups": {
            "dev": [{"include-group": "Test_Group"}, "b"],
            "test-group": [{"include-group": "dev"}, "pytest"],
        },
    }
    assert set(listed(Manifest(tmp_path, data), None)) == {"a", "b", "pytest"}


def test_pdms_folders_are_found(tmp_path: Path) -> None:
    """It writes folders to install as they lie with a variable for the project's own."""
    data = {"tool": {"pdm": {"dev-dependencies": {"dev": ["-e file:///${PROJECT_ROOT}/lib#egg=lib", "a"]}}}}
    assert groups(data, tmp_path) == {"dev": (f"-e {tmp_path}/lib", "a")}


PIPFILE = """
[[source]]
url = "https://${USER}@packages.example.org:8443/simple"
[[source]]
url = "https://pypi.org/simple"
[packages]
a = "*"
b = {version = "~=1.2", extras = ["x", "y"], sys_platform = "== 'linux'"}
me = {path = ".", editable = true, extras = ["fast"]}
[dev-packages]
pytest = ">=8"
c = {git = "https://example.org/c.git", ref = "v1", subdirectory = "lib"}
d = "1.5"
[docs]
e = {file = "https://example.org/e.whl", markers = "os_name == 'posix'"}
[requires]
python_version = "3.12"
[scripts]
test = "pytest"
[pipenv]
allow_prereleases = true
"""


def test_a_pipfile_says_what_runs_and_what_development_needs(tmp_path: Path) -> None:
    """As pip takes it; its own categories are groups, and what is no category is no requirement."""
    (tmp_path / "Pipfile").write_text(PIPFILE)
    (tmp_path / "setup.py").write_text("")
    manifest = read_manifest(tmp_path)
    assert list(listed(manifest, None)) == [
        "a",
        "b[x,y]~=1.2 ; sys_platform == 'linux'",
        f"-e {tmp_path}/.[fast]",
        "pytest>=8",
        "c @ git+https://example.org/c.git@v1#subdirectory=lib",
        "d==1.5",
    ]
    assert manifest.groups["docs"] == ("e @ https://example.org/e.whl ; (os_name == 'posix')",)
    assert pipenv.python(manifest.pipfile) == "==3.12.*"
    assert pipenv.other_sources(manifest.pipfile) == ("packages.example.org",)


def test_the_lock_of_a_pipfile_has_its_versions(tmp_path: Path) -> None:
    """What was locked counts, not what it was locked of."""
    (tmp_path / "Pipfile").write_text("[packages]\na = '*'\n")
    meta = {"requires": {"python_full_version": "3.12.4"}, "sources": [{"url": "https://pypi.org/simple"}]}
    lock = {
        "_meta": meta,
        "default": {"a": {"hashes": ["sha256:0"], "index": "pypi", "version": "==1.4"}},
        "develop": {"pytest": {"version": "==9.0", "markers": "python_version >= '3.9'"}},
    }
    (tmp_path / "Pipfile.lock").write_text(json.dumps(lock))
    manifest = read_manifest(tmp_path)
    assert list(listed(manifest, None)) == ["a==1.4", "pytest==9.0 ; (python_version >= '3.9')"]
    assert pipenv.python(manifest.pipfile) == "==3.12.4"
    assert pipenv.other_sources(manifest.pipfile) == ()


@pytest.mark.parametrize("text", ["[]", "{", "[" * 100_000])
def test_a_lock_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    """A merge conflict in it, say."""
    (tmp_path / "Pipfile").write_text("[packages]\na = '*'\n")
    (tmp_path / "Pipfile.lock").write_text(text)
    with pytest.raises(ConfigError, match=r"Pipfile.lock: cannot be read"):
        read_manifest(tmp_path)


def test_hatchs_templates_are_followed(tmp_path: Path) -> None:
    """An environment has what its template has, unless it is detached."""
    envs = {
        "default": {"dependencies": ["a"], "env-vars": {"X": "{root}/x"}},
        "test": {"extra-dependencies": ["pytest", "b @ {root:uri}/b"]},
        "lint": {"detached": True, "dependencies": ["ruff"]},
    }
    found = environment_for_tests({"tool": {"hatch": {"envs": envs}}}, tmp_path)
    assert found is not None
    assert found.requirements == ("a", "pytest", f"b @ {tmp_path.as_uri()}/b")
    assert found.variables == {"X": f"{tmp_path}/x"}
    lint = {"tool": {"hatch": {"envs": {"lint": envs["lint"]}}}}
    assert environment_for_tests(lint, tmp_path) is None


@pytest.mark.parametrize(
    ("files", "used", "left"),
    [
        ({"requirements.txt": "", "requirements-dev.txt": ""}, "requirements.txt requirements-dev.txt", ""),
        ({"requirements.txt": "", "requirements-dev.txt": "-r requirements.txt"}, "requirements-dev.txt", ""),
        ({"requirements_test.in": ""}, "requirements_test.in", ""),
        ({"requirements-test.in": "", "requirements-test.txt": ""}, "requirements-test.txt", ""),
        ({"requirements/dev.txt": "-r test.txt", "requirements/test.txt": ""}, "requirements/dev.txt", ""),
        ({"requirements/base.txt": "", "requirements/prod.txt": ""}, "requirements/base.txt", ""),
        (
            {
                "requirements-dev.txt": "pytest",
                "requirements-ci.txt": "pytest==9",
                "requirements-local.txt": "",
            },
            "requirements-dev.txt",
            "requirements-ci.txt",
        ),
    ],
)
def test_requirements_files_by_their_usual_names(
    files: dict[str, str], used: str, left: str, tmp_path: Path
) -> None:
    """What includes another stands for it; what is not for tests is left, and named where it holds pytest."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = requirements_files(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in found.used] == used.split()
    assert [path.name for path in found.left] == left.split()


def test_poetrys_first_backend_installs_nothing_as_it_lies(tmp_path: Path) -> None:
    """The project's own folder is not asked for an editable install, what it needs is listed."""
    own = '[tool.poetry]\nname = "shop"\n[tool.poetry.dev-dependencies]\nsix = "*"\n'
    build = '[build-system]\nrequires = ["poetry>=0.12"]\nbuild-backend = "poetry.{}"\n'
    for backend, is_installed in (("masonry.api", False), ("core.masonry.api", True)):
        (tmp_path / "pyproject.toml").write_text(own + build.format(backend))
        (tmp_path / "shop.py").touch()
        requirements = list(listed(read_manifest(tmp_path), None))
        assert (f"-e {tmp_path}" in requirements, "six" in requirements) == (is_installed, True)


@pytest.mark.parametrize(
    ("there", "said", "is_installed"),
    [
        ("app/main.py", "", False),
        ("shop_api/__init__.py", "", True),
        ("src/shop_api/a.py", "", True),
        ("app/main.py", 'packages = [{ include = "app" }]', True),
    ],
)
def test_an_application_of_poetrys_is_not_installed(
    there: str, said: str, is_installed: bool, tmp_path: Path
) -> None:
    """Nothing is called like it: what it needs is listed, and the rest is imported from where it lies."""
    (tmp_path / there).parent.mkdir(parents=True)
    (tmp_path / there).touch()
    build = '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'
    own = f'[tool.poetry]\nname = "shop-api"\n{said}\n[tool.poetry.dependencies]\nsix = "*"\n'
    (tmp_path / "pyproject.toml").write_text(own + build)
    requirements = list(listed(read_manifest(tmp_path), None))
    assert (f"-e {tmp_path}" in requirements, "six" in requirements) == (is_installed, not is_installed)
