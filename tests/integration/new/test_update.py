"""`new.update` in projects that an earlier version made: a wheel with other templates that says it is one."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

import tasklib
from tasklib.new.answers import ANSWERS, Answers, Kind, NewService, written
from tasklib.new.creation import write
from tasklib.new.rendering import rendered
from tasklib.release.workflows.files import Forge

from ..projects import Checkout, Ran, command_environment

EARLIER = "0.0.9"
PACKAGE = Path(tasklib.__file__).parent


def shop_of(version: str) -> Answers:
    return Answers(version, "shop", (NewService("api", Kind.PYTHON),), ci=Forge.GITHUB)


TEMPLATES = "tasklib/new/templates/project"


def earlier_templates(name: str, text: str) -> str:
    """A file of the package as the earlier version had it."""
    if name == f"{TEMPLATES}/.gitignore.jinja":
        return text.replace("dist/\n", "").replace(".nox/\n", "")
    if name == f"{TEMPLATES}/noxfile.py.jinja":
        return text.replace("register()", "register('unit', 'service', 'integration')")
    if name.startswith(TEMPLATES) and name.endswith("/tests/unit/test_items.py.jinja"):
        return text.replace("However it was typed", "No matter how it was typed")
    if name == "tasklib/new/templates/parts/intervals.yml":
        return text.replace("      interval: 5s\n", "      interval: 7s\n")
    if name == f"{TEMPLATES}/README.md.jinja":
        return f"{text}\nMade long ago.\n"
    return text


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel of the earlier version, as uv may be told to look into."""
    folder = tmp_path_factory.mktemp("index")
    files: dict[str, bytes] = {}
    for path in sorted(PACKAGE.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            name = f"tasklib/{path.relative_to(PACKAGE).as_posix()}"
            content = path.read_bytes()
            if "/new/templates/" in name:
                content = earlier_templates(name, content.decode()).encode()
            files[name] = content
    files[f"{TEMPLATES}/gone.txt"] = b"this file had a template once\n"
    info = f"tasklib_pytest-{EARLIER}.dist-info"
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: tasklib-pytest\nVersion: {EARLIER}\n".encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    rows = [f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in files.items()]
    files[f"{info}/RECORD"] = "".join([*rows, f"{info}/RECORD,,\n"]).encode()
    with zipfile.ZipFile(folder / f"tasklib_pytest-{EARLIER}-py3-none-any.whl", "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)
    return folder


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def made_earlier(index: Path, folder: Path, answers: Answers) -> Mapping[str, str]:
    """The files that the earlier version makes of ``answers``."""
    import json

    (wheel,) = index.iterdir()
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(folder)
    done = subprocess.run(
        [sys.executable, "-m", "tasklib.new"],
        cwd=folder,
        env={"PYTHONPATH": str(folder)},
        input=written(answers),
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def made(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The files of a project that the earlier version made."""
    return made_earlier(index, tmp_path_factory.mktemp("earlier"), shop_of(EARLIER))


@pytest.fixture
def old(made: Mapping[str, str], index: Path, tmp_path: Path, state: Path) -> Checkout:
    """A project that the earlier version made, committed; uv finds that version and nothing else."""
    shop = tmp_path / "shop"
    write(shop, made)
    env = command_environment(state) | {"UV_FIND_LINKS": str(index), "UV_NO_INDEX": "1"}
    checkout = Checkout(shop, "main", env)
    checkout.git("init", "-q", "-b", "main")
    checkout.commit()
    return checkout


def edit(checkout: Checkout, name: str, before: str, after: str) -> None:
    path = checkout.root / name
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def update(checkout: Checkout, *words: str) -> Ran:
    return checkout.run("tasklib", "new.update", *words)


def test_what_nobody_edited_follows_its_template(old: Checkout) -> None:
    """Shown first, and changed by `--write` alone: then it is what a new project is."""
    shown = update(old)
    assert shown.code == 0, shown
    assert {"-register('unit', 'service', 'integration')", "+register()"} <= set(shown.out.splitlines())
    assert "--write" in shown.err
    assert old.is_clean

    done = update(old, "--write")

    assert done.code == 0, done
    new = rendered(shop_of(tasklib.__version__))
    assert {name: (old.root / name).read_text() for name in new} == new
    assert set(old.git("ls-files", "-co", "-z").split("\0")) - {"gone.txt", ""} == set(new)
    assert not (old.root / "gone.txt").exists()
    again = update(old)
    assert (again.code, again.out.startswith("nothing to do")) == (0, True), again


def test_edits_stay(old: Checkout) -> None:
    """In other places they are merged, in the same place both stand marked; what was removed stays so."""
    compose, api = "deploy/test/docker-compose.yml", "services/api"
    edit(old, compose, "POSTGRES_DB: testdb", "POSTGRES_DB: testdb\n      TZ: UTC")
    edit(old, "noxfile.py", "register('unit', 'service', 'integration')", "register('unit')")
    (old.root / "README.md").unlink()
    edit(old, f"{api}/Dockerfile", "EXPOSE 8000\n", "EXPOSE 8000\nSTOPSIGNAL SIGINT\n")
    edit(old, "gone.txt", "once", "once, and is mine")
    before = (old.root / f"{api}/Dockerfile").read_text()

    refused = update(old, "--write")
    assert (refused.code, "not all is committed: noxfile.py" in refused.err) == (2, True), refused
    assert "interval: 7s" in (old.root / compose).read_text()

    old.commit()
    done = update(old, "--write")

    assert done.code == 2, done
    merged = (old.root / compose).read_text()
    assert "TZ: UTC" in merged
    assert "interval: 7s" not in merged
    assert "<<<<<<<" not in merged
    assert "noxfile.py: a place was changed by both" in done.err
    marked = (old.root / "noxfile.py").read_text()
    assert marked.count("<<<<<<< yours\nregister('unit')\n") == 1
    assert f"=======\nregister()\n>>>>>>> tasklib {tasklib.__version__}\n" in marked
    assert "README.md: its template changed; you removed the file, and it stays removed" in done.err
    assert not (old.root / "README.md").exists()
    assert (old.root / f"{api}/Dockerfile").read_text() == before
    assert "mine" in (old.root / "gone.txt").read_text()
    assert "gone.txt: it has no template any more" in done.err


def test_a_service_more_in_an_earlier_project(old: Checkout) -> None:
    """It is added all the same, with a line that says what would be better first."""
    done = old.run("tasklib", "new.service", "web", "--kind", "node")
    assert done.code == 0, done
    assert f"made by tasklib {EARLIER}" in done.err
    compose = (old.root / "deploy/test/docker-compose.yml").read_text()
    assert "services/web/Dockerfile" in compose
    assert "interval: 7s" in compose
    assert f"version: {EARLIER}" in (old.root / ANSWERS).read_text()


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("0.0.8", "tasklib-pytest 0.0.8, which made this project, cannot be fetched"),
        ("99.0.0", "this project was made by tasklib 99.0.0, but"),
    ],
)
def test_a_version_that_cannot_be_had(old: Checkout, version: str, said: str) -> None:
    """It is not there, as uv says, or is still to come; nothing is changed."""
    edit(old, ANSWERS, EARLIER, version)
    old.commit()
    done = update(old, "--write")
    assert (done.code, done.out, said in done.err) == (2, "", True), done
    assert old.is_clean


@pytest.mark.parametrize("version", ["'0 @ file:///tmp/x'", "'--editable=x'", "[]"])
def test_an_answers_file_that_asks_for_something_else(old: Checkout, version: str) -> None:
    """What is no version never reaches uv."""
    edit(old, ANSWERS, EARLIER, version)
    done = update(old)
    assert (done.code, "not what `new.project` wrote" in done.err) == (2, True), done
