"""What each container is made of, as a digest that it carries: what has not changed need not be made again.

Compose decides the same by a digest of its own, for which it has to be started.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tasklib.stacks.labels import MADE_OF
from tasklib.stacks.rewrite.draft import Draft

__all__ = ["take_fingerprints"]

_LISTED = ("volumes", "secrets", "configs")
"""Keys of a service, and sections of the file, whose entries are named by a ``source`` of the service."""

_NO_CONTAINERS = frozenset({"build", "depends_on", "deploy", "profiles", "pull_policy", "scale"})
"""Keys of a service by which Compose makes no other container; ``deploy`` counts but for its replicas."""

_WHY = "what has not changed is not made again"


def take_fingerprints(draft: Draft) -> None:
    """Each container carries the digest of its service and of the networks, volumes and files it uses."""
    for name, service in draft.services():
        if "provider" not in service:
            made_of = _fingerprint(draft.config, service)
            draft.put(("services", name, "labels", MADE_OF), made_of, "labels", _WHY)


def _fingerprint(config: Mapping[str, Any], service: Mapping[str, Any]) -> str:
    labels = {key: value for key, value in (service.get("labels") or {}).items() if key != MADE_OF}
    used = [("networks", key) for key in service.get("networks") or ()]
    used += [(key, _named(part)) for key in _LISTED for part in service.get(key) or ()]
    parts = [(section, key, (config.get(section) or {}).get(key)) for section, key in used]
    own = {key: value for key, value in service.items() if key not in {*_NO_CONTAINERS, "labels"}}
    deploy = {key: value for key, value in (service.get("deploy") or {}).items() if key != "replicas"}
    made_of = json.dumps([own, labels, deploy, parts], sort_keys=True, default=str)
    return hashlib.sha256(made_of.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _named(part: Any) -> str:
    """Secrets and configs may be named without more."""
    return str(part.get("source")) if isinstance(part, Mapping) else str(part)
