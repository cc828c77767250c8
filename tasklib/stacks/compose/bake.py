"""The only caller of ``docker buildx bake``: images that belong to no stack, so without Compose's labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from tasklib import process
from tasklib.errors import EngineError, engine_stopped
from tasklib.shown.masking import mask
from tasklib.stacks.address import docker_environment, is_unreachable
from tasklib.stacks.compose.inline import inline_room
from tasklib.stacks.compose.output import BuildOutput
from tasklib.stacks.rewrite import as_text

__all__ = ["Where", "bake"]


class Where(Enum):
    """Where images end up, as buildx is told."""

    ENGINE = "--load"
    REGISTRY = "--push"
    CACHE = ""
    """The builder's own, from which it pushes later: an engine does not hold several platforms."""


def bake(
    config: Mapping[str, Any],
    folder: Path,
    on_line: Callable[[str], None],
    cancel: process.Cancel,
    *,
    platforms: Sequence[str] = (),
    attests: Sequence[str] = (),
    where: Where = Where.ENGINE,
) -> None:
    """Build the images of all services of a rendered Compose ``config``, side by side.

    They end up ``where`` it says. ``attests`` are attestations as buildx takes them
    (``type=provenance,mode=min``). Raises :class:`~tasklib.stacks.compose.failures.BuildFailed`
    naming the failed step.
    """
    output = BuildOutput()

    def read(_: str, line: str) -> None:
        line = mask(line)  # before anybody cuts it
        output.read(line)
        on_line(line)

    # What the config itself says of platforms is not read.
    wanted = [where.value] if where.value else []
    wanted += [word for platform in platforms for word in ("--set", f"*.platform={platform}")]
    wanted += [word for attest in attests for word in ("--set", f"*.attest={attest}")]
    # Contexts may lie outside of the folder; what is attested unasked makes every image an index.
    settings = {"BUILDX_BAKE_ENTITLEMENTS_FS": "0", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
    with inline_room(config) as room:
        code = process.stream(
            ["docker", "buildx", "bake", "--progress", "plain", *wanted, "--file", "-"],
            on_line=read,
            cwd=folder,
            env=docker_environment({**settings, **room}),
            stdin=as_text(config),
            cancel=cancel,
        )
    if code:
        raise _problem("\n".join(output.lines)) or output.failure(config)


_SCANNER = "buildkit-syft-scanner"
"""The image that buildx lets look at images, unless it is told another."""


def _problem(text: str) -> EngineError | None:
    if is_unreachable(text):
        return engine_stopped()
    if "is not a docker command" in text:
        return EngineError(
            "Docker's buildx is missing", remedy="Install it: https://docs.docker.com/build/install-buildx"
        )
    if "Attestation is not supported" in text or "attestations are not supported" in text.lower():
        return EngineError(
            "this builder cannot attest what images are made of",
            remedy="`docker buildx create --use` makes one that can; `images.attestations = []` does "
            "without.",
        )
    if _SCANNER in text:
        return EngineError(
            f"what lists the contents of images for their SBOM cannot be run: {_SCANNER}",
            remedy='`images.attestations = ["provenance"]` leaves it out, `"sbom,generator=IMAGE"` takes '
            "another.",
        )
    if "not supported for the docker driver" in text or "Multi-platform build is not supported" in text:
        return EngineError(
            "this builder builds for its own platform only",
            remedy="`docker buildx create --use` makes one for several platforms.",
        )
    return None
