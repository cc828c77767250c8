"""What is read out of commands and files, and that nothing in them is too much for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasklib.adopt.composing import compose_call
from tasklib.adopt.evidence import Command, Evidence, Place
from tasklib.adopt.propose import propose
from tasklib.adopt.readers.environments import read_noxfile, read_tox
from tasklib.adopt.readers.makefiles import read_justfile, read_makefile
from tasklib.adopt.readers.packages import read_package
from tasklib.adopt.readers.scripts import read_script
from tasklib.adopt.readers.stacks import read_stack
from tasklib.adopt.readers.variables import read_addresses, read_dotenv, read_variables
from tasklib.adopt.readers.workflows import read_gitlab, read_workflow
from tasklib.adopt.shell import commands
from tasklib.adopt.testing import is_wait, prepares, test_run
from tasklib.doctor.document import Document, read_document
from tests import adopted

from ...examples import examples


def _words(script: str, **options: object) -> list[tuple[str, ...]]:
    lines = list(enumerate(script.splitlines(), 1))
    return [command.words for command in commands(lines, "scripts/x.sh", **options)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("a && b; c | d", [("a",), ("b",), ("c",), ("d",)]),
        ("if [ -z x ]; then\n  make test\nfi", [("[", "-z", "x", "]"), ("make", "test")]),
        ("docker compose \\\n  up -d", [("docker", "compose", "up", "-d")]),
        ("echo 'a\nb'", [("echo", "a b")]),
        ("pytest # not `rm -rf`", [("pytest",)]),
        ("cat <<END\npytest\nEND\ntox", [("cat",), ("tox",)]),
        ("DC='docker compose -f ci.yml'\n$DC up", [("docker", "compose", "-f", "ci.yml", "up")]),
        ('pytest "${ARGS:-tests}" >log 2>&1', [("pytest", "tests")]),
    ],
)
def test_commands_of_a_script(script: str, words: list[tuple[str, ...]]) -> None:
    """As a shell would start them, if everything happened once."""
    assert _words(script) == words


def test_where_commands_start() -> None:
    """`cd` counts, a subshell's only inside, and a script may go to its own folder first."""
    script = (
        'cd "$(dirname "$0")/../backend"\npytest\n(cd web && npm test)\n'
        'cd "$(git rev-parse --show-toplevel)"\ntox'
    )
    found = commands(list(enumerate(script.splitlines(), 1)), "scripts/x.sh")
    assert [(c.words[0], c.folder) for c in found] == [
        ("pytest", "backend"),
        ("npm", "backend/web"),
        ("tox", ""),
    ]


def _command(text: str, folder: str = "") -> Command:
    return Command(Place("Makefile", 1), tuple(text.split()), folder)


def test_a_call_of_compose() -> None:
    """Files as seen from where it starts, options with values passed over, what runs inside."""
    call = compose_call(
        _command("docker compose -p x -f ../a.yml --env-file .env.ci run --rm -e A=1 api sh -c true", "ci")
    )
    assert call
    assert (call.verb, call.files, call.env_files) == ("run", ("a.yml",), ("ci/.env.ci",))
    assert (call.service, call.inner, call.env) == ("api", ("sh", "-c", "true"), (("A", "1"),))
    up = compose_call(_command("docker-compose up -d --scale a=2 --wait db $EXTRA"))
    assert up
    assert (up.services, up.detached) == (("db",), True)


@pytest.mark.parametrize(
    ("text", "runner", "paths", "options"),
    [
        ("uv run --group test pytest -x --cov=a -m fast tests/", "pytest", ("tests",), ("-m", "fast")),
        ("python3 -m pytest", "pytest", (), ()),
        ("coverage run --source a -m pytest tests", "pytest", ("tests",), ()),
        ("poetry run python src/manage.py test shop", "django", (), ()),
        ("npx jest --config e2e.json", "jest", (), ("--config", "e2e.json")),
        ("go test ./...", "go", (), ()),
    ],
)
def test_runs_of_tests(text: str, runner: str, paths: tuple[str, ...], options: tuple[str, ...]) -> None:
    """Which runner, which tests, and what decides how they run: not how much is said of them."""
    run = test_run(_command(text))
    assert run
    assert (run.runner, run.paths, run.options) == (runner, paths, options)


