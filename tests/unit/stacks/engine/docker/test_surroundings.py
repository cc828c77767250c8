"""Which container we are in, read from what the kernel and the engine say."""

from __future__ import annotations

import platform
from types import SimpleNamespace
from typing import Any

import pytest

from tasklib.stacks.engine.docker.surroundings import container_ids, look, own_from

ID, OTHER = "c0ffee" * 10 + "0123", "feed" * 16
FILES = f"/var/lib/docker/containers/{ID}"


@pytest.mark.parametrize(
    ("cgroup", "mountinfo"),
    [
        (f"12:pids:/docker/{ID}\n0::/docker/{ID}\n", ""),
        (f"0::/system.slice/docker-{ID}.scope\n", ""),
        (f"0::/kubepods/burstable/pod-1/cri-containerd-{ID}.scope", ""),
        ("0::/\n", f"1 2 254:1 {FILES}/hostname /etc/hostname rw - ext4 /dev/vda rw\n"),
        ("0::/\n", f"1 2 254:1 {FILES}/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda rw\n"),
    ],
    ids=["v1", "systemd", "kubernetes", "v2 with a namespace of its own", "resolv.conf"],
)
def test_the_id_of_our_container_is_in_what_the_kernel_tells(cgroup: str, mountinfo: str) -> None:
    """In the names of its control group, or of the files that every container is given."""
    assert container_ids(cgroup, mountinfo) == (ID,)


@pytest.mark.parametrize(
    ("cgroup", "mountinfo"),
    [
        ("", ""),
        ("0::/user.slice/session-1.scope", ""),
        (f"0::/{ID}beef", ""),
        ("0::/", f"1 2 0:5 / /var/lib/docker/overlay2/{OTHER}/merged rw - overlay overlay rw"),
        ("0::/", f"1 2 0:5 {FILES}/hostname /mnt/hostname rw - ext4 /dev/vda rw"),
        ("garbage", "short line"),
    ],
)
def test_other_ids_are_not_taken_for_ours(cgroup: str, mountinfo: str) -> None:
    """A machine with containers on it mounts their files, too."""
    assert container_ids(cgroup, mountinfo) == ()


def test_what_we_have_of_the_machines_files_stands_in_our_mounts() -> None:
    """Bind mounts and local volumes; another driver's volume and a tmpfs are no folders of the machine."""
    row: dict[str, Any] = {
        "Id": ID,
        "HostConfig": {"NetworkMode": "bridge"},
        "Mounts": [
            {"Type": "bind", "Source": "/srv/builds", "Destination": "/builds"},
            {"Type": "volume", "Source": "/v/_data", "Destination": "/cache", "Driver": "local"},
            {"Type": "volume", "Source": "/nfs", "Destination": "/far", "Driver": "nfs"},
            {"Type": "tmpfs", "Source": "", "Destination": "/tmp"},
        ],
    }
    found = own_from(row, row)
    assert (found.id, found.on_host) == (ID, False)
    assert found.mounts == (("/builds", "/srv/builds"), ("/cache", "/v/_data"), ("/far", ""), ("/tmp", ""))


def test_a_folder_of_a_volume_and_what_is_in_memory_are_told_apart() -> None:
    """Of a volume's folder the engine says where the whole volume is, and of `--tmpfs` no mount at all."""
    row: dict[str, Any] = {
        "Id": ID,
        "HostConfig": {
            "NetworkMode": "bridge",
            "Mounts": [
                {"Type": "volume", "Target": "/work", "VolumeOptions": {"Subpath": "team/shop/"}},
                {"Type": "volume", "Target": "/cache", "VolumeOptions": {}},
                {"Type": "bind", "Target": "/builds"},
            ],
            "Tmpfs": {"/work/out": "size=1m"},
        },
        "Mounts": [
            {"Type": "volume", "Source": "/v/_data", "Destination": "/work", "Driver": "local"},
            {"Type": "volume", "Source": "/c/_data", "Destination": "/cache", "Driver": "local"},
            {"Type": "bind", "Source": "/srv/builds", "Destination": "/builds"},
        ],
    }
    mounts = dict(own_from(row, row).mounts)
    assert mounts == {
        "/work": "/v/_data/team/shop",
        "/cache": "/c/_data",
        "/builds": "/srv/builds",
        "/work/out": "",
    }


def test_the_network_may_be_another_containers() -> None:
    """In a pod, that one joins; the files are ours all the same. Host's network is the machine's own."""
    row = {"Id": ID, "HostConfig": {"NetworkMode": f"container:{OTHER}"}, "Mounts": []}
    pod = {"Id": OTHER, "HostConfig": {"NetworkMode": "bridge"}}
    assert own_from(pod, row).id == OTHER
    host = {"Id": ID, "HostConfig": {"NetworkMode": "host"}}
    assert own_from(host, host).on_host
    none = {"Id": ID, "HostConfig": {"NetworkMode": "none"}}
    assert own_from(none, none).alone


def test_an_engine_in_a_namespace_of_its_own_is_not_in_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bridge has the address of the one that this machine's other engine has."""
    monkeypatch.setattr("tasklib.stacks.engine.docker.surroundings._is_ours", lambda address: True)
    client = SimpleNamespace(
        inspect_network=lambda name: {"IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]}},
        inspect_container=lambda name: {},
    )
    socket = "unix:///run/user/1000/docker.sock"
    assert look(client, {}, socket, forwards=False).same_network
    assert not look(client, {}, socket, forwards=True).same_network
    monkeypatch.setattr("tasklib.stacks.engine.docker.surroundings._is_ours", lambda address: False)
    here = {"Name": platform.node()}
    assert look(client, here, socket, forwards=False, makes_bridge_late=True).same_network
    assert not look(client, {"Name": "there"}, socket, forwards=False, makes_bridge_late=True).same_network
    assert not look(client, {}, socket, forwards=False).same_network
