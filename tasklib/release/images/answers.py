"""PURE: what a registry answers, as far as it is read."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tasklib.shown.cutting import shorten

__all__ = ["Config", "Image", "Manifest", "Platform", "Tags", "Token", "refusal"]


class Tags(msgspec.Struct, frozen=True):
    tags: tuple[str, ...] | None = None


class Platform(msgspec.Struct, frozen=True):
    os: str = ""
    architecture: str = ""
    variant: str | None = None

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))


class Descriptor(msgspec.Struct, frozen=True):
    digest: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_+.-]+:[A-Fa-f0-9]+$")]
    platform: Platform | None = None


class Manifest(msgspec.Struct, frozen=True):
    """One of an image (``config``), or the list of those of its platforms (``manifests``)."""

    config: Descriptor | None = None
    manifests: tuple[Descriptor, ...] | None = None


class Config(msgspec.Struct, frozen=True):
    labels: dict[str, str] | None = msgspec.field(default=None, name="Labels")


class Image(Platform, frozen=True):
    config: Config | None = None


class Token(msgspec.Struct, frozen=True):
    token: str | None = None
    access_token: str | None = None


class Error(msgspec.Struct, frozen=True):
    message: str = ""


class Errors(msgspec.Struct, frozen=True):
    errors: tuple[Error, ...] = ()


def refusal(body: bytes) -> str:
    """What a registry says of its refusal, in a few words; "" where it says nothing that can be read."""
    try:
        errors = msgspec.json.decode(body, type=Errors).errors
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    return shorten(" ".join(errors[0].message.split()), 120) if errors else ""
