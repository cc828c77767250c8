"""Compose files of every kind, made up by hypothesis; each is one that Compose accepts."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

__all__ = ["compose_files", "stacks"]

# Names that other names, joined with a branch, are likely to meet.
_KEYS = ("api", "auth-api", "auth", "db", "api.2", "a_b", "a-b", "API", "feature-auth_api", "x" * 70)
_INSTANCES = ("main", "feature", "feature-auth", "feature-auth-api", "a", "a-b")
_STACKS = (None, "api", "auth", "auth-api", "db", "A b", "full")
_NETWORKS = ("front", "back", "default")
_VOLUMES = ("data", "api.data", "feature_data")
_IMAGES = ("postgres:16", "redis", "team/app", "team/app:latest", "localhost:5000/x/y:1", "mysql:8")

stacks = st.tuples(st.sampled_from(_INSTANCES), st.sampled_from(_STACKS))
"""An instance and one of its stacks."""

_ports = st.one_of(
    st.sampled_from(
        [
            "80",
            "8080:80",
            "127.0.0.1:8081:81",
            "[::1]:8082:82",
            "9000-9002:9000-9002",
            "9100-9110:91",
            "53:53/udp",
        ]
    ),
    st.fixed_dictionaries(
        {"target": st.integers(1, 200)},
        optional={
            "published": st.sampled_from(["8000", "8001-8009", "0"]),
            "host_ip": st.sampled_from(["0.0.0.0", "::", "127.0.0.1"]),
            "protocol": st.sampled_from(["tcp", "udp"]),
            "mode": st.sampled_from(["host", "ingress"]),
        },
    ),
)
_durations = st.sampled_from(["100ms", "1s", "1m30s", "5s", "1h0m0.5s"])
_checks = st.one_of(
    st.just({"disable": True}),
    st.just({"test": ["NONE"]}),
    st.fixed_dictionaries(
        {"test": st.sampled_from(["true", ["CMD", "true"], ["CMD-SHELL", "curl localhost:$$PORT"]])},
        optional={
            "interval": _durations,
            "timeout": _durations,
            "start_period": _durations,
            "start_interval": _durations,
            "retries": st.integers(1, 20),
        },
    ),
)
_text = st.sampled_from(
    ["x", "$$HOME", "a$$$$b", "http://localhost:8080", "172.20.3.4", "{{.ID}}", "ü", "a=b c", ""]
)
_mounts = st.one_of(
    st.sampled_from(
        ["./conf:/conf:ro", "./data:/data/x", "/anonymous", "/srv/x:/srv/x:ro", "/var/run/docker.sock:/s"]
    ),
    st.builds(
        "{}:{}".format,
        st.sampled_from(_VOLUMES),
        st.sampled_from(["/var/lib/postgresql/data", "/data", "/v"]),
    ),
    st.builds(
        lambda target, read_only: {"type": "volume", "target": target, "read_only": read_only},
        st.sampled_from(["/long", "/long/er"]),
        st.booleans(),
    ),
)
_builds = st.fixed_dictionaries(
    {"context": st.just(".")},
    optional={
        "tags": st.just(["team/app:extra"]),
        "args": st.just({"BASE": "team/app", "N": "1"}),
        "dockerfile_inline": st.sampled_from(["FROM team/app", "FROM x AS y\nCOPY --from=team/app / /$$X\n"]),
        "labels": st.just({"l": "1"}),
    },
)
_simple = {
    "restart": st.sampled_from(["no", "always", "unless-stopped", "on-failure", "on-failure:3"]),
    "stop_grace_period": _durations,
    "healthcheck": _checks,
    "environment": st.dictionaries(st.sampled_from(["A", "B_C", "URL"]), _text, max_size=3),
    "command": st.one_of(_text.filter(bool), st.lists(_text, max_size=3)),
    "entrypoint": st.lists(_text, max_size=2),
    "hostname": st.sampled_from(["h", "host.name"]),
    "labels": st.dictionaries(st.sampled_from(["a", "traefik.enable"]), _text, max_size=2),
    "logging": st.sampled_from([{"driver": "syslog"}, {"driver": "local"}, {"options": {"max-size": "1m"}}]),
    "ports": st.lists(_ports, max_size=4, unique_by=str),
    "volumes": st.lists(_mounts, max_size=3, unique_by=str),
    "expose": st.just(["1234"]),
    "tmpfs": st.sampled_from(["/run", ["/run", "/tmp:size=1m"]]),
    "privileged": st.booleans(),
    "devices": st.sampled_from([["/dev/fuse"], ["/dev/ttyUSB0:/dev/ttyUSB0"]]),
    "init": st.booleans(),
    "user": st.sampled_from(["1000", "1000:1000", "nobody"]),
    "extra_hosts": st.just(["me:127.0.0.1", "host.docker.internal:host-gateway"]),
    "mac_address": st.just("02:42:ac:11:65:43"),
    "pull_policy": st.sampled_from(["missing", "always"]),
    "x-mine": st.just({"k": ["v"]}),
}


@st.composite
def compose_files(draw: st.DrawFn) -> dict[str, Any]:
    """A Compose file as written, with short and long forms mixed."""
    keys = draw(st.lists(st.sampled_from(_KEYS), min_size=1, max_size=5, unique=True))
    networks = {key: _network(draw, index) for index, key in enumerate(_NETWORKS)}
    services: dict[str, Any] = {}
    for index, key in enumerate(keys):
        services[key] = _service(draw, keys[:index], index, networks)
    file: dict[str, Any] = {
        "services": services,
        "networks": networks,
        "volumes": {key: draw(_volume) for key in _VOLUMES},
        "x-top": {"a": 1},
    }
    if draw(st.booleans()):
        file["name"] = draw(st.sampled_from(["own", "test-feature", "feature-auth"]))
    if draw(st.booleans()):
        file["configs"] = {"c": {"content": "a $$b"}}
        file["secrets"] = {"s": {"environment": "HOME"}}
        services[keys[0]].update(configs=["c"], secrets=["s"])
    return file


_volume = st.sampled_from([None, {}, {"name": "fixed"}, {"labels": {"a": "b"}}, {"driver": "local"}])


def _network(draw: st.DrawFn, index: int) -> dict[str, Any] | None:
    kind = draw(st.sampled_from(["plain", "named", "fixed", "overlay", "six"]))
    if kind == "plain":
        return draw(st.sampled_from([None, {"internal": True}]))
    if kind == "named":
        return {"name": f"fixed-{index}", "driver_opts": {"com.docker.network.bridge.name": f"br{index}"}}
    if kind == "overlay":
        return {"driver": "overlay", "attachable": True}
    pool = {"subnet": f"172.2{index}.0.0/16", "gateway": f"172.2{index}.0.1"}
    if kind == "fixed":
        return {"ipam": {"config": [pool]}}
    return {"enable_ipv6": True, "ipam": {"config": [pool, {"subnet": f"2001:db8:{index}::/64"}]}}


def _service(draw: st.DrawFn, earlier: list[str], index: int, networks: dict[str, Any]) -> dict[str, Any]:
    service: dict[str, Any] = draw(st.fixed_dictionaries({}, optional=_simple))
    built = draw(st.booleans())
    if built:
        service["build"] = draw(_builds)
    if not built or draw(st.booleans()):
        service["image"] = draw(st.sampled_from(_IMAGES))
    count = draw(st.sampled_from([None, None, None, 0, 2, 3]))
    if count is not None:
        service.update(draw(st.sampled_from([{"scale": count}, {"deploy": {"replicas": count}}])))
    elif draw(st.booleans()):
        service["container_name"] = f"fixed-{index}"
    modes = ["networks", "networks", "none", "bridge", "host", *(f"service:{key}" for key in earlier)]
    mode = draw(st.sampled_from(modes))
    if mode == "networks":
        keys = sorted(draw(st.sets(st.sampled_from(_NETWORKS))))
        service["networks"] = {key: _attachment(draw, networks[key], index) for key in keys}
    else:
        service["network_mode"] = mode
        for key in ("ports", "mac_address", "hostname", "extra_hosts", "expose"):
            service.pop(key, None)
    if earlier:
        conditions = st.sampled_from(["service_started", "service_healthy", "service_completed_successfully"])
        needed = draw(st.dictionaries(st.sampled_from(earlier), conditions, max_size=2))
        service["depends_on"] = {key: {"condition": condition} for key, condition in needed.items()}
    return service


def _attachment(draw: st.DrawFn, network: dict[str, Any] | None, index: int) -> dict[str, Any] | None:
    attachment: dict[str, Any] | None = draw(
        st.sampled_from([None, {}, {"aliases": ["alias"]}, {"priority": 7}])
    )
    pools = ((network or {}).get("ipam") or {}).get("config") or []
    if pools and draw(st.booleans()):
        attachment = {**(attachment or {})}
        host = draw(st.sampled_from([f"0.{index + 2}", f"0.{index + 200}", f"{index + 7}.0"]))
        attachment["ipv4_address"] = pools[0]["subnet"].replace("0.0/16", host)
        if len(pools) > 1 and draw(st.booleans()):
            attachment["ipv6_address"] = pools[1]["subnet"].replace("/64", str(index + 2))
    return attachment
