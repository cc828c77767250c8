"""How tests get to containers, decided from what can be seen of an engine and of ourselves."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tasklib.errors import EngineError
from tasklib.reach import HERE, Disk, Own, Seen, Way, decide

SOCKET = Seen("unix:///var/run/docker.sock", local=True, same_network=True)
OURS = Own("c0ffee", mounts=(("/builds", "/srv/runner/builds"),))
IN_A_JOB = replace(SOCKET, same_network=False, contained=True, own=OURS)
PORT = Seen("tcp://127.0.0.1:2375", local=True, port=True)
ROOTLESS_INSIDE = replace(SOCKET, same_network=False, forwards=True, named=True, contained=True)
DIND = Seen("tcp://docker:2376", local=False, contained=True, address="172.18.0.2", neighbour=True)
SSH = Seen("ssh://me@build-1", local=False, address="192.0.2.7", ssh=True)
FAR = Seen("tcp://build-1:2376", local=False, address="192.0.2.7")


@pytest.mark.parametrize(
    ("seen", "way", "direct"),
    [
        (SOCKET, Way.LOOPBACK, True),
        (replace(SOCKET, contained=True), Way.LOOPBACK, True),
        (replace(SOCKET, same_network=False, forwards=True), Way.LOOPBACK, False),
        (IN_A_JOB, Way.JOINED, True),
        (replace(IN_A_JOB, forwards=True), Way.JOINED, True),
        (replace(SOCKET, contained=True, own=replace(OURS, on_host=True)), Way.LOOPBACK, True),
        (replace(PORT, same_network=True), Way.LOOPBACK, True),
        (replace(PORT, forwards=True, named=True, contained=True), Way.LOOPBACK, False),
        (ROOTLESS_INSIDE, Way.LOOPBACK, False),
        (DIND, Way.PUBLISHED, False),
        (SSH, Way.FORWARDED, False),
    ],
    ids=[
        "here",
        "engine inside",
        "desktop",
        "job",
        "desktop's job",
        "host network",
        "pod",
        "rootless in a pod",
        "rootless inside",
        "dind",
        "ssh",
    ],
)
def test_what_is_seen_decides(seen: Seen, way: Way, direct: bool) -> None:
    """Without any setting, in every place that tests run in."""
    reach = decide(seen)
    assert (reach.way, reach.direct) == (way, direct)
    assert reach.publishes == (way not in (Way.JOINED, Way.FORWARDED))
    assert reach.lasts == (way is not Way.FORWARDED)
    assert str(reach)


def test_what_has_a_machine_of_its_own() -> None:
    """What is at the other end of ssh or published on its own address, unless it is beside a container."""
    assert decide(SSH).elsewhere
    assert decide(FAR, Way.PUBLISHED).elsewhere
    assert not any(decide(seen).elsewhere for seen in (SOCKET, IN_A_JOB, DIND))
    assert not decide(PORT, Way.LOOPBACK).elsewhere


def test_a_neighbours_ports_are_published_on_its_own_address() -> None:
    """Not on all of them: the job alone is on that network."""
    assert decide(DIND).address == "172.18.0.2"
    assert decide(SOCKET).address == HERE.address == "127.0.0.1"


@pytest.mark.parametrize(
    ("seen", "says", "helps"),
    [
        (replace(SSH, forwards=True), "ssh cannot reach the containers", "runs as root"),
        (FAR, "tcp://build-1:2376 is on another machine", 'reach = "published"'),
        (PORT, "tcp://127.0.0.1:2375 is on another machine", "DOCKER_HOST"),
        (replace(IN_A_JOB, own=replace(OURS, alone=True)), "network_mode: none", "on a network"),
        (replace(PORT, forwards=True), "tcp://127.0.0.1:2375 is on another machine", "DOCKER_HOST"),
        (replace(SOCKET, same_network=False, contained=True), "none of its containers", "network_mode: host"),
        (replace(SOCKET, same_network=False), "not the one we are in", "network_mode: host"),
        (replace(SOCKET, same_network=False, forwards=True, contained=True), "none of", "network_mode"),
    ],
)
def test_where_no_way_is_safe_two_lines_help(seen: Seen, says: str, helps: str) -> None:
    """What is wrong with which engine, and what to do; the exit code is that of no engine."""
    with pytest.raises(EngineError) as refused:
        decide(seen)
    assert says in refused.value.what
    assert helps in str(refused.value.remedy)
    assert len(str(refused.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("seen", "wanted", "address"),
    [
        (FAR, Way.PUBLISHED, "192.0.2.7"),
        (PORT, Way.LOOPBACK, "127.0.0.1"),
        (replace(SOCKET, own=replace(OURS, on_host=True)), Way.JOINED, "127.0.0.1"),
    ],
)
def test_the_setting_comes_before_what_is_seen(seen: Seen, wanted: Way, address: str) -> None:
    """Whoever sets it knows what cannot be seen from here."""
    reach = decide(seen, wanted)
    assert (reach.way, reach.address) == (wanted, address)


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [(FAR, Way.LOOPBACK), (FAR, Way.FORWARDED), (SOCKET, Way.JOINED), (SOCKET, Way.PUBLISHED)],
)
def test_a_setting_that_cannot_be_followed_is_refused(seen: Seen, wanted: Way) -> None:
    """It names the setting and why; nothing else is tried in its place."""
    with pytest.raises(EngineError, match=f'`reach = "{wanted}"` does not work here'):
        decide(seen, wanted)


@pytest.mark.parametrize("seen", [SOCKET, IN_A_JOB, DIND, FAR, PORT, SSH])
def test_stacks_as_written_are_reached_on_loopback_or_not_at_all(seen: Seen) -> None:
    """Their ports are where their files say: nobody joins or publishes for them."""
    assert decide(seen, Way.NONE).way is (Way.LOOPBACK if seen is SOCKET else Way.NONE)


@pytest.mark.parametrize(
    ("seen", "disk"),
    [
        (SOCKET, Disk()),
        (replace(SOCKET, contained=True), Disk()),
        (replace(SOCKET, same_network=False, forwards=True), Disk()),
        (ROOTLESS_INSIDE, Disk()),
        (IN_A_JOB, Disk(shared=False, mounts=OURS.mounts)),
        (replace(SOCKET, own=replace(OURS, on_host=True)), Disk(shared=False, mounts=OURS.mounts)),
        (replace(PORT, same_network=True), Disk(shared=False)),
        (DIND, Disk(shared=False)),
        (SSH, Disk(shared=False)),
    ],
)
def test_whose_files_an_engine_mounts_is_decided_with_it(seen: Seen, disk: Disk) -> None:
    """A host's network is no host's disk: each is looked at by itself."""
    assert decide(seen).disk == disk


def test_a_path_is_where_the_deepest_mount_has_it() -> None:
    """What lies in none is nowhere on the engine's machine; names that only begin alike are others."""
    disk = Disk(shared=False, mounts=(("/", "/rootfs"), ("/builds", "/srv"), ("/builds/shop/data", "/data")))
    assert disk.there("/builds/shop/schema.sql") == "/srv/shop/schema.sql"
    assert disk.there("/builds/shop/data/x") == "/data/x"
    assert disk.there("/builds") == "/srv"
    assert disk.there("/builds-2/x") == "/rootfs/builds-2/x"
    assert Disk(shared=False, mounts=(("/builds", "/srv"),)).there("/builds-2/x") is None
    assert Disk().there("/anywhere") == "/anywhere"
    hidden = Disk(shared=False, mounts=(("/builds", "/srv"), ("/builds/shop/out", "")))
    assert hidden.there("/builds/shop/out/x") is None
