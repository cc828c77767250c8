"""Which image stands for which official one."""

from __future__ import annotations

from pathlib import Path

from dev.dotenv import write_dotenvs
from dev.images import IMAGES, MARK, Origin, choose, dotenv, recipe, summary, variables

RECIPES = {image.kind: f"recipe-{image.kind}" for image in IMAGES}
STANDINS = {image.standin: RECIPES[image.kind] for image in IMAGES}
OFFICIALS = {image.official: "" for image in IMAGES}


def origins(environ: dict[str, str], present: dict[str, str]) -> set[Origin]:
    return {choice.origin for choice in choose(environ, present, RECIPES)}


def test_the_environment_wins() -> None:
    """A variable that is set is taken as it is, whatever is present, and is not written anywhere."""
    choice = choose({"REDIS_IMAGE": "valkey:8"}, OFFICIALS | STANDINS, RECIPES)[3]
    assert (choice.name, choice.origin) == ("valkey:8", Origin.GIVEN)
    assert variables([choice]) == {}


def test_official_images_come_before_stand_ins() -> None:
    """Once an official image is here, the stand-in is no longer used, and no variable is needed."""
    assert origins({}, OFFICIALS | STANDINS) == {Origin.OFFICIAL}
    assert variables(choose({}, OFFICIALS, RECIPES)) == {}


def test_a_current_stand_in_is_used() -> None:
    """A stand-in built from the present recipe is taken without asking a registry."""
    choices = choose({}, STANDINS, RECIPES)
    assert variables(choices)["POSTGRES_IMAGE"] == "tasklib-standin/postgres:latest"
    assert len(variables(choices)) == len(IMAGES)


def test_an_outdated_stand_in_is_missing() -> None:
    """A changed recipe means building again."""
    assert origins({}, dict.fromkeys(STANDINS, "old")) == {Origin.MISSING}


def test_the_stand_in_given_by_name_stays_a_stand_in() -> None:
    """A shell that still carries the variables of an earlier run gets the stand-in kept up to date."""
    environ = {image.variable: image.standin for image in IMAGES}
    assert origins(environ, STANDINS) == {Origin.STANDIN}
    assert {choice.name for choice in choose(environ, {}, RECIPES)} == set(STANDINS)


def test_no_stand_in_has_an_official_name() -> None:
    """Stand-ins never pretend: their names have a namespace of their own and end in what they stand for."""
    for image in IMAGES:
        assert image.standin.startswith("tasklib-standin/")
        assert image.standin.partition("/")[2].partition(":")[0] == image.official.partition(":")[0]


def test_the_summary_is_one_line() -> None:
    """The images are told in one line, grouped by where they come from."""
    present = STANDINS | {"postgres:16": ""}
    assert (
        summary(choose({}, present, RECIPES))
        == "stand-in: python, node, redis, nginx, mariadb; official: postgres"
    )


def test_the_recipe_follows_files_and_ingredients(tmp_path: Path) -> None:
    """A changed file, file name or ingredient changes the recipe; nothing else does."""
    (tmp_path / "Dockerfile").write_text("FROM a\n")
    first = recipe(tmp_path, "base")
    assert first == recipe(tmp_path, "base")
    assert first != recipe(tmp_path, "other base")
    (tmp_path / "Dockerfile").write_text("FROM b\n")
    assert first != recipe(tmp_path, "base")


def test_dotenvs_are_written_only_beside_compose_files(tmp_path: Path) -> None:
    """Each folder with a docker-compose.yml gets the variables, and repeating it changes nothing."""
    text = dotenv(choose({}, STANDINS, RECIPES))
    for folder in ("deploy/test", "node_modules/x", "src"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "deploy/test/docker-compose.yml").touch()
    (tmp_path / "node_modules/x/docker-compose.yml").touch()
    write_dotenvs(tmp_path, text)
    write_dotenvs(tmp_path, text)
    found = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob(".env*"))
    assert found == [Path("deploy/test/.env")]
    written = (tmp_path / "deploy/test/.env").read_text()
    assert written.splitlines()[0] == MARK
    assert "POSTGRES_IMAGE=tasklib-standin/postgres:latest" in written.splitlines()


def test_dotenvs_go_when_the_official_images_come(tmp_path: Path) -> None:
    """A file this tool wrote does not outlive its stand-ins."""
    (tmp_path / "docker-compose.yml").touch()
    write_dotenvs(tmp_path, dotenv(choose({}, STANDINS, RECIPES)))
    write_dotenvs(tmp_path, dotenv(choose({}, OFFICIALS, RECIPES)))
    assert not (tmp_path / ".env").exists()


def test_a_users_dotenv_is_never_touched(tmp_path: Path) -> None:
    """A `.env` without the mark on its first line stays byte for byte."""
    (tmp_path / "docker-compose.yml").touch()
    mine = tmp_path / ".env"
    mine.write_text(f"POSTGRES_IMAGE=mine\n{MARK}\n")
    write_dotenvs(tmp_path, dotenv(choose({}, STANDINS, RECIPES)))
    write_dotenvs(tmp_path, None)
    assert mine.read_text() == f"POSTGRES_IMAGE=mine\n{MARK}\n"
