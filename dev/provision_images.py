"""Provides the images: takes what is there, pulls what can be pulled, builds stand-ins for the rest."""

from __future__ import annotations

import os
import shutil

from dev.consent import Consent
from dev.errors import NoEngine
from dev.facts import Host
from dev.images import BASE, IMAGES, Choice, Origin, choose
from dev.packages import install
from dev.plan import Install
from dev.registry import pull
from dev.standins import base_of, build, labels, recipes

__all__ = ["ensure_images"]


def ensure_images(host: Host, consent: Consent) -> tuple[Choice, ...]:
    """One choice for each image that example-project and the tests name; none of them is MISSING.

    Raises NoEngine when an image can be neither found, pulled nor built here, or the user did not agree.
    """
    base = base_of(host)
    wanted = recipes(base)
    present = labels([BASE, *(name for image in IMAGES for name in (image.official, image.standin))])
    choices = choose(os.environ, present, wanted)
    if not _missing(choices):
        return choices
    officials = tuple(choice.name for choice in _missing(choices) if choice.name == choice.image.official)
    if officials:
        present |= dict.fromkeys(pull(officials), "")
        choices = choose(os.environ, present, wanted)
    missing = tuple(choice.image.kind for choice in _missing(choices))
    if not missing:
        return choices
    if base is None:
        names = ", ".join(choice.name for choice in _missing(choices))
        instead = ", ".join(choice.image.variable for choice in _missing(choices))
        raise NoEngine(
            f"No registry gave these images, and on {host.name} none can be built: {names}\n"
            f"Pull or load them, or name others in {instead}."
        )
    _ensure_mmdebstrap(host, consent, missing)
    python = next(choice for choice in choices if choice.image.kind == "python")
    build(missing, base, wanted, present, python.image.standin if "python" in missing else python.name)
    return choose(
        os.environ, present | {c.image.standin: wanted[c.image.kind] for c in _missing(choices)}, wanted
    )


def _missing(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    return tuple(choice for choice in choices if choice.origin is Origin.MISSING)


def _ensure_mmdebstrap(host: Host, consent: Consent, kinds: tuple[str, ...]) -> None:
    if shutil.which("mmdebstrap"):
        return
    need = f"No registry gave images for {', '.join(kinds)}; stand-ins for them are built with mmdebstrap."
    if not host.root:
        raise NoEngine(f"{need}\nInstall it (sudo apt-get install mmdebstrap) and repeat the command.")
    consent.ask(need, f"install mmdebstrap from {host.name}")
    install(Install(("mmdebstrap",)), host)