@pytest.mark.parametrize(
    "text", ["ruff check", "pip install pytest", "docker build -t pytest .", "playwright install"]
)
def test_what_is_no_run_of_tests(text: str) -> None:
    """Although it names a runner."""
    assert test_run(_command(text)) is None


def test_what_prepares_and_what_only_waits() -> None:
    """Migrations are taken over; waiting is what tasklib does by itself; copied migrations are neither."""
    assert prepares(_command("alembic upgrade head"))
    assert prepares(_command("bash scripts/prestart.sh"))
    assert not prepares(_command("./wait-for-it.sh db:5432 -- echo migrated"))
    assert not prepares(_command("cp src/migrations/1.sql dist/migrations"))
    assert is_wait(_command("./wait-for-it.sh db:5432"))


READERS: dict[str, Callable[[str, str], Iterable[object]]] = {
    "Makefile": read_makefile,
    "justfile": read_justfile,
    "package.json": read_package,
    "run.sh": read_script,
    "tox.ini": read_tox,
    "tox.toml": read_tox,
    "noxfile.py": read_noxfile,
    "settings.py": read_variables,
    "test_a.py": read_addresses,
    ".env": read_dotenv,
}
_YAML = ["- ", "jobs", "steps", "run", "services", "image", "{", "[", ":"]
_SHELL = ["$(", "${", "}", ")", "'", '"', "\\", "#", "&&", "<<EOF", "|", "$1", "=", "test", "pytest"]
PIECES = st.sampled_from([*_YAML, *_SHELL, "\n", "\t", "    ", "docker compose", "up", "-f", "a"])
TEXTS = st.lists(PIECES | st.text(max_size=5), max_size=30).map("".join)


@examples(0.6)
@given(text=TEXTS, name=st.sampled_from(sorted(READERS)))
def test_no_text_is_too_much_for_a_reader(text: str, name: str) -> None:
    """Whatever a file holds, it is read as far as it can be."""
    list(READERS[name](name, text))


@examples(0.6)
@given(text=TEXTS)
def test_no_yaml_is_too_much_for_a_reader(text: str) -> None:
    """Nor any document: not its form, and not its types."""
    for document in (_yaml(text), _yaml(f"jobs:\n  a: {text!r}"), _yaml(f"services: [{text!r}]")):
        if document:
            list(read_workflow("ci.yml", document))
            list(read_gitlab(".gitlab-ci.yml", document))
            read_stack("compose.yml", document)


def _yaml(text: str) -> Document | None:
    return read_document(Path("ci.yml"), text)


KINDS = [getattr(adopted, name) for name in adopted.__all__]


@examples(0.25)
@given(data=st.data())
def test_a_repository_that_is_broken_anywhere_is_proposed_something_or_nothing(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A file cut off anywhere raises nothing, and what changes has reasons."""
    from tasklib.adopt.survey import survey
    from tests.integration.projects import write

    files = dict(data.draw(st.sampled_from(KINDS)))
    name = data.draw(st.sampled_from(sorted(files)))
    files[name] = files[name][: data.draw(st.integers(0, len(files[name])))]
    folder = tmp_path_factory.mktemp("broken")
    write(folder, files)
    evidence: Evidence = survey(folder)
    proposal = propose(evidence)
    assert set(proposal.reasons) == set(proposal.files)


def test_a_variable_of_a_makefile_over_several_lines() -> None:
    """Its words are all of them, and the target after it is one."""
    text = "FILES := \\\n\ta.py \\\n\tb.py\nEND = \\\n\ntest:\n\tpytest $(FILES) $(END)\n"
    [recipe] = read_makefile("Makefile", text)
    assert recipe.name == "test"
    assert [command.words for command in recipe.commands] == [("pytest", "a.py", "b.py")]
