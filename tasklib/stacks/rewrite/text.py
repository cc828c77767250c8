"""An isolated config as the text that Compose is given."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["as_text"]

_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})")


def as_text(config: Any, *, indent: int | None = None) -> str:
    """JSON that Compose's YAML reader takes for the same values.

    YAML refuses both control characters as they are and JSON's escaped pairs for characters beyond the basic
    plane (emoji), so the former are escaped and the latter are not.
    """
    return _PAIR.sub(
        lambda found: found[1] + _character(found[2], found[3]), json.dumps(config, indent=indent)
    )


def _character(high: str, low: str) -> str:
    return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + (int(low, 16) - 0xDC00))
