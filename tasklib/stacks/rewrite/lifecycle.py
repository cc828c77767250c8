"""How containers are checked, restarted, stopped and logged in a test stack."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tasklib.stacks.labels import CONTAINER
from tasklib.stacks.rewrite.draft import Draft
from tasklib.stacks.rewrite.durations import duration, seconds

__all__ = [
    "bound_restarts",
    "check_fast",
    "comes_back",
    "forget_profiles",
    "label",
    "log_locally",
    "only_compose_can_start",
    "stop_at_once",
]

_INTERVAL, _RETRIES = 30.0, 3
"""The engine's defaults."""

_FASTEST = 0.2
_CHECK_COST = 0.06
"""Processor seconds of one check, between `true` (0.05) and one that starts Python (0.1)."""


class _Pace(Struct, frozen=True):
    """What part of the machine all checks of a stack may take, and the most seconds between two of one."""

    share: float
    slowest: float

    def interval(self, checks: int, cpus: int) -> float:
        """Seconds between two checks of each of ``checks`` containers."""
        needed = checks * _CHECK_COST / max(cpus * self.share, _CHECK_COST)
        return min(max(math.ceil(needed * 20) / 20, _FASTEST), self.slowest)


_BESIDES_OURS = _Pace(1 / 32, 5.0)
"""Our own checks tell earlier; the engine's are for whoever looks at its word."""
_STARTING = _Pace(1 / 4, 2.0)
_FOR_EVER = _Pace(1 / 64, 2.0)

_RESTARTS = 10
_READABLE_LOGS = ("json-file", "local", "none")


def only_compose_can_start(config: Mapping[str, Any]) -> bool:
    """Whether starting also copies content into containers, runs hooks or calls providers."""
    contents = [
        part
        for section in ("configs", "secrets")
        for part in (config.get(section) or {}).values()
        if "content" in (part or {}) or "environment" in (part or {})
    ]
    services = config["services"].values()
    return bool(contents) or any({"post_start", "provider", "models"} & set(service) for service in services)


def check_fast(draft: Draft) -> None:
    """Health checks run fast while the stack starts, and nobody loses patience earlier than the file says.

    An engine that knows one interval only would go on at that pace for as long as the stack is up. It keeps
    the file's, unless Compose waits for it: where we start the stack, our own checks tell earlier.
    """
    modern, for_compose = draft.facts.start_interval, only_compose_can_start(draft.config)
    checked = [name for name, service in draft.services() if _is_checked(service)]
    pace = (_STARTING if modern else _FOR_EVER) if for_compose else _BESIDES_OURS
    fast = pace.interval(len(checked), draft.facts.cpus)
    for name in checked:
        service = draft.config["services"][name]
        path = ("services", name, "healthcheck")
        if modern and not draft.owned(service):
            _start_fast(draft, path, fast)
        elif not modern:
            draft.drop((*path, "start_interval"), "health", "this engine does not know it")
            if for_compose:
                _stay_fast(draft, path, fast)


def _start_fast(draft: Draft, path: tuple[str, str, str], fast: float) -> None:
    check = draft.config["services"][path[1]]["healthcheck"]
    quick = min(fast, _interval(check))
    own = seconds(check.get("start_interval")) or quick
    patience = _patience(check, _interval(check))
    draft.put(
        (*path, "start_interval"),
        duration(min(own, quick)),
        "health",
        "it is noticed at once when it is ready",
    )
    _extend(draft, path, patience)


def _stay_fast(draft: Draft, path: tuple[str, str, str], fast: float) -> None:
    check = draft.config["services"][path[1]]["healthcheck"]
    quick = min(fast, _interval(check))
    left = _patience(check, _interval(check) - quick)
    draft.put((*path, "interval"), duration(quick), "health", "it is noticed at once when it is ready")
    _extend(draft, path, left)


def _interval(check: Mapping[str, Any]) -> float:
    return seconds(check.get("interval")) or _INTERVAL


def _patience(check: Mapping[str, Any], interval: float) -> float:
    """Seconds until as many failures ``interval`` apart count that the engine says unhealthy."""
    return (seconds(check.get("start_period")) or 0.0) + interval * int(check.get("retries") or _RETRIES)


