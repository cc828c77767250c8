"""Which image names are ours to move and to remove: those that name what was built here."""

from __future__ import annotations

from tasklib.isolation import image_version
from tasklib.stacks.images.ownership import ours, ours_now, without_others
from tasklib.state.records import Images
from tasklib.state.store import default_state
from tests.memory_engine import MemoryEngine

OWN = image_version("checkout", "host")
NAME = f"test-main.api:{OWN}"
READABLE = "test-main-api:latest"


def test_the_version_is_one_checkouts_in_one_state_folder() -> None:
    """Two users may share a checkout, two checkouts a user; a plain instance has none."""
    found = [image_version(*who) for who in (("a", "b"), ("a", "c"), ("ab", ""), ("", "b"))]
    assert len(set(found)) == len(found)
    assert image_version("", "") == "latest"


def test_only_what_still_names_our_image_is_ours() -> None:
    """A name that was given to another image, or that is gone, is not; ids without a name are."""
    built = {NAME: "one", READABLE: "one"}
    recorded = {*built, "sha256:old"}
    assert ours(recorded, built, {NAME: "one", READABLE: "one"}, OWN) == recorded
    assert ours(recorded, built, {NAME: "one", READABLE: "another"}, OWN) == {NAME, "sha256:old"}
    assert ours(recorded, built, {NAME: "new", READABLE: "new"}, OWN) == recorded
    assert ours(recorded, built, {}, OWN) == {"sha256:old"}


def test_a_build_that_was_killed_is_ours_by_its_own_name() -> None:
    """Nobody told us its id, but what it tagged has that name, too."""
    now = {NAME: "cut off", READABLE: "cut off", "test-main-web:latest": "another"}
    assert ours(now, {}, now, OWN) == {NAME, READABLE}
    assert ours(now, {}, {READABLE: "cut off"}, OWN) == set()


def test_two_state_folders_on_one_engine_leave_each_other_their_images() -> None:
    """Each one's record names what it may remove, whoever has the readable name in the end."""
    engine = MemoryEngine()
    mine, theirs = Images(default_state(), "a"), Images(default_state(), "b")
    tags = {who: f"test-main.api:{image_version(who, 'host')}" for who in ("me", "they")}
    for images, who in ((mine, "me"), (theirs, "they")):
        first = engine.add_image(tags[who])
        images.add("test-main", who, [tags[who], READABLE])
        images.remember("test-main", who, {tags[who]: first, READABLE: first}, {})
        engine.tag(tags[who], READABLE)
    assert ours_now(engine, mine, "test-main", "me", "host") == {tags["me"]}
    assert ours_now(engine, theirs, "test-main", "they", "host") == {tags["they"], READABLE}


def test_a_config_is_built_without_names_of_others() -> None:
    """Those are said in a line each; services that build nothing stay as they are."""
    said: list[str] = []
    build = {"context": ".", "tags": [READABLE]}
    config = {"services": {"api": {"image": NAME, "build": build}, "db": {"image": "postgres"}}}
    for now, built, kept in (
        ({}, {}, True),
        ({READABLE: "1"}, {READABLE: "1"}, True),
        ({READABLE: "2", NAME: "1"}, {READABLE: "1"}, False),
        ({READABLE: "2", NAME: "2"}, {READABLE: ""}, True),
        ({READABLE: "2", NAME: "2"}, {}, False),
    ):
        found = without_others(config, now.get, built.get, said.append)
        assert found["services"]["api"]["build"]["tags"] == ([READABLE] if kept else [])
        assert found["services"]["db"] == {"image": "postgres"}
    assert (
        said == [f"api: the tag {READABLE} stays where it is: it names an image that was not built here"] * 2
    )
    assert build["tags"] == [READABLE]
