"""Files of the checkout, where the engine's machine has them elsewhere or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tasklib.project import Shared
from tasklib.reach import Disk, Reach, Way
from tasklib.stacks.labels import FILES
from tasklib.stacks.rewrite import CopyIn, LocalState, isolate

from .support import FACTS, ROOT, one, reviewed

FILE, FOLDER = LocalState(folder=False, digest="f1"), LocalState(folder=True, digest="d1")
LOCAL = {f"{ROOT}/init.sql": FILE, f"{ROOT}/conf": FOLDER, f"{ROOT}/key": FILE, f"{ROOT}/data": FOLDER}
APART = replace(FACTS, reach=Reach(Way.JOINED, "a job", disk=Disk(shared=False)), local=LOCAL)
ELSEWHERE = replace(
    FACTS, reach=Reach(Way.JOINED, "a job", disk=Disk(shared=False, mounts=((ROOT, "/srv/builds"),)))
)


def bind(source: str, target: str, **more: Any) -> dict[str, Any]:
    return {"type": "bind", "source": source, "target": target, **more}


def test_what_our_container_has_from_the_machine_is_mounted_by_its_path_there() -> None:
    """Read-only and writable alike, secrets and configs too; nothing has to be copied."""
    service = {
        "volumes": [bind(f"{ROOT}/init.sql", "/init.sql", read_only=True), bind(f"{ROOT}/data", "/data")],
        "secrets": [{"source": "key", "target": "api-key", "mode": "0400"}],
    }
    found = reviewed({"api": service}, facts=ELSEWHERE, secrets={"key": {"file": f"{ROOT}/key"}})
    mounts = found.config["services"]["api"]["volumes"]
    assert {mount["target"]: mount["source"] for mount in mounts} == {
        "/init.sql": "/srv/builds/init.sql",
        "/data": "/srv/builds/data",
        "/run/secrets/api-key": "/srv/builds/key",
    }
    assert all(not key.startswith("x-") for mount in mounts for key in mount)
    assert (found.problems, found.copies_in) == ((), ())
    config = found.config
    assert isolate(config, "feature-auth", facts=ELSEWHERE) == config, "isolating it again changes nothing"


def test_a_link_is_followed_here_before_its_place_there_is_looked_for() -> None:
    """The engine's machine would follow it by paths of its own."""
    facts = replace(ELSEWHERE, real_paths={f"{ROOT}/current.sql": f"{ROOT}/sql/7.sql"})
    service = {"volumes": [bind(f"{ROOT}/current.sql", "/init.sql", read_only=True)]}
    assert one(service, facts=facts)["volumes"][0]["source"] == "/srv/builds/sql/7.sql"


def test_a_file_that_is_nowhere_there_is_copied_into_the_container() -> None:
    """As what the service lacks until then; a label makes it another container once the file is another."""
    service = {"volumes": [bind(f"{ROOT}/init.sql", "/init.sql", read_only=True)]}
    found = reviewed({"api": service}, facts=APART)
    assert found.copies_in == (CopyIn("api", f"{ROOT}/init.sql", "/init.sql", FILE),)
    assert found.problems == ()
    api = found.config["services"]["api"]
    assert api["volumes"] == []
    changed = replace(APART, local={**LOCAL, f"{ROOT}/init.sql": replace(FILE, digest="f2")})
    assert one(service, facts=changed)["labels"][FILES] != api["labels"][FILES]


def test_a_folder_is_copied_into_a_volume_that_hides_what_the_image_has() -> None:
    """As a mount would; another content is another volume, and it has the stack's name and labels."""
    service = {"volumes": [bind(f"{ROOT}/conf", "/etc/nginx/conf.d", read_only=True)]}
    found = reviewed({"api": service}, facts=APART)
    (mount,) = found.config["services"]["api"]["volumes"]
    assert (mount["type"], mount["volume"]) == ("volume", {"nocopy": True})
    assert found.config["volumes"][mount["source"]]["labels"]
    assert found.copies_in == (CopyIn("api", f"{ROOT}/conf", "/etc/nginx/conf.d", FOLDER),)
    changed = replace(APART, local={f"{ROOT}/conf": replace(FOLDER, digest="d2")})
    assert one(service, facts=changed)["volumes"][0]["source"] != mount["source"]


