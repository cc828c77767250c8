"""`new.project`, `new.service` and `new.update` within one process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasklib import __version__
from tasklib.commands import new
from tasklib.errors import UsageError
from tasklib.new import earlier, rendering
from tasklib.new.answers import ANSWERS, Answers

from ..new.shared import Render, shared_between_workers


@pytest.fixture(autouse=True)
def render(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Render:
    """What copier makes, once a run."""
    render = shared_between_workers(tmp_path_factory)
    monkeypatch.setattr(rendering, "rendered", render)
    return render


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project, and we are in it."""
    monkeypatch.chdir(tmp_path)
    new.project("shop", ci="gitea")
    monkeypatch.chdir("shop")
    return tmp_path / "shop"


def texts(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text()
        for path in root.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }


def test_a_service_is_added_where_all_services_are_named(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What changes is told, and what `--dry` shows is what is done."""
    before = texts(shop)
    assert new.service("web", "node", dry=True) == 0
    assert texts(shop) == before
    assert "+  web:" in capsys.readouterr().out.splitlines()

    assert new.service("web", "node") == 0

    told = capsys.readouterr().out.splitlines()
    after = texts(shop)
    assert {f"  {name}" for name in before if after[name] != before[name]} == set(told[1:])
    assert "services/web/package.json" in after


def test_a_service_where_the_user_changed_the_same_place(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Outside of what git has nothing is changed; the file is named."""
    compose = shop / "deploy/test/docker-compose.yml"
    compose.write_text(compose.read_text() + "networks: {}\n")
    before = texts(shop)
    with pytest.raises(UsageError, match=r"not all is committed: deploy/test/docker-compose\.yml"):
        new.service("web", "node")
    assert texts(shop) == before


def test_an_update_from_an_earlier_version(
    shop: Path, render: Render, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Shown, then done; whatever that version made differently follows."""
    path = shop / ANSWERS
    path.write_text(path.read_text().replace(__version__, "0.0.1"))

    def made(answers: Answers) -> dict[str, str]:
        return {**render(answers), "noxfile.py": "old\n", "left.txt": "old\n"}

    monkeypatch.setattr(earlier, "rendered_by_its_version", made)
    (shop / "noxfile.py").write_text("old\n")
    (shop / "left.txt").write_text("mine\n")

    assert new.update() == 0
    shown = capsys.readouterr()
    assert "-old" in shown.out.splitlines()
    assert "left.txt: it has no template any more" in shown.out
    assert "--write" in shown.err
    assert (shop / "noxfile.py").read_text() == "old\n"

    assert new.update(write=True) == 0
    assert "register()" in (shop / "noxfile.py").read_text()
    assert (shop / "left.txt").read_text() == "mine\n"
    assert new.update(write=True) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_dry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The files are listed, and none is written."""
    monkeypatch.chdir(tmp_path)
    new.project("shop", single=True, kind="command", dry=True)
    assert "would write shop/Dockerfile" in capsys.readouterr().out.splitlines()
    assert list(tmp_path.iterdir()) == []
