"""PURE: which containers have our labels only because their image has them.

Whatever is started from a `docker commit` of one of our containers, or from an image that is built on that,
carries its labels, Compose's included, and is nobody's of ours. So each of ours also carries its own name.
One that was renamed, and one of ``docker compose run``, carry another name and are ours all the same: their
image knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from tasklib.stacks.labels import CHECKOUT, CONTAINER

__all__ = ["inherits", "may_inherit"]


def may_inherit(labels: Mapping[str, str], name: str) -> bool:
    """Whether it depends on its image whose the container ``name`` with these ``labels`` is."""
    return CHECKOUT in labels and labels.get(CONTAINER) != name


def inherits(labels: Mapping[str, str], of_image: Mapping[str, str] | None) -> bool:
    """Whether a container that :func:`may_inherit` has what says that it is ours from its image.

    Where the image is not there any more (``None``), nobody can tell, and it is left alone.
    """
    if of_image is None:
        return True
    return all(of_image.get(key) == labels.get(key) for key in (CHECKOUT, CONTAINER))