def _is_checked(service: dict[str, Any]) -> bool:
    check = service.get("healthcheck") or {}
    return bool(check) and not check.get("disable") and check.get("test") not in (["NONE"], "NONE")


def _extend(draft: Draft, path: tuple[str, str, str], period: float) -> None:
    check = draft.config["services"][path[1]]["healthcheck"]
    if period - (seconds(check.get("start_period")) or 0.0) > 0.0005:
        why = "failures do not count while it starts, for as long as the file allows"
        draft.put((*path, "start_period"), duration(period), "health", why)


def bound_restarts(draft: Draft) -> None:
    """A container that crashes until what it needs is there comes up; nothing comes back after a reboot."""
    for name, service in draft.services():
        policy, path = str(service.get("restart") or ""), ("services", name)
        deploy = (service.get("deploy") or {}).get("restart_policy") or {}
        bounded = _bounded(policy) if policy else _bounded_deploy(deploy)
        if bounded is None:
            continue
        why = "a crash is retried, but not for ever, and not after a reboot"
        draft.put((*path, "restart"), bounded, "restart", why)
        if deploy:
            draft.drop((*path, "deploy", "restart_policy"), "restart", "`restart` says it")


def comes_back(service: Mapping[str, Any]) -> bool:
    """Whether a service is started again whatever it ends with, as its file is written."""
    if policy := str(service.get("restart") or ""):
        return policy in ("always", "unless-stopped")
    deploy = (service.get("deploy") or {}).get("restart_policy") or {}
    return bool(deploy) and deploy.get("condition", "any") == "any"


def _bounded(policy: str) -> str | None:
    kind, _, limit = policy.partition(":")
    if kind in ("always", "unless-stopped"):
        return f"on-failure:{_RESTARTS}"
    if kind == "on-failure":
        return f"on-failure:{_limit(limit)}"
    return None


def _bounded_deploy(policy: dict[str, Any]) -> str | None:
    if not policy or policy.get("condition") == "none":
        return None
    return f"on-failure:{_limit(policy.get('max_attempts'))}"


def _limit(text: Any) -> int:
    found = re.fullmatch(r"\d+", str(text or ""))
    count = int(found[0]) if found else 0
    return count if 0 < count <= _RESTARTS else _RESTARTS


def stop_at_once(draft: Draft) -> None:
    """What keeps nothing needs no time to stop."""
    if draft.facts.kept:
        return
    for name, service in draft.services():
        if "provider" not in service:
            draft.put(("services", name, "stop_grace_period"), "0s", "grace", "the stack keeps nothing")


def log_locally(draft: Draft) -> None:
    """Logs stay with the engine, where they are read after a failure and removed with the container."""
    for name, service in draft.services():
        logging = service.get("logging") or {}
        driver = logging.get("driver")
        if driver and driver not in _READABLE_LOGS:
            why = f"{driver} takes the logs elsewhere"
            draft.put(("services", name, "logging"), {"driver": "json-file"}, "logging", why)


def forget_profiles(draft: Draft) -> None:
    """Rendering chose the profiles; every service that is left is meant to run."""
    for name, _ in draft.services():
        draft.drop(
            ("services", name, "profiles"),
            "profiles",
            "profiles are chosen before, and only chosen services are left",
        )
    for name, service in draft.services():
        for other, dependency in list((service.get("depends_on") or {}).items()):
            if other not in draft.config["services"] and (dependency or {}).get("required") is False:
                path = ("services", name, "depends_on", other)
                draft.drop(path, "profiles", f"{other} is not among the chosen services, nor required")


def label(draft: Draft) -> None:
    """Containers, networks and volumes say whose they are; images do not, or what is built on them would."""
    parts = [("services", name, service) for name, service in draft.services() if "provider" not in service]
    for section in ("networks", "volumes"):
        for key, part in draft.section(section).items():
            if not part.get("external") and part.get("driver") not in ("host", "none", "null"):
                parts.append((section, key, part))
    for section, key, part in parts:
        merged = {**(part.get("labels") or {}), **draft.labels}
        if section == "services":
            merged[CONTAINER] = part["container_name"]
        draft.put((section, key, "labels"), merged, "labels", "it is found again by its labels")
