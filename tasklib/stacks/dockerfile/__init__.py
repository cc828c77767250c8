"""PURE: the one reader of Dockerfiles: their instructions, the images they name, what they copy."""

from __future__ import annotations

from tasklib.stacks.dockerfile.images import (
    ImageName,
    bases,
    final_base,
    image_names,
    rename_bases,
    volumes_in,
)
from tasklib.stacks.dockerfile.instructions import Instruction, Word, instructions
from tasklib.stacks.dockerfile.sources import REMOTE, copied, local_sources

__all__ = [
    "REMOTE",
    "ImageName",
    "Instruction",
    "Word",
    "bases",
    "copied",
    "final_base",
    "image_names",
    "instructions",
    "local_sources",
    "rename_bases",
    "volumes_in",
]
