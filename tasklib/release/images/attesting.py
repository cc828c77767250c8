"""PURE: what is attested of images, who can, and who pushes them then.

What an image was made from, and by whom, lies beside it in an index. An engine keeps that only in a store of
containerd's; a builder in a container hands it over to a registry alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from tasklib.stacks.compose.builder import Builder

__all__ = ["NOTHING", "Attesting", "attesting"]

_SHOWN = {"provenance": "provenance", "sbom": "SBOM"}


class Attesting(Struct, frozen=True):
    """``attests`` as buildx takes them; ``by_builder``: the builder pushes, since the engine keeps none.

    ``left`` says in a line why there are none although they are wanted.
    """

    attests: tuple[str, ...] = ()
    by_builder: bool = False
    left: str = ""


NOTHING = Attesting()


def attesting(wanted: Iterable[str], builder: Builder, hosts: Iterable[str], *, several: bool) -> Attesting:
    """What ``builder`` can attest of images that go to the registries ``hosts``.

    ``wanted`` are kinds with buildx's options (``provenance,mode=max``), ``hosts`` those on this machine's
    loopback; ``several`` platforms are the builder's to push in any case.
    """
    attests = tuple(_attest(one) for one in wanted)
    if not attests:
        return NOTHING
    kinds = " or ".join(_SHOWN[one.partition(",")[0]] for one in wanted)
    if builder.is_engine and builder.keeps:
        return Attesting(attests)
    if builder.is_engine:
        why = "the engine's store of images keeps none; a builder of `docker buildx create --use` attests"
    elif not builder.driver:
        why = "`docker buildx inspect` does not say what builds"
    elif not several and (host := next(iter(hosts), "")):
        why = f"the builder {builder.name} cannot push to {host}, which is another machine for it"
    else:
        return Attesting(attests, by_builder=True)
    return Attesting(left=f"the images have no {kinds}: {why}")


def _attest(one: str) -> str:
    kind, _, options = one.partition(",")
    # All else would tell the arguments of a build, which may be secrets.
    default = "mode=min" if kind == "provenance" and "mode=" not in options else ""
    return ",".join(filter(None, (f"type={kind}", options, default)))
