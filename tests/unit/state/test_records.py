"""What runs leave for others: themselves, kept stacks, images."""

from __future__ import annotations

import threading

import pytest
from msgspec.structs import replace

from tasklib.state.liveness import current
from tasklib.state.records import Images, Kept, KeptStack, Origin, Run, Runs
from tasklib.state.store import State, default_state


@pytest.fixture
def state() -> State:
    return default_state()


def a_run(name: str, started: float = 1.0) -> Run:
    return Run(name, current(), "checkout", "main", "/p", "nox -s test", started)


def test_run(state: State) -> None:
    """A run is seen with its projects from start to finish."""
    runs = Runs(state, "engine")
    runs.start(a_run("b", 2.0))
    runs.start(a_run("a", 1.0))
    runs.add("a", "test-main_api")
    runs.add("a", "test-main")
    runs.add("a", "test-main")
    assert [run.id for run in runs.all()] == ["a", "b"]
    assert runs.get("a") == replace(a_run("a"), projects=("test-main", "test-main_api"))
    assert runs.all()[0].alive is True
    runs.discard("a", "test-main")
    runs.discard("a", "unknown")
    assert [run.projects for run in runs.all()] == [("test-main_api",), ()]
    runs.finish("a")
    runs.finish("a")
    runs.add("a", "late")
    assert [run.id for run in runs.all()] == ["b"]
    assert Runs(state, "other").all() == ()


def test_what_was_around_a_stack_is_forgotten_with_it(state: State) -> None:
    """When the run has the project again, something else may be in it by then."""
    runs = Runs(state, "engine")
    runs.start(a_run("a"))
    for project in ("test-main", "test-main_api"):
        runs.add("a", project)
        runs.saw("a", project, ("volume data",))
    runs.discard("a", "test-main")
    runs.add("a", "test-main")
    assert [run.around for run in runs.all()] == [{"test-main_api": ("volume data",)}]


def test_run_of_the_dead(state: State) -> None:
    """A run whose process ended without finishing is told from a living one."""
    dead = replace(a_run("a"), process=replace(current(), start_time="1"))
    Runs(state, "engine").start(dead)
    assert [run.alive for run in Runs(state, "engine").all()] == [False]


def test_threads_of_a_run(state: State) -> None:
    """Stacks that come up at once are all recorded."""
    runs = Runs(state, "engine")
    runs.start(a_run("a"))
    projects = [f"test-main_{number}" for number in range(8)]
    threads = [threading.Thread(target=runs.add, args=("a", project)) for project in projects]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = runs.get("a")
    assert found
    assert list(found.projects) == projects


def test_kept(state: State) -> None:
    """A stack is kept until somebody takes it down."""
    kept = Kept(state, "engine")
    stack = KeptStack("test-main", "checkout", "main", "/p", 1.0)
    kept.add(stack)
    kept.add(stack)
    assert (kept.get("test-main"), kept.all()) == (stack, (stack,))
    kept.discard("test-main")
    kept.discard("test-main")
    assert (kept.get("test-main"), kept.all()) == (None, ())


def test_what_another_version_keeps(state: State) -> None:
    """A record that says more than is understood is not taken for none: the stack stays."""
    kept = Kept(state, "engine")
    kept.add(KeptStack("test-main", "mine", "main", "/p"))
    assert (kept.keeps("test-main", "mine"), kept.keeps("test-main", "other")) == (True, False)
    (path,) = state.root.rglob("test-main.json")
    path.write_text('{"version": 2, "stacks": []}')
    assert kept.get("test-main") is None
    assert kept.keeps("test-main", "mine")
    assert not kept.keeps("test-other", "mine")


def test_images(state: State) -> None:
    """Tags add up per project and checkout, and can be forgotten one by one or all at once."""
    images = Images(state, "engine")
    images.add("test-main", "a", ["x:1", "y:1"])
    images.add("test-main", "a", ["x:1", "z:1"])
    assert images.of("test-main", "a") == {"x:1", "y:1", "z:1"}
    images.add("test-main", "b", ["x:1"])
    assert images.of("test-main", "a") == {"y:1", "z:1"}, "a tag names what was built last"
    images.forget("test-main", "a", ["unknown"])
    assert images.all() == {("test-main", "a"): {"y:1", "z:1"}, ("test-main", "b"): {"x:1"}}
    images.forget("test-main", "a")
    images.forget("test-main", "b", ["x:1"])
    assert images.all() == {}
    assert images.of("test-main", "a") == frozenset()


def test_tags_that_another_may_build_stay_whose_they_are(state: State) -> None:
    """An id set by hand is shared by checkouts: variables given out for plain Compose take no image away."""
    images = Images(state, "engine")
    images.add("test-main", "a", ["x:1"])
    images.expect("test-main", "b", ["x:1", "y:1"])
    assert images.all() == {("test-main", "a"): {"x:1"}, ("test-main", "b"): {"y:1"}}
    images.expect("test-main", "a", ["x:1", "y:1", "z:1"])
    assert images.all() == {("test-main", "a"): {"x:1", "z:1"}, ("test-main", "b"): {"y:1"}}


def test_what_images_were_built_from(state: State) -> None:
    """It is known for as long as the tag is the project's, whatever else becomes of the project's tags."""
    images = Images(state, "engine")
    origin = Origin("digest", "sha256:1", at=1.0)
    images.add("test-main", "a", ["x:1", "y:1"])
    images.remember("test-main", "a", {"y:1": "sha256:2"}, {"x:1": origin, "z:1": origin})
    assert images.ids("test-main", "a") == {"x:1": "sha256:1", "y:1": "sha256:2"}
    assert images.origin("test-main", "a", "x:1") == origin
    assert images.origin("test-main", "a", "y:1") is None
    assert images.origin("test-main", "a", "z:1") is None
    images.add("test-main", "a", ["z:1"])
    assert images.origin("test-main", "a", "x:1") == origin
    images.add("test-main", "b", ["x:1"])
    assert images.origin("test-main", "a", "x:1") is None, "someone else has it now"
    images.forget("test-main", "a")
    assert images.origin("test-main", "a", "x:1") is None
    assert images.ids("test-main", "a") == {}