def test_secrets_and_configs_that_are_files_are_copied_with_the_owner_they_ask_for() -> None:
    """Those of other kinds are Compose's to bring, as ever."""
    service = {
        "secrets": [{"source": "key", "mode": 0o400, "uid": "app"}, {"source": "token"}],
        "configs": [
            {"source": "site", "target": "/etc/site.conf", "mode": "0440", "uid": "101", "gid": "102"}
        ],
    }
    found = reviewed(
        {"api": service},
        facts=APART,
        secrets={"key": {"file": f"{ROOT}/key"}, "token": {"environment": "TOKEN"}},
        configs={"site": {"file": f"{ROOT}/init.sql"}},
    )
    assert set(found.copies_in) == {
        CopyIn("api", f"{ROOT}/key", "/run/secrets/key", FILE, 0o400),
        CopyIn("api", f"{ROOT}/init.sql", "/etc/site.conf", FILE, 0o440, 101, 102),
    }
    assert found.config["services"]["api"]["secrets"] == [{"source": "token"}]
    assert found.config["services"]["api"]["configs"] == []


def test_a_writable_mount_is_refused_unless_a_copy_may_be_written_to() -> None:
    """What the container writes would not come back; the reason says so, and what to do."""
    service = {"volumes": [bind(f"{ROOT}/data", "/data")]}
    (problem,) = reviewed({"api": service}, facts=APART).problems
    assert "would not come back" in problem.what
    assert f'copy-in = ["{ROOT}/data"]' in problem.remedy
    for allowed in (f"{ROOT}/data", ROOT):
        found = reviewed({"api": service}, facts=replace(APART, copy_in=frozenset({allowed})))
        assert (found.problems, len(found.copies_in)) == ((), 1)
    beside = reviewed({"api": service}, facts=replace(APART, copy_in=frozenset({f"{ROOT}/dat"})))
    assert beside.problems, "names that only begin alike are others"


def test_folders_of_the_engines_own_machine_are_mounted_as_they_are() -> None:
    """They were never ours: time zones, and what `shared.mounts` allows."""
    facts = replace(APART, shared=Shared(mounts=frozenset({"/srv/models"})))
    mounts = [bind("/etc/localtime", "/etc/localtime", read_only=True), bind("/srv/models", "/models")]
    found = reviewed({"api": {"volumes": mounts}}, facts=facts)
    sources = [mount["source"] for mount in found.config["services"]["api"]["volumes"]]
    assert (sources, found.problems, found.copies_in) == (["/etc/localtime", "/srv/models"], (), ())


@pytest.mark.parametrize(
    ("service", "says"),
    [
        ({"volumes": [bind(f"{ROOT}/gone", "/x", read_only=True)]}, "is not there"),
        ({"read_only": True, "volumes": [bind(f"{ROOT}/key", "/x", read_only=True)]}, "`read_only`"),
        ({"tmpfs": ["/run"], "secrets": ["key"]}, "/run is empty"),
        ({"tmpfs": ["/x:size=1m"], "volumes": [bind(f"{ROOT}/key", "/x/key", read_only=True)]}, "is empty"),
    ],
)
def test_what_cannot_be_copied_is_said_before_anything_starts(service: dict[str, Any], says: str) -> None:
    """A file that is missing, a container that takes none, a place that is emptied at the start."""
    found = reviewed({"api": service}, facts=APART, secrets={"key": {"file": f"{ROOT}/key"}})
    assert [says in problem.what for problem in found.problems] == [True]


def test_a_volume_that_is_a_folder_of_the_checkout_has_its_path_there() -> None:
    """Where there is none it is refused: an empty folder would be made in its place."""
    services = {"api": {"volumes": [{"type": "volume", "source": "data", "target": "/data"}]}}
    volume = {"driver_opts": {"type": "none", "o": "bind", "device": f"{ROOT}/data"}}
    found = reviewed(services, facts=ELSEWHERE, volumes={"data": volume})
    assert found.config["volumes"]["data"]["driver_opts"]["device"] == "/srv/builds/data"
    assert len(reviewed(services, facts=APART, volumes={"data": volume}).problems) == 1
