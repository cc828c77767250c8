"""A prepared stack: what would run and why, and what is known of it before it does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tasklib.checkout import find_checkout
from tasklib.errors import ConfigError
from tasklib.isolation import Instance
from tasklib.options.caller import hint
from tasklib.project.compose_files import assignments
from tasklib.stacks import subnets
from tasklib.stacks.contents import text_in
from tasklib.stacks.engine.engine import Engine
from tasklib.stacks.labels import SERVICE
from tasklib.stacks.plan import StackPlan
from tasklib.stacks.rewrite import Bake, Facts, Isolation, base_image, comes_back, review, subnet_sizes
from tasklib.stacks.servers import Server, known_server
from tasklib.stacks.written import data_folders, written_folders

__all__ = ["Prepared", "checkout_root", "known_servers"]


class Prepared(Struct, frozen=True):
    """A rendered stack: ``isolation`` is what would run and why, ``env`` what Compose is called with."""

    plan: StackPlan
    instance: Instance
    rendered: Mapping[str, Any]
    facts: Facts
    env: Mapping[str, str]
    isolation: Isolation

    @property
    def config(self) -> Mapping[str, Any]:
        return self.isolation.config

    @property
    def project(self) -> str:
        return self.instance.project(self.plan.name)

    @property
    def comes_back(self) -> frozenset[str]:
        """The services that their files have started again whatever they end with."""
        written = self.rendered["services"]
        return frozenset(
            name
            for name, service in self.config["services"].items()
            if comes_back(written.get((service.get("labels") or {}).get(SERVICE, name)) or {})
        )

    @property
    def servers(self) -> Mapping[str, Server]:
        """The known servers by service, also where an image is built on one."""
        return known_servers(self.config, self.facts.dockerfiles)

    @property
    def writable(self) -> frozenset[Path]:
        """The folders of the checkout that containers may write."""
        return written_folders(self.config, checkout_root(self.plan.source.root))

    @property
    def writes(self) -> frozenset[Path]:
        """Those of :attr:`writable` that hold data."""
        return data_folders(self.writable, checkout_root(self.plan.source.root))

    def text_of(self, service: str, path: str) -> str | None:
        """What a file inside a service's container holds, where the stack's definition says it."""
        variables = {k: v for file in self.plan.source.env_files for k, v in assignments(file).items()}
        return text_in(self.rendered, service, path, {**variables, **os.environ, **self.env})

    def refuse_problems(self) -> None:
        """Raise :class:`~tasklib.errors.ConfigError` when something in the files cannot be isolated."""
        if not self.isolation.problems:
            return
        first, *rest = self.isolation.problems
        more = f" ({len(rest)} more: `{hint('infra.config')}` lists them)" if rest else ""
        where = str(self.plan.source.files[0])
        remedy = f"{first.remedy[:1].upper()}{first.remedy[1:]}."
        raise ConfigError(f"{first.path}: {first.what}{more}", where=where, remedy=remedy)

    def baked(self, bakes: Mapping[str, Bake]) -> Prepared:
        """The same with these stores (by service) starting from what they initialised before."""
        facts = replace(self.facts, bakes=bakes)
        isolation = review(self.rendered, self.instance, self.plan.name, facts=facts)
        return replace(self, facts=facts, isolation=isolation)

    def addressed(self, engine: Engine, seed: str = "") -> Prepared:
        """The same with a small free subnet for each network; networks that exist keep theirs.

        ``seed`` decides where to look first: who looks at the same moment should not look at the same place.
        """
        existing = engine.network_subnets(self.project)
        sizes = {key: size for key, size in subnet_sizes(self.rendered).items() if key not in existing}
        taken = [*engine.subnets(), *subnets.host_routes()] if sizes else []
        chosen = {**existing, **subnets.choose(sizes, taken, seed=seed or self.project)}
        facts = replace(self.facts, subnets=chosen)
        isolation = review(self.rendered, self.instance, self.plan.name, facts=facts)
        return replace(self, facts=facts, isolation=isolation)


def known_servers(
    config: Mapping[str, Any], dockerfiles: Mapping[str, str] | None = None
) -> dict[str, Server]:
    """The known servers of a config, by service; ``dockerfiles`` are the texts of those that are built."""
    found = {}
    for name, service in config["services"].items():
        images = [str(service.get("image") or "")]
        if service.get("build"):
            images.append(base_image(service, (dockerfiles or {}).get(name, "")) or "")
        if server := next((server for image in images if (server := known_server(image))), None):
            found[name] = server
    return found


@cache
def checkout_root(folder: Path) -> Path:
    """The working tree that ``folder`` is in: what lies in that belongs to this instance alone."""
    return find_checkout(folder).root
